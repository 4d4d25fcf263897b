#include "tuner/worker/verify.h"

#include <fmt/format.h>
#include <gemwright/loop_nest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "tuner/random.h"

namespace gemwright::tuner {
namespace {

constexpr double kUnit = 0x1p-24;  // half the distance from 1 to the next f32
constexpr double kSafety = 8;      // see verify.h
constexpr double kActivationError = 2e-6;
// Multiply-adds in float64 that a candidate may cost: some 20 ms.
constexpr double kRowBudget = 2e8;
// Rows that are made whatever they cost: the float64 product makes four at the price of little more than one.
constexpr std::int64_t kLeastRows = 4;
// Up to here the whole result is made in float64.
constexpr double kSmallProduct = 0x1p26;
constexpr double kSmallResult = 0x1p22;
// Each candidate is compared with all rows that are known: 64 MiB take some 25 ms.
constexpr std::size_t kMaxExactBytes = std::size_t{64} << 20;
constexpr std::uint64_t kProjectionSeed = 0x5EED;
// Elements that the distance of a result is taken from: some 20 ms.
constexpr double kDistanceElements = 0x1p22;

// A vector of +1 and -1.
std::vector<double> signs(std::int64_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<double> x(static_cast<std::size_t>(count));
  for (double& v : x) v = random.next() >> 63 != 0 ? 1.0 : -1.0;
  return x;
}

double norm(const double* x, std::int64_t count) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += x[i] * x[i];
  return std::sqrt(sum);
}

// Ascending rows, few enough to keep: when there are too many, every second pair goes.
class BorderRows {
 public:
  void add_both_sides(std::int64_t border) {
    if (seen_++ % step_ != 0) return;
    for (const std::int64_t row : {border - 1, border}) {
      if (row >= 0 && (rows_.empty() || row > rows_.back())) rows_.push_back(row);
    }
    if (rows_.size() >= kMost) thin_out();
  }
  void add_last(std::int64_t row) {
    if (row >= 0 && (rows_.empty() || row > rows_.back())) rows_.push_back(row);
  }
  std::vector<std::int64_t> take() { return std::move(rows_); }

 private:
  static constexpr std::size_t kMost = 1 << 14;  // far more than kRowBudget buys but for tiny rows

  void thin_out() {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (i / 2 % 2 == 0) rows_[kept++] = rows_[i];
    }
    rows_.resize(kept);
    step_ *= 2;
  }

  std::vector<std::int64_t> rows_;
  std::int64_t seen_ = 0, step_ = 1;
};

// Borders inside one thread's rows, as the loop nest cuts them into blocks and those into tiles.
void add_block_borders(BorderRows& rows, gemwright::range r, std::int64_t mc, std::int64_t mr) {
  using gemwright::ceil_div;
  const std::int64_t blocks = std::max<std::int64_t>(ceil_div(r.size(), std::max(mc, mr)), 1);
  const std::int64_t step = std::max(gemwright::round_up(ceil_div(r.size(), blocks), mr), mr);
  for (std::int64_t begin = r.begin; begin < r.end; begin += step) {
    const std::int64_t size = std::min(step, r.end - begin);
    const auto tiles = static_cast<int>(ceil_div(size, mr));
    for (int t = 0; t < tiles; ++t) rows.add_both_sides(begin + gemwright::slice(size, tiles, t).begin);
  }
}

// A dot nest spreads the rows of an item evenly over its tiles; blocks and threads take whole tiles.
std::vector<std::int64_t> dot_border_rows(std::int64_t m, std::int64_t batch, int mr) {
  BorderRows rows;
  const std::int64_t tiles = gemwright::ceil_div(m, mr);
  for (std::int64_t item = 0; item < batch; ++item) {
    for (std::int64_t t = 0; t < tiles; ++t) rows.add_both_sides(item * m + gemwright::slice(m, tiles, t).begin);
  }
  rows.add_last(m * batch - 1);
  return rows.take();
}

// Errors of elements, each with the scale of its rounding errors.
struct ErrorSum {
  double errors = 0, squares = 0, largest = 0;

  void add(double error, double expected, double scale) {
    errors += error * error;
    squares += expected * expected;
    if (scale > 0) largest = std::max(largest, error / (kUnit * scale));
  }
  double relative() const { return squares > 0 ? std::sqrt(errors / squares) : 0; }
};

