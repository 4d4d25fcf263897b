// The dot micro-kernel, written once over the operations of a family. Each dot family includes this text inside its own
// namespace, after it has defined GEMWRIGHT_TARGET and
//   f32   alias of the namespace with the f32 operations of the same registers (vec, lanes, prefetch_line, several,
//         apply_chain, in_pieces)
//   io    load<element>(p, lanes) -> vec::reg, store<element>(p, lanes, vec::reg, requantisation)
//   dot   mode, family, acc, a_reg, b_reg, a_words; zero, load_a, load_b, mul_add, add, load_raw, store_raw,
//         value(acc) for bf16 and value(acc, zero of A, sums of B) for u8s8 -> vec::reg; avx512_bf16 alone: store_two
// and, of its register width, pack_rows (dot_rows.inl).

// Packed rows of A.
template <int MR>
struct packed_rows {
  static constexpr bool in_place = false;
  const std::uint32_t* a;
  GEMWRIGHT_TARGET GEMWRIGHT_INLINE dot::a_reg load(int group, int row) const {
    return dot::load_a(a + (group * MR + row) * dot::a_words);
  }
  GEMWRIGHT_INLINE void advance(int groups) { a += groups * MR * dot::a_words; }
};

// Rows of A where they lie. A pointer for each row would not fit the registers: there is one for four rows.
template <int MR>
struct plain_rows {
  static constexpr bool in_place = true;
  const char* at[(MR + 3) / 4];
  std::int64_t row_bytes, three;
  GEMWRIGHT_INLINE plain_rows(const char* rows, std::int64_t bytes) : row_bytes(bytes), three(3 * bytes) {
    GEMWRIGHT_UNROLL
    for (int i = 0; i < (MR + 3) / 4; ++i) at[i] = rows + i * 4 * bytes;
  }
  GEMWRIGHT_TARGET GEMWRIGHT_INLINE dot::a_reg load(int group, int row) const {
    const std::int64_t behind = row % 4 == 3 ? three : row % 4 * row_bytes;
    std::uint32_t word;
    std::memcpy(&word, at[row / 4] + behind + group * 4, sizeof word);
    return dot::load_a(&word);
  }
  GEMWRIGHT_INLINE void advance(int groups) {
    GEMWRIGHT_UNROLL
    for (int i = 0; i < (MR + 3) / 4; ++i) {
      at[i] += groups * 4;
      // Or the compiler makes a pointer for each row after all.
      asm volatile("" : "+r"(at[i]));
    }
  }
};

// The last group of MR rows where they lie, of which they have its first `bytes` alone, one padded word each. It is
// what the word that ends with the row holds behind other elements of it; where there are none in this block of K
// (`alone`), that word may begin outside of A, and the bytes are read one by one.
template <int MR>
GEMWRIGHT_INLINE void read_row_ends(const char* at, std::int64_t row_bytes, int bytes, bool alone,
                                    std::uint32_t (&words)[MR]) {
  constexpr int kWord = sizeof(std::uint32_t);
  for (int row = 0; row < MR; ++row, at += row_bytes) {
    std::uint32_t word = 0;
    if (alone) {
      for (int i = 0; i < bytes; ++i) word |= std::uint32_t{static_cast<unsigned char>(at[i])} << (8 * i);
    } else {
      std::memcpy(&word, at + bytes - kWord, kWord);
      word >>= 8 * (kWord - bytes);
    }
    words[row] = word;
  }
}

// Where the columns of a tile stand in B at one group of K: in P panels. Panels behind the last one of B are not there:
// the first is read in their place, and what comes of it is no column of C.
template <int NV, int P>
struct dot_columns_at {
  static constexpr int kColumns = NV / P * f32::vec::width;  // of each panel
  const std::uint32_t* at;
  std::int64_t behind[P];  // words from the first panel to each
  GEMWRIGHT_INLINE explicit dot_columns_at(const dot_args& x) : at(x.b) {
    behind[0] = 0;
    GEMWRIGHT_UNROLL
    for (int p = 1; p < P; ++p) behind[p] = p * kColumns < x.cols ? p * x.b_panel : 0;
  }
  GEMWRIGHT_INLINE const std::uint32_t* of(int column) const { return from(at, column); }
  // The same if the first column stood at `first`.
  GEMWRIGHT_INLINE const std::uint32_t* from(const std::uint32_t* first, int column) const {
    const int panel = column / kColumns;
    return (panel == 0 ? first : first + behind[panel]) + column % kColumns;
  }
  GEMWRIGHT_INLINE dot_columns_at later(std::int64_t words) const {
    dot_columns_at b = *this;
    b.at += words;
    return b;
  }
};

