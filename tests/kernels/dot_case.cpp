#include "tests/kernels/dot_case.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <sstream>

namespace gemwright::test {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::int64_t lines_of(layout order, std::int64_t rows, std::int64_t cols) {
  return order == layout::row_major ? rows : cols;
}
std::int64_t width_of(layout order, std::int64_t rows, std::int64_t cols) {
  return order == layout::row_major ? cols : rows;
}
std::int64_t extent(std::int64_t batch, std::int64_t stride, std::int64_t lines, std::int64_t ld, std::int64_t width) {
  return batch == 0 || lines == 0 || width == 0 ? 0 : (batch - 1) * stride + (lines - 1) * ld + width;
}

double read_element(element type, const char* p) {
  float f = 0;
  bf16 h{};
  switch (type) {
    case element::f32:
      std::memcpy(&f, p, sizeof f);
      return static_cast<double>(f);
    case element::bf16:
      std::memcpy(&h, p, sizeof h);
      return static_cast<double>(to_float(h));
    case element::u8:
      return static_cast<double>(static_cast<unsigned char>(*p));
    default:
      return static_cast<double>(static_cast<signed char>(*p));
  }
}

float uniform(Random& random) {
  return static_cast<float>(pick(random, -(1 << 20), 1 << 20)) / static_cast<float>(1 << 20);
}

float draw(Random& random, DotData data, element type) {
  if (type == element::u8) return data == DotData::extreme ? 255.0F : static_cast<float>(pick(random, 0, 255));
  if (type == element::s8) return data == DotData::extreme ? -128.0F : static_cast<float>(pick(random, -128, 127));
  if (data == DotData::extreme) return pick(random, 0, 1) == 0 ? 3e3F : -3e3F;
  if (data == DotData::subnormal && pick(random, 0, 3) == 0) return uniform(random) * 0x1p-127F;
  if (data == DotData::special) {
    const std::int64_t which = pick(random, 0, 150);
    if (which < 3) return which == 0 ? kInf : which == 1 ? -kInf : kNan;
  }
  return uniform(random);
}

void fill(Random& random, DotData data, element type, GuardedElements& to, std::int64_t batch, std::int64_t stride,
          std::int64_t lines, std::int64_t ld, std::int64_t width) {
  for (std::int64_t i = 0; i < batch; ++i) {
    for (std::int64_t line = 0; line < lines; ++line) {
      for (std::int64_t j = 0; j < width; ++j) to.set(i * stride + line * ld + j, draw(random, data, type));
    }
  }
}

// The integers of one row of A, or one column of B, as the headers document them.
struct Quantised {
  std::vector<std::int64_t> q;  // zero point already taken off
  double scale;
};

std::int64_t rounded(float v) { return static_cast<std::int64_t>(std::nearbyint(v)); }

Quantised quantise(const std::vector<float>& values, bool symmetric, std::int64_t low, std::int64_t high) {
  float least = 0, most = 0;
  bool finite = true;
  for (const float v : values) {
    finite = finite && std::isfinite(v);
    least = std::min(least, v);
    most = std::max(most, v);
  }
  Quantised out{std::vector<std::int64_t>(values.size(), 0), std::numeric_limits<double>::quiet_NaN()};
  if (!finite) return out;
  const float scale = symmetric ? std::max(most, -least) / 127.0F : most / 255.0F - least / 255.0F;
  out.scale = 0;
  if (scale < std::numeric_limits<float>::min()) return out;
  out.scale = static_cast<double>(scale);
  const float inverse = 1.0F / scale;
  const std::int64_t zero = symmetric ? 0 : rounded(-least * inverse);
  for (std::size_t i = 0; i < values.size(); ++i) {
    out.q[i] = std::clamp(rounded(values[i] * inverse) + zero, low, high) - zero;
  }
  return out;
}

Quantised row_of_a(const DotCase& x, const DotOperands& o, std::int64_t item, std::int64_t row) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < x.k; ++i) values.push_back(static_cast<float>(o.a_at(x, item, row, i)));
  if (x.a_type != element::u8) {
    const bool symmetric = x.quantisation == row_quantisation::symmetric;
    return quantise(values, symmetric, symmetric ? -128 : 0, symmetric ? 127 : 255);
  }
  Quantised out{{}, static_cast<double>(x.a_scale)};
  for (const float v : values) out.q.push_back(static_cast<std::int64_t>(v) - x.a_zero);
  return out;
}