// `count` of the rows, evenly, first and last among them.
std::vector<std::int64_t> evenly(const std::vector<std::int64_t>& rows, std::size_t count) {
  if (rows.size() <= count) return rows;
  if (count < 2) return {rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(count)};
  std::vector<std::int64_t> some;
  for (std::size_t i = 0; i < count; ++i) some.push_back(rows[i * (rows.size() - 1) / (count - 1)]);
  return some;
}

}  // namespace

ErrorBound::ErrorBound(std::int64_t k, ComputeMode mode) {
  const double depth = static_cast<double>(k);
  root_ = std::sqrt(depth + 2);
  proven_ = mode == ComputeMode::u8s8 ? kSafety : depth + 3;
  // Sums that end among the subnormal numbers are off by whole steps.
  const double step =
      mode == ComputeMode::bf16 ? std::numeric_limits<float>::min() : std::numeric_limits<float>::denorm_min();
  least_ = depth * step;
}

double ErrorBound::operator()(double norms, double result, double start) const {
  const double likely = kSafety * (norms + root_ * (std::abs(result) + start));
  return kUnit * std::min(likely, proven_ * (norms + start)) + least_;
}

double rounding_of(gemwright::element c, double value, double error) {
  if (c != gemwright::element::bf16 || !std::isfinite(value)) return 0;
  constexpr int kFraction = 7;  // bits behind the point
  constexpr int kLeastExponent = -126;
  const double most = std::abs(value) + error;
  const int exponent = most > 0 ? std::max(std::ilogb(most), kLeastExponent) : kLeastExponent;
  return std::ldexp(0.5, exponent - kFraction);
}

Bounded in_element(gemwright::element c, Bounded value, float scale, int zero) {
  if (c != gemwright::element::u8) {
    value.error += rounding_of(c, value.value, value.error);
    return value;
  }
  // A value is multiplied by a rounded inverse and the zero point is added; the element's meaning is rounded in turn.
  // Each is off by a unit or two of 255 steps.
  constexpr double kLost = 8 * 255 * kUnit;
  const double step = static_cast<double>(scale);
  const double low = -zero * step, high = (255 - zero) * step;
  const auto reached = [&](double v) { return v > low ? std::min(v, high) : low; };  // a NaN becomes `low`
  const double right = reached(value.value);
  const double error = std::max(reached(value.value + value.error) - right, right - reached(value.value - value.error));
  return {right, error + (0.5 + kLost) * step};
}

std::vector<std::int64_t> border_rows(std::int64_t m, std::int64_t batch, ComputeMode mode, int mr,
                                      const gemwright::blocking& g) {
  using gemwright::ceil_div;
  if (mode != ComputeMode::f32) return dot_border_rows(m, batch, mr);
  BorderRows rows;
  // With slices of K the nest takes one item and mc rows at a time, and gives each chunk to all threads.
  const std::int64_t chunk = g.tk > 1 ? std::max<std::int64_t>(std::min(g.mc, m), 1) : std::max<std::int64_t>(m, 1);
  const std::int64_t together = g.tk > 1 ? 1 : batch;
  for (std::int64_t item = 0; item < batch; item += together) {
    for (std::int64_t first = 0; first < m; first += chunk) {
      const std::int64_t size = std::min(chunk, m - first);
      const std::int64_t tiles = ceil_div(size, mr);
      const auto row_of = [&](std::int64_t t) { return size / tiles * t + std::min(t, size % tiles); };
      for (int thread = 0; thread < g.tm; ++thread) {
        const gemwright::range mine = gemwright::slice(tiles * together, g.tm, thread);
        for (std::int64_t t = mine.begin; t < mine.end;) {
          const std::int64_t begin = t % tiles;
          const std::int64_t end = std::min(tiles, begin + mine.end - t);
          const std::int64_t base = (item + t / tiles) * m + first;
          add_block_borders(rows, {base + row_of(begin), base + row_of(end)}, g.mc, mr);
          t += end - begin;
        }
      }
    }
  }
  rows.add_last(m * batch - 1);
  return rows.take();
}

std::vector<std::int64_t> all_rows(std::int64_t rows) {
  BorderRows all;
  for (std::int64_t r = 1; r < rows; r += 2) all.add_both_sides(r);
  all.add_last(rows - 1);
  return all.take();
}

Factors own_factors(const Operands& o) { return {own_mode(o.problem.interface), o.a.data(), o.b.data()}; }

TrustedResult::TrustedResult(const Operands& o, const Factors& factors)
    : o_(&o), factors_(factors), chain_(o.chain()), bound_(o.problem.k, factors.mode), baseline_bound_(o.problem.k) {}

