// The trusted results of one setup: that of the interface's own mode, and one of each other mode, made when its first
// candidate comes.
#pragma once

#include <gemwright/memory.h>

#include <map>

#include "tuner/worker/verify.h"

namespace gemwright::tuner {

class Trust {
 public:
  explicit Trust(const Operands& o) : o_(o) {}

  // The operands change: what is known of them is forgotten, but for the factors of B where the weights stay.
  void reset(bool same_weights);
  bool knows(ComputeMode mode) const { return results_.count(mode) != 0; }
  // What making the result of a mode takes at most.
  double bytes_for(ComputeMode mode) const;
  double bytes() const;
  double bytes_of_weights() const { return static_cast<double>(b_.size()) * b_bytes(); }  // factors of B
  // The pointer holds until the next reset.
  Result<TrustedResult*> make(ComputeMode mode, Baseline* baseline, const BaselineCall& call);
  // Known.
  TrustedResult& of(ComputeMode mode) { return results_.at(mode); }

  // Compares C as it lies in the operands with what is right in a mode that is known, and says how far it is from what
  // is right in the interface's own.
  Verdict check(ComputeMode mode, const std::vector<std::int64_t>& borders);

 private:
  Result<void> make_factors(ComputeMode mode);
  double a_bytes() const { return 4 * static_cast<double>(o_.a.size()); }
  double b_bytes() const { return 4 * static_cast<double>(o_.b.size()); }
  double c_bytes() const { return 8.0 * static_cast<double>(o_.rows()) * static_cast<double>(o_.problem.n); }

  const Operands& o_;
  std::map<ComputeMode, gemwright::float_block> a_, b_;  // of the modes that are not the interface's own
  std::map<ComputeMode, TrustedResult> results_;
};

}  // namespace gemwright::tuner
