// Packing the columns of B: every register width writes the same bits, those that the header documents, whatever the
// sizes, the layout, the type and the values; and reads nothing outside the operand.
#include <cstring>
#include <limits>

#include "tests/kernels/dot_case.h"

namespace gemwright::test {
namespace {

struct Way {
  const char* name;
  isa family;
  dot_columns_kernel kernel;
};

const std::vector<Way>& ways() {
  static const std::vector<Way> all = {
    {"scalar", isa::scalar, &scalar_dot::pack_columns},
#if defined(__x86_64__)
    {"avx2", isa::avx2, &avx2_dot::pack_columns},
    {"avx512f", isa::avx512f, &avx512_dot::pack_columns},
#endif
  };
  return all;
}

struct PackCase {
  compute_mode mode;
  element type;
  layout order;
  std::int64_t n, k, batch;
  int panel;
  std::int64_t pad, gap;
  bool scales, special;

  std::string describe() const {
    return std::string(compute_mode_name(mode)) + " from " + element_name(type) +
           (order == layout::row_major ? " rows" : " columns") + " n" + std::to_string(n) + " k" + std::to_string(k) +
           " panel " + std::to_string(panel) + " pad " + std::to_string(pad) + " gap " + std::to_string(gap);
  }
};

float drawn(Random& random, element type, bool special) {
  if (type == element::s8) return static_cast<float>(pick(random, -128, 127));
  if (special) {
    const std::int64_t which = pick(random, 0, 120);
    if (which == 0) return std::numeric_limits<float>::infinity();
    if (which == 1) return -std::numeric_limits<float>::infinity();
    if (which == 2) return std::numeric_limits<float>::quiet_NaN();
    if (which == 3) return std::numeric_limits<float>::denorm_min();
    if (which == 4) return std::numeric_limits<float>::max();
    if (which == 5) return -0.0F;
    if (which == 6) {
      // Any bits, a signalling NaN among them.
      const auto bits = static_cast<std::uint32_t>(random());
      float any = 0;
      std::memcpy(&any, &bits, sizeof any);
      return any;
    }
  }
  // Rounding has ties: few bits below those that bf16 keeps.
  return static_cast<float>(pick(random, -4096, 4096)) / 1024.0F;
}

// One item of packed B, element by element.
std::vector<std::uint32_t> reference(const PackCase& x, const GuardedElements& b, std::int64_t ld, std::int64_t offset,
                                     const float* scale) {
  const std::int64_t group = k_group(x.mode), groups = ceil_div(x.k, group), columns = round_up(x.n, x.panel);
  std::vector<std::uint32_t> out(static_cast<std::size_t>(packed_dot_size(x.mode, x.n, x.k, {x.panel})), 0U);
  const auto at = [&](std::int64_t k, std::int64_t j) {
    return static_cast<float>(b.get(offset + (x.order == layout::row_major ? k * ld + j : j * ld + k)));
  };
  for (std::int64_t j = 0; j < columns; ++j) {
    row_scale s{1, 0, 0};
    if (j < x.n && x.mode == compute_mode::u8s8 && x.type != element::s8) {
      value_range r;
      for (std::int64_t k = 0; k < x.k; ++k) r.add(at(k, j));
      s = scale_of(r, row_quantisation::symmetric);
    } else if (j < x.n && scale != nullptr) {
      s.scale = scale[j];
    }
    std::int32_t sum = 0;
    for (std::int64_t k = 0; j < x.n && k < x.k; ++k) {
      std::uint32_t code = 0;
      if (x.mode == compute_mode::bf16) {
        code = to_bf16(at(k, j)).bits;
      } else {
        const std::int8_t q =
            x.type == element::s8 ? static_cast<std::int8_t>(at(k, j)) : quantised_weight(at(k, j), s.inverse);
        sum += q;
        code = static_cast<std::uint8_t>(q);
      }
      const std::int64_t word = (j / x.panel * groups + k / group) * x.panel + j % x.panel;
      out[static_cast<std::size_t>(word)] |= code << static_cast<unsigned>(k % group * (32 / group));
    }
    if (x.mode != compute_mode::u8s8) continue;
    std::memcpy(&out[static_cast<std::size_t>(columns * groups + j)], &s.scale, sizeof s.scale);
    out[static_cast<std::size_t>(columns * (groups + 1) + j)] = static_cast<std::uint32_t>(sum);
  }
  return out;
}

void check(const PackCase& x, Random& random) {
  const std::int64_t lines = x.order == layout::row_major ? x.k : x.n;
  const std::int64_t line = x.order == layout::row_major ? x.n : x.k;
  const std::int64_t ld = line + x.pad, stride = lines * ld + x.gap;
  GuardedElements b(x.type, lines == 0 || line == 0 ? 0 : (x.batch - 1) * stride + (lines - 1) * ld + line);
  for (std::int64_t i = 0; i < b.count(); ++i) b.set(i, drawn(random, x.type, x.special));
  std::vector<float> scale;
  for (std::int64_t i = 0; x.scales && i < x.batch * x.n; ++i) scale.push_back(static_cast<float>(i) + 0.5F);
  const dot_weights_source s{b.bytes(), x.type, ld, x.order, stride, x.scales ? scale.data() : nullptr};
  const std::int64_t panels = ceil_div(x.n, x.panel);
  for (std::int64_t item = 0; item < x.batch; ++item) {
    const std::vector<std::uint32_t> want =
        reference(x, b, ld, item * stride, x.scales ? scale.data() + item * x.n : nullptr);
    for (const Way& way : ways()) {
      if (!cpu_has(way.family)) continue;
      std::vector<std::uint32_t> got(want.size() + 16, 0x5a5a5a5aU);
      // In two parts, as two jobs would.
      const std::int64_t half = panels / 2;
      pack_dot_panels(s, item, x.mode, x.n, x.k, {x.panel}, 0, half, got.data(), way.kernel);
      pack_dot_panels(s, item, x.mode, x.n, x.k, {x.panel}, half, panels, got.data(), way.kernel);
      for (std::size_t i = 0; i < got.size(); ++i) {
        ASSERT_EQ(got[i], i < want.size() ? want[i] : 0x5a5a5a5aU)
            << way.name << " word " << i << " of " << want.size() << ": " << x.describe();
      }
    }
  }
}

struct Source {
  compute_mode mode;
  element type;
};

class DotPack : public ::testing::TestWithParam<Source> {};
INSTANTIATE_TEST_SUITE_P(Sources, DotPack,
                         ::testing::Values(Source{compute_mode::bf16, element::f32},
                                           Source{compute_mode::bf16, element::bf16},
                                           Source{compute_mode::u8s8, element::f32},
                                           Source{compute_mode::u8s8, element::bf16},
                                           Source{compute_mode::u8s8, element::s8}),
                         [](const auto& info) {
                           return std::string(compute_mode_name(info.param.mode)) + "_" + element_name(info.param.type);
                         });

TEST_P(DotPack, AllRegisterWidthsWriteTheDocumentedBits) {
  Random random(31);
  constexpr int kPanels[] = {4, 8, 12, 16, 24, 32, 48, 64};
  for (int i = 0; i < 240 && !HasFatalFailure(); ++i) {
    PackCase x{};
    x.mode = GetParam().mode;
    x.type = GetParam().type;
    x.order = i % 2 == 0 ? layout::row_major : layout::col_major;
    // Beyond a strip of columns now and then, and beyond a line of K.
    x.n = i % 24 < 2 ? pick(random, 500, 1300) : pick(random, 0, 140);
    x.k = i % 24 < 2 ? pick(random, 1, 9) : i % 5 == 0 ? pick(random, 60, 200) : pick(random, 0, 40);
    x.batch = pick(random, 1, 2);
    x.panel = kPanels[pick(random, 0, 7)];
    x.pad = pick(random, 0, 3);
    x.gap = pick(random, 0, 5);
    x.scales = x.type == element::s8 && pick(random, 0, 1) == 1;
    x.special = pick(random, 0, 3) == 0;
    check(x, random);
  }
}

// The widest and smallest numbers in one column: nothing saturates the wrong way.
TEST_P(DotPack, ExtremesOfAColumnKeepTheirSigns) {
  Random random(32);
  for (const layout order : {layout::row_major, layout::col_major}) {
    PackCase x{GetParam().mode, GetParam().type, order, 37, 67, 1, 16, 1, 0, false, false};
    GuardedElements b(x.type, order == layout::row_major ? 67 * 38 : 37 * 68);
    for (std::int64_t i = 0; i < b.count(); ++i) {
      const float most = x.type == element::s8 ? 127.0F : 3.0e38F;
      b.set(i, pick(random, 0, 1) == 0 ? most : x.type == element::s8 ? -128.0F : -most);
    }
    const std::int64_t ld = order == layout::row_major ? 38 : 68;
    const dot_weights_source s{b.bytes(), x.type, ld, order, 0, nullptr};
    const std::vector<std::uint32_t> want = reference(x, b, ld, 0, nullptr);
    for (const Way& way : ways()) {
      if (!cpu_has(way.family)) continue;
      std::vector<std::uint32_t> got(want.size());
      pack_dot_panels(s, 0, x.mode, x.n, x.k, {x.panel}, 0, 3, got.data(), way.kernel);
      EXPECT_EQ(got, want) << way.name;
    }
  }
}

}  // namespace
}  // namespace gemwright::test
