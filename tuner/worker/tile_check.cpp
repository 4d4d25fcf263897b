#include "tuner/worker/tile_check.h"

#include <fmt/format.h>
#include <gemwright/gemm.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "tuner/worker/chain_reference.h"
#include "tuner/worker/dot_tile_check.h"
#include "tuner/worker/operands.h"
#include "tuner/worker/reference.h"

namespace gemwright::tuner {
namespace {

using gemwright::layout;

// normal: N(0,1). cancelling: neighbours along K nearly cancel, so that a lost or doubled product stands out and sums
// of magnitudes are far larger than the result. subnormal: products below the normal range. infinite: one infinity in
// A.
enum class Values { normal, cancelling, subnormal, infinite };
// What the kernels state in epilogue.h, and a margin for compilers that round in other places.
constexpr double kActivationError = 2e-7;
constexpr int kValueKinds = 3;  // infinite is for cases of its own

struct Case {
  std::int64_t m = 0, n = 0, k = 0, batch = 1;
  Values values = Values::normal;
  gemwright::blocking block{};
};

// An operand of a small problem: `lines` rows (or columns) of `length` with `pad` poisoned elements behind each.
struct Small {
  GuardedFloats memory;
  std::int64_t ld = 0, stride = 0;
};

Result<Small> make_small(std::int64_t lines, std::int64_t length, std::int64_t pad, std::int64_t batch) {
  Small s;
  s.ld = std::max<std::int64_t>(length, 1) + pad;
  s.stride = s.ld * lines + pad;
  auto made = GuardedFloats::make(std::max<std::int64_t>(s.stride * batch, 1));
  if (!made) return tl::unexpected(made.error());
  s.memory = std::move(*made);
  s.memory.mark();
  return s;
}

void fill_small(Small& s, std::int64_t lines, std::int64_t length, std::int64_t batch, std::uint64_t stream) {
  for (std::int64_t item = 0; item < batch; ++item) {
    for (std::int64_t i = 0; i < lines; ++i) {
      const auto key = static_cast<std::uint64_t>(item * lines + i);
      fill(DataKind::normal, 0xC0FFEE + key, stream, s.memory.data() + item * s.stride + i * s.ld, length);
    }
  }
}

// All operands of one case, poisoned wherever nothing may be read.
struct Instance {
  Case c;
  const Problem* problem = nullptr;
  Small a, b, out;
  Small residual, operand;  // of no rows where the chain does not read them
  GuardedFloats bias;
  std::vector<float> before;  // what `out` held

  gemwright::epilogue_operands chain() const;

