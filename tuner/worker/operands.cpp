#include "tuner/worker/operands.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <fstream>
#include <string>

#include "tuner/random.h"

namespace gemwright::tuner {
namespace {

constexpr std::uint32_t kMarkBits = 0x7fc0dead;
constexpr double kOutlierChance = 1e-3;
constexpr float kOutlierFactor = 20.0F;

// 64 random bits that depend on (key, i) alone.
std::uint64_t bits_at(std::uint64_t key, std::uint64_t i) {
  std::uint64_t state = key + i * 0x9E3779B97F4A7C15U;
  return splitmix64(state);
}

std::int64_t sum16(std::uint64_t x) {
  return static_cast<std::int64_t>((x & 0xffff) + (x >> 16 & 0xffff) + (x >> 32 & 0xffff) + (x >> 48));
}

float normal_at(std::uint64_t key, std::uint64_t i) {
  // The sum of eight numbers below 2^16 has mean 8 * 65535 / 2 and variance 8 * (2^32 - 1) / 12.
  constexpr std::int64_t kMean = 8 * 65535 / 2;
  const float scale = static_cast<float>(1.0 / std::sqrt(8.0 * 4294967295.0 / 12.0));
  return static_cast<float>(sum16(bits_at(key, 2 * i)) + sum16(bits_at(key, 2 * i + 1)) - kMean) * scale;
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

Result<void> make_one(GuardedFloats& to, std::int64_t count, const Operands& o, Stream stream) {
  to = {};  // free first: both at once might not fit
  auto made = GuardedFloats::make(count);
  if (!made) return tl::unexpected(made.error());
  to = std::move(*made);
  fill(o.data, o.seed, stream, to.data(), count);
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

float guard_mark() { return std::bit_cast<float>(kMarkBits); }
bool is_guard_mark(float value) { return std::bit_cast<std::uint32_t>(value) == kMarkBits; }

Result<GuardedFloats> GuardedFloats::make(std::int64_t count) {
  GuardedFloats g;
  g.block_ = gemwright::allocate_floats(static_cast<std::size_t>(count + 2 * kBand));
  if (!g.block_) return fail(fmt::format("not enough memory for an operand of {} numbers", count));
  g.size_ = count;
  std::fill_n(g.block_.get(), kBand, guard_mark());
  std::fill_n(g.block_.get() + kBand + count, kBand, guard_mark());
  return g;
}

void GuardedFloats::mark() {
  if (block_) std::fill(block_.get(), block_.get() + size_ + 2 * kBand, guard_mark());
}

bool GuardedFloats::bands_intact() const {
  if (!block_) return true;
  const float* const before = block_.get();
  const float* const behind = before + kBand + size_;
  return std::all_of(before, before + kBand, is_guard_mark) && std::all_of(behind, behind + kBand, is_guard_mark);
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

MatrixView Operands::a_item(std::int64_t item) const {
  return matrix_view(a.data() + item * m * problem.k, m, problem.k, lda(), problem.a_layout);
}

MatrixView Operands::b_item(std::int64_t item) const {
  return matrix_view(b.data() + item * problem.k * problem.n, problem.k, problem.n, ldb(), problem.b_layout);
}

MatrixView Operands::c_item(const float* values, std::int64_t item) const {
  return matrix_view(values + item * m * problem.n, m, problem.n, problem.n, gemwright::layout::row_major);
}

gemwright::epilogue_operands Operands::chain() const {
  const float root = static_cast<float>(std::sqrt(static_cast<double>(std::max<std::int64_t>(problem.k, 1))));
  gemwright::epilogue_operands x;
  x.bias = bias.data();
  x.residual = residual.data();
  x.operand = operand.data();
  x.ld_residual = x.ld_operand = problem.n;
  x.stride_residual = x.stride_operand = m * problem.n;
  x.scale = 0.375F;
  x.clamp_lo = -root;
  x.clamp_hi = 2 * root;
  return x;
}

bool same_weights(const Operands& o, const Problem& p, DataKind data, std::uint64_t seed) {
  const Problem& q = o.problem;
  return o.m > 0 && q.n == p.n && q.k == p.k && q.batch == p.batch && q.b_layout == p.b_layout && o.data == data &&
         o.seed == seed;
}

double bytes_for_m(const Problem& p, std::int64_t m) {
  const double a = static_cast<double>(p.batch) * static_cast<double>(m) * static_cast<double>(p.k);
  const double c = static_cast<double>(p.batch) * static_cast<double>(m) * static_cast<double>(p.n);
  // C, the trusted result, what it may be off by, and what the call reads: with beta what C held before, and the
  // chain's.
  return 4 * (a + c * ((p.beta == 1 ? 4 : 3) + chain_matrices(p)));
}

Result<void> make_operands(Operands& o, const Problem& p, std::int64_t m, DataKind data, std::uint64_t seed) {
  const bool keep = same_weights(o, p, data, seed);
  o.m = 0;  // nothing is usable until all of it is there
  o.problem = p;
  o.data = data;
  o.seed = seed;
  for (GuardedFloats* const old : {&o.a, &o.c, &o.c0, &o.bias, &o.residual, &o.operand}) *old = {};
  if (!keep) {
    if (auto made = make_one(o.b, p.batch * p.k * p.n, o, kStreamB); !made) return made;
  }
  if (auto made = make_one(o.a, p.batch * m * p.k, o, kStreamA); !made) return made;
  if (has_op(p, EpilogueOp::bias)) {
    if (auto made = make_one(o.bias, p.n, o, kStreamBias); !made) return made;
  }
  if (has_op(p, EpilogueOp::add)) {
    if (auto made = make_one(o.residual, p.batch * m * p.n, o, kStreamResidual); !made) return made;
  }
  if (has_op(p, EpilogueOp::mul)) {
    if (auto made = make_one(o.operand, p.batch * m * p.n, o, kStreamOperand); !made) return made;
  }
  if (p.beta == 1) {
    if (auto made = make_one(o.c0, p.batch * m * p.n, o, kStreamC); !made) return made;
  }
  auto c = GuardedFloats::make(p.batch * m * p.n);
  if (!c) return tl::unexpected(c.error());
  o.c = std::move(*c);
  o.m = m;
  return {};
}

}  // namespace gemwright::tuner
