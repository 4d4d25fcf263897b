#include "tuner/worker/dot_tile_check.h"

#include <fmt/format.h>
#include <gemwright/dot.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "tuner/worker/chain_reference.h"
#include "tuner/worker/dot_tile_cases.h"
#include "tuner/worker/operands.h"
#include "tuner/worker/reference.h"
#include "tuner/worker/verify.h"

namespace gemwright::tuner {
namespace {

using gemwright::element;
using gemwright::layout;
using gemwright::row_quantisation;

constexpr double kActivationError = 2e-7;  // as in tile_check.cpp
constexpr double kUnit = 0x1p-24;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// An operand in memory: `lines` rows (or columns) of `length`, with poison behind each.
struct Small {
  GuardedElements memory;
  std::int64_t ld = 0, stride = 0;
  layout order = layout::row_major;

  std::int64_t at(std::int64_t item, std::int64_t row, std::int64_t col) const {
    return item * stride + (order == layout::row_major ? row * ld + col : col * ld + row);
  }
};

Result<Small> make_small(element type, std::int64_t rows, std::int64_t cols, layout order, std::int64_t pad,
                         std::int64_t batch) {
  const bool by_rows = order == layout::row_major;
  Small s;
  s.order = order;
  s.ld = std::max<std::int64_t>(by_rows ? cols : rows, 1) + pad;
  s.stride = s.ld * (by_rows ? rows : cols) + pad;
  auto made = GuardedElements::make(type, std::max<std::int64_t>(s.stride * batch, 1));
  if (!made) return tl::unexpected(made.error());
  s.memory = std::move(*made);
  s.memory.mark();
  return s;
}

// What a mode multiplies: factors, dense, and the scale of each line (row of A, column of B).
struct Factor {
  std::vector<float> values;
  std::vector<double> scales;
};

struct Instance {
  DotTileCase c;
  const Problem* problem = nullptr;
  ComputeMode mode = ComputeMode::bf16;
  Small a, b, out, residual, operand;  // the last two of no rows where the chain does not read them
  GuardedFloats bias, b_scale;
  std::vector<Factor> a_factors, b_factors;  // of each item; row-major
  std::vector<float> before;                 // what C held, dense

