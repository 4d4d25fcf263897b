// Whether a result is right: element by element against float64 where that is affordable, against a trusted result
// everywhere.
//
// A result has to be right about the factors of its compute mode (factors.h): what bf16 or u8s8 make of the operands is
// the mode's error and no fault. That error is measured against the result of the operands as they are.
//
// The bound of an element. Every operand is random with mean zero, so a sum of K products in f32, in any order, is off
// by a few u * |a| * |b| (|.| the 2-norm of the row and the column, u = 2^-24): partial sums grow with sqrt(K) and so
// does the number of roundings that add up. Products much larger than the rest show in the result itself, which adds u
// * sqrt(K) * |c|. `ErrorBound` allows eight times that, some twenty standard deviations, and never more than the
// proven (K + 3) * u * (sum of magnitudes). What the chain makes of that is in chain_reference.h; activations may be
// off by 2e-6 of the result and of 1 at least: ours are better by ten, those of a baseline need it.
//
// bf16: products are exact in f32 and sums as above, in an order of the instruction's own, which also takes what is
// below the normal numbers for zero: 2^-126 a product. u8s8: sums are exact; the conversion to f32 and two scales are
// off by 3 u of the result, and its factors as f32 by 2 u of each product: 8 u of the norms, whatever K is. A C of bf16
// adds half the distance of the bf16 numbers there. A C of u8 is compared by what its elements mean: with the result
// as far as they reach, within half a step more.
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
  explicit ErrorBound(std::int64_t k, ComputeMode mode = ComputeMode::f32);
  // `norms` is |a| * |b|, `start` what was there before the product (|c0|).
  double operator()(double norms, double result, double start) const;

 private:
  double root_, proven_, least_;
};

// How far rounding to an element of C may move a value that lies within `error` of `value`.
double rounding_of(gemwright::element c, double value, double error);
// What an element of C may mean that was made of a value. u8 (`scale` and `zero` as Operands has them): the value as
// far as 0 to 255 reach, half a step to either side, and what f32 loses on the way to a step.
Bounded in_element(gemwright::element c, Bounded value, float scale, int zero);

// The rows of C, over all items of the batch, that lie on either side of a border of tiles, blocks or threads:
// ascending, thinned out evenly where there are more than can be checked anyway.
std::vector<std::int64_t> border_rows(std::int64_t m, std::int64_t batch, ComputeMode mode, int mr,
                                      const gemwright::blocking& g);

// For a subject whose borders are unknown.
std::vector<std::int64_t> all_rows(std::int64_t rows);

struct Verdict {
  std::optional<std::string> fault;  // one sentence
  // Relative Frobenius distance to float64, and the largest error of an element in units of u * (|a| * |b| + |start|);
  // scale() says of what. Over the rows known in float64, or as distance() says.
  double error_fro = 0, error_max = 0;
};

// What a mode multiplies, as f32: laid out as the operands' a and b.
struct Factors {
  ComputeMode mode = ComputeMode::f32;
  const float* a = nullptr;
  const float* b = nullptr;
};
// Those of the interface's own mode: what the operands mean.
Factors own_factors(const Operands& o);

// What is known about the right result of one setup in one mode. Rows in float64 are kept, so each candidate adds to
// what the next is compared with.
class TrustedResult {
 public:
  // The product comes from `baseline` (may be null) and is then proven by projections in float64, or else is made in
  // float64 altogether, as small ones always are. `call` is the baseline's of the setup.
  static Result<TrustedResult> make(const Operands& o, const Factors& factors, Baseline* baseline,
                                    const BaselineCall& call);
  static Result<TrustedResult> make(const Operands& o, Baseline* baseline, const BaselineCall& call) {
    return make(o, own_factors(o), baseline, call);
  }

  // Compares C as it lies in the operands; `borders` are the rows that this candidate makes interesting.
  Verdict check(const std::vector<std::int64_t>& borders);
  // How far C is from the trusted result, over all of it or many rows spread evenly: the error of a mode less exact
  // than this one. No fault is looked for.
  Verdict distance() const;
  const std::string& source() const { return source_; }  // "float64" or the baseline's name

 private:
  // A row of the product, of a baseline's f32 or our float64.
  struct ProductRow {
    std::int64_t row = 0;
    bool from_baseline = false;
    const float* baseline = nullptr;
    const double* own = nullptr;
    double at(std::int64_t col) const { return from_baseline ? static_cast<double>(baseline[col]) : own[col]; }
  };

  TrustedResult(const Operands& o, const Factors& factors);
  void make_norms();
  Result<void> allocate();
  void make_in_float64();
  bool proven_product() const;
  void finish_whole();
  void set_whole(std::int64_t at, Bounded right);
  void add_rows(const std::vector<std::int64_t>& rows);
  std::vector<std::int64_t> affordable(const std::vector<std::int64_t>& borders) const;
  Bounded sum(double product, double c0, bool from_baseline, std::int64_t row, std::int64_t col) const;
  Bounded finished(const ProductRow& product, std::int64_t col) const;
  double scale(std::int64_t row, std::int64_t col) const;
  double norms(std::int64_t row, std::int64_t col) const;
  std::optional<std::string> check_whole() const;
  std::string fault(std::int64_t row, std::int64_t col, float got, double expected, double allowed) const;

  const Operands* o_;
  Factors factors_;
  std::string source_ = "float64";
  gemwright::epilogue_operands chain_;
  ErrorBound bound_, baseline_bound_;
  gemwright::float_block whole_, allowed_;  // the result, and what a candidate may be off by
  std::map<std::int64_t, std::vector<Bounded>> exact_;
  std::vector<double> a_norms_, b_norms_;  // of rows and columns, all items
};

}  // namespace gemwright::tuner
