#include "tuner/worker/operands.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <string>

#include "tuner/random.h"
#include "tuner/worker/c_scale.h"
#include "tuner/worker/factors.h"

namespace gemwright::tuner {
namespace {

constexpr std::uint32_t kMarkBits = 0x7fdb7fdb;
constexpr float kMark = std::bit_cast<float>(kMarkBits);
constexpr double kOutlierChance = 1e-3;
constexpr float kOutlierFactor = 20.0F;

bool is_mark(float value) { return std::bit_cast<std::uint32_t>(value) == kMarkBits; }

// 64 random bits that depend on (key, i) alone.
std::uint64_t bits_at(std::uint64_t key, std::uint64_t i) {
  std::uint64_t state = key + i * 0x9E3779B97F4A7C15U;
  return splitmix64(state);
}

// (((p3 r + p2) r + p1) r + p0.
double cubic(const double (&p)[4], double r) { return ((p[3] * r + p[2]) * r + p[1]) * r + p[0]; }

// The quantile of the normal distribution, to 7 digits: M. J. Wichura, "Algorithm AS 241: The Percentage Points of the
// Normal Distribution", Applied Statistics 37 (1988), PPND7. Tails matter: the largest element of a row sets the step
// of its 8-bit integers.
double normal_quantile(double p) {
  static constexpr double kA[4] = {3.3871327179, 5.0434271938e1, 1.5929113202e2, 5.9109374720e1};
  static constexpr double kB[4] = {1, 1.7895169469e1, 7.8757757664e1, 6.7187563600e1};
  static constexpr double kC[4] = {1.4234372777, 2.7568153900, 1.3067284816, 1.7023821103e-1};
  static constexpr double kD[4] = {1, 7.3700164250e-1, 1.2021132975e-1, 0};
  static constexpr double kE[4] = {6.6579051150, 3.0812263860, 4.2868294337e-1, 1.7337203997e-2};
  static constexpr double kF[4] = {1, 2.4197894225e-1, 1.2258202635e-2, 0};
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * cubic(kA, r) / cubic(kB, r);
  }
  const double r = std::sqrt(-std::log(q < 0 ? p : 1 - p));
  const double magnitude = r <= 5 ? cubic(kC, r - 1.6) / cubic(kD, r - 1.6) : cubic(kE, r - 5) / cubic(kF, r - 5);
  return q < 0 ? -magnitude : magnitude;
}

float normal_at(std::uint64_t key, std::uint64_t i) {
  // The middle of one of 2^52 equal steps of (0, 1).
  return static_cast<float>(normal_quantile((static_cast<double>(bits_at(key, i) >> 12) + 0.5) * 0x1p-52));
}

float uniform_at(std::uint64_t key, std::uint64_t i) {
  return static_cast<float>(static_cast<std::int64_t>(bits_at(key, i) >> 40) - (1 << 23)) * 0x1p-23F;
}

std::optional<double> number_in(const std::string& file) {
  std::ifstream in(file);
  double value = 0;
  if (in >> value) return value;
  return std::nullopt;
}

// The streams of one seed.
enum Stream : std::uint64_t { kStreamA = 1, kStreamB, kStreamBias, kStreamC, kStreamResidual, kStreamOperand };

template <class Guarded, class... Arguments>
Result<void> make_one(Guarded& to, Arguments... arguments) {
  to = {};  // free first: both at once might not fit
  auto made = Guarded::make(arguments...);
  if (!made) return tl::unexpected(made.error());
  to = std::move(*made);
  return {};
}

Result<void> make_filled(GuardedFloats& to, std::int64_t count, const Operands& o, Stream stream) {
  if (auto made = make_one(to, count); !made) return made;
  fill(o.data, o.seed, stream, to.data(), count);
  return {};
}

// A or B of an interface beside f32, from the values in `values`, which become what the elements mean.
Result<void> shorten(GuardedFloats& values, GuardedElements& to, gemwright::element type) {
  if (type == gemwright::element::f32) return {};
  if (auto made = make_one(to, type, values.size()); !made) return made;
  if (type == gemwright::element::bf16) {
    round_to_bf16(values.data(), values.size(), values.data(), to.as<gemwright::bf16>());
  }
  return {};
}

Result<void> make_a(Operands& o) {
  const Problem& p = o.problem;
  if (auto made = make_filled(o.a, p.batch * o.m * p.k, o, kStreamA); !made) return made;
  if (auto made = shorten(o.a, o.short_a, a_element(p.interface)); !made) return made;
  if (o.short_a.type() != gemwright::element::u8) return {};
  const auto scale = quantise_tensor(o.a.data(), o.a.size(), o.a.data(), o.short_a.as<std::uint8_t>());
  o.a_scale = scale.scale;
  o.a_zero = scale.zero;
  return {};
}

Result<void> make_b(Operands& o) {
  const Problem& p = o.problem;
  if (auto made = make_filled(o.b, p.batch * p.k * p.n, o, kStreamB); !made) return made;
  if (auto made = shorten(o.b, o.short_b, b_element(p.interface)); !made) return made;
  if (o.short_b.type() != gemwright::element::s8) return {};
  if (auto made = make_one(o.b_scale, p.batch * p.n); !made) return made;
  for (std::int64_t item = 0; item < p.batch; ++item) {
    const std::int64_t at = item * p.k * p.n;
    quantise_columns(o.b_item(item), o.b.data() + at, o.short_b.as<std::int8_t>() + at, o.b_scale.data() + item * p.n);
  }
  return {};
}

// What C holds before a call is a value of its type.
Result<void> make_c(Operands& o) {
  const Problem& p = o.problem;
  const std::int64_t size = o.rows() * c_columns(p);
  const gemwright::element type = c_element(p);
  const bool f32 = type == gemwright::element::f32;
  if (auto made = f32 ? make_one(o.c, size) : make_one(o.short_c, type, size); !made) return made;
  if (p.beta == 0) return {};
  if (auto made = make_filled(o.c0, size, o, kStreamC); !made) return made;
  if (!f32) round_to_bf16(o.c0.data(), size, o.c0.data(), nullptr);
  return {};
}

}  // namespace