Result<TrustedResult> TrustedResult::make(const Operands& o, const Factors& factors, Baseline* baseline,
                                          const BaselineCall& call) {
  TrustedResult t(o, factors);
  if (auto made = t.allocate(); !made) return tl::unexpected(made.error());
  t.make_norms();
  const Problem& p = o.problem;
  const double elements = static_cast<double>(o.rows()) * static_cast<double>(p.n);
  const double work = elements * static_cast<double>(p.k);
  const bool small = work <= kSmallProduct && elements <= kSmallResult;
  BaselineCall product = call;
  product.problem.interface = Interface::f32;
  product.a = factors.a;
  product.b = {factors.b, 0, 1};
  if (!small && baseline != nullptr && baseline->product(product, t.whole_.get()) && t.proven_product()) {
    t.source_ = baseline->name();
    t.finish_whole();
    return t;
  }
  t.make_in_float64();
  return t;
}

Result<void> TrustedResult::allocate() {
  whole_ = gemwright::allocate_floats(static_cast<std::size_t>(o_->rows() * o_->problem.n));  // a product first
  allowed_ = gemwright::allocate_floats(static_cast<std::size_t>(o_->rows() * c_columns(o_->problem)));
  if (!whole_ || !allowed_) return fail("not enough memory for the trusted result");
  return {};
}

void TrustedResult::make_norms() {
  for (std::int64_t item = 0; item < o_->problem.batch; ++item) {
    const std::vector<double> a = row_norms(o_->a_item(factors_.a, item));
    const std::vector<double> b = row_norms(o_->b_item(factors_.b, item).transposed());
    a_norms_.insert(a_norms_.end(), a.begin(), a.end());
    b_norms_.insert(b_norms_.end(), b.begin(), b.end());
  }
}

// Proves the product in `whole_` in the manner of R. Freivalds: C * x against A * (B * x) and x * C against (x * A) * B
// for vectors of signs. One wrong element is always seen, unless it is smaller than what rounding makes of a whole row.
bool TrustedResult::proven_product() const {
  const Problem& p = o_->problem;
  std::vector<double> expected, got, inner(static_cast<std::size_t>(p.k));
  const auto agree = [&](const double* side_norms, std::int64_t count, double other_norm) {
    for (std::int64_t i = 0; i < count; ++i) {
      const double allowed = kSafety * kUnit * (side_norms[i] * other_norm);
      const auto at = static_cast<std::size_t>(i);
      // The result itself is the outliers' share, as in ErrorBound.
      const double more = kSafety * kUnit * std::sqrt(static_cast<double>(p.k)) * std::abs(expected[at]);
      if (!(std::abs(expected[at] - got[at]) <= allowed + more)) return false;
    }
    return true;
  };
  for (std::int64_t item = 0; item < p.batch; ++item) {
    const MatrixView a = o_->a_item(factors_.a, item), b = o_->b_item(factors_.b, item);
    const MatrixView c = o_->product_item(whole_.get(), item);
    const double* const a_norms = a_norms_.data() + item * o_->m;
    const double* const b_norms = b_norms_.data() + item * p.n;
    const std::vector<double> x = signs(p.n, kProjectionSeed + static_cast<std::uint64_t>(item));
    expected.resize(static_cast<std::size_t>(o_->m));
    got.resize(expected.size());
    multiply_vector(x.data(), b.transposed(), inner.data());
    multiply_vector(inner.data(), a.transposed(), expected.data());
    multiply_vector(x.data(), c.transposed(), got.data());
    if (!agree(a_norms, o_->m, norm(b_norms, p.n))) return false;

    const std::vector<double> y = signs(o_->m, ~kProjectionSeed - static_cast<std::uint64_t>(item));
    expected.resize(static_cast<std::size_t>(p.n));
    got.resize(expected.size());
    multiply_vector(y.data(), a, inner.data());
    multiply_vector(inner.data(), b, expected.data());
    multiply_vector(y.data(), c, got.data());
    if (!agree(b_norms, p.n, norm(a_norms, o_->m))) return false;
  }
  return true;
}

// An element of the product with what stood there before, and what a candidate may be off by. A product that a baseline
// made may be as far from the truth itself, on the other side.
Bounded TrustedResult::sum(double product, double c0, bool from_baseline, std::int64_t row, std::int64_t col) const {
  const double v = product + c0, both = norms(row, col);
  Bounded sum{v, bound_(both, v, std::abs(c0))};
  if (from_baseline) sum.error += baseline_bound_(both, v, std::abs(c0));
  return sum;
}

