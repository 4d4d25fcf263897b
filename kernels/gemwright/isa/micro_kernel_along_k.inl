// The micro-kernel of tiles whose vectors run along K, for products whose columns would leave lanes of other tiles
// empty: a tile is MR rows of NC columns, and a step multiplies one vector of each row with one of each column.
// Included behind micro_kernel.inl; of `vec` it uses also
//   sums(a, b, c, d)  the sum of the lanes of each, added in one order whatever the place
// A is row-major and lies as the caller has it, B is packed in panels of one column: both are contiguous along K.

// `ahead` floats behind where rows and columns stand.
template <int MR, int NC, bool Masked>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void step_along(vec::reg (&acc)[MR][NC], const row_pointers<MR>& rows,
                                                  const row_pointers<NC>& columns, int ahead, vec::mask m) {
  vec::reg bv[NC];
  GEMWRIGHT_UNROLL
  for (int j = 0; j < NC; ++j) bv[j] = load_part<Masked>(columns.of(j) + ahead, m);
  GEMWRIGHT_UNROLL
  for (int i = 0; i < MR; ++i) {
    const vec::reg av = load_part<Masked>(rows.of(i) + ahead, m);
    GEMWRIGHT_UNROLL
    for (int j = 0; j < NC; ++j) acc[i][j] = vec::fma(av, bv[j], acc[i][j]);
  }
}

// The sums of a tile's vectors as they wait for C: those of one column side by side, of several by rows.
template <int MR, int NC>
struct along_sums {
  static constexpr int step = NC == 1 ? 1 : (NC + 3) / 4 * 4;
  static constexpr int size = NC == 1 ? (MR + 3) / 4 * 4 : MR * step;
  float of[size];

  GEMWRIGHT_TARGET GEMWRIGHT_INLINE explicit along_sums(const vec::reg (&v)[MR][NC]) {
    GEMWRIGHT_UNROLL
    for (int i = 0; i < size; i += 4) {
      _mm_storeu_ps(of + i, vec::sums(lanes_of(v, i), lanes_of(v, i + 1), lanes_of(v, i + 2), lanes_of(v, i + 3)));
    }
  }

 private:
  // Those that become element i.
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE vec::reg lanes_of(const vec::reg (&v)[MR][NC], int i) {
    const int row = i / step, column = i % step;
    return row < MR && column < NC ? v[row][column] : vec::zero();
  }
};

// The chain on the sums of `rows` rows; one function serves the kernels of all row counts.
template <int NC, class Chain>
__attribute__((noinline)) GEMWRIGHT_TARGET void finish_sums(const float* sums, int rows, const micro_args& x) {
  finish_columns<true, Chain>(sums, along_sums<1, NC>::step, rows, x.c, x.ldc, *x.operands,
                              {x.item, x.row, x.col, vec::first(NC)});
}

