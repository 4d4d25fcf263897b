#include "tests/kernels/gemm_case.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <thread>

namespace gemwright::test {
namespace {

const char* name_of(Weights w) {
  return w == Weights::constant ? "constant" : w == Weights::per_call ? "per call" : "unpacked";
}

std::int64_t span(std::int64_t lines, std::int64_t ld, std::int64_t width) {
  return lines == 0 || width == 0 ? 0 : (lines - 1) * ld + width;
}

std::size_t extent(std::int64_t batch, std::int64_t stride, std::int64_t item) {
  return static_cast<std::size_t>(batch == 0 || item == 0 ? 0 : (batch - 1) * stride + item);
}

struct Shape {
  std::int64_t lines, width;
};
Shape shape_of(layout order, std::int64_t rows, std::int64_t cols) {
  return order == layout::row_major ? Shape{rows, cols} : Shape{cols, rows};
}

float draw(Random& random, Data data) {
  if (data == Data::integers) return static_cast<float>(pick(random, -8, 8));
  const float plain = static_cast<float>(pick(random, -(1 << 20), 1 << 20)) / static_cast<float>(1 << 20);
  if (data == Data::uniform) return plain;
  constexpr float kInf = std::numeric_limits<float>::infinity();
  switch (pick(random, 0, 200)) {
    case 0:
      return kInf;
    case 1:
      return -kInf;
    case 2:
      return std::numeric_limits<float>::quiet_NaN();
    case 3:
      return std::numeric_limits<float>::denorm_min();
    case 4:
      return -1e-39F;
    default:
      break;
  }
  return pick(random, 0, 9) == 0 ? (pick(random, 0, 1) == 0 ? 0.0F : -0.0F) : plain;
}

void fill(Random& random, Data data, const GuardedBuffer& to, std::int64_t batch, std::int64_t stride, Shape s,
          std::int64_t ld) {
  for (std::int64_t i = 0; i < batch; ++i) {
    for (std::int64_t line = 0; line < s.lines; ++line) {
      for (std::int64_t j = 0; j < s.width; ++j) to[i * stride + line * ld + j] = draw(random, data);
    }
  }
}

void run_backwards(void*, int jobs, void (*task)(void*, int), void* argument) {
  for (int j = jobs - 1; j >= 0; --j) task(argument, j);
}

void run_threads(void*, int jobs, void (*task)(void*, int), void* argument) {
  std::vector<std::thread> all;
  all.reserve(static_cast<std::size_t>(jobs));
  for (int j = 0; j < jobs; ++j) all.emplace_back(task, argument, j);
  for (std::thread& t : all) t.join();
}

}  // namespace

context make_context(Threads threads, scratch_size scratch) {
  switch (threads) {
    case Threads::pool2:
      return context(2, scratch);
    case Threads::pool3:
      return context(3, scratch);
    case Threads::backwards:
      return context(executor{nullptr, 1, run_backwards}, scratch);
    case Threads::thread_per_job:
      return context(executor{nullptr, 2, run_threads}, scratch);
    case Threads::none:
      break;
  }
  return context(1, scratch);
}

namespace {

// The float64 result of one element and the bound of its distance.
struct Expected {
  double value, bound;
};

// An activation and the bound of its own error, see epilogue.h; no slope is above 1.13.
Expected activated(double v, double share, double relative, double bound) {
  const double value = std::isinf(v) ? std::max(v, 0.0) : v * share;
  const double own = std::min(relative * std::fabs(value) + 1e-43, 1.2e-7 * std::max(std::fabs(value), 1.0));
  return {value, 1.13 * bound + own};
}

// What one operation of a chain makes of a result that is off by at most its bound.
Expected after(epilogue_op op, Expected e, double bias, double residual, double operand) {
  constexpr double kLo = static_cast<double>(kClampLo), kHi = static_cast<double>(kClampHi);
  const double v = e.value;
  const auto logistic = [](double z) { return 1 / (1 + std::exp(-z)); };
  switch (op) {
    case epilogue_op::bias:
      return {v + bias, e.bound};
    case epilogue_op::add:
      return {v + residual, e.bound};
    case epilogue_op::mul:
      return {v * operand, e.bound * std::fabs(operand)};
    case epilogue_op::scale:
      return {v * static_cast<double>(kScale), e.bound * static_cast<double>(kScale)};
    case epilogue_op::relu:
      return {v < 0 ? 0.0 : v, e.bound};
    case epilogue_op::clamp:
      return {v < kLo ? kLo : v > kHi ? kHi : v, e.bound};
    case epilogue_op::silu:
      return activated(v, logistic(v), 5e-7, e.bound);
    case epilogue_op::gelu_erf:
      return activated(v, 0.5 * std::erfc(-v / std::sqrt(2.0)), 5e-7, e.bound);
    case epilogue_op::gelu_tanh:
      return activated(v, logistic(2 * std::sqrt(2 / std::acos(-1.0)) * (v + 0.044715 * v * v * v)), 1.5e-5, e.bound);
    case epilogue_op::swiglu:
    case epilogue_op::geglu:
      break;  // they take two elements: pair_case.h
  }
  return e;
}

Expected expected_at(const GemmCase& x, const Operands& o, std::int64_t item, std::int64_t row, std::int64_t col) {
  double sum = 0, magnitude = 0;
  for (std::int64_t i = 0; i < x.k; ++i) {
    const double product = static_cast<double>(o.a_at(x, item, row, i)) * static_cast<double>(o.b_at(x, item, i, col));
    sum += product;
    magnitude += std::fabs(product);
  }
  if (x.beta) {
    const double c = o.old_c_at(x, item, row, col);
    sum += c;
    magnitude += std::fabs(c);
  }
  constexpr double kUnit = 0x1p-24;       // half a unit in the last place of 1
  constexpr double kDenormal = 0x1p-149;  // rounding below the normal range is absolute
  const double steps = static_cast<double>(x.k + 3);
  Expected e{sum, steps * (kUnit * magnitude + kDenormal)};
  const float residual =
      x.tile->has(epilogue_op::add) ? o.residual[item * o.stride_residual + row * o.ld_residual + col] : 0;
  const float operand =
      x.tile->has(epilogue_op::mul) ? o.operand[item * o.stride_operand + row * o.ld_operand + col] : 0;
  for (const epilogue_op op : x.tile->chain) {
    e = after(op, e, static_cast<double>(o.bias[col]), static_cast<double>(residual), static_cast<double>(operand));
    e.bound += kUnit * std::fabs(e.value) + kDenormal;
    if (!std::isfinite(e.value)) e.bound = 0;  // then it is exact
  }
  return e;
}

bool agrees(float got, Expected want) {
  if (std::isnan(want.value)) return std::isnan(got);
  if (std::isinf(want.value)) return static_cast<double>(got) == want.value;
  return std::fabs(static_cast<double>(got) - want.value) <= want.bound;
}

}  // namespace

const CompiledTile& bare_tile(isa family) {
  const auto& all = tiles_of(family);
  return *std::find_if(all.begin(), all.end(), [](const CompiledTile& t) { return t.chain.empty(); });
}

std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(high - low + 1));
}