  gemwright::epilogue_operands chain() const;
};

constexpr float kTensorScale = 0.0123F;
// Of C: the results of most cases are some hundred steps wide, so that a part of them saturates.
constexpr float kResultScale = 0.03F;

gemwright::epilogue_operands Instance::chain() const {
  gemwright::epilogue_operands o;
  if (has_op(*problem, EpilogueOp::bias)) o.bias = bias.data();
  if (has_op(*problem, EpilogueOp::add)) o.residual = residual.memory.as<float>();
  if (has_op(*problem, EpilogueOp::mul)) o.operand = operand.memory.as<float>();
  o.ld_residual = residual.ld;
  o.stride_residual = residual.stride;
  o.ld_operand = operand.ld;
  o.stride_operand = operand.stride;
  o.scale = 0.375F;
  o.clamp_lo = -1.25F;
  o.clamp_hi = 4.5F;
  return o;
}

std::vector<float> normal(std::int64_t count, std::int64_t item, std::uint64_t stream) {
  std::vector<float> v(static_cast<std::size_t>(count));
  fill(DataKind::normal, 0xC0FFEE + static_cast<std::uint64_t>(item), stream, v.data(), count);
  return v;
}

// Writes a value as an element and returns what it then is.
float put(GuardedElements& to, std::int64_t at, float v) {
  if (to.type() == element::f32) return to.as<float>()[at] = v;
  if (to.type() == element::bf16) return gemwright::to_float(to.as<gemwright::bf16>()[at] = gemwright::to_bf16(v));
  if (to.type() == element::u8) return to.as<std::uint8_t>()[at] = static_cast<std::uint8_t>(v);
  return to.as<std::int8_t>()[at] = static_cast<std::int8_t>(v);
}

float whole_between(float v, float low, float high) { return std::clamp(std::nearbyint(v), low, high); }

float value_of_a(const DotTileCase& c, element type, std::int64_t i, std::int64_t k, float v, float before) {
  if (type == element::u8) {
    if (c.extreme) return i % 2 == 0 ? 255.0F : 0.0F;
    return whole_between(128 + 60 * v, 0, 255);
  }
  switch (c.values) {
    case DotTileValues::normal:
      break;
    case DotTileValues::cancelling:
      return k % 2 == 0 ? v * 1e4F : -before * 0.9999F;
    case DotTileValues::subnormal:
      return i % 2 == 0 || k % 2 == 0 ? v * 1e-39F : v;
    case DotTileValues::one_sided:
      return i % 2 == 0 ? std::abs(v) : -std::abs(v);
    case DotTileValues::infinite:
      if (i == c.m - 1 && k == c.k - 1) return kInfinity;
      if (i == c.m - 2 && k == 0) return kNan;
      break;
  }
  return v;
}

float value_of_b(const DotTileCase& c, element type, std::int64_t j, float v) {
  if (type != element::s8) return v;
  if (c.extreme) return j % 2 == 0 ? -128.0F : 127.0F;
  return whole_between(50 * v, -128, 127);
}

// Rounds or quantises the lines of a factor as its mode does. Line i begins at values[i * line], its elements are
// `step` apart.
void convert(Factor& f, ComputeMode mode, std::int64_t lines, std::int64_t length, std::int64_t line, std::int64_t step,
             bool is_a) {
  f.scales.assign(static_cast<std::size_t>(lines), 1.0);
  for (std::int64_t i = 0; i < lines; ++i) {
    const auto at = [&](std::int64_t k) -> float& { return f.values[static_cast<std::size_t>(i * line + k * step)]; };
    if (mode == ComputeMode::bf16) {
      for (std::int64_t k = 0; k < length; ++k) at(k) = gemwright::to_float(gemwright::to_bf16(at(k)));
      continue;
    }
    gemwright::value_range range;
    for (std::int64_t k = 0; k < length; ++k) range.add(at(k));
    const auto s = gemwright::scale_of(range, is_a ? row_quantisation::asymmetric : row_quantisation::symmetric);
    f.scales[static_cast<std::size_t>(i)] = static_cast<double>(s.scale);
    for (std::int64_t k = 0; k < length; ++k) {
      const int q = is_a ? gemwright::quantised(at(k), s.inverse, s.zero) - s.zero
                         : gemwright::quantised_weight(at(k), s.inverse);
      at(k) = static_cast<float>(q);
    }
  }
}

void fill_a(Instance& x, std::int64_t item) {
  const DotTileCase& c = x.c;
  const element type = x.a.memory.type();
  Factor f{normal(c.m * c.k, item, 1), {}};
  float before = 0;
  for (std::int64_t i = 0; i < c.m; ++i) {
    for (std::int64_t k = 0; k < c.k; ++k) {
      float& v = f.values[static_cast<std::size_t>(i * c.k + k)];
      before = v = put(x.a.memory, x.a.at(item, i, k), value_of_a(c, type, i, k, v, before));
    }
  }
  if (type == element::u8) {
    for (float& v : f.values) v -= static_cast<float>(c.a_zero);
    f.scales.assign(static_cast<std::size_t>(c.m), static_cast<double>(kTensorScale));
  } else {
    convert(f, x.mode, c.m, c.k, c.k, 1, true);
  }
  x.a_factors.push_back(std::move(f));
}

void fill_b(Instance& x, std::int64_t item) {
  const DotTileCase& c = x.c;
  const element type = x.b.memory.type();
  Factor f{normal(c.k * c.n, item, 2), {}};
  for (std::int64_t k = 0; k < c.k; ++k) {
    for (std::int64_t j = 0; j < c.n; ++j) {
      float& v = f.values[static_cast<std::size_t>(k * c.n + j)];
      v = put(x.b.memory, x.b.at(item, k, j), value_of_b(c, type, j, v));
    }
  }
  if (type == element::s8) {
    const float* const scales = x.b_scale.data() + item * c.n;
    f.scales.assign(scales, scales + c.n);
  } else {
    convert(f, x.mode, c.n, c.k, 1, c.n, false);
  }
  x.b_factors.push_back(std::move(f));
}

void fill_rows(Small& s, std::int64_t rows, std::int64_t n, std::int64_t batch, std::uint64_t stream) {
  for (std::int64_t item = 0; item < batch; ++item) {
    const std::vector<float> v = normal(rows * n, item, stream);
    for (std::int64_t i = 0; i < rows * n; ++i) {
      put(s.memory, s.at(item, i / n, i % n), v[static_cast<std::size_t>(i)]);
    }
  }
}

Result<Instance> make_instance(const DotTileCase& c, const Problem& p, ComputeMode mode) {
  Instance x;
  x.c = c;
  x.problem = &p;
  x.mode = mode;
  const std::int64_t residual_rows = has_op(p, EpilogueOp::add) ? c.m : 0;
  const std::int64_t operand_rows = has_op(p, EpilogueOp::mul) ? c.m : 0;
  auto a = make_small(a_element(p.interface), c.m, c.k, p.a_layout, 3, c.batch);
  auto b = make_small(b_element(p.interface), c.k, c.n, p.b_layout, 5, c.batch);
  const std::int64_t columns = out_columns(p, c.n);
  auto out = make_small(c_element(p), c.m, columns, layout::row_major, 7, c.batch);
  auto residual = make_small(element::f32, residual_rows, columns, layout::row_major, 11, c.batch);
  auto operand = make_small(element::f32, operand_rows, columns, layout::row_major, 13, c.batch);
  auto bias = GuardedFloats::make(std::max<std::int64_t>(c.n, 1));
  auto scale = GuardedFloats::make(std::max<std::int64_t>(c.n * c.batch, 1));
  if (!a || !b || !out || !residual || !operand || !bias || !scale) return fail("not enough memory to check a tile");
  x.a = std::move(*a);
  x.b = std::move(*b);
  x.out = std::move(*out);
  x.residual = std::move(*residual);
  x.operand = std::move(*operand);
  x.bias = std::move(*bias);
  x.b_scale = std::move(*scale);
  fill(DataKind::normal, 4, 4, x.bias.data(), c.n);
  fill(DataKind::uniform, 7, 7, x.b_scale.data(), c.n * c.batch);
  for (std::int64_t i = 0; i < c.n * c.batch; ++i) x.b_scale.data()[i] = 0.01F * (1.5F + x.b_scale.data()[i]);
  for (std::int64_t item = 0; item < c.batch; ++item) {
    fill_a(x, item);
    fill_b(x, item);
  }
  if (p.beta == 1) fill_rows(x.out, c.m, columns, c.batch, 3);
  fill_rows(x.residual, residual_rows, columns, c.batch, 5);
  fill_rows(x.operand, operand_rows, columns, c.batch, 6);
  return x;
}

// What an element of C means.
double element_of(const Instance& x, std::int64_t at) {
  const GuardedElements& e = x.out.memory;
  if (e.type() == element::f32) return static_cast<double>(e.as<float>()[at]);
  if (e.type() == element::u8) return static_cast<double>(kResultScale) * (e.as<std::uint8_t>()[at] - x.c.c_zero);
  return static_cast<double>(gemwright::to_float(e.as<gemwright::bf16>()[at]));
}

void remember_c(Instance& x) {
  const DotTileCase& c = x.c;
  if (x.problem->beta == 0) return;
  for (std::int64_t i = 0; i < c.batch * c.m * c.n; ++i) {
    const std::int64_t at = x.out.at(i / (c.m * c.n), i / c.n % c.m, i % c.n);
    x.before.push_back(static_cast<float>(element_of(x, at)));
  }
}

// Runs a case. The sentence says why it did not run.
std::optional<std::string> run(const TileLibrary& library, int tile, const gemwright::packing& format, Instance& x) {
  const DotTileCase& c = x.c;
  const Problem& p = *x.problem;
  gemwright::dot_call call;
  call.m = c.m;
  call.n = c.n;
  call.k = c.k;
  call.batch = c.batch;
  call.a = x.a.memory.data();
  call.a_type = x.a.memory.type();
  call.lda = x.a.ld;
  call.stride_a = x.a.stride;
  call.a_layout = p.a_layout;
  call.a_scale = kTensorScale;
  call.a_zero = c.a_zero;
  gemwright::dot_weights_source b;
  b.b = x.b.memory.data();
  b.type = x.b.memory.type();
  b.ldb = x.b.ld;
  b.order = p.b_layout;
  b.stride = x.b.stride;
  if (b.type == element::s8) b.scale = x.b_scale.data();
  gemwright::packed_dot_weights packed;
  if (p.constant_weights) {
    packed = gemwright::pack_dot_weights(library.mode(), b, c.n, c.k, c.batch, format);
    if (!packed.valid()) return "the weights could not be packed";
    call.weights = &packed;
  } else {
    call.b = b;
  }
  call.c = x.out.memory.data();
  call.ldc = x.out.ld;
  call.stride_c = x.out.stride;
  call.beta = p.beta == 1;
  call.requant = {1.0F / kResultScale, c.c_zero};
  call.operands = x.chain();

  if (format.panel < 1) return "tiles of the dot modes read packed weights, and the config's panel is 0";
  const gemwright::dot_plan plan = library.dot_plan(tile, format, c.block);
  gemwright::context context(1, gemwright::scratch_for(plan, c.n, c.k, c.batch, p.constant_weights));
  const gemwright::status status = gemwright::run_dot(call, plan, context);
  if (status != gemwright::status::ok) return run_status_text(status);
  return std::nullopt;
}

std::vector<double> multiply(const DotTileCase& c, const std::vector<float>& a, const std::vector<float>& b) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(c.m));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
  std::vector<double> out(static_cast<std::size_t>(c.m * c.n));
  multiply_rows(matrix_view(a.data(), c.m, c.k, c.k, layout::row_major), rows,
                matrix_view(b.data(), c.k, c.n, c.n, layout::row_major), out.data());
  return out;
}