template <int MR, int NC, int KU, int KA, class Chain>
GEMWRIGHT_TARGET void micro_along(const micro_args& x) {
  static_assert(!Chain::pair, "the halves of a pair do not meet in a tile along K");
  vec::reg acc[KA][MR][NC];
  GEMWRIGHT_UNROLL
  for (int q = 0; q < KA; ++q) {
    GEMWRIGHT_UNROLL
    for (int i = 0; i < MR; ++i) {
      GEMWRIGHT_UNROLL
      for (int j = 0; j < NC; ++j) acc[q][i][j] = vec::zero();
    }
  }

  // Accumulator q takes the vectors v with v % KA == q, whatever the unrolling: the order depends on KA and the width.
  constexpr int kUnroll = KU > KA ? KU : KA;
  static_assert(kUnroll % KA == 0, "the unroll is a multiple of the accumulators");
  row_pointers<NC> columns(x.b, x.b_panel);
  row_pointers<MR> rows(x.a, x.a_row);
  std::int64_t k = x.k;
  for (; k >= kUnroll * vec::width; k -= kUnroll * vec::width) {
    GEMWRIGHT_UNROLL
    for (int u = 0; u < kUnroll; ++u) {
      step_along<MR, NC, false>(acc[u % KA], rows, columns, u * vec::width, vec::mask{});
    }
    columns.advance(kUnroll * vec::width);
    rows.advance(kUnroll * vec::width);
  }
  for (int q = 0; k > 0; k -= vec::width, q = (q + 1) % KA) {
    const vec::mask m = vec::first(lanes(k, 0));
    GEMWRIGHT_UNROLL
    for (int s = 0; s < KA; ++s) {
      if (s == q) step_along<MR, NC, true>(acc[s], rows, columns, 0, m);
    }
    columns.advance(vec::width);
    rows.advance(vec::width);
  }

  GEMWRIGHT_UNROLL
  for (int q = 1; q < KA; ++q) {
    GEMWRIGHT_UNROLL
    for (int i = 0; i < MR; ++i) {
      GEMWRIGHT_UNROLL
      for (int j = 0; j < NC; ++j) acc[0][i][j] = vec::add(acc[0][i][j], acc[q][i][j]);
    }
  }
  along_sums<MR, NC> sums(acc[0]);
  constexpr int kStep = along_sums<MR, NC>::step;
  GEMWRIGHT_UNROLL
  for (int i = 0; i < MR; ++i) {
    GEMWRIGHT_UNROLL
    for (int j = 0; j < NC; ++j) {
      if (x.accumulate) sums.of[i * kStep + j] += x.c[i * x.ldc + j];
    }
  }
  if constexpr (!Chain::empty) {
    if (x.finish) return finish_sums<NC, Chain>(sums.of, MR, x);
  }
  GEMWRIGHT_UNROLL
  for (int i = 0; i < MR; ++i) {
    GEMWRIGHT_UNROLL
    for (int j = 0; j < NC; ++j) x.c[i * x.ldc + j] = sums.of[i * kStep + j];
  }
}

// Fewer columns than the tile has: a tile of as many. Not unrolled; that changes no bit.
template <int MR, int KA, class Chain, class Columns>
struct along_tails;
template <int MR, int KA, class Chain, int... J>
struct along_tails<MR, KA, Chain, std::integer_sequence<int, J...>> {
  static constexpr micro_kernel of[] = {&micro_along<MR, J + 1, 1, KA, Chain>...};
};
template <int MR, int NC, int KA, class Chain>
GEMWRIGHT_TARGET void micro_along_tail(const micro_args& x) {
  along_tails<MR, KA, Chain, std::make_integer_sequence<int, NC - 1>>::of[x.cols - 1](x);
}
// A tile of one column has no tail.
template <int MR, int NC, int KU, int KA, class Chain>
constexpr micro_kernel along_tail_of() {
  if constexpr (NC == 1) {
    return &micro_along<MR, 1, KU, KA, Chain>;
  } else {
    return &micro_along_tail<MR, NC, KA, Chain>;
  }
}

template <int NC, int KU, int KA, class Chain, class Rows>
struct along_table;
template <int NC, int KU, int KA, class Chain, int... R>
struct along_table<NC, KU, KA, Chain, std::integer_sequence<int, R...>> {
  static constexpr micro_kernel full[] = {&micro_along<R + 1, NC, KU, KA, Chain>...};
  static constexpr micro_kernel tail[] = {along_tail_of<R + 1, NC, KU, KA, Chain>()...};
};

template <int MR, int NC, int KU, int KA, prefetch Hint, class Chain>
constexpr kernel_set make_along_kernel_set() {
  using functions = along_table<NC, KU, KA, Chain, std::make_integer_sequence<int, MR>>;
  return {tile{vec::family, MR, NC, KU, KA, Hint, true},
          NC,
          functions::full,
          functions::tail,
          &reduce<Chain>,
          Chain::reads};
}