  MatrixView a_item(std::int64_t i) const {
    return matrix_view(a.memory.data() + i * a.stride, c.m, c.k, a.ld, problem->a_layout);
  }
  MatrixView b_item(std::int64_t i) const {
    return matrix_view(b.memory.data() + i * b.stride, c.k, c.n, b.ld, problem->b_layout);
  }
};

// Bounds of a clamp that cut some sums of a few products, and keep most; a scale that is no power of two.
gemwright::epilogue_operands Instance::chain() const {
  gemwright::epilogue_operands o;
  if (has_op(*problem, EpilogueOp::bias)) o.bias = bias.data();
  if (has_op(*problem, EpilogueOp::add)) o.residual = residual.memory.data();
  if (has_op(*problem, EpilogueOp::mul)) o.operand = operand.memory.data();
  o.ld_residual = residual.ld;
  o.stride_residual = residual.stride;
  o.ld_operand = operand.ld;
  o.stride_operand = operand.stride;
  o.scale = 0.375F;
  o.clamp_lo = -1.25F;
  o.clamp_hi = 4.5F;
  return o;
}

void shape_a(Instance& x) {
  const Case& c = x.c;
  const bool row_major = x.problem->a_layout == layout::row_major;
  const std::int64_t row = row_major ? x.a.ld : 1, step = row_major ? 1 : x.a.ld;
  for (std::int64_t item = 0; item < c.batch; ++item) {
    float* const a = x.a.memory.data() + item * x.a.stride;
    for (std::int64_t i = 0; i < c.m; ++i) {
      for (std::int64_t k = 0; k < c.k; ++k) {
        float& v = a[i * row + k * step];
        if (c.values == Values::subnormal) v *= 1e-39F;
        if (c.values == Values::cancelling) v = k % 2 == 0 ? v * 1e4F : -a[i * row + (k - 1) * step] * 0.9999F;
      }
    }
    if (c.values == Values::infinite && c.m > 0 && c.k > 0) {
      a[(c.m - 1) * row + (c.k - 1) * step] = std::numeric_limits<float>::infinity();
    }
  }
}

Result<Instance> make_instance(const Case& c, const Problem& p) {
  Instance x;
  x.c = c;
  x.problem = &p;
  const bool a_rows = p.a_layout == layout::row_major, b_rows = p.b_layout == layout::row_major;
  auto a = make_small(a_rows ? c.m : c.k, a_rows ? c.k : c.m, 3, c.batch);
  auto b = make_small(b_rows ? c.k : c.n, b_rows ? c.n : c.k, 5, c.batch);
  const std::int64_t columns = out_columns(p, c.n);
  auto out = make_small(c.m, columns, 7, c.batch);
  const std::int64_t residual_rows = has_op(p, EpilogueOp::add) ? c.m : 0;
  const std::int64_t operand_rows = has_op(p, EpilogueOp::mul) ? c.m : 0;
  auto residual = make_small(residual_rows, columns, 11, c.batch);
  auto operand = make_small(operand_rows, columns, 13, c.batch);
  auto bias = GuardedFloats::make(std::max<std::int64_t>(c.n, 1));
  if (!a || !b || !out || !residual || !operand || !bias) return fail("not enough memory to check a tile");
  x.a = std::move(*a);
  x.b = std::move(*b);
  x.out = std::move(*out);
  x.residual = std::move(*residual);
  x.operand = std::move(*operand);
  x.bias = std::move(*bias);
  x.bias.mark();
  fill_small(x.a, a_rows ? c.m : c.k, a_rows ? c.k : c.m, c.batch, 1);
  fill_small(x.b, b_rows ? c.k : c.n, b_rows ? c.n : c.k, c.batch, 2);
  if (p.beta == 1) fill_small(x.out, c.m, columns, c.batch, 3);
  fill(DataKind::normal, 4, 4, x.bias.data(), c.n);
  fill_small(x.residual, residual_rows, columns, c.batch, 5);
  fill_small(x.operand, operand_rows, columns, c.batch, 6);
  shape_a(x);
  x.before.assign(x.out.memory.data(), x.out.memory.data() + x.out.memory.size());
  return x;
}

// Runs a case. The sentence says why it did not run.
std::optional<std::string> run(const TileLibrary& library, int tile, const gemwright::packing& format, Instance& x) {
  const Case& c = x.c;
  const Problem& p = *x.problem;
  gemwright::gemm_call call;
  call.m = c.m;
  call.n = c.n;
  call.k = c.k;
  call.batch = c.batch;
  call.a = x.a.memory.data();
  call.lda = x.a.ld;
  call.stride_a = x.a.stride;
  call.a_layout = p.a_layout;
  call.b = x.b.memory.data();
  call.ldb = x.b.ld;
  call.stride_b = x.b.stride;
  call.b_layout = p.b_layout;
  call.b_packed = p.constant_weights && format.panel > 0;
  gemwright::packed_weights packed;
  if (call.b_packed) {
    packed = gemwright::pack_weights(call.b, call.ldb, p.b_layout, c.n, c.k, c.batch, x.b.stride, format);
    if (!packed.valid()) return "the weights could not be packed";
    call.b = packed.data();
    call.stride_b = gemwright::packed_b_size(c.n, c.k, format);
  }
  call.c = x.out.memory.data();
  call.ldc = x.out.ld;
  call.stride_c = x.out.stride;
  call.beta = p.beta == 1;
  call.operands = x.chain();

  const gemwright::plan plan = library.plan(tile, format, c.block);
  gemwright::context context(1, gemwright::scratch_for(plan, c.n, c.k, c.batch, call.b_packed));
  const gemwright::status status = gemwright::run_gemm(call, plan, context);
  if (status != gemwright::status::ok) return run_status_text(status);
  return std::nullopt;
}

// The largest error that any order of summation, with one rounding an operation, can make.
double proven_bound(std::int64_t k, double magnitude) {
  // Beside K roundings: beta, bias, and the sums of several accumulators and slices of K.
  constexpr double kSlack = 8;
  const double steps = static_cast<double>(k) + kSlack;
  return steps * 0x1p-24 * magnitude + steps * static_cast<double>(std::numeric_limits<float>::denorm_min());
}

std::vector<float> magnitudes(const MatrixView& m) {
  std::vector<float> out(static_cast<std::size_t>(m.rows * m.cols));
  for (std::int64_t i = 0; i < m.rows; ++i) {
    for (std::int64_t j = 0; j < m.cols; ++j) {
      out[static_cast<std::size_t>(i * m.cols + j)] = std::abs(m.data[i * m.row + j * m.col]);
    }
  }
  return out;
}

std::optional<std::string> compare_item(const Instance& x, std::int64_t item) {
  const Case& c = x.c;
  std::vector<std::int64_t> rows(static_cast<std::size_t>(c.m));
  for (std::int64_t i = 0; i < c.m; ++i) rows[static_cast<std::size_t>(i)] = i;
  std::vector<double> value(static_cast<std::size_t>(c.m * c.n)), magnitude(value.size());
  const MatrixView a = x.a_item(item), b = x.b_item(item);
  multiply_rows(a, rows, b, value.data());
  const std::vector<float> abs_a = magnitudes(a), abs_b = magnitudes(b);
  multiply_rows(matrix_view(abs_a.data(), c.m, c.k, c.k, layout::row_major), rows,
                matrix_view(abs_b.data(), c.k, c.n, c.n, layout::row_major), magnitude.data());
  const gemwright::epilogue_operands operands = x.chain();
  const Problem& p = *x.problem;
  const std::int64_t columns = out_columns(p, c.n);
  // A sum of the product, and what it may be off by.
  const auto sum_at = [&](std::int64_t i, std::int64_t j, double old) -> Bounded {
    const double sum = value[static_cast<std::size_t>(i * c.n + j)] + old;
    const double scale = magnitude[static_cast<std::size_t>(i * c.n + j)] + std::abs(old);
    return {sum, std::isfinite(sum) ? proven_bound(c.k, scale) : 0};
  };
  for (std::int64_t i = 0; i < c.m; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      const std::int64_t at = item * x.out.stride + i * x.out.ld + j;
      const double old = p.beta == 1 ? static_cast<double>(x.before[static_cast<std::size_t>(at)]) : 0;
      const Bounded up = has_pair(p) ? sum_at(i, columns + j, 0) : Bounded{};
      const ChainPoint point = chain_point(operands, item, i, j, has_pair(p) ? columns : 0);
      const Bounded right = apply_chain(p.chain, sum_at(i, j, old), point, kActivationError, up);
      const double got = static_cast<double>(x.out.memory.data()[at]);
      if (!agrees(got, right)) {
        return fmt::format("row {}, column {}{}: got {:.9g}, expected {:.9g}", i, j,
                           c.batch > 1 ? fmt::format(" of item {}", item) : "", got, right.value);
      }
    }
  }
  return std::nullopt;
}

// Everything in C's memory that is not an element of C still holds the mark.
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

std::optional<TileFault> check_case(const TileLibrary& library, int tile, const gemwright::packing& format,
                                    const Case& c, const Problem& p) {
  auto x = make_instance(c, p);
  if (!x) return TileFault{TrialState::runtime, x.error().message};
  const auto place = [&c] { return fmt::format("on a small problem of {}x{}x{}", c.m, c.n, c.k); };
  if (const auto fault = run(library, tile, format, *x)) {
    return TileFault{TrialState::runtime, fmt::format("{}: {}", place(), *fault)};
  }
  std::optional<std::string> fault;
  if (!untouched_outside(*x)) fault = "memory outside C was written";
  for (std::int64_t item = 0; !fault && item < c.batch; ++item) fault = compare_item(*x, item);
  if (!fault) return std::nullopt;
  return TileFault{TrialState::correctness, fmt::format("wrong {}: {}", place(), *fault)};
}

// Elements along K that a step of the tile multiplies.
std::int64_t depth_of_step(const Config& c) { return c.tile.along_k ? gemwright::vector_width(c.tile.family) : 1; }

// Blockings that cut a small problem in all ways that a large one can be cut. The chain runs where the config wants it.
std::vector<gemwright::blocking> blockings(const Config& config) {
  using gemwright::a_packing;
  using gemwright::loop_order;
  const std::int64_t mr = config.tile.mr, width = gemwright::column_unit(config.tile, config.format);
  gemwright::blocking own = config.blocking;
  own.mc = std::min<std::int64_t>(own.mc, 4 * mr);  // scratch for partial sums grows with mc
  const std::int64_t ahead = config.blocking.prefetch_rows;
  const gemwright::fusion at = config.blocking.chain_at;
  const std::int64_t deep = depth_of_step(config);
  std::vector<gemwright::blocking> cuts = {
      own,
      {mr, width, 7 * deep, loop_order::nmk, false, a_packing::job, 1, 1, 1, ahead, at},
      {4 * mr, 4 * width, 1 << 20, loop_order::mnk, true, a_packing::none, 2, 2, 1, ahead, at},
      {2 * mr, width, 5 * deep, loop_order::kmn, true, a_packing::none, 1, 2, 2, ahead, at},
      {mr, 2 * width, 11 * deep, loop_order::knm, false, a_packing::job, 2, 1, 1, ahead, at},
  };
  for (gemwright::blocking& b : cuts) {
    if (config.tile.along_k) b.pack_a = a_packing::none;
  }
  return cuts;
}

std::vector<Case> cases(const Config& config, const Problem& p) {
  const std::int64_t mr = config.tile.mr, width = nr(config.tile);
  const std::int64_t unroll = std::max(config.tile.ku, config.tile.ka) * depth_of_step(config);
  const std::int64_t wide = gemwright::column_unit(config.tile, config.format);
  const std::array<std::int64_t, 6> ns = {
      width, 1, wide + 1, std::max<std::int64_t>(width - 1, 1), width + 1, wide + width / 2 + 3};
  const std::array<std::int64_t, 6> ks = {unroll, 37, 1, 2 * unroll + 3, unroll + 1, 0};
  const std::vector<gemwright::blocking> cuts = blockings(config);
  std::vector<Case> all;
  const auto add = [&](std::int64_t m, std::int64_t n, std::int64_t k, Values v) {
    if (has_pair(p)) n += n % 2;
    all.push_back({m, n, k, p.batch > 1 ? 2 : 1, v, cuts[all.size() % cuts.size()]});
  };
  const auto kind = [&] { return static_cast<Values>(all.size() % kValueKinds); };
  // Each number of rows has a function of its own.
  for (std::int64_t m = 1; m <= mr + 1; ++m) {
    add(m, ns[all.size() % ns.size()], ks[(all.size() * 5 + 1) % ks.size()], kind());
  }
  // And, along K, each number of columns.
  for (std::int64_t m = 1; config.tile.along_k && m <= mr; ++m) {
    for (std::int64_t n = 1; n < width; ++n) add(m, n, 2 * unroll + 3, kind());
  }
  for (const std::int64_t n : ns) {
    for (const std::int64_t k : ks) add(2 * mr + 1, n, k, kind());
  }
  for (std::size_t i = 0; i < cuts.size(); ++i) add(mr, width + 1, 19, Values::infinite);
  add(0, width, 5, Values::normal);
  add(mr, 0, 5, Values::normal);
  return all;
}

}  // namespace

std::optional<TileFault> check_tile(const TileLibrary& library, int tile, const Config& config,
                                    const Problem& problem) {
  if (config.mode != ComputeMode::f32) return check_dot_tile(library, tile, config, problem);
  for (const Case& c : cases(config, problem)) {
    if (auto fault = check_case(library, tile, config.format, c, problem)) return fault;
  }
  return std::nullopt;
}

}  // namespace gemwright::tuner
