// The micro-kernel of tiles whose vectors run along K, for products of few columns: a tile is MR rows of one column,
// and a step multiplies one vector of B with one of each row. Included behind micro_kernel.inl; of `vec` it uses also
//   sums(a, b, c, d)  the sum of the lanes of each, added in one order whatever the place
// A is row-major and lies as the caller has it, B is packed in panels of one column: both are contiguous along K.

// One vector of B times one of each row of A, `ahead` floats behind where the rows stand.
template <int MR, bool Masked>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void step_along(vec::reg (&acc)[MR], const row_pointers<MR>& rows, const float* b,
                                                  int ahead, vec::mask m) {
  const vec::reg bv = load_part<Masked>(b + ahead, m);
  GEMWRIGHT_UNROLL
  for (int i = 0; i < MR; ++i) acc[i] = vec::fma(load_part<Masked>(rows.of(i) + ahead, m), bv, acc[i]);
}

// The chain on the sums of `rows` rows; one function serves the kernels of all row counts.
template <class Chain>
__attribute__((noinline)) GEMWRIGHT_TARGET void finish_sums(const float* sums, int rows, const micro_args& x) {
  finish_columns<true, Chain>(sums, 1, rows, x.c, x.ldc, *x.operands, {x.item, x.row, x.col, vec::first(1)});
}

template <int MR, int KU, int KA, class Chain>
GEMWRIGHT_TARGET void micro_along(const micro_args& x) {
  static_assert(!Chain::pair, "the halves of a pair do not meet in one column");
  vec::reg acc[KA][MR];
  GEMWRIGHT_UNROLL
  for (int q = 0; q < KA; ++q) {
    GEMWRIGHT_UNROLL
    for (int i = 0; i < MR; ++i) acc[q][i] = vec::zero();
  }

  // Accumulator q takes the vectors v with v % KA == q, whatever the unrolling: the order depends on KA and the width.
  constexpr int kUnroll = KU > KA ? KU : KA;
  static_assert(kUnroll % KA == 0, "the unroll is a multiple of the accumulators");
  const float* b = x.b;
  row_pointers<MR> rows(x.a, x.a_row);
  std::int64_t k = x.k;
  for (; k >= kUnroll * vec::width; k -= kUnroll * vec::width) {
    GEMWRIGHT_UNROLL
    for (int u = 0; u < kUnroll; ++u) step_along<MR, false>(acc[u % KA], rows, b, u * vec::width, vec::mask{});
    b += kUnroll * vec::width;
    rows.advance(kUnroll * vec::width);
  }
  for (int q = 0; k > 0; k -= vec::width, q = (q + 1) % KA) {
    const vec::mask m = vec::first(lanes(k, 0));
    GEMWRIGHT_UNROLL
    for (int s = 0; s < KA; ++s) {
      if (s == q) step_along<MR, true>(acc[s], rows, b, 0, m);
    }
    b += vec::width;
    rows.advance(vec::width);
  }

  constexpr int kRows = (MR + 3) / 4 * 4;
  vec::reg whole[kRows];
  float sums[kRows];
  GEMWRIGHT_UNROLL
  for (int i = 0; i < kRows; ++i) {
    whole[i] = i < MR ? acc[0][i < MR ? i : 0] : vec::zero();
    GEMWRIGHT_UNROLL
    for (int q = 1; q < KA; ++q) {
      if (i < MR) whole[i] = vec::add(whole[i], acc[q][i < MR ? i : 0]);
    }
  }
  GEMWRIGHT_UNROLL
  for (int i = 0; i < kRows; i += 4) {
    _mm_storeu_ps(sums + i, vec::sums(whole[i], whole[i + 1], whole[i + 2], whole[i + 3]));
  }
  GEMWRIGHT_UNROLL
  for (int i = 0; i < MR; ++i) {
    if (x.accumulate) sums[i] += x.c[i * x.ldc];
  }
  if constexpr (!Chain::empty) {
    if (x.finish) return finish_sums<Chain>(sums, MR, x);
  }
  GEMWRIGHT_UNROLL
  for (int i = 0; i < MR; ++i) x.c[i * x.ldc] = sums[i];
}

template <int KU, int KA, class Chain, class Rows>
struct along_table;
template <int KU, int KA, class Chain, int... R>
struct along_table<KU, KA, Chain, std::integer_sequence<int, R...>> {
  static constexpr micro_kernel all[] = {&micro_along<R + 1, KU, KA, Chain>...};
};

// A tile of one column has no tail.
template <int MR, int KU, int KA, prefetch Hint, class Chain>
constexpr kernel_set make_along_kernel_set() {
  using functions = along_table<KU, KA, Chain, std::make_integer_sequence<int, MR>>;
  return {
      tile{vec::family, MR, 1, KU, KA, Hint, true}, 1, functions::all, functions::all, &reduce<Chain>, Chain::reads};
}