Quantised column_of_b(const DotCase& x, const DotOperands& o, std::int64_t item, std::int64_t col) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < x.k; ++i) values.push_back(static_cast<float>(o.b_at(x, item, i, col)));
  if (x.b_type != element::s8) return quantise(values, true, -127, 127);
  Quantised out{{}, x.column_scales ? o.column_scale.get(item * x.n + col) : 1.0};
  for (const float v : values) out.q.push_back(static_cast<std::int64_t>(v));
  return out;
}

struct Expected {
  double value, bound;
};

constexpr double kUnit = 0x1p-24;       // half a unit in the last place of 1
constexpr double kSmallest = 0x1p-126;  // normal float: what lies below may count as zero

Expected product_u8s8(const Quantised& a, const Quantised& b) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < a.q.size(); ++i) sum += a.q[i] * b.q[i];
  const double value = static_cast<double>(sum) * a.scale * b.scale;
  return {value, 4 * kUnit * std::fabs(value) + kSmallest};
}

Expected product_bf16(const DotCase& x, const DotOperands& o, std::int64_t item, std::int64_t row, std::int64_t col) {
  double sum = 0, magnitude = 0;
  for (std::int64_t i = 0; i < x.k; ++i) {
    const float a = to_float(to_bf16(static_cast<float>(o.a_at(x, item, row, i))));
    const float b = to_float(to_bf16(static_cast<float>(o.b_at(x, item, i, col))));
    const double p = static_cast<double>(a) * static_cast<double>(b);
    sum += p;
    magnitude += std::fabs(p);
  }
  const double steps = static_cast<double>(x.k + 4);
  return {sum, steps * (kUnit * magnitude + 2 * kSmallest)};
}

// What beta, the chain and the type of C make of a product, and whether `got` is that.
bool agrees(const DotCase& x, Expected want, double old_c, double bias, double got) {
  if (x.beta) {
    want.value += old_c;
    want.bound += 2 * kUnit * (std::fabs(old_c) + std::fabs(want.value));
  }
  if (x.tile->bias_relu || x.tile->bias_gelu) {
    want.value += bias;
    want.bound += 2 * kUnit * (std::fabs(bias) + std::fabs(want.value));
    if (x.tile->bias_relu && want.value < 0) want.value = 0;
    if (x.tile->bias_gelu) {  // no slope is above 1.13; the error of its own: epilogue.h
      const double v = want.value;
      want.value = std::isinf(v) ? std::max(v, 0.0) : v * 0.5 * std::erfc(-v / std::sqrt(2.0));
      want.bound = 1.13 * want.bound + 2.4e-7 * std::max(std::fabs(want.value), 1.0);
    }
  }
  if (x.tile->set.c_type == element::u8) {
    if (std::isnan(want.value)) return got == 0;
    const double inverse = static_cast<double>(x.requant.inverse_scale);
    const double bound = (want.bound + 2 * kUnit * std::fabs(want.value)) * inverse;
    const auto code = [&](double v) { return std::clamp(std::nearbyint(v) + x.requant.zero, 0.0, 255.0); };
    if (std::isinf(want.value)) return got == code(want.value);
    return got >= code(want.value * inverse - bound) && got <= code(want.value * inverse + bound);
  }
  if (std::isnan(want.value)) return std::isnan(got);
  if (std::isinf(want.value)) return got == want.value;
  if (x.tile->set.c_type == element::bf16) want.bound += 0x1p-8 * (std::fabs(want.value) + want.bound);
  return std::fabs(got - want.value) <= want.bound;
}