// One group of K: NV loads of B, MR broadcasts of A, MR x NV dot products. `ahead`: where B is prefetched, if it is.
template <prefetch Hint, int MR, int NV, int P, class Rows>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void dot_step(dot::acc (&acc)[MR][NV], const Rows& a, int group,
                                                const dot_columns_at<NV, P>& b,
                                                [[maybe_unused]] const std::uint32_t* ahead) {
  // Keeps the loads of the next group behind this one's products: a compiler that hoists them runs out of registers.
  if constexpr (f32::vec::width > 1) asm volatile("" : : : "memory");
  dot::b_reg bv[NV];
  GEMWRIGHT_UNROLL
  for (int j = 0; j < NV; ++j) bv[j] = dot::load_b(b.of(j * f32::vec::width));
  if constexpr (Hint != prefetch::none) {
    // One prefetch a cache line, 16 words, of each panel.
    constexpr int kColumns = dot_columns_at<NV, P>::kColumns, kStep = P > 1 && kColumns < 16 ? kColumns : 16;
    GEMWRIGHT_UNROLL
    for (int j = 0; j < NV * f32::vec::width; j += kStep) {
      f32::prefetch_line<Hint>(reinterpret_cast<const float*>(b.from(ahead, j)));
    }
  }
  GEMWRIGHT_UNROLL
  for (int i = 0; i < MR; ++i) {
    const dot::a_reg av = a.load(group, i);
    GEMWRIGHT_UNROLL
    for (int j = 0; j < NV; ++j) acc[i][j] = dot::mul_add(acc[i][j], av, bv[j]);
  }
}

// All groups of a block of K. Accumulator q takes the groups g with g % KA == q, whatever the unrolling: the order
// depends on KA alone. Behind them, of rows in place, x.rest.
template <int KU, prefetch Hint, int P, int KA, int MR, int NV, class Rows>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void dot_groups(dot::acc (&acc)[KA][MR][NV], Rows a, const dot_args& x,
                                                  std::int64_t groups) {
  constexpr int kUnroll = KU > KA ? KU : KA;
  static_assert(kUnroll % KA == 0, "the unroll is a multiple of the accumulators");
  dot_columns_at<NV, P> b(x);
  const std::int64_t b_group = x.b_group, ahead_step = x.prefetch.step;
  const std::uint32_t* ahead = b.at + x.prefetch.from;
  std::int64_t g = 0;
  for (; g + kUnroll <= groups; g += kUnroll) {
    GEMWRIGHT_UNROLL
    for (int u = 0; u < kUnroll; ++u) {
      dot_step<Hint>(acc[u % KA], a, u, b.later(u * b_group), ahead);
      if constexpr (Hint != prefetch::none) ahead += ahead_step;
    }
    a.advance(kUnroll);
    b.at += kUnroll * b_group;
  }
  int q = 0;
  for (; g < groups; ++g, q = (q + 1) % KA) {
    GEMWRIGHT_UNROLL
    for (int s = 0; s < KA; ++s) {
      if (s == q) dot_step<prefetch::none>(acc[s], a, 0, b, nullptr);
    }
    a.advance(1);
    b.at += b_group;
  }
  if constexpr (Rows::in_place) {
    if (x.rest == 0) return;
    std::uint32_t ends[MR];
    read_row_ends(x.rows + groups * std::int64_t{sizeof(std::uint32_t)}, x.row_bytes, x.rest, groups == 0, ends);
    GEMWRIGHT_UNROLL
    for (int s = 0; s < KA; ++s) {
      if (s == q) dot_step<prefetch::none>(acc[s], packed_rows<MR>{ends}, 0, b, nullptr);
    }
  }
}

