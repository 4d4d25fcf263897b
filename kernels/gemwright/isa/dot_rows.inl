// Packing the rows of one tile of A by vectors, for the register width whose namespace includes this text (see
// dot_lines.inl). Words: how many of them an instruction family wants for one group (dot_kernel_set::a_words).

// Words of a tile, [groups][rows][Words]. What a store spills over its lanes is where later stores write.
template <compute_mode Mode, int Words>
struct tile_store {
  std::uint32_t* out;
  const std::uint32_t* end;
  std::int64_t rows;
  GEMWRIGHT_TARGET GEMWRIGHT_INLINE void operator()(std::int64_t g, std::int64_t row, int n, line::reg w) const {
    std::uint32_t* const to = out + (g * rows + row) * Words;
    const bool free = to + Words * kLineWidth <= end;
    if constexpr (Words == 1) {
      line::store_lanes(to, w, n, free);
    } else {
      line::reg first, second;
      if constexpr (Mode == compute_mode::bf16) {  // each as f32
        line::zip(line::template shl<16>(w), line::keep(w, 0xffff0000U), first, second);
      } else {  // pairs of s16: the even bytes, then the odd ones
        line::zip(line::keep(w, 0x00ff00ffU), line::keep(line::template shr<8>(w), 0x00ff00ffU), first, second);
      }
      line::store_lanes(to, first, std::min(2 * n, kLineWidth), free);
      if (2 * n > kLineWidth) line::store_lanes(to + kLineWidth, second, 2 * n - kLineWidth, free);
    }
  }
};

template <compute_mode Mode, int Words, class T, class Codes>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void pack_tile(const dot_pack_args& x, const Codes& codes) {
  constexpr int kGroup = k_group(Mode);
  const T* const a = static_cast<const T*>(x.a);
  const std::int64_t groups = ceil_div(x.k, kGroup);
  const tile_store<Mode, Words> store{x.out, x.out + groups * x.rows * Words, x.rows};
  if (x.order == layout::row_major && x.rows == 1) {
    // The words of a single row follow each other: nothing to transpose.
    constexpr std::int64_t kLine = kLineWidth * kGroup;
    T copy[kLine];
    for (std::int64_t k = 0; k < x.k; k += kLine) {
      const std::int64_t depth = std::min(kLine, x.k - k);
      const line::reg words = line_words<kGroup>(padded(a + k, depth, copy), codes.of(0));
      store(k / kGroup, 0, static_cast<int>(ceil_div(depth, kGroup)), words);
    }
    return;
  }
  if (x.order == layout::row_major) {
    pack_along<kGroup>(a, x.lda, x.rows, x.k, codes, store);
    return;
  }
  // The last rows first: see pack_along.
  for (std::int64_t row = (x.rows - 1) / kLineWidth * kLineWidth; row >= 0; row -= kLineWidth) {
    pack_across<kGroup>(a + row, x.lda, range{0, groups}, x.k, row, x.rows - row, codes.at(row), store);
  }
}

// Rows of f32 or bf16 as u8: once over all of them for their ranges, once to quantise them.
template <int Words, class T>
GEMWRIGHT_TARGET void pack_rows_quantised(const dot_pack_args& x) {
  const T* const a = static_cast<const T*>(x.a);
  line_ranges<max_dot_rows> ranges;
  if (x.order == layout::row_major) {
    for (int r = 0; r < x.rows; r += kLineWidth) {
      ranges_along(a + r * x.lda, x.lda, std::min(kLineWidth, x.rows - r), x.k, ranges, r);
    }
  } else {
    ranges_across(a, x.lda, x.rows, x.k, ranges);
  }
  float inverse[max_dot_rows + kLineWidth] = {};
  std::int32_t zero[max_dot_rows + kLineWidth] = {};
  for (int r = 0; r < x.rows; ++r) {
    const row_scale s = ranges.scale(r, x.quantisation);
    x.scale[r] = s.scale;
    x.zero[r] = zero[r] = s.zero;
    inverse[r] = s.inverse;
  }
  pack_tile<compute_mode::u8s8, Words, T>(x, row_codes{inverse, zero});
}

template <int Words>
GEMWRIGHT_TARGET void pack_rows_u8(const dot_pack_args& x) {
  for (int r = 0; r < x.rows; ++r) {
    x.scale[r] = x.tensor_scale;
    x.zero[r] = x.tensor_zero;
  }
  constexpr float inverse[max_dot_rows + kLineWidth] = {};
  constexpr std::int32_t zero[max_dot_rows + kLineWidth] = {};
  pack_tile<compute_mode::u8s8, Words, std::uint8_t>(x, row_codes{inverse, zero});
}

template <compute_mode Mode, int Words, element Type, class T>
GEMWRIGHT_TARGET void rows_of(const dot_pack_args& x) {
  if constexpr (!packs(Mode, Type)) {
    (void)x;
  } else if constexpr (Mode == compute_mode::bf16) {
    pack_tile<Mode, Words, T>(x, bf16_codes{});
  } else if constexpr (Type == element::u8) {
    pack_rows_u8<Words>(x);
  } else {
    pack_rows_quantised<Words, T>(x);
  }
}

template <compute_mode Mode, int Words>
GEMWRIGHT_TARGET void pack_rows(const dot_pack_args& x) {
  if (Mode == compute_mode::u8s8 && x.type == element::u8) {
    rows_of<compute_mode::u8s8, Words, element::u8, std::uint8_t>(x);
  } else {
    x.type == element::f32 ? rows_of<Mode, Words, element::f32, float>(x)
                           : rows_of<Mode, Words, element::bf16, bf16>(x);
  }
}
