#include "tuner/baseline/onednn_pair.h"

#include <algorithm>
#include <chrono>
#include <limits>

namespace gemwright::tuner::onednn {
namespace {

// A few rounds, in each of which every way is timed for long enough for the clock; fewer or none where calls are long:
// a user waits.
constexpr int kRounds = 5;
constexpr double kBlockSeconds = 200e-6;
constexpr double kBudgetSeconds = 0.3;
// A call so long is its own warming.
constexpr double kLongSeconds = 0.05;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

constexpr std::size_t kGate = 0, kUp = 1;

bool bias_before(const Problem& p) { return p.chain.front() == EpilogueOp::bias; }

EpilogueOp pair_op(const Problem& p) { return p.chain[bias_before(p) ? 1 : 0]; }

std::vector<EpilogueOp> after_pair(const Problem& p) {
  return {p.chain.begin() + (bias_before(p) ? 2 : 1), p.chain.end()};
}

}  // namespace

void Pair::clear() {
  way_.reset();
  weights_.clear();
  one_copy_.clear();
  between_.reset();
}

double Pair::weight_bytes() const {
  double sum = weights_.bytes();
  for (const Weights& w : one_copy_) sum += w.bytes();
  return sum;
}

Result<void> Pair::prepare(const BaselineCall& call, bool same_weights, std::optional<PairWay> only) {
  way_.reset();
  if (!same_weights) clear();
  if (auto ready = prepare_operands(call); !ready) return ready;
  auto ways = possible_ways(call, only);
  if (!ways) return tl::unexpected(ways.error());
  return choose(call, std::move(*ways));
}

// All that is neither weights nor primitives.
Result<void> Pair::prepare_operands(const BaselineCall& call) {
  const Problem& p = call.problem;
  const std::int64_t rows = p.batch * call.m, half = p.n / 2;
  between_ = gemwright::allocate_floats(static_cast<std::size_t>(rows * p.n));
  if (!between_) return fail("not enough memory for what oneDNN computes between the steps of a pair");
  for (const std::size_t part : {kGate, kUp}) {
    scales_[part].clear();
    if (p.interface != Interface::u8s8) continue;
    for (std::int64_t i = 0; i < p.batch; ++i) {
      const float* const from = call.b_scale + i * p.n + (part == kUp ? half : 0);
      scales_[part].insert(scales_[part].end(), from, from + half);
    }
  }
  std::fill_n(between_.get(), rows * p.n, 0.0F);  // so that no way pays for its page faults
  pass_ = {between_.get(), rows,          half,         pair_op(p),
           after_pair(p),  call.operands, c_element(p), {1.0F / call.c_scale, call.c_zero},
           call.c,         call.threads};
  return {};
}

// The product of one half with its bias, into memory.
MatmulTask Pair::half_task(const BaselineCall& call, std::size_t part) const {
  const Problem& p = call.problem;
  MatmulTask t = task_of(call, half_weights_desc(p), between_.get());
  t.problem.n = p.n / 2;
  t.any_format = p.constant_weights;
  t.b_scale = scales_[part].data();
  t.c_element = gemwright::element::f32;
  if (bias_before(p)) t.ops.push_back({EpilogueOp::bias, call.operands.bias + (part == kUp ? p.n / 2 : 0)});
  if (part == kGate) {
    t.ops.push_back({pair_op(p) == EpilogueOp::swiglu ? EpilogueOp::silu : EpilogueOp::gelu_tanh, nullptr});
  }
  return t;
}

Pair::Way Pair::separate(const BaselineCall& call, PairWay kind) const {
  const Problem& p = call.problem;
  const std::size_t first = kind == PairWay::up_first ? kUp : kGate, second = kUp - first;
  MatmulTask last = half_task(call, second);
  last.ops.push_back({EpilogueOp::mul, between_.get()});
  for (const PostOp& op : post_ops(after_pair(p), call.operands)) last.ops.push_back(op);
  last.c_element = c_element(p);
  last.c = call.c;
  Way way{kind, {}, {first, second}, {}, {}};
  way.steps.emplace_back(engine_, half_task(call, first));
  way.steps.emplace_back(engine_, last);
  const std::int64_t behind = p.b_layout == gemwright::layout::row_major ? p.n / 2 : p.n / 2 * p.k;
  std::optional<Memory::desc> dense;
  if (p.interface == Interface::u8s8) dense = dense_half_weights_desc(p);
  way.parts = {{half_weights_desc(p), 0, dense},
               {half_weights_desc(p), behind * element_size(b_element(p.interface)), dense}};
  way.formats = {way.steps[kGate == first ? 0 : 1].weights(), way.steps[kUp == first ? 0 : 1].weights()};
  return way;
}

Pair::Way Pair::concatenated(const BaselineCall& call) const {
  const Problem& p = call.problem;
  MatmulTask t = task_of(call, weights_desc(p), between_.get());
  t.any_format = p.constant_weights;
  t.c_element = gemwright::element::f32;
  if (bias_before(p)) t.ops.push_back({EpilogueOp::bias, call.operands.bias});
  Way way{PairWay::concatenated, {}, {0}, {{weights_desc(p), 0, {}}}, {}};
  way.steps.emplace_back(engine_, t);
  way.formats = {way.steps[0].weights()};
  return way;
}

// Those that oneDNN has kernels for.
Result<std::vector<Pair::Way>> Pair::possible_ways(const BaselineCall& call, std::optional<PairWay> only) const {
  std::vector<Way> ways;
  std::string reason;
  for (const PairWay kind : {PairWay::up_first, PairWay::gate_first, PairWay::concatenated}) {
    if (only && *only != kind) continue;
    try {
      Way way = kind == PairWay::concatenated ? concatenated(call) : separate(call, kind);
      const bool reference =
          std::any_of(way.steps.begin(), way.steps.end(), [](const Matmul& m) { return m.is_reference(); });
      if (reference) {
        reason = only_reference(call.problem);
      } else {
        ways.push_back(std::move(way));
      }
    } catch (const dnnl::error& e) {
      reason = std::string("oneDNN refused the problem: ") + e.what();
    }
  }
  if (ways.empty()) return fail(reason);
  return ways;
}

// One copy of the weights as `way` reads them, of those that are there or new.
Result<Weights*> Pair::packed_once(const BaselineCall& call, const Way& way) {
  if (weights_.has_formats(way.formats)) return &weights_;
  for (Weights& w : one_copy_) {
    if (w.has_formats(way.formats)) return &w;
  }
  Weights made;
  if (auto packed = made.pack(engine_, stream_, call, way.parts, way.formats, 0, false); !packed) {
    return tl::unexpected(packed.error());
  }
  return &one_copy_.emplace_back(std::move(made));
}

// `chosen`, one of one_copy_, becomes weights_. What was there is kept where it is a single copy: then it is large.
void Pair::adopt(Weights& chosen) {
  std::swap(weights_, chosen);
  if (chosen.count() != 1) one_copy_.remove_if([&](const Weights& w) { return &w == &chosen; });
}

// Keeps the fastest way and packs all copies of its weights. The ways are timed with one copy.
Result<void> Pair::choose(const BaselineCall& call, std::vector<Way> ways) {
  const bool constant = call.problem.constant_weights;
  // Formats that no way reads now, perhaps of another number of threads, go.
  one_copy_.remove_if([&](const Weights& w) {
    return !constant ||
           std::none_of(ways.begin(), ways.end(), [&](const Way& way) { return w.has_formats(way.formats); });
  });
  std::list<Weights> plain;
  std::vector<Weights*> weights;  // of each way
  for (const Way& way : ways) {
    if (!constant) {
      plain.emplace_back().use_plain(engine_, call, way.parts);
      weights.push_back(&plain.back());
    } else if (ways.size() == 1) {
      weights.push_back(&weights_);
    } else if (auto packed = packed_once(call, way); packed) {
      weights.push_back(*packed);
    } else {
      return tl::unexpected(packed.error());
    }
  }
  const std::optional<std::size_t> best = ways.size() == 1 ? 0 : fastest(ways, weights);
  if (!best) return fail("oneDNN failed to compute the pair of products");
  way_ = std::move(ways[*best]);
  if (!constant) {
    weights_ = std::move(*weights[*best]);
    return {};
  }
  if (weights[*best] != &weights_) adopt(*weights[*best]);
  return weights_.pack(engine_, stream_, call, way_->parts, way_->formats, call.cache_bytes, true);
}

std::optional<std::size_t> Pair::fastest(std::vector<Way>& ways, const std::vector<Weights*>& weights) {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  const auto start = Clock::now();
  std::vector<double> best(ways.size());
  std::vector<std::int64_t> calls(ways.size());
  const auto timed = [&](std::size_t i) {
    const auto begin = Clock::now();
    return run(ways[i], *weights[i], 0) == dnnl_success ? seconds_since(begin) : kNever;
  };
  for (std::size_t i = 0; i < ways.size(); ++i) {
    best[i] = timed(i);
    if (best[i] < kLongSeconds) best[i] = timed(i);  // the first one warms what all calls use
    calls[i] = std::max<std::int64_t>(1, static_cast<std::int64_t>(kBlockSeconds / std::max(best[i], 1e-7)));
  }
  for (int round = 0; round < kRounds && seconds_since(start) < kBudgetSeconds; ++round) {
    for (std::size_t j = 0; j < ways.size(); ++j) {
      const std::size_t i = round % 2 == 0 ? j : ways.size() - 1 - j;
      if (best[i] == kNever) continue;
      const auto begin = Clock::now();
      for (std::int64_t n = 0; n < calls[i]; ++n) run(ways[i], *weights[i], 0);
      const double one = seconds_since(begin) / static_cast<double>(calls[i]);
      best[i] = std::min(best[i], one);
    }
  }
  const auto least = std::min_element(best.begin(), best.end());
  if (*least == kNever) return std::nullopt;
  return static_cast<std::size_t>(least - best.begin());
}

dnnl_status_t Pair::run(Way& way, const Weights& weights, std::int64_t copy) {
  for (std::size_t i = 0; i < way.steps.size(); ++i) {
    if (const dnnl_status_t s = way.steps[i].run(stream_, weights.at(copy, way.reads[i])); s != dnnl_success) return s;
  }
  if (way.kind == PairWay::concatenated) run_pass(pass_);
  return dnnl_success;
}

}  // namespace gemwright::tuner::onednn