// One vector of accumulators, in row i and from column `at` of the tile on, as floats. Dot is always `dot`: a name that
// differs from mode to mode is allowed in a template alone.
template <class Dot>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE f32::vec::reg dot_value(typename Dot::acc sum, const dot_args& x, std::int64_t i,
                                                          std::int64_t at) {
  if constexpr (Dot::mode == compute_mode::u8s8) {
    const typename Dot::acc sums = dot::load_raw(reinterpret_cast<const std::uint32_t*>(x.b_sum + at));
    const f32::vec::reg of_column = f32::vec::mul(Dot::value(sum, x.a_zero[i], sums), f32::vec::load(x.b_scale + at));
    return f32::vec::mul(of_column, f32::vec::set1(x.a_scale + i));
  } else {
    return Dot::value(sum);
  }
}

GEMWRIGHT_INLINE char* dot_result_at(const dot_args& x, element type, std::int64_t i, std::int64_t j) {
  return static_cast<char*>(x.c) + (i * x.ldc + j) * element_size(type);
}

// R rows of them as they go to n elements of C each: after beta and the chain.
template <int R, element C, class Chain, class Dot>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE typename f32::several<R>::reg dot_results(const typename Dot::acc (&sums)[R],
                                                                            const dot_args& x, std::int64_t i, int j,
                                                                            int n,
                                                                            const f32::column_operands& columns) {
  using vec = f32::vec;
  typename f32::several<R>::reg v;
  GEMWRIGHT_UNROLL
  for (int r = 0; r < R; ++r) {
    v.v[r] = dot_value<Dot>(sums[r], x, i + r, j * vec::width);
    if constexpr (C != element::u8) {
      if (x.beta) v.v[r] = vec::add(v.v[r], io::load<C>(dot_result_at(x, C, i + r, j * vec::width), n));
    }
  }
  const f32::place at{x.item, x.row + i, x.col + j * vec::width, vec::first(n)};
  return f32::apply_chain<true, R>(Chain{}, v, *x.operands, columns, at);
}

template <int R, element C, class Chain, class Dot>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void dot_finish_group(const typename Dot::acc (&sums)[R], const dot_args& x,
                                                        std::int64_t i, int j, int n,
                                                        const f32::column_operands& columns) {
  const auto v = dot_results<R, C, Chain, Dot>(sums, x, i, j, n, columns);
  GEMWRIGHT_UNROLL
  for (int r = 0; r < R; ++r) io::store<C>(dot_result_at(x, C, i + r, j * f32::vec::width), n, v.v[r], x.requant);
}

template <class Chain>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE f32::column_operands dot_columns(const dot_args& x, int j) {
  return f32::load_columns<true, Chain>(*x.operands, x.col + j * f32::vec::width,
                                        f32::vec::first(f32::lanes(x.cols, j)));
}

// All rows of the whole vectors j and j + 1.
template <element C, class Chain, class Dot, int MR, int NV>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void dot_finish_two(const typename Dot::acc (&acc)[MR][NV], const dot_args& x,
                                                      int j) {
  constexpr int kWidth = f32::vec::width;
  const f32::column_operands left = dot_columns<Chain>(x, j), right = dot_columns<Chain>(x, j + 1);
  GEMWRIGHT_UNROLL
  for (int i = 0; i < MR; ++i) {
    const auto v = dot_results<1, C, Chain, Dot>({acc[i][j]}, x, i, j, kWidth, left);
    const auto w = dot_results<1, C, Chain, Dot>({acc[i][j + 1]}, x, i, j + 1, kWidth, right);
    Dot::store_two(dot_result_at(x, C, i, j * kWidth), v.v[0], w.v[0]);
  }
}

// R rows from a copy of the accumulators.
template <int R, int NV, element C, class Chain>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void dot_finish_copied(const std::uint32_t* tile, const dot_args& x, std::int64_t i,
                                                         int j, int n, const f32::column_operands& columns) {
  dot::acc sums[R];
  GEMWRIGHT_UNROLL
  for (int r = 0; r < R; ++r) sums[r] = dot::load_raw(tile + ((i + r) * NV + j) * f32::vec::width);
  dot_finish_group<R, C, Chain, dot>(sums, x, i, j, n, columns);
}