void fill(DataKind kind, std::uint64_t seed, std::uint64_t stream, float* out, std::int64_t count) {
  std::uint64_t state = seed * 0x2545F4914F6CDD1DU + stream;
  const std::uint64_t key = splitmix64(state);
  const std::uint64_t outlier_key = splitmix64(state);
  const auto n = static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0));
  if (kind == DataKind::uniform) {
    for (std::uint64_t i = 0; i < n; ++i) out[i] = uniform_at(key, i);
    return;
  }
  for (std::uint64_t i = 0; i < n; ++i) out[i] = normal_at(key, i);
  if (kind != DataKind::outliers) return;
  constexpr auto kBelow = static_cast<std::uint64_t>(kOutlierChance * 0x1p64);
  for (std::uint64_t i = 0; i < n; ++i) {
    if (bits_at(outlier_key, i) < kBelow) out[i] *= kOutlierFactor;
  }
}

Result<GuardedElements> GuardedElements::make(gemwright::element type, std::int64_t count) {
  GuardedElements g;
  g.type_ = type;
  g.size_ = count;
  g.block_ = gemwright::allocate_floats(static_cast<std::size_t>(g.all() / 4));
  if (!g.block_) return fail(fmt::format("not enough memory for an operand of {} numbers", count));
  float* const behind = g.block_.get() + (kBand + g.used()) / 4;  // with the rest of the last word
  std::fill_n(g.block_.get(), kBand / 4, kMark);
  std::fill(behind, g.block_.get() + g.all() / 4, kMark);
  return g;
}

void GuardedElements::mark() {
  if (block_) std::fill_n(block_.get(), all() / 4, kMark);
}

