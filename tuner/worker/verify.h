// Whether a result is right: element by element against float64 where that is affordable, against a trusted result
// everywhere.
//
// The bound of an element. Every operand is random with mean zero, so a sum of K products in f32, in any order, is off
// by a few u * |a| * |b| (|.| the 2-norm of the row and the column, u = 2^-24): partial sums grow with sqrt(K) and so
// does the number of roundings that add up. Products much larger than the rest show in the result itself, which adds u
// * sqrt(K) * |c|. `ErrorBound` allows eight times that, some twenty standard deviations, and never more than the
// proven (K + 3) * u * (sum of magnitudes). What the chain makes of that is in chain_reference.h; activations may be
// off by 2e-6 of the result and of 1 at least: ours are better by ten, those of a baseline need it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tuner/baseline/baseline.h"
#include "tuner/worker/chain_reference.h"
#include "tuner/worker/operands.h"

namespace gemwright::tuner {

class ErrorBound {
 public:
  explicit ErrorBound(std::int64_t k);
  // `norms` is |a| * |b|, `start` what was there before the product (|c0|).
  double operator()(double norms, double result, double start) const;

 private:
  double depth_, root_;
};

// The rows of C, over all items of the batch, that lie on either side of a border of tiles, blocks or threads:
// ascending, thinned out evenly where there are more than can be checked anyway.
std::vector<std::int64_t> border_rows(std::int64_t m, std::int64_t batch, int mr, const gemwright::blocking& g);

// For a subject whose borders are unknown.
std::vector<std::int64_t> all_rows(std::int64_t rows);

struct Verdict {
  std::optional<std::string> fault;  // one sentence
  double error_fro = 0;              // relative Frobenius distance to float64, over the rows known in float64
  double error_max =
      0;  // largest error of an element there, in units of u * (|a| * |b| + |start|); start() says of what
};

// What is known about the right result of one setup. Rows in float64 are kept, so each candidate adds to what the next
// is compared with.
class TrustedResult {
 public:
  // The product comes from `baseline` (may be null) and is then proven by projections in float64, or else is made in
  // float64 altogether, as small ones always are.
  static Result<TrustedResult> make(const Operands& o, Baseline* baseline, const BaselineCall& call);

  // Compares C as it lies in the operands; `borders` are the rows that this candidate makes interesting.
  Verdict check(const std::vector<std::int64_t>& borders);
  const std::string& source() const { return source_; }  // "float64" or the baseline's name

 private:
  explicit TrustedResult(const Operands& o) : o_(&o), chain_(o.chain()), bound_(o.problem.k) {}
  void make_norms();
  Result<void> allocate();
  void make_in_float64();
  bool proven_product() const;
  void finish_whole();
  void set_whole(std::int64_t at, Bounded right);
  void add_rows(const std::vector<std::int64_t>& rows);
  std::vector<std::int64_t> affordable(const std::vector<std::int64_t>& borders) const;
  Bounded finished(double product, double doubt, std::int64_t row, std::int64_t col) const;
  double start(std::int64_t row, std::int64_t col) const;
  double norms(std::int64_t row, std::int64_t col) const;
  std::optional<std::string> check_whole() const;
  std::string fault(std::int64_t row, std::int64_t col, double expected, double allowed) const;

  const Operands* o_;
  std::string source_ = "float64";
  gemwright::epilogue_operands chain_;
  ErrorBound bound_;
  gemwright::float_block whole_, allowed_;  // the result, and what a candidate may be off by
  std::map<std::int64_t, std::vector<Bounded>> exact_;
  std::vector<double> a_norms_, b_norms_;  // of rows and columns, all items
};

}  // namespace gemwright::tuner
