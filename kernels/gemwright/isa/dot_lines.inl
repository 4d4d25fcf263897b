// Turning lines of elements into words of a packed panel, written once over `line`, the operations of a register width
// (isa/dot_lines_*.h), for the rows of A (dot_rows.inl) and the columns of B (dot_columns.inl). Included inside a
// namespace, after `line` and GEMWRIGHT_TARGET:
//   width, reg (words), freg (floats); zero, load, store, store_lanes, read<Part>(elements, n) -> freg,
//   codes<Part>(short elements, n)
//   -> reg, splat, fsplat, fload; upper_half, weight, row: floats to the bits of bf16, s8 and u8
//   shl<bits>, shr<bits>, keep, join, add, byte_sums, pack2, pack4, zip, transpose; low, high, magnitude: running
//   ranges
// Part: only the first n of the lanes are there; the others read as zero.
//
// Elements of sequences (rows of A, columns of B) that lie along K become words of one sequence after another, which
// are then transposed; where the sequences lie side by side, `group` lines of them are interleaved.

constexpr int kLineWidth = line::width;
// Lines of the source that are read side by side: each is a stream for the prefetcher of the hardware.
constexpr std::int64_t kStreams = 16;

// How elements become bits, for the lanes of one vector.
struct bf16_code {
  template <bool Part>
  GEMWRIGHT_TARGET GEMWRIGHT_INLINE line::reg bits(const float* p, int n) const {
    return line::upper_half(line::read<Part>(p, n));
  }
  template <bool Part>
  GEMWRIGHT_TARGET GEMWRIGHT_INLINE line::reg bits(const bf16* p, int n) const {
    return line::codes<Part>(p, n);
  }
};
struct weight_code {
  line::freg inverse;
  template <bool Part, class T>
  GEMWRIGHT_TARGET GEMWRIGHT_INLINE line::reg bits(const T* p, int n) const {
    if constexpr (sizeof(T) == 1) {
      return line::codes<Part>(p, n);
    } else {
      return line::weight(line::read<Part>(p, n), inverse);
    }
  }
};
struct row_code {
  line::freg inverse;
  line::reg zero;
  template <bool Part, class T>
  GEMWRIGHT_TARGET GEMWRIGHT_INLINE line::reg bits(const T* p, int n) const {
    if constexpr (sizeof(T) == 1) {
      return line::codes<Part>(p, n);
    } else {
      return line::row(line::read<Part>(p, n), inverse, zero);
    }
  }
};

// The codes of all sequences: of(j) for one of them in all lanes, at(j) for those from j on, a lane each. The arrays
// can be read a vector beyond the last.
struct bf16_codes {
  GEMWRIGHT_TARGET GEMWRIGHT_INLINE bf16_code of(std::int64_t) const { return {}; }
  GEMWRIGHT_TARGET GEMWRIGHT_INLINE bf16_code at(std::int64_t) const { return {}; }
};
struct weight_codes {
  const float* inverse;
  GEMWRIGHT_TARGET GEMWRIGHT_INLINE weight_code of(std::int64_t j) const { return {line::fsplat(inverse[j])}; }
  GEMWRIGHT_TARGET GEMWRIGHT_INLINE weight_code at(std::int64_t j) const { return {line::fload(inverse + j)}; }
};
struct row_codes {
  const float* inverse;
  const std::int32_t* zero;
  GEMWRIGHT_TARGET GEMWRIGHT_INLINE row_code of(std::int64_t j) const {
    return {line::fsplat(inverse[j]), line::splat(static_cast<std::uint32_t>(zero[j]))};
  }
  GEMWRIGHT_TARGET GEMWRIGHT_INLINE row_code at(std::int64_t j) const {
    return {line::fload(inverse + j), line::load(reinterpret_cast<const std::uint32_t*>(zero + j))};
  }
};

