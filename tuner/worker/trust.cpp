#include "tuner/worker/trust.h"

#include <utility>

#include "tuner/worker/factors.h"

namespace gemwright::tuner {

void Trust::reset(bool same_weights) {
  results_.clear();
  a_.clear();
  if (!same_weights) b_.clear();
}

double Trust::bytes_for(ComputeMode mode) const {
  if (knows(mode)) return 0;
  if (mode == own_mode(o_.problem.interface)) return c_bytes();
  return c_bytes() + a_bytes() + (b_.count(mode) == 0 ? b_bytes() : 0);
}

double Trust::bytes() const {
  return static_cast<double>(results_.size()) * c_bytes() + static_cast<double>(a_.size()) * a_bytes() +
         static_cast<double>(b_.size()) * b_bytes();
}

Result<void> Trust::make_factors(ComputeMode mode) {
  const bool bf16 = mode == ComputeMode::bf16;
  const auto make = [&](std::map<ComputeMode, gemwright::float_block>& to, const GuardedFloats& from) -> float* {
    gemwright::float_block block = gemwright::allocate_floats(static_cast<std::size_t>(from.size()));
    if (block != nullptr && bf16) round_to_bf16(from.data(), from.size(), block.get(), nullptr);
    return block != nullptr ? (to[mode] = std::move(block)).get() : nullptr;
  };
  constexpr const char* kNoMemory = "not enough memory for what a compute mode makes of the operands";
  const Problem& p = o_.problem;
  if (a_.count(mode) == 0) {
    float* const a = make(a_, o_.a);
    if (a == nullptr) return fail(kNoMemory);
    for (std::int64_t i = 0; !bf16 && i < p.batch; ++i) quantise_rows(o_.a_item(i), a + i * o_.m * p.k);
  }
  if (b_.count(mode) == 0) {
    float* const b = make(b_, o_.b);
    if (b == nullptr) return fail(kNoMemory);
    for (std::int64_t i = 0; !bf16 && i < p.batch; ++i) {
      quantise_columns(o_.b_item(i), b + i * p.k * p.n, nullptr, nullptr);
    }
  }
  return {};
}

Result<TrustedResult*> Trust::make(ComputeMode mode, Baseline* baseline, const BaselineCall& call) {
  if (knows(mode)) return &of(mode);
  Factors factors = own_factors(o_);
  if (mode != factors.mode) {
    if (auto made = make_factors(mode); !made) return tl::unexpected(made.error());
    factors = {mode, a_.at(mode).get(), b_.at(mode).get()};
  }
  auto made = TrustedResult::make(o_, factors, baseline, call);
  if (!made) return tl::unexpected(made.error());
  return &results_.emplace(mode, std::move(*made)).first->second;
}

Verdict Trust::check(ComputeMode mode, const std::vector<std::int64_t>& borders) {
  Verdict v = of(mode).check(borders);
  const ComputeMode own = own_mode(o_.problem.interface);
  if (v.fault || mode == own) return v;
  return of(own).distance();
}

}  // namespace gemwright::tuner
