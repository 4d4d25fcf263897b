// Tiles that lack columns, and the functions of one tile. Included behind micro_kernel.inl.

// A tile that lacks whole vectors of columns is made of tiles of one or two vectors, so that none is multiplied for
// nothing. So few rows of these would be too few sums to hide what a multiply-add takes: there the pieces have as many
// vectors as there are.
constexpr int few_rows = 3;
// Not of a pair, which needs both its halves at once, nor of few rows across panels, which would be as many tiles.
template <int MR, int NV, int P, class Chain>
constexpr bool in_pieces = NV > 1 && !Chain::pair && (MR > few_rows || P == 1);
// The most vectors of a piece, of a tile that has `Whole` or fewer.
template <int MR, int Whole, int Panel>
constexpr int tail_vectors = MR <= few_rows ? Whole : std::min({Whole, Panel, 2});

// Vectors of the piece that begins with vector j of `vectors`: within one panel, `most` or fewer.
GEMWRIGHT_INLINE int piece_of_tail(int j, int vectors, int panel, int most) {
  const int of_panel = panel - j % panel, left = vectors - j < of_panel ? vectors - j : of_panel;
  return left < most ? left : most;
}

template <int MR, int KA, class Chain, class Vectors>
struct tail_pieces;
template <int MR, int KA, class Chain, int... V>
struct tail_pieces<MR, KA, Chain, std::integer_sequence<int, V...>> {
  static constexpr micro_kernel of[] = {&micro<MR, V + 1, 1, KA, prefetch::none, true, Chain>...};
};

// Fewer columns than the tile has, in pieces where it lacks whole vectors.
template <int MR, int NV, int KA, class Chain, int P>
GEMWRIGHT_TARGET void micro_tail(const micro_args& x) {
  constexpr int kPanel = NV / P, kMost = tail_vectors<MR, NV - 1, kPanel>;
  const int vectors = (x.cols + vec::width - 1) / vec::width;
  if (vectors == NV) {
    micro<MR, NV, 1, KA, prefetch::none, true, Chain, P>(x);
    return;
  }
  micro_args y = x;
  for (int j = 0, step = 0; j < vectors; j += step) {
    step = piece_of_tail(j, vectors, kPanel, kMost);
    const int column = j * vec::width, behind = x.cols - column;
    y.b = x.b + j / kPanel * x.b_panel + j % kPanel * vec::width;
    y.c = x.c + column;
    y.col = x.col + column;
    y.cols = behind < step * vec::width ? behind : step * vec::width;
    tail_pieces<MR, KA, Chain, std::make_integer_sequence<int, kMost>>::of[step - 1](y);
  }
}

template <int MR, int NV, int KA, class Chain, int P>
constexpr micro_kernel tail_of() {
  if constexpr (in_pieces<MR, NV, P, Chain>) {
    return &micro_tail<MR, NV, KA, Chain, P>;
  } else {
    return &micro<MR, NV, 1, KA, prefetch::none, true, Chain, P>;
  }
}

// All functions of one tile.
template <class Shape, class Chain, class Rows>
struct table;
template <class Shape, class Chain, int... R>
struct table<Shape, Chain, std::integer_sequence<int, R...>> {
  static constexpr micro_kernel full[] = {
      &micro<R + 1, Shape::nv, Shape::ku, Shape::ka, Shape::hint, false, Chain, Shape::panels>...};
  // Tails run once a row of tiles at most, so they are compiled for size: no unrolling, no prefetch.
  static constexpr micro_kernel tail[] = {tail_of<R + 1, Shape::nv, Shape::ka, Chain, Shape::panels>()...};
};

template <int NV, int KU, int KA, prefetch Hint, int P = 1>
struct shape {
  static constexpr int nv = NV, ku = KU, ka = KA, panels = P;
  static constexpr prefetch hint = Hint;
};

template <int MR, int NV, int KU, int KA, prefetch Hint, class Chain, int P = 1>
constexpr kernel_set make_kernel_set() {
  using functions = table<shape<NV, KU, KA, Hint, P>, Chain, std::make_integer_sequence<int, MR>>;
  return {tile{vec::family, MR, NV, KU, KA, Hint, false, P},
          NV * vec::width,
          functions::full,
          functions::tail,
          &reduce<Chain>,
          Chain::reads};
}