::testing::AssertionResult only_c_written(const DotCase& x, const DotOperands& o) {
  for (const GuardedElements* e : {&o.a, &o.b, &o.c, &o.bias, &o.column_scale}) {
    if (!e->slack_untouched()) return ::testing::AssertionFailure() << "written before an operand: " << x.describe();
  }
  const int size = element_size(x.tile->set.c_type);
  for (std::int64_t i = 0; i < o.c.count(); ++i) {
    const std::int64_t item = std::min(x.batch - 1, i / std::max<std::int64_t>(o.stride_c, 1));
    const std::int64_t inside = i - item * o.stride_c;
    if (inside / o.ldc < x.m && inside % o.ldc < x.n) continue;
    if (std::memcmp(o.c.bytes() + i * size, o.old_c.data() + i * size, static_cast<std::size_t>(size)) != 0) {
      return ::testing::AssertionFailure() << "written beside C at offset " << i << ": " << x.describe();
    }
  }
  return ::testing::AssertionSuccess();
}

}  // namespace

GuardedElements::GuardedElements(element type, std::int64_t count)
    : type_(type),
      count_(count),
      buffer_(static_cast<std::size_t>((count * element_size(type) + 3) / 4)),
      data_(reinterpret_cast<char*>(buffer_.data() + buffer_.size()) - count * element_size(type)) {}

double GuardedElements::get(std::int64_t i) const { return read_element(type_, data_ + i * element_size(type_)); }

void GuardedElements::set(std::int64_t i, float v) {
  char* const p = data_ + i * element_size(type_);
  const bf16 h = to_bf16(v);
  switch (type_) {
    case element::f32:
      std::memcpy(p, &v, sizeof v);
      break;
    case element::bf16:
      std::memcpy(p, &h, sizeof h);
      break;
    default:
      *p = static_cast<char>(static_cast<int>(v));
  }
}

bool GuardedElements::slack_untouched() const {
  const char* const poison = reinterpret_cast<const char*>(&kPoison);
  const char* const begin = reinterpret_cast<const char*>(buffer_.data());
  for (const char* p = begin; p < data_; ++p) {
    if (*p != poison[(p - begin) % 4]) return false;
  }
  return buffer_.slack_untouched();
}

std::string DotCase::describe() const {
  std::ostringstream s;
  s << tile->name() << ": " << element_name(a_type) << " x " << element_name(b_type) << " m" << m << " n" << n << " k"
    << k << " batch" << batch << " " << (a_layout == layout::row_major ? "n" : "t")
    << (b_layout == layout::row_major ? "n" : "t") << " pads " << pad_a << "," << pad_b << "," << pad_c << " gap "
    << gap << " beta " << beta << " constant " << constant_weights << " column scales " << column_scales << " a "
    << a_scale << "," << a_zero << " symmetric " << (quantisation == row_quantisation::symmetric) << " requant "
    << requant.inverse_scale << "," << requant.zero << " data " << static_cast<int>(data) << " threads "
    << static_cast<int>(threads) << " panel " << format().panel << " mc " << block.mc << " nc " << block.nc << " kc "
    << block.kc << " rows_inside " << block.rows_inside << " pack_a " << a_packing_name(block.pack_a) << " grid "
    << block.tm << "x" << block.tn << "x" << block.tk;
  return s.str();
}

void slice_k(blocking& g, int slices) {
  g.tk = slices;
  if (g.pack_a == a_packing::job) g.pack_a = a_packing::shared;
  g.chain_at = fusion::registers;
}

blocking random_dot_blocking(Random& random, const DotCase& x) {
  blocking g{};
  g.mc = pick(random, 1, x.m + 8);
  g.nc = pick(random, 1, x.n + 20);
  g.kc = pick(random, 1, x.k + 8);
  g.order = loop_order::mnk;
  g.rows_inside = pick(random, 0, 1) == 1;
  const bool in_place = reads_a_in_place(x.tile->set, x.a_type, x.a_layout);
  g.pack_a = static_cast<a_packing>(pick(random, in_place ? 0 : 1, 2));
  g.tm = static_cast<int>(pick(random, 1, 3));
  g.tn = static_cast<int>(pick(random, 1, 3));
  g.tk = 1;
  g.prefetch_rows = pick(random, 0, 3) == 0 ? next_panel_rows : pick(random, 0, 200);
  if (x.tile->set.c_type == element::f32 && !x.tile->set.reads.pair) {
    g.chain_at = static_cast<fusion>(pick(random, 0, fusion_count - 1));
  }
  if (pick(random, 0, 3) == 0) slice_k(g, static_cast<int>(pick(random, 2, 4)));
  return g;
}

