// oneDNN's matmul as a baseline; of a pair of products see onednn_pair.h.
#include <fmt/format.h>

#include "tuner/baseline/onednn_pair.h"

namespace gemwright::tuner {
namespace {

using onednn::Matmul;
using onednn::MatmulTask;

// Its f32 product is what it is on every machine; nothing else is asked of its reference code.
bool is_bare_f32(const Problem& p) { return p.interface == Interface::f32 && p.chain.empty(); }

Result<void> done(dnnl_status_t s) {
  if (s != dnnl_success) return fail(fmt::format("oneDNN failed with status {}", static_cast<int>(s)));
  return {};
}

class OneDnn final : public Baseline {
 public:
  explicit OneDnn(std::optional<PairWay> way)
      : only_(way), engine_(dnnl::engine::kind::cpu, 0), stream_(engine_), pair_(engine_, stream_) {}

  std::string name() const override {
    const dnnl_version_t* const v = dnnl_version();
    // Whichever way of a pair is the fastest: two that are as fast must not be two baselines.
    return fmt::format("onednn {}.{}.{}", v->major, v->minor, v->patch);
  }

  Result<void> prepare(const BaselineCall& call, bool same_weights) override {
    matmul_.reset();
    is_pair_ = false;
    if (call.problem.k == 0) return fail("oneDNN does not compute products with K = 0");
    if (auto set = onednn::set_threads(call.threads); !set) return set;
    try {
      return has_pair(call.problem) ? prepare_pair(call, same_weights) : prepare_one(call, same_weights);
    } catch (const dnnl::error& e) {
      return fail(fmt::format("oneDNN refused the problem: {}", e.what()));
    }
  }

  Result<void> run(std::int64_t weights) override {
    return done(is_pair_ ? pair_.run(weights) : matmul_->run(stream_, weights_.at(weights)));
  }

  std::int64_t weight_copies() const override { return is_pair_ ? pair_.weights().count() : weights_.count(); }
  double weight_bytes() const override { return weights_.bytes() + pair_.weight_bytes(); }

  Result<void> product(const BaselineCall& call, float* c) override {
    if (call.problem.interface != Interface::f32) return fail("the bare product is of f32 alone");
    if (call.problem.k == 0) return fail("oneDNN does not compute products with K = 0");
    if (auto set = onednn::set_threads(call.threads); !set) return set;
    try {
      Matmul matmul(engine_, onednn::task_of(call, onednn::weights_desc(call.problem), c));
      const dnnl::memory b(matmul.weights(), engine_, const_cast<void*>(call.b.first));
      return done(matmul.run(stream_, b.get()));
    } catch (const dnnl::error& e) {
      return fail(fmt::format("oneDNN refused the problem: {}", e.what()));
    }
  }

 private:
  Result<void> prepare_one(const BaselineCall& call, bool same_weights) {
    const Problem& p = call.problem;
    pair_.clear();
    const std::vector<onednn::WeightPart> all = {{onednn::weights_desc(p), 0, {}}};
    MatmulTask task = onednn::task_of(call, all[0].plain, call.c);
    task.any_format = p.constant_weights;
    task.sum = p.beta == 1;
    task.ops = onednn::post_ops(p.chain, call.operands);
    Matmul matmul(engine_, task);
    if (matmul.is_reference() && !is_bare_f32(p)) return fail(onednn::only_reference(p));
    if (!p.constant_weights) {
      weights_.use_plain(engine_, call, all);
    } else if (auto packed =
                   weights_.pack(engine_, stream_, call, all, {matmul.weights()}, call.cache_bytes, same_weights);
               !packed) {
      return packed;
    }
    matmul_.emplace(std::move(matmul));
    return {};
  }

  Result<void> prepare_pair(const BaselineCall& call, bool same_weights) {
    weights_.clear();
    if (auto ready = pair_.prepare(call, same_weights, only_); !ready) {
      pair_.clear();
      return ready;
    }
    is_pair_ = true;
    return {};
  }

  std::optional<PairWay> only_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  std::optional<Matmul> matmul_;
  onednn::Weights weights_;
  bool is_pair_ = false;  // what is prepared
  onednn::Pair pair_;
};

}  // namespace

Result<std::unique_ptr<Baseline>> make_onednn(std::optional<PairWay> way) {
  try {
    return std::make_unique<OneDnn>(way);
  } catch (const dnnl::error& e) {
    return fail(fmt::format("oneDNN does not start: {}", e.what()));
  }
}

}  // namespace gemwright::tuner