bool GuardedElements::bands_intact() const {
  if (!block_) return true;
  const float* const first = block_.get();
  const float* const last = first + all() / 4;
  if (!std::all_of(first, first + kBand / 4, is_mark)) return false;
  if (!std::all_of(last - kBand / 4, last, is_mark)) return false;
  const auto whole = static_cast<std::int64_t>(4 / element_size(type_));
  for (std::int64_t i = size_; i % whole != 0; ++i) {
    if (!holds_mark(i)) return false;
  }
  return true;
}

bool GuardedElements::holds_mark(std::int64_t i) const {
  constexpr std::uint32_t kWords[] = {kMarkBits, kMarkBits};
  const auto size = static_cast<std::size_t>(element_size(type_));
  const std::int64_t at = kBand + i * element_size(type_);
  return std::memcmp(bytes() + at, reinterpret_cast<const char*>(kWords) + at % 4, size) == 0;
}

Result<GuardedFloats> GuardedFloats::make(std::int64_t count) {
  auto made = GuardedElements::make(gemwright::element::f32, count);
  if (!made) return tl::unexpected(made.error());
  GuardedFloats g;
  static_cast<GuardedElements&>(g) = std::move(*made);
  return g;
}

std::optional<double> available_memory() {
  std::optional<double> bytes;
  std::ifstream in("/proc/meminfo");
  for (std::string line; std::getline(in, line);) {
    long long kib = 0;
    if (std::sscanf(line.c_str(), "MemAvailable: %lld kB", &kib) == 1) bytes = static_cast<double>(kib) * 1024;
  }
  const auto limit = number_in("/sys/fs/cgroup/memory.max");
  const auto used = number_in("/sys/fs/cgroup/memory.current");
  if (limit && used) bytes = std::min(bytes.value_or(*limit - *used), std::max(*limit - *used, 0.0));
  return bytes;
}

std::int64_t Operands::lda() const {
  return std::max<std::int64_t>(problem.a_layout == gemwright::layout::row_major ? problem.k : m, 1);
}

std::int64_t Operands::ldb() const {
  return std::max<std::int64_t>(problem.b_layout == gemwright::layout::row_major ? problem.n : problem.k, 1);
}

void Operands::reset_c() {
  c.mark();
  short_c.mark();
  if (problem.beta == 0) return;
  if (c.data() != nullptr) {
    std::copy_n(c0.data(), c0.size(), c.data());
  } else {
    std::transform(c0.data(), c0.data() + c0.size(), short_c.as<gemwright::bf16>(), gemwright::to_bf16);
  }
}

const float* Operands::c_row(std::int64_t row, std::vector<float>& space) const {
  const std::int64_t n = c_columns(problem);
  if (c.data() != nullptr) return c.data() + row * n;
  space.resize(static_cast<std::size_t>(n));
  if (short_c.type() == gemwright::element::u8) {
    const auto* const from = short_c.as<std::uint8_t>() + row * n;
    const auto value = [this](std::uint8_t c) { return c_scale * static_cast<float>(c - c_zero); };
    std::transform(from, from + n, space.begin(), value);
  } else {
    const auto* const from = short_c.as<gemwright::bf16>() + row * n;
    std::transform(from, from + n, space.begin(), gemwright::to_float);
  }
  return space.data();
}

MatrixView Operands::a_item(const float* values, std::int64_t item) const {
  return matrix_view(values + item * m * problem.k, m, problem.k, lda(), problem.a_layout);
}

MatrixView Operands::b_item(const float* values, std::int64_t item) const {
  return matrix_view(values + item * problem.k * problem.n, problem.k, problem.n, ldb(), problem.b_layout);
}

MatrixView Operands::product_item(const float* values, std::int64_t item) const {
  return matrix_view(values + item * m * problem.n, m, problem.n, problem.n, gemwright::layout::row_major);
}