DotCase random_dot_case(Random& random, const CompiledDotTile& tile) {
  DotCase x;
  x.tile = &tile;
  const auto size = [&](std::int64_t typical) {
    return pick(random, 0, 3) == 0 ? pick(random, 1, 3) : pick(random, 1, typical);
  };
  const auto coin = [&] { return pick(random, 0, 1) == 1; };
  const auto order = [&] { return coin() ? layout::row_major : layout::col_major; };
  const bool integers = tile.set.mode == compute_mode::u8s8;
  x.m = size(2 * tile.set.shape.mr + 19);
  x.n = size(2 * tile.set.nr + 29);
  // Rows longer than a packed line of 128 now and then.
  x.k = pick(random, 0, 4) == 0 ? pick(random, 120, 290) : size(70);
  x.batch = pick(random, 0, 2) == 0 ? pick(random, 2, 3) : 1;
  x.a_type = integers && coin() ? element::u8 : coin() ? element::f32 : element::bf16;
  x.b_type = integers && coin() ? element::s8 : coin() ? element::f32 : element::bf16;
  x.a_layout = order();
  x.b_layout = order();
  x.pad_a = pick(random, 0, 3) * pick(random, 0, 3);
  x.pad_b = pick(random, 0, 3) * pick(random, 0, 3);
  x.pad_c = pick(random, 0, 3) * pick(random, 0, 3);
  x.gap = pick(random, 0, 9);
  x.beta = tile.set.c_type != element::u8 && coin();
  x.constant_weights = pick(random, 0, 2) != 0;
  x.column_scales = x.b_type == element::s8 && coin();
  x.a_scale = x.a_type == element::u8 ? 0.0123F : 1.0F;
  x.a_zero = x.a_type == element::u8 ? static_cast<int>(pick(random, 0, 255)) : 0;
  x.quantisation = coin() ? row_quantisation::asymmetric : row_quantisation::symmetric;
  // Small products of the real types, large ones of integers: some saturate, some do not.
  x.requant = {static_cast<float>(pick(random, 1, 100)) * (x.b_type == element::s8 ? 0.005F : 1.0F),
               static_cast<int>(pick(random, 0, 255))};
  x.data = pick(random, 0, 7) == 0 ? DotData::extreme : DotData::uniform;
  x.threads = static_cast<Threads>(pick(random, 0, 4));
  x.panels = static_cast<int>(pick(random, 1, 3));
  x.block = random_dot_blocking(random, x);
  return x;
}

DotOperands::DotOperands(const DotCase& x, std::uint64_t seed)
    : lda(width_of(x.a_layout, x.m, x.k) + x.pad_a),
      ldb(width_of(x.b_layout, x.k, x.n) + x.pad_b),
      ldc(x.n + x.pad_c),
      stride_a(lines_of(x.a_layout, x.m, x.k) * lda + x.gap),
      stride_b(lines_of(x.b_layout, x.k, x.n) * ldb + x.gap),
      stride_c(x.m * ldc + x.gap),
      a(x.a_type, extent(x.batch, stride_a, lines_of(x.a_layout, x.m, x.k), lda, width_of(x.a_layout, x.m, x.k))),
      b(x.b_type, extent(x.batch, stride_b, lines_of(x.b_layout, x.k, x.n), ldb, width_of(x.b_layout, x.k, x.n))),
      c(x.tile->set.c_type, extent(x.batch, stride_c, x.m, ldc, x.n)),
      bias(element::f32, x.n),
      column_scale(element::f32, x.n * x.batch) {
  Random random(seed);
  fill(random, x.data, x.a_type, a, x.batch, stride_a, lines_of(x.a_layout, x.m, x.k), lda,
       width_of(x.a_layout, x.m, x.k));
  fill(random, x.data, x.b_type, b, x.batch, stride_b, lines_of(x.b_layout, x.k, x.n), ldb,
       width_of(x.b_layout, x.k, x.n));
  for (std::int64_t j = 0; j < x.n; ++j) bias.set(j, uniform(random));
  for (std::int64_t j = 0; j < x.n * x.batch; ++j) column_scale.set(j, 0.01F * (1.5F + uniform(random)));
  // Without beta C holds poison: reading it would show.
  if (x.beta) fill(random, DotData::uniform, x.tile->set.c_type, c, x.batch, stride_c, x.m, ldc, x.n);
  old_c = c.copy();
}