// The right result of an element from its row of the product.
Bounded TrustedResult::finished(const ProductRow& product, std::int64_t col) const {
  const Problem& p = o_->problem;
  const std::int64_t row = product.row, columns = c_columns(p);
  const double c0 = p.beta == 1 ? static_cast<double>(o_->c0.data()[row * columns + col]) : 0;
  Bounded b = sum(product.at(col), c0, product.from_baseline, row, col);
  if (!p.chain.empty()) {
    const std::int64_t other = columns + col;
    const Bounded up = has_pair(p) ? sum(product.at(other), 0, product.from_baseline, row, other) : Bounded{};
    const ChainPoint at = chain_point(chain_, row / o_->m, row % o_->m, col, has_pair(p) ? columns : 0);
    b = apply_chain(p.chain, b, at, kActivationError, up);
  }
  return in_element(c_element(p), b, o_->c_scale, o_->c_zero);
}

// How large an element's rounding errors may be, in units in the last place: what the sum is made of, what was there
// before it and what is added behind it. Of a pair the gate counts as often as the other half is large.
double TrustedResult::scale(std::int64_t row, std::int64_t col) const {
  const Problem& p = o_->problem;
  const std::int64_t columns = c_columns(p);
  double s = norms(row, col);
  if (has_pair(p)) s *= norms(row, columns + col);
  if (p.beta == 1) s += std::abs(static_cast<double>(o_->c0.data()[row * columns + col]));
  if (o_->bias.data() != nullptr) s += std::abs(static_cast<double>(o_->bias.data()[col]));
  if (o_->residual.data() != nullptr) s += std::abs(static_cast<double>(o_->residual.data()[row * columns + col]));
  return s;
}

double TrustedResult::norms(std::int64_t row, std::int64_t col) const {
  return a_norms_[static_cast<std::size_t>(row)] *
         b_norms_[static_cast<std::size_t>(row / o_->m * o_->problem.n + col)];
}

// Rounding the right result to f32, and what it may be off by upwards.
void TrustedResult::set_whole(std::int64_t at, Bounded right) {
  const float value = static_cast<float>(right.value);
  const double allowed = right.error + std::abs(static_cast<double>(value) - right.value);
  whole_[static_cast<std::size_t>(at)] = value;
  allowed_[static_cast<std::size_t>(at)] =
      std::nextafter(static_cast<float>(allowed), std::numeric_limits<float>::infinity());
}

// From the product of a baseline, in place: a row of the result is not longer than one of the product.
void TrustedResult::finish_whole() {
  const std::int64_t n = o_->problem.n, columns = c_columns(o_->problem);
  for (std::int64_t row = 0; row < o_->rows(); ++row) {
    const float* const from = whole_.get() + row * n;
    const ProductRow product{row, true, from, nullptr};
    for (std::int64_t j = 0; j < columns; ++j) set_whole(row * columns + j, finished(product, j));
  }
}

void TrustedResult::add_rows(const std::vector<std::int64_t>& rows) {
  const std::int64_t n = o_->problem.n, columns = c_columns(o_->problem);
  std::vector<double> out;
  std::vector<std::int64_t> local;
  for (std::size_t i = 0; i < rows.size();) {
    // Rows of one item at a time, four together.
    const std::int64_t item = rows[i] / o_->m;
    local.clear();
    for (std::size_t j = i; j < rows.size() && local.size() < 4 && rows[j] / o_->m == item; ++j) {
      local.push_back(rows[j] % o_->m);
    }
    out.resize(local.size() * static_cast<std::size_t>(n));
    multiply_rows(o_->a_item(factors_.a, item), local, o_->b_item(factors_.b, item), out.data());
    for (std::size_t r = 0; r < local.size(); ++r) {
      const double* const from = out.data() + r * static_cast<std::size_t>(n);
      const ProductRow product{rows[i + r], false, nullptr, from};
      std::vector<Bounded>& row = exact_[rows[i + r]];
      for (std::int64_t j = 0; j < columns; ++j) row.push_back(finished(product, j));
    }
    i += local.size();
  }
}