std::string GemmCase::describe() const {
  std::ostringstream s;
  s << tile->name() << ": m" << m << " n" << n << " k" << k << " batch" << batch << " "
    << (a_layout == layout::row_major ? "n" : "t") << (b_layout == layout::row_major ? "n" : "t") << " pads " << pad_a
    << "," << pad_b << "," << pad_c << "," << pad_residual << "," << pad_operand << " gap " << gap << " beta " << beta
    << " weights " << name_of(weights) << " panel " << format().panel << " mc " << block.mc << " nc " << block.nc
    << " kc " << block.kc << " " << loop_order_name(block.order) << " rows_inside " << block.rows_inside << " pack_a "
    << a_packing_name(block.pack_a) << " grid " << block.tm << "x" << block.tn << "x" << block.tk << " threads "
    << static_cast<int>(threads) << " data " << static_cast<int>(data);
  return s.str();
}

blocking random_blocking(Random& random, const GemmCase& x, int max_tk) {
  blocking g{};
  g.mc = pick(random, 1, x.m + 8);
  g.nc = pick(random, 1, x.n + 20);
  g.kc = pick(random, 1, x.k + 8);
  g.order = static_cast<loop_order>(pick(random, 0, loop_order_count - 1));
  g.rows_inside = pick(random, 0, 1) == 1;
  g.pack_a = pick(random, 0, 1) == 1 ? a_packing::job : a_packing::none;
  g.tm = static_cast<int>(pick(random, 1, 3));
  g.tn = static_cast<int>(pick(random, 1, 3));
  g.tk = static_cast<int>(pick(random, 1, max_tk));
  g.prefetch_rows = pick(random, 0, 3) == 0 ? next_panel_rows : pick(random, 0, 200);
  g.chain_at = static_cast<fusion>(pick(random, 0, fusion_count - 1));
  return g;
}

