// Packing the rows of one tile of A for the family whose namespace includes this text (see dot_kernel.inl); a row is
// taken `kLine` elements at a time, converted as a vector, then dealt out to the panel word by word. `line` has
//   width, range_of(p, n, value_range&), round(p, bf16*), quantise(p, u8*, inverse scale, zero)   one vector each.

// Elements of K taken at once: a line of bf16 is four cache lines, and 32 rows of f32 stay inside L1.
constexpr std::int64_t kLine = 128;

// The elements [k0, k0 + n) of each row, contiguous: as they lie, or gathered.
template <class T>
class row_lines {
 public:
  explicit row_lines(const dot_pack_args& x) : x_(x) {}
  GEMWRIGHT_TARGET void seek(std::int64_t k0, std::int64_t n) {
    const T* const a = static_cast<const T*>(x_.a);
    if (x_.order == layout::row_major) {
      from_ = a + k0;
      stride_ = x_.lda;
      return;
    }
    for (std::int64_t i = 0; i < n; ++i) {
      for (int r = 0; r < x_.rows; ++r) copy_[r][i] = a[(k0 + i) * x_.lda + r];
    }
    from_ = &copy_[0][0];
    stride_ = kLine;
  }
  const T* row(int r) const { return from_ + r * stride_; }

 private:
  const dot_pack_args& x_;
  const T* from_ = nullptr;
  std::int64_t stride_ = 0;
  T copy_[max_dot_rows][kLine];
};

GEMWRIGHT_TARGET GEMWRIGHT_INLINE const float* as_floats(const float* p, std::int64_t, float*) { return p; }
GEMWRIGHT_TARGET GEMWRIGHT_INLINE const float* as_floats(const bf16* p, std::int64_t n, float* out) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = to_float(p[i]);
  return out;
}

GEMWRIGHT_TARGET GEMWRIGHT_INLINE const bf16* as_bf16(const bf16* p, std::int64_t, bf16*) { return p; }
GEMWRIGHT_TARGET GEMWRIGHT_INLINE const bf16* as_bf16(const float* p, std::int64_t n, bf16* out) {
  std::int64_t i = 0;
  for (; i + line::width <= n; i += line::width) line::round(p + i, out + i);
  for (; i < n; ++i) out[i] = to_bf16(p[i]);
  return out;
}

// One row of a panel from `bytes` bytes of packed elements; what K lacks in the last word is zero.
GEMWRIGHT_TARGET inline void deal(const void* from, std::int64_t bytes, std::uint32_t* out, std::int64_t step) {
  const char* p = static_cast<const char*>(from);
  for (; bytes > 0; bytes -= 4, p += 4, out += step) {
    std::uint32_t w = 0;
    if (bytes >= 4) {
      std::memcpy(&w, p, 4);
    } else {
      std::memcpy(&w, p, static_cast<std::size_t>(bytes));
    }
    if constexpr (dot::a_words == 1) {
      out[0] = w;
    } else if constexpr (dot::mode == compute_mode::bf16) {
      out[0] = w << 16U;  // each as f32
      out[1] = w & 0xffff0000U;
    } else {
      out[0] = w & 0x00ff00ffU;  // pairs of s16: the even bytes, then the odd ones
      out[1] = w >> 8U & 0x00ff00ffU;
    }
  }
}

template <class T>
GEMWRIGHT_TARGET void pack_rows_bf16(const dot_pack_args& x) {
  row_lines<T> lines(x);
  bf16 rounded[kLine];
  const std::int64_t step = static_cast<std::int64_t>(x.rows) * dot::a_words;
  for (std::int64_t k0 = 0; k0 < x.k; k0 += kLine) {
    const std::int64_t n = std::min(kLine, x.k - k0);
    lines.seek(k0, n);
    for (int r = 0; r < x.rows; ++r) {
      deal(as_bf16(lines.row(r), n, rounded), 2 * n, x.out + k0 / 2 * step + r * dot::a_words, step);
    }
  }
}

// Scale and zero point of each row, and the inverses of the scales.
template <class T>
GEMWRIGHT_TARGET void measure_rows(const dot_pack_args& x, row_lines<T>& lines, float* inverse) {
  value_range ranges[max_dot_rows];
  float floats[kLine];
  for (std::int64_t k0 = 0; k0 < x.k; k0 += kLine) {
    const std::int64_t n = std::min(kLine, x.k - k0);
    lines.seek(k0, n);
    for (int r = 0; r < x.rows; ++r) {
      const float* const p = as_floats(lines.row(r), n, floats);
      const std::int64_t whole = n / line::width * line::width;
      if (whole > 0) line::range_of(p, whole, ranges[r]);
      for (std::int64_t i = whole; i < n; ++i) ranges[r].add(p[i]);
    }
  }
  for (int r = 0; r < x.rows; ++r) {
    const row_scale s = scale_of(ranges[r], x.quantisation);
    x.scale[r] = s.scale;
    x.zero[r] = s.zero;
    inverse[r] = s.inverse;
  }
}

template <class T>
GEMWRIGHT_TARGET void pack_rows_quantised(const dot_pack_args& x) {
  row_lines<T> lines(x);
  float inverse[max_dot_rows];
  measure_rows(x, lines, inverse);
  float floats[kLine];
  std::uint8_t bytes[kLine];
  const std::int64_t step = static_cast<std::int64_t>(x.rows) * dot::a_words;
  for (std::int64_t k0 = 0; k0 < x.k; k0 += kLine) {
    const std::int64_t n = std::min(kLine, x.k - k0);
    lines.seek(k0, n);
    for (int r = 0; r < x.rows; ++r) {
      const float* const p = as_floats(lines.row(r), n, floats);
      std::int64_t i = 0;
      for (; i + line::width <= n; i += line::width) line::quantise(p + i, bytes + i, inverse[r], x.zero[r]);
      for (; i < n; ++i) bytes[i] = quantised(p[i], inverse[r], x.zero[r]);
      deal(bytes, n, x.out + k0 / 4 * step + r * dot::a_words, step);
    }
  }
}

GEMWRIGHT_TARGET inline void pack_rows_u8(const dot_pack_args& x) {
  row_lines<std::uint8_t> lines(x);
  const std::int64_t step = static_cast<std::int64_t>(x.rows) * dot::a_words;
  for (int r = 0; r < x.rows; ++r) {
    x.scale[r] = x.tensor_scale;
    x.zero[r] = x.tensor_zero;
  }
  for (std::int64_t k0 = 0; k0 < x.k; k0 += kLine) {
    const std::int64_t n = std::min(kLine, x.k - k0);
    lines.seek(k0, n);
    for (int r = 0; r < x.rows; ++r) deal(lines.row(r), n, x.out + k0 / 4 * step + r * dot::a_words, step);
  }
}

template <compute_mode Mode>
GEMWRIGHT_TARGET void pack_rows(const dot_pack_args& x) {
  if constexpr (Mode == compute_mode::bf16) {
    x.type == element::f32 ? pack_rows_bf16<float>(x) : pack_rows_bf16<bf16>(x);
  } else if (x.type == element::u8) {
    pack_rows_u8(x);
  } else {
    x.type == element::f32 ? pack_rows_quantised<float>(x) : pack_rows_quantised<bf16>(x);
  }
}