gemwright::epilogue_operands Operands::chain() const {
  const float root = static_cast<float>(std::sqrt(static_cast<double>(std::max<std::int64_t>(problem.k, 1))));
  gemwright::epilogue_operands x;
  x.bias = bias.data();
  x.residual = residual.data();
  x.operand = operand.data();
  x.ld_residual = x.ld_operand = c_columns(problem);
  x.stride_residual = x.stride_operand = m * x.ld_residual;
  x.scale = 0.375F;
  x.clamp_lo = -root;
  x.clamp_hi = 2 * root;
  return x;
}

double Operands::bytes() const {
  double sum = 0;
  for (const GuardedElements* const e : std::initializer_list<const GuardedElements*>{
           &a, &b, &short_a, &short_b, &b_scale, &c, &short_c, &c0, &bias, &residual, &operand}) {
    sum += static_cast<double>(e->size()) * element_size(e->type());
  }
  return sum;
}

bool same_weights(const Operands& o, const Problem& p, DataKind data, std::uint64_t seed) {
  const Problem& q = o.problem;
  return o.m > 0 && q.interface == p.interface && q.n == p.n && q.k == p.k && q.batch == p.batch &&
         q.b_layout == p.b_layout && o.data == data && o.seed == seed;
}

double bytes_for_weights(const Problem& p) {
  const double elements = static_cast<double>(p.batch) * static_cast<double>(p.n) * static_cast<double>(p.k);
  return weight_bytes(p) + (p.interface == Interface::f32 ? 0 : 4 * elements);
}

double bytes_for_m(const Problem& p, std::int64_t m) {
  const double a = static_cast<double>(p.batch) * static_cast<double>(m) * static_cast<double>(p.k);
  const double c = static_cast<double>(p.batch) * static_cast<double>(m) * static_cast<double>(p.n);
  const int short_a = p.interface == Interface::f32 ? 0 : element_size(a_element(p.interface));
  // The trusted result, what it may be off by, and what the call reads: with beta what C held before, and the chain's.
  const int with_c = 4 * ((p.beta == 1 ? 3 : 2) + chain_matrices(p));
  return (4 + short_a) * a + (element_size(c_element(p)) + with_c) * c;
}

Result<void> make_operands(Operands& o, const Problem& p, std::int64_t m, DataKind data, std::uint64_t seed) {
  const bool keep = same_weights(o, p, data, seed);
  o.m = 0;  // nothing is usable until all of it is there
  o.problem = p;
  o.data = data;
  o.seed = seed;
  for (GuardedFloats* const old : {&o.a, &o.c, &o.c0, &o.bias, &o.residual, &o.operand}) *old = {};
  for (GuardedElements* const old : {&o.short_a, &o.short_c}) *old = {};
  o.a_scale = 1;
  o.a_zero = 0;
  o.c_scale = 1;
  o.c_zero = 0;
  if (!keep) {
    o.b_scale = {};
    o.short_b = {};
    if (auto made = make_b(o); !made) return made;
  }
  o.m = m;
  const auto rest = [&]() -> Result<void> {
    if (auto made = make_a(o); !made) return made;
    if (has_op(p, EpilogueOp::bias)) {
      if (auto made = make_filled(o.bias, p.n, o, kStreamBias); !made) return made;
    }
    if (has_op(p, EpilogueOp::add)) {
      if (auto made = make_filled(o.residual, o.rows() * c_columns(p), o, kStreamResidual); !made) return made;
    }
    if (has_op(p, EpilogueOp::mul)) {
      if (auto made = make_filled(o.operand, o.rows() * c_columns(p), o, kStreamOperand); !made) return made;
    }
    if (auto made = make_c(o); !made) return made;
    if (o.short_c.type() == gemwright::element::u8) choose_c_scale(o);
    return {};
  };
  auto made = rest();
  if (!made) o.m = 0;
  return made;
}

}  // namespace gemwright::tuner