dot_call DotOperands::call(const DotCase& x) const {
  dot_call g;
  g.m = x.m;
  g.n = x.n;
  g.k = x.k;
  g.batch = x.batch;
  g.a = a.bytes();
  g.a_type = x.a_type;
  g.lda = lda;
  g.stride_a = stride_a;
  g.a_layout = x.a_layout;
  g.a_scale = x.a_scale;
  g.a_zero = x.a_zero;
  g.quantisation = x.quantisation;
  g.b.b = b.bytes();
  g.b.type = x.b_type;
  g.b.ldb = ldb;
  g.b.order = x.b_layout;
  g.b.stride = stride_b;
  g.b.scale = x.column_scales ? reinterpret_cast<const float*>(column_scale.bytes()) : nullptr;
  g.c = c.bytes();
  g.ldc = ldc;
  g.stride_c = stride_c;
  g.beta = x.beta;
  g.requant = x.requant;
  if (x.tile->bias_relu || x.tile->bias_gelu) g.operands.bias = reinterpret_cast<const float*>(bias.bytes());
  return g;
}

double DotOperands::a_at(const DotCase& x, std::int64_t item, std::int64_t row, std::int64_t i) const {
  return a.get(item * stride_a + (x.a_layout == layout::row_major ? row * lda + i : i * lda + row));
}

double DotOperands::b_at(const DotCase& x, std::int64_t item, std::int64_t i, std::int64_t col) const {
  return b.get(item * stride_b + (x.b_layout == layout::row_major ? i * ldb + col : col * ldb + i));
}

double DotOperands::old_c_at(const DotCase& x, std::int64_t item, std::int64_t row, std::int64_t col) const {
  const std::int64_t at = item * stride_c + row * ldc + col;
  return read_element(x.tile->set.c_type, old_c.data() + at * element_size(x.tile->set.c_type));
}

std::vector<double> DotOperands::result(const DotCase& x) const {
  std::vector<double> out;
  for (std::int64_t i = 0; i < x.batch; ++i) {
    for (std::int64_t row = 0; row < x.m; ++row) {
      for (std::int64_t col = 0; col < x.n; ++col) out.push_back(c.get(i * stride_c + row * ldc + col));
    }
  }
  return out;
}

status run_dot_case(const DotCase& x, const DotOperands& o) {
  const dot_plan p = x.plan();
  dot_call call = o.call(x);
  packed_dot_weights packed;
  if (x.constant_weights) {
    packed = pack_dot_weights(p.kernels->mode, call.b, x.n, x.k, x.batch, p.format);
    if (!packed.valid()) return packed.state();
    call.weights = &packed;
    call.b = {};
  }
  context ctx = make_context(x.threads, scratch_for(p, x.n, x.k, x.batch, x.constant_weights));
  return run_dot(call, p, ctx);
}

::testing::AssertionResult dot_holds(const DotCase& x, const DotOperands& o) {
  const bool integers = x.tile->set.mode == compute_mode::u8s8;
  for (std::int64_t item = 0; item < x.batch; ++item) {
    std::vector<Quantised> columns;
    for (std::int64_t col = 0; integers && col < x.n; ++col) columns.push_back(column_of_b(x, o, item, col));
    for (std::int64_t row = 0; row < x.m; ++row) {
      const Quantised a = integers ? row_of_a(x, o, item, row) : Quantised{};
      for (std::int64_t col = 0; col < x.n; ++col) {
        const Expected want =
            integers ? product_u8s8(a, columns[static_cast<std::size_t>(col)]) : product_bf16(x, o, item, row, col);
        const double got = o.c.get(item * o.stride_c + row * o.ldc + col);
        const double old = x.beta ? o.old_c_at(x, item, row, col) : 0.0;
        if (agrees(x, want, old, o.bias.get(col), got)) continue;
        return ::testing::AssertionFailure()
               << "item " << item << " row " << row << " column " << col << " is " << got << ", its product is "
               << want.value << " +- " << want.bound << ", old C " << old << ": " << x.describe();
      }
    }
  }
  return only_c_written(x, o);
}

}  // namespace gemwright::test