// A chain of long code, from a copy of the accumulators that is still in the first-level cache; see finish_rows in
// micro_kernel.inl.
template <int NV, element C, class Chain>
__attribute__((noinline)) GEMWRIGHT_TARGET void dot_finish_rows(const std::uint32_t* tile, int rows,
                                                                const dot_args& x) {
  for (int j = 0; j < NV; ++j) {
    const int n = f32::lanes(x.cols, j);
    if (n == 0) return;  // there need not be scales
    const f32::column_operands columns = dot_columns<Chain>(x, j);
    int i = 0;
    for (; i + f32::kRowsTogether <= rows; i += f32::kRowsTogether) {
      dot_finish_copied<f32::kRowsTogether, NV, C, Chain>(tile, x, i, j, n, columns);
    }
    for (; i < rows; ++i) dot_finish_copied<1, NV, C, Chain>(tile, x, i, j, n, columns);
  }
}

// R rows of one vector of columns of C, of a pair. Rows of sums lie `stride` apart, and begin where x.pair says.
template <int R, element C, class Chain, class Dot>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void dot_finish_pair_group(const std::uint32_t* sums, std::int64_t stride,
                                                             const dot_args& x, std::int64_t i, std::int64_t j,
                                                             const f32::pair_operands& operands, f32::vec::mask valid,
                                                             int n) {
  const std::int64_t gate = x.pair.gate(j), up = gate + x.pair.distance();
  typename f32::several<R>::reg g, u;
  GEMWRIGHT_UNROLL
  for (int r = 0; r < R; ++r) {
    const std::uint32_t* const row = sums + (i + r) * stride;
    g.v[r] = dot_value<Dot>(dot::load_raw(row + gate), x, i + r, gate);
    u.v[r] = dot_value<Dot>(dot::load_raw(row + up), x, i + r, up);
  }
  const auto v = f32::apply_pair<true, R, Chain>(g, u, *x.operands, operands, {x.item, x.row + i, x.col + j, valid});
  char* const c = static_cast<char*>(x.c) + (i * x.ldc + j) * element_size(C);
  GEMWRIGHT_UNROLL
  for (int r = 0; r < R; ++r) io::store<C>(c + r * x.ldc * element_size(C), n, v.v[r], x.requant);
}

// All rows of it.
template <element C, class Chain, class Dot>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void dot_finish_pair_vector(const std::uint32_t* sums, std::int64_t stride, int rows,
                                                              const dot_args& x, std::int64_t j, int n) {
  const f32::vec::mask valid = f32::vec::first(n);
  const auto operands = f32::load_pair<true, Chain>(*x.operands, x.col + j, x.pair.columns, valid);
  std::int64_t i = 0;
  for (; i + f32::kRowsTogether <= rows; i += f32::kRowsTogether) {
    dot_finish_pair_group<f32::kRowsTogether, C, Chain, Dot>(sums, stride, x, i, j, operands, valid, n);
  }
  for (; i < rows; ++i) dot_finish_pair_group<1, C, Chain, Dot>(sums, stride, x, i, j, operands, valid, n);
}

// The last n columns of halves that stand one behind the other, from copies: a vector of the second one would reach
// beyond its end.
template <element C, class Chain, class Dot>
__attribute__((noinline)) GEMWRIGHT_TARGET void dot_finish_pair_ends(const std::uint32_t* sums, std::int64_t stride,
                                                                     int rows, const dot_args& x, std::int64_t j,
                                                                     int n) {
  constexpr int kWidth = f32::vec::width;
  std::uint32_t tile[max_dot_rows * 2 * kWidth] = {};
  float scale[2 * kWidth] = {};
  std::int32_t sum[2 * kWidth] = {};
  const std::size_t bytes = static_cast<std::size_t>(n) * sizeof(std::uint32_t);
  for (int half = 0; half < 2; ++half) {
    const std::int64_t from = x.pair.gate(j) + half * x.pair.distance();
    for (int r = 0; r < rows; ++r) std::memcpy(tile + (2 * r + half) * kWidth, sums + r * stride + from, bytes);
    if constexpr (Dot::mode == compute_mode::u8s8) {
      std::memcpy(scale + half * kWidth, x.b_scale + from, bytes);
      std::memcpy(sum + half * kWidth, x.b_sum + from, bytes);
    }
  }
  dot_args y = x;
  y.b_scale = scale;
  y.b_sum = sum;
  y.c = static_cast<char*>(x.c) + j * element_size(C);
  y.col = x.col + j;
  y.pair.run = kWidth;
  dot_finish_pair_vector<C, Chain, Dot>(tile, 2 * kWidth, rows, y, 0, n);
}