std::vector<float> magnitudes(const std::vector<float>& v, bool subnormal_alone) {
  std::vector<float> out(v.size());
  std::transform(v.begin(), v.end(), out.begin(), [&](float x) {
    return subnormal_alone && std::abs(x) >= std::numeric_limits<float>::min() ? 0.0F : std::abs(x);
  });
  return out;
}

// The products of an item before beta and the chain, and what they may be off by.
std::vector<Bounded> products(const Instance& x, std::int64_t item, gemwright::isa family) {
  const DotTileCase& c = x.c;
  const Factor& a = x.a_factors[static_cast<std::size_t>(item)];
  const Factor& b = x.b_factors[static_cast<std::size_t>(item)];
  const std::vector<double> sums = multiply(c, a.values, b.values);
  std::vector<Bounded> out(sums.size());
  constexpr double kStep = static_cast<double>(std::numeric_limits<float>::denorm_min());
  constexpr double kNormal = static_cast<double>(std::numeric_limits<float>::min());
  if (x.mode == ComputeMode::u8s8) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto n = static_cast<std::size_t>(c.n);
      const double v = sums[i] * a.scales[i / n] * b.scales[i % n];
      out[i] = {v, std::isfinite(v) ? 4 * kUnit * std::abs(v) + kStep : 0};
    }
    return out;
  }
  const bool flushes = family == gemwright::isa::avx512_bf16;
  const std::vector<float> all_b = magnitudes(b.values, false);
  const std::vector<double> magnitude = multiply(c, magnitudes(a.values, false), all_b);
  const std::vector<double> lost = flushes ? multiply(c, magnitudes(a.values, true), all_b) : magnitude;
  // Each step rounds once; the sums of several accumulators are steps, too.
  const double steps = static_cast<double>(c.k) + 4;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = {sums[i], 0};
    if (!std::isfinite(sums[i])) continue;
    out[i].error = steps * (kUnit * magnitude[i] + (flushes ? kNormal : kStep)) + (flushes ? lost[i] : 0);
  }
  return out;
}

