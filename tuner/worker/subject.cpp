#include "tuner/worker/subject.h"

#include <gemwright/dot.h>
#include <gemwright/gemm.h>

#include <algorithm>
#include <chrono>
#include <limits>

namespace gemwright::tuner {

Result<void> TileSubject::prepare() {
  auto weights = b_packed() ? store_.packed(operands_, {config_.mode, config_.format}) : store_.plain(operands_);
  if (!weights) return tl::unexpected(weights.error());
  weights_ = *weights;
  if (!context_.ensure(threads_, scratch())) return fail("no context could be made for the candidate");
  make_call();
  return {};
}

gemwright::scratch_size F32TileSubject::scratch() const {
  const Problem& p = operands_.problem;
  return gemwright::scratch_for(plan(), p.n, p.k, p.batch, b_packed());
}

void F32TileSubject::make_call() {
  const Problem& p = operands_.problem;
  gemwright::gemm_call x;
  x.m = operands_.m;
  x.n = p.n;
  x.k = p.k;
  x.batch = p.batch;
  x.a = operands_.a.data();
  x.lda = operands_.lda();
  x.stride_a = operands_.m * p.k;
  x.a_layout = p.a_layout;
  x.ldb = operands_.ldb();
  x.stride_b = b_packed() ? gemwright::packed_b_size(p.n, p.k, config_.format) : p.n * p.k;
  x.b_layout = p.b_layout;
  x.b_packed = b_packed();
  x.c = operands_.c.data();
  x.ldc = c_columns(p);
  x.stride_c = operands_.m * x.ldc;
  x.beta = p.beta == 1;
  x.bare = bare_;
  x.operands = operands_.chain();
  call_ = x;
}

std::optional<std::string> F32TileSubject::run(std::int64_t calls) {
  const gemwright::plan p = plan();
  for (std::int64_t i = 0; i < calls; ++i) {
    call_.b = static_cast<const float*>(weights_->next());
    const gemwright::status status = gemwright::run_gemm(call_, p, context_.get());
    if (status != gemwright::status::ok) return run_status_text(status);
  }
  return std::nullopt;
}

gemwright::scratch_size DotTileSubject::scratch() const {
  if (config_.format.panel < 1) return {};  // refused when it runs
  const Problem& p = operands_.problem;
  return gemwright::scratch_for(plan(), p.n, p.k, p.batch, b_packed());
}

void DotTileSubject::make_call() {
  const Problem& p = operands_.problem;
  gemwright::dot_call x;
  x.m = operands_.m;
  x.n = p.n;
  x.k = p.k;
  x.batch = p.batch;
  x.a = operands_.a_data();
  x.a_type = a_element(p.interface);
  x.lda = operands_.lda();
  x.stride_a = operands_.m * p.k;
  x.a_layout = p.a_layout;
  x.a_scale = operands_.a_scale;
  x.a_zero = operands_.a_zero;
  if (!b_packed()) x.b = weights_source(operands_);
  x.c = operands_.c_data();
  x.ldc = c_columns(p);
  x.stride_c = operands_.m * x.ldc;
  x.beta = p.beta == 1;
  x.requant = {1.0F / operands_.c_scale, operands_.c_zero};
  x.bare = bare_;
  x.operands = operands_.chain();
  call_ = x;
}

std::optional<std::string> DotTileSubject::run(std::int64_t calls) {
  const gemwright::dot_plan p = plan();
  const bool packed = b_packed();
  for (std::int64_t i = 0; i < calls; ++i) {
    const void* const b = weights_->next();
    if (packed) {
      call_.weights = static_cast<const gemwright::packed_dot_weights*>(b);
    } else {
      call_.b.b = b;
    }
    const gemwright::status status = gemwright::run_dot(call_, p, context_.get());
    if (status != gemwright::status::ok) return run_status_text(status);
  }
  return std::nullopt;
}

Result<void> HeaderSubject::prepare() {
  if (!library_.ensure_context(threads_)) return fail("the header's context could not be made");
  const Problem& p = operands_.problem;
  if (!p.constant_weights) {
    auto plain = store_.plain(operands_);
    if (!plain) return tl::unexpected(plain.error());
    plain_ = *plain;
    return {};
  }
  // A packed word of 4 bytes holds a group of K.
  const double bytes = 4.0 / gemwright::k_group(mode_) * static_cast<double>(p.batch) * static_cast<double>(p.n) *
                       static_cast<double>(p.k);
  const auto copies = static_cast<std::size_t>(copy_count(cache_bytes_, bytes));
  while (packed_.size() < copies) {
    PackedWeights one(library_.api().pack(operands_.b_data(), operands_.ldb(), operands_.b_scale.data()),
                      library_.api().free_packed);
    if (!one) return fail("the header could not pack the weights");
    packed_.push_back(std::move(one));
  }
  return {};
}

std::optional<std::string> HeaderSubject::run(std::int64_t calls) {
  const auto run = library_.api().run;
  const bool constant = operands_.problem.constant_weights;
  const gemwright::epilogue_operands o = operands_.chain();
  const ChainOperands chain{o.bias,
                            o.residual,
                            o.operand,
                            o.scale,
                            o.clamp_lo,
                            o.clamp_hi,
                            operands_.a_scale,
                            operands_.a_zero,
                            operands_.b_scale.data(),
                            operands_.c_scale,
                            operands_.c_zero};
  const ChainOperands* const handed_in = takes_operands(operands_.problem) ? &chain : nullptr;
  // Known once, as they are to a caller: asking for them takes as long as a small product does.
  void* const context = library_.context();
  const void* const a = operands_.a_data();
  void* const c = operands_.c_data();
  const std::int64_t m = operands_.m, lda = operands_.lda(), ldb = operands_.ldb(), ldc = c_columns(operands_.problem);
  for (std::int64_t i = 0; i < calls; ++i) {
    const void* packed = nullptr;
    const void* b = nullptr;
    if (constant) {
      turn_ = turn_ + 1 < packed_.size() ? turn_ + 1 : 0;
      packed = packed_[turn_].get();
    } else {
      b = plain_->next();
    }
    const int status = run(context, m, a, lda, packed, b, ldb, c, ldc, handed_in);
    if (status != 0) return run_status_text(status);
  }
  return std::nullopt;
}

std::optional<std::string> BaselineSubject::run(std::int64_t calls) {
  const std::int64_t copies = baseline_.weight_copies();
  for (std::int64_t i = 0; i < calls; ++i) {
    turn_ = turn_ + 1 < copies ? turn_ + 1 : 0;
    if (auto done = baseline_.run(turn_); !done) return done.error().message;
  }
  return std::nullopt;
}

Result<void> PlainBaselineSubject::prepare() {
  auto plain = store_.plain(operands_);
  if (!plain) return tl::unexpected(plain.error());
  weights_ = *plain;
  call_.b = weights_->copies;
  return baseline_.prepare(call_, true);
}

std::optional<std::string> PlainBaselineSubject::run(std::int64_t calls) {
  for (std::int64_t i = 0; i < calls; ++i) {
    (void)weights_->next();
    if (auto done = baseline_.run(weights_->turn); !done) return done.error().message;
  }
  return std::nullopt;
}

std::optional<std::string> AnchorSubject::run(std::int64_t calls) {
  std::uint64_t x = value_;
  for (std::int64_t i = 0; i < calls; ++i) {
    for (int step = 0; step < kSteps; ++step) {
      x = x * 6364136223846793005U + 1442695040888963407U;
      asm volatile("" : "+r"(x));  // the compiler must not fold steps
    }
  }
  value_ = x;
  return std::nullopt;
}

double AnchorSubject::fastest_call_ns() {
  constexpr int kTimes = 3, kCalls = 8;
  AnchorSubject anchor;
  std::int64_t fastest = std::numeric_limits<std::int64_t>::max();
  for (int i = 0; i < kTimes; ++i) {
    const auto start = std::chrono::steady_clock::now();
    (void)anchor.run(kCalls);  // it cannot fail
    const auto spent = std::chrono::steady_clock::now() - start;
    fastest = std::min<std::int64_t>(fastest, std::chrono::duration_cast<std::chrono::nanoseconds>(spent).count());
  }
  return static_cast<double>(fastest) / kCalls;
}

}  // namespace gemwright::tuner