// Columns [first, x.cols) of C, each of a sum of the gate and one of the other half.
template <element C, class Chain, class Dot>
__attribute__((noinline)) GEMWRIGHT_TARGET void dot_finish_pairs(const std::uint32_t* sums, std::int64_t stride,
                                                                 int rows, const dot_args& x, std::int64_t first) {
  for (std::int64_t j = first; j < x.cols; j += f32::vec::width) {
    const int n = f32::lanes(x.cols - j, 0);
    if (n < f32::vec::width && x.pair.run == 0) {
      dot_finish_pair_ends<C, Chain, Dot>(sums, stride, rows, x, j, n);
    } else {
      dot_finish_pair_vector<C, Chain, Dot>(sums, stride, rows, x, j, n);
    }
  }
}

// See dot_combine_kernel.
template <element C, class Chain, class Dot>
GEMWRIGHT_TARGET void dot_combine(const dot_args& x, int rows, std::int64_t first) {
  dot_finish_pairs<C, Chain, Dot>(x.partial, x.partial_stride, rows, x, first);
}
template <element C, class Chain>
constexpr dot_combine_kernel dot_combine_of() {
  if constexpr (Chain::pair) {
    return &dot_combine<C, Chain, dot>;
  } else {
    return nullptr;
  }
}

template <int MR, int NV>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void dot_copy_registers(dot::acc (&acc)[MR][NV], std::uint32_t* tile) {
  GEMWRIGHT_UNROLL
  for (int i = 0; i < MR; ++i) {
    GEMWRIGHT_UNROLL
    for (int j = 0; j < NV; ++j) dot::store_raw(tile + (i * NV + j) * f32::vec::width, acc[i][j]);
  }
}

// All rows of the vectors from `First` on.
template <int First, int P, element C, class Chain, int MR, int NV>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void dot_finish_each(dot::acc (&acc)[MR][NV], const dot_args& x) {
  constexpr int kWhole = f32::vec::width;
  constexpr int kSure = f32::in_pieces<MR, NV, P, Chain> ? NV - 1 : 0;  // vectors that are whole
  GEMWRIGHT_UNROLL
  for (int j = First; j < NV; ++j) {
    const int n = j < kSure ? kWhole : f32::lanes(x.cols, j);
    if (P > 1 && n == 0) return;  // there need not be scales
    const f32::column_operands columns = dot_columns<Chain>(x, j);
    // Apart, so that whole vectors are stored without masks and without a branch for each.
    if (n == kWhole) {
      GEMWRIGHT_UNROLL
      for (int i = 0; i < MR; ++i) dot_finish_group<1, C, Chain, dot>({acc[i][j]}, x, i, j, kWhole, columns);
    } else {
      GEMWRIGHT_UNROLL
      for (int i = 0; i < MR; ++i) dot_finish_group<1, C, Chain, dot>({acc[i][j]}, x, i, j, n, columns);
    }
  }
}