std::optional<std::string> compare_item(const Instance& x, std::int64_t item, gemwright::isa family) {
  const DotTileCase& c = x.c;
  const gemwright::epilogue_operands operands = x.chain();
  const std::vector<Bounded> all = products(x, item, family);
  const Problem& p = *x.problem;
  const std::int64_t columns = out_columns(p, c.n);
  for (std::int64_t i = 0; i < c.m; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      Bounded v = all[static_cast<std::size_t>(i * c.n + j)];
      Bounded up = has_pair(p) ? all[static_cast<std::size_t>(i * c.n + columns + j)] : Bounded{};
      if (p.beta == 1) {
        const double old = static_cast<double>(x.before[static_cast<std::size_t>((item * c.m + i) * c.n + j)]);
        v = {v.value + old, v.error + kUnit * (std::abs(v.value) + std::abs(old) + v.error)};
      }
      if (!std::isfinite(v.value)) v.error = 0;
      if (!std::isfinite(up.value)) up.error = 0;
      v = apply_chain(p.chain, v, chain_point(operands, item, i, j, has_pair(p) ? columns : 0), kActivationError, up);
      v = in_element(c_element(p), v, kResultScale, c.c_zero);
      const double got = element_of(x, x.out.at(item, i, j));
      if (!agrees(got, v)) {
        return fmt::format("row {}, column {}{}: got {:.9g}, expected {:.9g}", i, j,
                           c.batch > 1 ? fmt::format(" of item {}", item) : "", got, v.value);
      }
    }
  }
  return std::nullopt;
}

