// Panels of B by vectors, for the register width whose namespace includes this text (see dot_lines.inl). All widths
// write the same bits.

// Columns whose ranges are known at once: long stretches of the source's rows, whose second pass is near in the cache.
constexpr std::int64_t kStrip = 512;

// Words of a panel, with sums of s8 columns. Lanes beyond the columns are zero; the panel's padding takes them.
template <bool Sums>
struct panel_store {
  std::uint32_t* panel;
  std::int64_t width;
  std::int32_t* sum;
  std::int64_t first;  // column of the panel that j counts from
  GEMWRIGHT_TARGET GEMWRIGHT_INLINE void operator()(std::int64_t g, std::int64_t j, int n, line::reg w) const {
    const std::int64_t at = first + j;
    std::uint32_t* const to = panel + g * width + at;
    auto* const sums = reinterpret_cast<std::uint32_t*>(sum + at);
    if (at + kLineWidth <= width) {
      line::store(to, w);
      if constexpr (Sums) line::store(sums, line::add(line::load(sums), line::byte_sums(w)));
      return;
    }
    line::store_lanes(to, w, n, false);
    if constexpr (Sums) {
      std::uint32_t more[kLineWidth];
      line::store(more, line::byte_sums(w));
      for (int i = 0; i < n; ++i) sums[i] += more[i];
    }
  }
};

template <int Group>
struct column_codes {
  using type = weight_codes;
};
template <>
struct column_codes<2> {
  using type = bf16_codes;
};

template <int Group>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE typename column_codes<Group>::type codes_from([[maybe_unused]] const float* inverse) {
  if constexpr (Group == 4) {
    return {inverse};
  } else {
    return {};
  }
}

template <class Ranges>
GEMWRIGHT_TARGET void set_scales(const Ranges& ranges, std::int64_t columns, float* scale, float* inverse) {
  for (std::int64_t j = 0; j < columns; ++j) {
    const row_scale s = ranges.scale(j, row_quantisation::symmetric);
    scale[j] = s.scale;
    inverse[j] = s.inverse;
  }
}

template <int Group, class T>
GEMWRIGHT_TARGET void columns_across(const dot_columns_args& x) {
  const T* const b = static_cast<const T*>(x.b);
  const std::int64_t groups = ceil_div(x.k, Group);
  float inverse[kStrip + kLineWidth] = {};
  for (std::int64_t strip = 0; strip < x.n; strip += kStrip) {
    const std::int64_t strip_end = std::min(strip + kStrip, x.n);
    if constexpr (Group == 4 && sizeof(T) > 1) {
      line_ranges<kStrip> ranges;
      ranges_across(b + strip, x.ld, strip_end - strip, x.k, ranges);
      set_scales(ranges, strip_end - strip, x.scale + strip, inverse);
    }
    const auto codes = codes_from<Group>(inverse);
    for (std::int64_t g = 0; g < groups; g += kStreams / Group) {
      const range part{g, std::min(g + kStreams / Group, groups)};
      for (std::int64_t col = strip, next = 0; col < strip_end; col = next) {
        const std::int64_t p = col / x.width;
        next = std::min((p + 1) * x.width, strip_end);
        const panel_store<Group == 4> store{x.out + p * x.width * groups, x.width, x.sum + p * x.width, col % x.width};
        for (std::int64_t j = 0; j < next - col; j += kLineWidth) {
          pack_across<Group>(b + col + j, x.ld, part, x.k, j, next - col - j, codes.at(col + j - strip), store);
        }
      }
    }
  }
}

template <int Group, class T>
GEMWRIGHT_TARGET void columns_along(const dot_columns_args& x) {
  const std::int64_t groups = ceil_div(x.k, Group);
  float inverse[kLineWidth + kLineWidth] = {};
  for (std::int64_t p = 0; p * x.width < x.n; ++p) {
    const std::int64_t columns = std::min(x.width, x.n - p * x.width);
    for (std::int64_t j = 0; j < columns; j += kLineWidth) {
      const std::int64_t col = p * x.width + j, n = std::min<std::int64_t>(kLineWidth, columns - j);
      const T* const b = static_cast<const T*>(x.b) + col * x.ld;
      if constexpr (Group == 4 && sizeof(T) > 1) {
        line_ranges<kLineWidth> ranges;
        ranges_along(b, x.ld, n, x.k, ranges, 0);
        set_scales(ranges, n, x.scale + col, inverse);
      }
      const panel_store<Group == 4> store{x.out + p * x.width * groups, x.width, x.sum + p * x.width, j};
      pack_along<Group>(b, x.ld, n, x.k, codes_from<Group>(inverse), store);
    }
  }
}

template <compute_mode Mode, element Type, class T>
GEMWRIGHT_TARGET void columns_of(const dot_columns_args& x) {
  if constexpr (!packs(Mode, Type)) {
    (void)x;
  } else {
    constexpr int kGroup = k_group(Mode);
    x.order == layout::row_major ? columns_across<kGroup, T>(x) : columns_along<kGroup, T>(x);
  }
}

template <compute_mode Mode>
GEMWRIGHT_TARGET void floating_columns(const dot_columns_args& x) {
  x.type == element::f32 ? columns_of<Mode, element::f32, float>(x) : columns_of<Mode, element::bf16, bf16>(x);
}

GEMWRIGHT_TARGET inline void pack_columns(const dot_columns_args& x) {
  if (x.mode == compute_mode::bf16) {
    floating_columns<compute_mode::bf16>(x);
  } else if (x.type == element::s8) {
    columns_of<compute_mode::u8s8, element::s8, std::int8_t>(x);
  } else {
    floating_columns<compute_mode::u8s8>(x);
  }
}