template <int P, element C, class Chain, int MR, int NV>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void dot_finish(dot::acc (&acc)[MR][NV], const dot_args& x) {
  if constexpr (!Chain::empty && !Chain::pair) {
    if (x.bare) {
      alignas(64) std::uint32_t tile[MR * NV * f32::vec::width];
      dot_copy_registers(acc, tile);
      dot_finish_rows<NV, C, chain<>>(tile, MR, x);
      return;
    }
  }
  if constexpr (Chain::long_code) {
    alignas(64) std::uint32_t tile[MR * NV * f32::vec::width];
    dot_copy_registers(acc, tile);
    if constexpr (Chain::pair) {
      dot_finish_pairs<C, Chain, dot>(tile, NV * f32::vec::width, MR, x, 0);
    } else {
      dot_finish_rows<NV, C, Chain>(tile, MR, x);
    }
  } else {
    const dot_args y = x;  // kept in registers: each store might be to the arguments
    // The one family with an instruction that rounds two vectors to one of bf16.
    if constexpr (C == element::bf16 && dot::family == isa::avx512_bf16) {
      if (y.cols >= NV * f32::vec::width) {
        GEMWRIGHT_UNROLL
        for (int j = 0; j + 2 <= NV; j += 2) dot_finish_two<C, Chain, dot>(acc, y, j);
        dot_finish_each<NV / 2 * 2, P, C, Chain>(acc, y);
        return;
      }
    }
    dot_finish_each<0, P, C, Chain>(acc, y);
  }
}

// The tile's part of C, while there is time.
template <int MR, int NV, element C, class Chain>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void prefetch_c(const dot_args& x) {
  constexpr int kLine = 64, kRow = NV * f32::vec::width / (Chain::pair ? 2 : 1) * element_size(C);
  for (int i = 0; i < MR; ++i) {
    const char* const row = dot_result_at(x, C, i, 0);
    for (int j = 0; j < kRow; j += kLine) __builtin_prefetch(row + j, 1);
    __builtin_prefetch(row + kRow - 1, 1);  // rows need not begin with a cache line
  }
}

// Where f32::in_pieces holds, at least one column of every vector is valid.
template <int MR, int NV, int KU, int KA, prefetch Hint, element C, class Chain, int P = 1>
GEMWRIGHT_TARGET void dot_micro(const dot_args& x) {
  static_assert(MR <= max_dot_rows, "a tile has at most max_dot_rows rows");
  static_assert(P == 1 || !Chain::pair, "dot tiles of a pair span one panel");
  dot::acc acc[KA][MR][NV];
  GEMWRIGHT_UNROLL
  for (int q = 0; q < KA; ++q) {
    GEMWRIGHT_UNROLL
    for (int i = 0; i < MR; ++i) {
      GEMWRIGHT_UNROLL
      for (int j = 0; j < NV; ++j) acc[q][i][j] = dot::zero();
    }
  }
  if (!x.first) {
    GEMWRIGHT_UNROLL
    for (int i = 0; i < MR; ++i) {
      GEMWRIGHT_UNROLL
      for (int j = 0; j < NV; ++j) acc[0][i][j] = dot::load_raw(x.partial + i * x.partial_stride + j * f32::vec::width);
    }
  }

  if (x.prefetch_c) prefetch_c<MR, NV, C, Chain>(x);
  bool packed = true;
  if constexpr (dot::a_words == 1) packed = x.a != nullptr;
  if (packed) {
    dot_groups<KU, Hint, P>(acc, packed_rows<MR>{x.a}, x, x.groups);
  } else if constexpr (dot::a_words == 1) {
    dot_groups<KU, Hint, P>(acc, plain_rows<MR>(x.rows, x.row_bytes), x, x.groups - (x.rest != 0 ? 1 : 0));
  }
  GEMWRIGHT_UNROLL
  for (int q = 1; q < KA; ++q) {
    GEMWRIGHT_UNROLL
    for (int i = 0; i < MR; ++i) {
      GEMWRIGHT_UNROLL
      for (int j = 0; j < NV; ++j) acc[0][i][j] = dot::add(acc[0][i][j], acc[q][i][j]);
    }
  }
  if (x.last) {
    dot_finish<P, C, Chain>(acc[0], x);
    return;
  }
  GEMWRIGHT_UNROLL
  for (int i = 0; i < MR; ++i) {
    GEMWRIGHT_UNROLL
    for (int j = 0; j < NV; ++j) dot::store_raw(x.partial + i * x.partial_stride + j * f32::vec::width, acc[0][i][j]);
  }
}