GemmCase random_case(Random& random, const CompiledTile& tile) {
  GemmCase x;
  x.tile = &tile;
  const auto size = [&](std::int64_t typical) {
    // Often small or one: the tails are where mistakes live.
    return pick(random, 0, 3) == 0 ? pick(random, 1, 3) : pick(random, 1, typical);
  };
  x.m = size(2 * tile.set.shape.mr + 19);
  x.n = size(2 * tile.set.nr + 29);
  x.k = size(70);
  x.batch = pick(random, 0, 2) == 0 ? pick(random, 2, 3) : 1;
  x.a_layout = pick(random, 0, 1) == 0 ? layout::row_major : layout::col_major;
  x.b_layout = pick(random, 0, 1) == 0 ? layout::row_major : layout::col_major;
  x.pad_a = pick(random, 0, 3) * pick(random, 0, 3);
  x.pad_b = pick(random, 0, 3) * pick(random, 0, 3);
  x.pad_c = pick(random, 0, 3) * pick(random, 0, 3);
  x.pad_residual = pick(random, 0, 3) * pick(random, 0, 3);
  x.pad_operand = pick(random, 0, 3) * pick(random, 0, 3);
  x.gap = pick(random, 0, 9);
  x.beta = pick(random, 0, 1) == 1;
  x.weights = static_cast<Weights>(pick(random, 0, x.b_layout == layout::row_major && !tile.spans() ? 2 : 1));
  x.threads = static_cast<Threads>(pick(random, 0, 4));
  x.data = pick(random, 0, 1) == 0 ? Data::uniform : Data::integers;
  x.panels = static_cast<int>(pick(random, 1, 3));
  x.block = random_blocking(random, x, 3);
  return x;
}

Operands::Operands(const GemmCase& x, std::uint64_t seed)
    : lda(shape_of(x.a_layout, x.m, x.k).width + x.pad_a),
      ldb(shape_of(x.b_layout, x.k, x.n).width + x.pad_b),
      ldc(x.n + x.pad_c),
      ld_residual(x.n + x.pad_residual),
      ld_operand(x.n + x.pad_operand),
      stride_a(shape_of(x.a_layout, x.m, x.k).lines * lda + x.gap),
      stride_b(shape_of(x.b_layout, x.k, x.n).lines * ldb + x.gap),
      stride_c(x.m * ldc + x.gap),
      stride_residual(x.m * ld_residual + x.gap),
      stride_operand(x.m * ld_operand + x.gap),
      a(extent(x.batch, stride_a,
               span(shape_of(x.a_layout, x.m, x.k).lines, lda, shape_of(x.a_layout, x.m, x.k).width))),
      b(extent(x.batch, stride_b,
               span(shape_of(x.b_layout, x.k, x.n).lines, ldb, shape_of(x.b_layout, x.k, x.n).width))),
      c(extent(x.batch, stride_c, span(x.m, ldc, x.n))),
      bias(static_cast<std::size_t>(x.n)),
      residual(x.tile->has(epilogue_op::add) ? extent(x.batch, stride_residual, span(x.m, ld_residual, x.n)) : 0),
      operand(x.tile->has(epilogue_op::mul) ? extent(x.batch, stride_operand, span(x.m, ld_operand, x.n)) : 0) {
  Random random(seed);
  fill(random, x.data, a, x.batch, stride_a, shape_of(x.a_layout, x.m, x.k), lda);
  fill(random, x.data, b, x.batch, stride_b, shape_of(x.b_layout, x.k, x.n), ldb);
  const Data tame = x.data == Data::special ? Data::uniform : x.data;
  fill(random, tame, bias, 1, 0, {1, x.n}, x.n);
  if (residual.size() > 0) fill(random, tame, residual, x.batch, stride_residual, {x.m, x.n}, ld_residual);
  if (operand.size() > 0) fill(random, tame, operand, x.batch, stride_operand, {x.m, x.n}, ld_operand);
  // Without beta C holds poison: reading it would show.
  if (x.beta) fill(random, tame, c, x.batch, stride_c, {x.m, x.n}, ldc);
  old_c_.assign(c.data(), c.data() + c.size());
}

void Operands::reset_c() { std::copy(old_c_.begin(), old_c_.end(), c.data()); }