void TrustedResult::make_in_float64() {
  const std::int64_t n = c_columns(o_->problem);
  const bool keep = static_cast<double>(o_->rows()) * static_cast<double>(n) <= kSmallResult;
  for (std::int64_t row = 0; row < o_->rows(); row += 4) {
    std::vector<std::int64_t> group;
    for (std::int64_t r = row; r < std::min(row + 4, o_->rows()); ++r) group.push_back(r);
    add_rows(group);
    for (const std::int64_t r : group) {
      const std::vector<Bounded>& exact = exact_[r];
      for (std::int64_t j = 0; j < n; ++j) set_whole(r * n + j, exact[static_cast<std::size_t>(j)]);
      if (!keep) exact_.erase(r);
    }
  }
}

std::vector<std::int64_t> TrustedResult::affordable(const std::vector<std::int64_t>& borders) const {
  const double row_work =
      static_cast<double>(o_->problem.n) * static_cast<double>(std::max<std::int64_t>(o_->problem.k, 1));
  const std::size_t row_bytes = static_cast<std::size_t>(c_columns(o_->problem)) * sizeof(Bounded);
  const std::size_t room = kMaxExactBytes / row_bytes;
  std::vector<std::int64_t> unknown;
  for (const std::int64_t r : borders) {
    if (exact_.count(r) == 0) unknown.push_back(r);
  }
  const auto budget = std::max(kLeastRows, static_cast<std::int64_t>(std::min(kRowBudget / row_work, 1e9)));
  const std::size_t left = room > exact_.size() ? room - exact_.size() : 0;
  // A row at least, however long it is: nothing is measured that was not compared with float64.
  const std::size_t least = exact_.empty() ? 1 : 0;
  return evenly(unknown, std::max(std::min(static_cast<std::size_t>(budget), left), least));
}

std::string TrustedResult::fault(std::int64_t row, std::int64_t col, float got, double expected, double allowed) const {
  const std::string item = o_->problem.batch > 1 ? fmt::format("item {}, ", row / o_->m) : "";
  return fmt::format("wrong result at {}row {}, column {}: got {:.9g}, expected {:.9g} (allowed error {:.2g})", item,
                     row % o_->m, col, got, expected, allowed);
}

std::optional<std::string> TrustedResult::check_whole() const {
  const std::int64_t n = c_columns(o_->problem);
  std::vector<float> space;
  for (std::int64_t row = 0; row < o_->rows(); ++row) {
    const float* const got = o_->c_row(row, space);
    const float* const want = whole_.get() + row * n;
    const float* const allowed = allowed_.get() + row * n;
    for (std::int64_t j = 0; j < n; ++j) {
      const double expected = static_cast<double>(want[j]), most = static_cast<double>(allowed[j]);
      if (!(std::abs(static_cast<double>(got[j]) - expected) <= most)) return fault(row, j, got[j], expected, most);
    }
  }
  return std::nullopt;
}

Verdict TrustedResult::check(const std::vector<std::int64_t>& borders) {
  Verdict v;
  if (!o_->c_bands_intact()) {
    v.fault = "wrote outside C";
    return v;
  }
  add_rows(affordable(borders));
  const std::int64_t n = c_columns(o_->problem);
  std::vector<float> space;
  ErrorSum sum;
  for (const auto& [row, exact] : exact_) {
    const float* const got = o_->c_row(row, space);
    for (std::int64_t j = 0; j < n; ++j) {
      const auto [expected, allowed] = exact[static_cast<std::size_t>(j)];
      const double error = std::abs(static_cast<double>(got[j]) - expected);
      if (!(error <= allowed)) {
        v.fault = fault(row, j, got[j], expected, allowed);
        return v;
      }
      sum.add(error, expected, scale(row, j));
    }
  }
  v.error_fro = sum.relative();
  v.error_max = sum.largest;
  v.fault = check_whole();
  return v;
}

Verdict TrustedResult::distance() const {
  const std::int64_t n = c_columns(o_->problem);
  const double rows = std::clamp(kDistanceElements / static_cast<double>(n), 1.0, static_cast<double>(o_->rows()));
  const auto count = static_cast<std::int64_t>(rows);
  std::vector<float> space;
  ErrorSum sum;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t row = count > 1 ? (o_->rows() - 1) * i / (count - 1) : 0;
    const float* const got = o_->c_row(row, space);
    const float* const want = whole_.get() + row * n;
    for (std::int64_t j = 0; j < n; ++j) {
      const double expected = static_cast<double>(want[j]);
      sum.add(std::abs(static_cast<double>(got[j]) - expected), expected, scale(row, j));
    }
  }
  Verdict v;
  v.error_fro = sum.relative();
  v.error_max = sum.largest;
  return v;
}

}  // namespace gemwright::tuner