// `n` of `Whole` elements: as they lie when these are all, else a copy with zeros behind.
template <std::int64_t Whole, class T>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE const T* padded(const T* p, std::int64_t n, T (&copy)[Whole]) {
  if (n == Whole) return p;
  std::memset(copy, 0, sizeof copy);
  std::memcpy(copy, p, static_cast<std::size_t>(n) * sizeof(T));
  return copy;
}

// A vector of words from elements that lie along K.
template <int Group, class T, class Code>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE line::reg line_words(const T* p, const Code& code) {
  constexpr int W = kLineWidth;
  if constexpr (sizeof(T) * Group == 4) {
    return line::load(p);
  } else if constexpr (Group == 2) {
    return line::pack2(code.template bits<false>(p, W), code.template bits<false>(p + W, W));
  } else {
    return line::pack4(code.template bits<false>(p, W), code.template bits<false>(p + W, W),
                       code.template bits<false>(p + 2 * W, W), code.template bits<false>(p + 3 * W, W));
  }
}

// Sequences along K, `stride` elements apart: store(group, sequence, how many, words). Of the sequences that need
// several vectors the last come first, so that a store may spill over into the words of the next group.
template <int Group, class T, class Codes, class Store>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void pack_along(const T* src, std::int64_t stride, std::int64_t count, std::int64_t k,
                                                  const Codes& codes, const Store& store) {
  constexpr std::int64_t W = kLineWidth;
  for (std::int64_t k0 = 0; k0 < k; k0 += W * Group) {
    const std::int64_t depth = std::min(W * Group, k - k0);
    for (std::int64_t j0 = (count - 1) / W * W; j0 >= 0; j0 -= W) {
      const std::int64_t n = std::min(W, count - j0);
      line::reg words[W];
      T copy[W * Group];
      for (std::int64_t i = 0; i < n; ++i) {
        const T* const p = padded(src + (j0 + i) * stride + k0, depth, copy);
        words[i] = line_words<Group>(p, codes.of(j0 + i));
      }
      for (std::int64_t i = n; i < W; ++i) words[i] = line::zero();
      line::transpose(words);
      const std::int64_t groups = ceil_div(depth, Group);
      for (std::int64_t g = 0; g < groups; ++g) store(k0 / Group + g, j0, static_cast<int>(n), words[g]);
    }
  }
}

template <int Group, bool Part, class T, class Code, class Store>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void interleave(const T* src, std::int64_t k_step, range groups, std::int64_t k,
                                                  std::int64_t j, int n, const Code& code, const Store& store) {
  constexpr int kBits = 32 / Group;
  for (std::int64_t g = groups.begin; g < groups.end; ++g) {
    const T* const p = src + g * Group * k_step;
    line::reg w = code.template bits<Part>(p, n);
    if ((g + 1) * Group <= k) {
      w = line::join(w, line::template shl<kBits>(code.template bits<Part>(p + k_step, n)));
      if constexpr (Group == 4) {
        w = line::join(w, line::template shl<2 * kBits>(code.template bits<Part>(p + 2 * k_step, n)));
        w = line::join(w, line::template shl<3 * kBits>(code.template bits<Part>(p + 3 * k_step, n)));
      }
    } else if constexpr (Group == 4) {
      const std::int64_t left = k - g * Group;
      if (left > 1) w = line::join(w, line::template shl<kBits>(code.template bits<Part>(p + k_step, n)));
      if (left > 2) w = line::join(w, line::template shl<2 * kBits>(code.template bits<Part>(p + 2 * k_step, n)));
    }
    store(g, j, n, w);
  }
}

// Sequences j .. j + n of them side by side, at most a vector; two elements along K are k_step apart.
template <int Group, class T, class Code, class Store>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void pack_across(const T* src, std::int64_t k_step, range groups, std::int64_t k,
                                                   std::int64_t j, std::int64_t n, const Code& code,
                                                   const Store& store) {
  if (n >= kLineWidth) {
    interleave<Group, false>(src, k_step, groups, k, j, kLineWidth, code, store);
  } else {
    interleave<Group, true>(src, k_step, groups, k, j, static_cast<int>(n), code, store);
  }
}

