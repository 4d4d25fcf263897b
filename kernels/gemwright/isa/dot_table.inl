// Dot tiles that lack columns, and the functions of one tile. Included behind dot_kernel.inl.

// Tiles of 1, 2, ... vectors. They run once a row of tiles at most, so they are compiled for size.
template <int MR, int KA, prefetch Hint, element C, class Chain, class Vectors>
struct dot_pieces;
template <int MR, int KA, prefetch Hint, element C, class Chain, int... V>
struct dot_pieces<MR, KA, Hint, C, Chain, std::integer_sequence<int, V...>> {
  static constexpr dot_kernel of[] = {&dot_micro<MR, V + 1, 1, KA, Hint, C, Chain>...};
};

// The first x.cols columns of a tile, in tiles of whole vectors of a panel; see micro_kernel_table.inl.
template <int Panel, int Most, class Pieces>
GEMWRIGHT_TARGET void dot_tail(const dot_args& x, int c_size) {
  constexpr int kWidth = f32::vec::width;
  dot_args y = x;
  const auto vectors = static_cast<int>((x.cols + kWidth - 1) / kWidth);
  for (int j = 0, step = 0; j < vectors; j += step) {
    step = f32::piece_of_tail(j, vectors, Panel, Most);
    const int column = j * kWidth;
    const std::int64_t behind = x.cols - column;
    y.b = x.b + j / Panel * x.b_panel + j % Panel * kWidth;
    if (x.partial != nullptr) y.partial = x.partial + column;
    if (x.b_scale != nullptr) {
      y.b_scale = x.b_scale + column;
      y.b_sum = x.b_sum + column;
    }
    y.c = static_cast<char*>(x.c) + column * c_size;
    y.col = x.col + column;
    y.cols = behind < step * kWidth ? behind : step * kWidth;
    Pieces::of[step - 1](y);
  }
}

// A tile of any number of columns, in pieces where it lacks whole vectors.
template <int MR, class Shape, element C, class Chain>
GEMWRIGHT_TARGET void dot_tile(const dot_args& x) {
  constexpr int NV = Shape::nv, kPanel = NV / Shape::panels;
  if (x.cols > (NV - 1) * f32::vec::width) {
    dot_micro<MR, NV, Shape::ku, Shape::ka, Shape::hint, C, Chain, Shape::panels>(x);
    return;
  }
  constexpr int kMost = f32::tail_vectors<MR, NV - 1, kPanel>;
  using pieces = dot_pieces<MR, Shape::ka, Shape::hint, C, Chain, std::make_integer_sequence<int, kMost>>;
  dot_tail<kPanel, kMost, pieces>(x, element_size(C));
}

template <int MR, class Shape, element C, class Chain>
constexpr dot_kernel dot_tile_of() {
  if constexpr (f32::in_pieces<MR, Shape::nv, Shape::panels, Chain>) {
    return &dot_tile<MR, Shape, C, Chain>;
  } else {
    return &dot_micro<MR, Shape::nv, Shape::ku, Shape::ka, Shape::hint, C, Chain, Shape::panels>;
  }
}

// All functions of one tile.
template <class Shape, element C, class Chain, class Rows>
struct dot_table;
template <class Shape, element C, class Chain, int... R>
struct dot_table<Shape, C, Chain, std::integer_sequence<int, R...>> {
  static constexpr dot_kernel kernels[] = {dot_tile_of<R + 1, Shape, C, Chain>()...};
};

template <int MR, int NV, int KU, int KA, prefetch Hint, element C, class Chain, int P = 1>
constexpr dot_kernel_set make_dot_kernel_set() {
  using functions = dot_table<f32::shape<NV, KU, KA, Hint, P>, C, Chain, std::make_integer_sequence<int, MR>>;
  return {tile{dot::family, MR, NV, KU, KA, Hint, false, P},
          dot::mode,
          C,
          NV * f32::vec::width,
          dot::a_words,
          functions::kernels,
          &pack_rows<dot::mode, dot::a_words>,
          Chain::reads,
          &f32::reduce<Chain>,
          dot_combine_of<C, Chain>()};
}