bool untouched_outside(const Instance& x) {
  if (!x.out.memory.bands_intact()) return false;
  for (std::int64_t i = 0; i < x.out.memory.size(); ++i) {
    const std::int64_t in_item = i % x.out.stride;
    const bool element = i / x.out.stride < x.c.batch && in_item / x.out.ld < x.c.m &&
                         in_item % x.out.ld < out_columns(*x.problem, x.c.n);
    if (!element && !x.out.memory.holds_mark(i)) return false;
  }
  return true;
}

std::optional<TileFault> check_case(const TileLibrary& library, int tile, const Config& config, const DotTileCase& c,
                                    const Problem& p) {
  auto x = make_instance(c, p, config.mode);
  if (!x) return TileFault{TrialState::runtime, x.error().message};
  remember_c(*x);
  const auto place = [&c] { return fmt::format("on a small problem of {}x{}x{}", c.m, c.n, c.k); };
  if (const auto fault = run(library, tile, config.format, *x)) {
    return TileFault{TrialState::runtime, fmt::format("{}: {}", place(), *fault)};
  }
  std::optional<std::string> fault;
  if (!untouched_outside(*x)) fault = "memory outside C was written";
  for (std::int64_t item = 0; !fault && item < c.batch; ++item) fault = compare_item(*x, item, config.tile.family);
  if (!fault) return std::nullopt;
  return TileFault{TrialState::correctness, fmt::format("wrong {}: {}", place(), *fault)};
}

}  // namespace

std::optional<TileFault> check_dot_tile(const TileLibrary& library, int tile, const Config& config,
                                        const Problem& problem) {
  if (config.format.panel < 1) {
    return TileFault{TrialState::runtime, "tiles of the dot modes read packed weights, and the config's panel is 0"};
  }
  for (const DotTileCase& c : dot_tile_cases(config, problem)) {
    if (auto fault = check_case(library, tile, config, c, problem)) return fault;
  }
  return std::nullopt;
}

}  // namespace gemwright::tuner