// What sequences range over.
template <std::int64_t Most>
struct line_ranges {
  std::uint32_t low[Most + kLineWidth] = {}, high[Most + kLineWidth] = {}, magnitude[Most + kLineWidth] = {};
  row_scale scale(std::int64_t j, row_quantisation q) const {
    value_range r;
    std::memcpy(&r.low, low + j, sizeof r.low);
    std::memcpy(&r.high, high + j, sizeof r.high);
    r.magnitude = magnitude[j];
    return scale_of(r, q);
  }
};

struct running_range {
  line::reg low, high, magnitude;
  template <bool Part, class T>
  GEMWRIGHT_TARGET GEMWRIGHT_INLINE void add(const T* p, int n) {
    const line::freg v = line::read<Part>(p, n);
    low = line::low(v, low);
    high = line::high(v, high);
    magnitude = line::magnitude(v, magnitude);
  }
};

// One vector of sequences at most, along K. The lanes of each are gathered by transposing them.
template <std::int64_t Most, class T>
GEMWRIGHT_TARGET void ranges_along(const T* src, std::int64_t stride, std::int64_t n, std::int64_t k,
                                   line_ranges<Most>& out, std::int64_t at) {
  constexpr int W = kLineWidth;
  line::reg low[W], high[W], magnitude[W];
  for (int i = 0; i < W; ++i) low[i] = high[i] = magnitude[i] = line::zero();
  for (std::int64_t i = 0; i < n; ++i) {
    const T* const p = src + i * stride;
    running_range r{line::zero(), line::zero(), line::zero()};
    std::int64_t j = 0;
    for (; j + W <= k; j += W) r.template add<false>(p + j, W);
    if (j < k) r.template add<true>(p + j, static_cast<int>(k - j));
    low[i] = r.low;
    high[i] = r.high;
    magnitude[i] = r.magnitude;
  }
  line::transpose(low);
  line::transpose(high);
  line::transpose(magnitude);
  for (int i = 1; i < W; ++i) {
    low[0] = line::low(line::as_floats(low[i]), low[0]);
    high[0] = line::high(line::as_floats(high[i]), high[0]);
    magnitude[0] = line::magnitude(line::as_floats(magnitude[i]), magnitude[0]);
  }
  line::store(out.low + at, low[0]);
  line::store(out.high + at, high[0]);
  line::store(out.magnitude + at, magnitude[0]);
}

template <bool Part, std::int64_t Most, class T>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void add_lines(const T* src, std::int64_t k_step, std::int64_t count, int n,
                                                 line_ranges<Most>& out, std::int64_t j) {
  running_range r{line::load(out.low + j), line::load(out.high + j), line::load(out.magnitude + j)};
  for (std::int64_t i = 0; i < count; ++i) r.template add<Part>(src + i * k_step, n);
  line::store(out.low + j, r.low);
  line::store(out.high + j, r.high);
  line::store(out.magnitude + j, r.magnitude);
}

// `count` sequences side by side.
template <std::int64_t Most, class T>
GEMWRIGHT_TARGET void ranges_across(const T* src, std::int64_t k_step, std::int64_t count, std::int64_t k,
                                    line_ranges<Most>& out) {
  for (std::int64_t k0 = 0; k0 < k; k0 += kStreams) {
    const std::int64_t lines = std::min(kStreams, k - k0);
    for (std::int64_t j = 0; j < count; j += kLineWidth) {
      const T* const p = src + k0 * k_step + j;
      if (count - j >= kLineWidth) {
        add_lines<false>(p, k_step, lines, kLineWidth, out, j);
      } else {
        add_lines<true>(p, k_step, lines, static_cast<int>(count - j), out, j);
      }
    }
  }
}