gemm_call Operands::call(const GemmCase& x) const {
  gemm_call g;
  g.m = x.m;
  g.n = x.n;
  g.k = x.k;
  g.batch = x.batch;
  g.a = a.data();
  g.lda = lda;
  g.stride_a = stride_a;
  g.a_layout = x.a_layout;
  g.b = b.data();
  g.ldb = ldb;
  g.stride_b = stride_b;
  g.b_layout = x.b_layout;
  g.c = c.data();
  g.ldc = ldc;
  g.stride_c = stride_c;
  g.beta = x.beta;
  if (x.tile->has(epilogue_op::bias)) g.operands.bias = bias.data();
  if (x.tile->has(epilogue_op::add)) g.operands.residual = residual.data();
  if (x.tile->has(epilogue_op::mul)) g.operands.operand = operand.data();
  g.operands.ld_residual = ld_residual;
  g.operands.ld_operand = ld_operand;
  g.operands.stride_residual = stride_residual;
  g.operands.stride_operand = stride_operand;
  g.operands.scale = kScale;
  g.operands.clamp_lo = kClampLo;
  g.operands.clamp_hi = kClampHi;
  return g;
}

float Operands::a_at(const GemmCase& x, std::int64_t item, std::int64_t row, std::int64_t col) const {
  return a[item * stride_a + (x.a_layout == layout::row_major ? row * lda + col : col * lda + row)];
}

float Operands::b_at(const GemmCase& x, std::int64_t item, std::int64_t row, std::int64_t col) const {
  return b[item * stride_b + (x.b_layout == layout::row_major ? row * ldb + col : col * ldb + row)];
}

float Operands::old_c_at(const GemmCase&, std::int64_t item, std::int64_t row, std::int64_t col) const {
  return old_c_[static_cast<std::size_t>(item * stride_c + row * ldc + col)];
}

std::vector<float> Operands::result(const GemmCase& x) const {
  std::vector<float> out;
  out.reserve(static_cast<std::size_t>(x.batch * x.m * x.n));
  for (std::int64_t i = 0; i < x.batch; ++i) {
    for (std::int64_t row = 0; row < x.m; ++row) {
      const float* const line = c.data() + i * stride_c + row * ldc;
      out.insert(out.end(), line, line + x.n);
    }
  }
  return out;
}

status run_case(const GemmCase& x, Operands& o, bool bare) {
  const plan p = x.make_plan();
  gemm_call call = o.call(x);
  call.bare = bare;
  packed_weights packed;
  if (x.weights == Weights::constant) {
    packed = pack_weights(call.b, call.ldb, call.b_layout, x.n, x.k, x.batch, call.stride_b, p.format);
    if (!packed.valid()) return packed.state();
    call.b = packed.data();
    call.b_packed = true;
    call.stride_b = packed_b_size(x.n, x.k, p.format);
    call.ldb = 0;
  }
  context ctx =
      make_context(x.threads, scratch_for(p.kernels->shape, p.format, p.block, x.n, x.k, x.batch, call.b_packed));
  return run_gemm(call, p, ctx);
}

::testing::AssertionResult guards_hold(const GemmCase& x, const Operands& o) {
  for (const GuardedBuffer* buffer : {&o.a, &o.b, &o.c, &o.bias, &o.residual, &o.operand}) {
    if (!buffer->slack_untouched())
      return ::testing::AssertionFailure() << "written before an operand: " << x.describe();
  }
  const auto count = static_cast<std::int64_t>(o.c.size());
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t item = std::min(x.batch - 1, i / std::max<std::int64_t>(o.stride_c, 1));
    const std::int64_t inside = i - item * o.stride_c;
    const bool element = inside / o.ldc < x.m && inside % o.ldc < x.n;
    if (!element && !is_poison(o.c[i])) {
      return ::testing::AssertionFailure() << "written beside C at offset " << i << ": " << x.describe();
    }
  }
  return ::testing::AssertionSuccess();
}

::testing::AssertionResult holds(const GemmCase& x, const Operands& o) {
  for (std::int64_t item = 0; item < x.batch; ++item) {
    for (std::int64_t row = 0; row < x.m; ++row) {
      for (std::int64_t col = 0; col < x.n; ++col) {
        const Expected want = expected_at(x, o, item, row, col);
        const float got = o.c[item * o.stride_c + row * o.ldc + col];
        const bool exact = x.data == Data::integers && x.tile->exact();
        if (exact ? static_cast<double>(got) == want.value : agrees(got, want)) continue;
        return ::testing::AssertionFailure() << "item " << item << " row " << row << " column " << col << " is " << got
                                             << ", not " << want.value << " +- " << want.bound << ": " << x.describe();
      }
    }
  }
  return guards_hold(x, o);
}

}  // namespace gemwright::test
