// The micro-kernel, written once over the vector operations of an instruction set. Each file isa/*.h includes this text
// inside its own namespace, after it has defined GEMWRIGHT_TARGET (the target attribute) and the struct `vec`:
//   reg, mask, width; zero, set1, load, load(mask), store, store(mask), fma, add_product, add,
//   first(n) -> mask of n lanes,
// and epilogue.inl.
// It has to be text: a template outside would not carry the target attribute that its intrinsics need.

template <prefetch Hint>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void prefetch_line(const float* p) {
  // The third argument is the locality: 3 = T0, 2 = T1, 1 = T2, 0 = NTA.
  if constexpr (Hint == prefetch::t0) __builtin_prefetch(p, 0, 3);
  if constexpr (Hint == prefetch::t1) __builtin_prefetch(p, 0, 2);
  if constexpr (Hint == prefetch::t2) __builtin_prefetch(p, 0, 1);
  if constexpr (Hint == prefetch::nta) __builtin_prefetch(p, 0, 0);
}

// Lanes of vector j that lie inside `cols` columns.
GEMWRIGHT_TARGET GEMWRIGHT_INLINE int lanes(std::int64_t cols, int j) {
  const std::int64_t left = cols - static_cast<std::int64_t>(j) * vec::width;
  return left <= 0 ? 0 : left >= vec::width ? vec::width : static_cast<int>(left);
}

template <bool Masked>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void store_part(float* p, vec::mask m, vec::reg v) {
  if constexpr (Masked) {
    vec::store(p, m, v);
  } else {
    vec::store(p, v);
  }
}

// The rows of A at one step of K. A pointer for each would not fit the registers, and loading them again would take as
// long as the broadcasts: there is one for four rows.
template <int MR>
struct row_pointers {
  const float* at[(MR + 3) / 4];
  std::int64_t row, three;
  GEMWRIGHT_INLINE row_pointers(const float* a, std::int64_t stride) : row(stride), three(3 * stride) {
    GEMWRIGHT_UNROLL
    for (int i = 0; i < (MR + 3) / 4; ++i) at[i] = a + i * 4 * stride;
    if constexpr (MR > 3) asm volatile("" : "+r"(three));  // or the compiler adds it up again at every step
  }
  GEMWRIGHT_INLINE const float* of(int i) const { return at[i / 4] + (i % 4 == 3 ? three : i % 4 * row); }
  GEMWRIGHT_INLINE void advance(std::int64_t distance) {
    GEMWRIGHT_UNROLL
    for (int i = 0; i < (MR + 3) / 4; ++i) {
      at[i] += distance;
      asm volatile("" : "+r"(at[i]));  // or the compiler makes a pointer for each row after all
    }
  }
};

// A as a loop over K reads it, `u` steps behind where it stands.
template <int MR>
struct strided_rows {  // any, moved on at every step
  static constexpr bool by_turns = false;
  row_pointers<MR> rows;
  std::int64_t apart;
  GEMWRIGHT_INLINE const float* of(int i, int) const { return rows.of(i); }
  GEMWRIGHT_INLINE void advance(int steps) { rows.advance(steps * apart); }
};
// Packed: the addresses of unrolled steps differ by constants, so that they move once a turn of the loop. That spares
// each step the additions for A and B.
template <int MR>
struct packed_panel {
  static constexpr bool by_turns = true;
  const float* at;
  GEMWRIGHT_INLINE const float* of(int i, int u) const { return at + u * MR + i; }
  GEMWRIGHT_INLINE void advance(int steps) {
    at += steps * MR;
    asm volatile("" : "+r"(at));  // or the compiler works out behind the loop where it stands
  }
};

// Where the columns of a tile stand in B at one step of K: in P panels, `apart` elements from each other.
template <int NV, int P>
struct column_pointer {
  static constexpr int kColumns = NV / P * vec::width;  // of each panel
  const float* at;
  std::int64_t apart;
  GEMWRIGHT_INLINE const float* of(int column) const { return from(at, column); }
  // The same if the first column stood at `first`.
  GEMWRIGHT_INLINE const float* from(const float* first, int column) const {
    return first + column / kColumns * apart + column % kColumns;
  }
  GEMWRIGHT_INLINE void advance(std::int64_t distance) {
    at += distance;
    asm volatile("" : "+r"(at));  // the same
  }
};

// Of the last tile of a row of tiles, which may lack panels behind the last one of B: the first stands for these, with
// masks that let nothing through. A masked load of memory that is not mapped is right, too, but takes a hundred times
// as long, and what lies behind B is chance: this one tile took as long as the forty others of its row.
template <int NV, int P>
struct last_columns {
  static constexpr int kColumns = NV / P * vec::width;
  const float* at;
  std::int64_t behind[P];
  GEMWRIGHT_INLINE last_columns(const float* first, std::int64_t apart, int cols) : at(first), behind{} {
    GEMWRIGHT_UNROLL
    for (int p = 1; p < P; ++p) behind[p] = p * kColumns < cols ? p * apart : 0;
  }
  GEMWRIGHT_INLINE const float* of(int column) const { return at + behind[column / kColumns] + column % kColumns; }
  GEMWRIGHT_INLINE void advance(std::int64_t distance) { at += distance; }
};

template <int NV, int P, bool Masked>
GEMWRIGHT_INLINE auto columns_of(const micro_args& x, [[maybe_unused]] int cols) {
  const std::int64_t apart = P == 1 ? 0 : x.b_panel;
  if constexpr (Masked) {
    return last_columns<NV, P>(x.b, apart, cols);
  } else {
    return column_pointer<NV, P>{x.b, apart};
  }
}

// One step of K: NV loads of B, MR broadcasts of A, MR x NV multiply-adds. `ahead`: where B is prefetched, if it is.
template <prefetch Hint, bool Masked, int P, int MR, int NV, class Rows, class Columns>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void step(vec::reg (&acc)[MR][NV], const Rows& rows, int u, const Columns& b,
                                            [[maybe_unused]] const float* ahead, const vec::mask (&masks)[NV]) {
  vec::reg bv[NV];
  GEMWRIGHT_UNROLL
  for (int j = 0; j < NV; ++j) bv[j] = load_part<Masked>(b.of(j * vec::width), masks[j]);
  if constexpr (Hint != prefetch::none) {
    // One prefetch a cache line, 16 floats, of each panel.
    constexpr int kColumns = Columns::kColumns, kStep = P > 1 && kColumns < 16 ? kColumns : 16;
    GEMWRIGHT_UNROLL
    for (int j = 0; j < NV * vec::width; j += kStep) prefetch_line<Hint>(b.from(ahead, j));
  }
  GEMWRIGHT_UNROLL
  for (int i = 0; i < MR; ++i) {
    const vec::reg av = vec::set1(rows.of(i, u));
    GEMWRIGHT_UNROLL
    for (int j = 0; j < NV; ++j) vec::add_product(acc[i][j], av, bv[j]);
  }
}

template <class Rows, class Columns>
GEMWRIGHT_INLINE void move_on(Rows& rows, Columns& b, int steps, std::int64_t b_row) {
  rows.advance(steps);
  b.advance(steps * b_row);
}

// As many whole unrolled steps of the `k` along K as there are; how many are left. Accumulator q takes the steps with
// k % KA == q, whatever the unrolling: the order depends on KA alone.
template <int Unroll, prefetch Hint, int KA, int MR, int NV, int P, class Rows>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE std::int64_t unrolled_steps(vec::reg (&acc)[KA][MR][NV], Rows& rows,
                                                              column_pointer<NV, P>& b, std::int64_t k,
                                                              std::int64_t b_row, const float* ahead,
                                                              std::int64_t ahead_step) {
  const vec::mask none[NV] = {};
  for (; k >= Unroll; k -= Unroll) {
    GEMWRIGHT_UNROLL
    for (int u = 0; u < Unroll; ++u) {
      const column_pointer<NV, P> at{b.at + (Rows::by_turns ? u * b_row : 0), b.apart};
      step<Hint, false, P>(acc[u % KA], rows, u, at, ahead, none);
      if constexpr (Hint != prefetch::none) ahead += ahead_step;
      if constexpr (!Rows::by_turns) move_on(rows, b, 1, b_row);
    }
    if constexpr (Rows::by_turns) move_on(rows, b, Unroll, b_row);
  }
  return k;
}

// `columns` of C of the tile that comes next, while there is time.
template <int MR>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void prefetch_next(const micro_args& x, std::int64_t columns) {
  if (x.next == next_tile::near) return;
  constexpr std::int64_t kLine = 16;
  const float* c = x.c + (x.next == next_tile::below ? MR * x.ldc : columns);
  for (int i = 0; i < MR; ++i, c += x.ldc) {
    for (std::int64_t j = 0; j < columns; j += kLine) __builtin_prefetch(c + j, 1);
    __builtin_prefetch(c + columns - 1, 1);  // rows need not begin with a cache line
  }
}

template <int MR, int NV>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void store_registers(const vec::reg (&acc)[MR][NV], float* to) {
  GEMWRIGHT_UNROLL
  for (int i = 0; i < MR; ++i) {
    GEMWRIGHT_UNROLL
    for (int j = 0; j < NV; ++j) vec::store(to + (i * NV + j) * vec::width, acc[i][j]);
  }
}

// R rows of one vector of columns, `step` floats apart, through the chain to C.
template <bool Masked, int R, class Chain>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void finish_group(const float* from, std::int64_t step, float* c, std::int64_t ldc,
                                                    const epilogue_operands& o, const column_operands& columns,
                                                    const place& at) {
  typename several<R>::reg v;
  GEMWRIGHT_UNROLL
  for (int r = 0; r < R; ++r) v.v[r] = load_part<Masked>(from + r * step, at.lanes);
  v = apply_chain<Masked, R>(Chain{}, v, o, columns, at);
  GEMWRIGHT_UNROLL
  for (int r = 0; r < R; ++r) store_part<Masked>(c + r * ldc, at.lanes, v.v[r]);
}

// All rows of one vector of columns.
template <bool Masked, class Chain>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void finish_columns(const float* from, std::int64_t step, std::int64_t rows, float* c,
                                                      std::int64_t ldc, const epilogue_operands& o, place at) {
  const column_operands columns = load_columns<Masked, Chain>(o, at.col, at.lanes);
  const std::int64_t first = at.row;
  std::int64_t i = 0;
  for (; i + kRowsTogether <= rows; i += kRowsTogether) {
    at.row = first + i;
    finish_group<Masked, kRowsTogether, Chain>(from + i * step, step, c + i * ldc, ldc, o, columns, at);
  }
  for (; i < rows; ++i) {
    at.row = first + i;
    finish_group<Masked, 1, Chain>(from + i * step, step, c + i * ldc, ldc, o, columns, at);
  }
}

// A chain of long code on `rows` rows of a tile, from a copy of its registers that is still in the first-level cache to
// C. One function serves the kernels of all row counts: inside each of them it would take ten times as long to compile.
template <int NV, bool Masked, class Chain>
__attribute__((noinline)) GEMWRIGHT_TARGET void finish_rows(const float* tile, int rows, const micro_args& x) {
  for (int j = 0; j < NV; ++j) {
    const int n = Masked ? lanes(x.cols, j) : vec::width;
    if (n == 0) return;
    const place at{x.item, x.row, x.col + j * vec::width, vec::first(n)};
    finish_columns<Masked, Chain>(tile + j * vec::width, NV * vec::width, rows, x.c + j * vec::width, x.ldc,
                                  *x.operands, at);
  }
}

// R rows of one vector of columns of C, of a pair: the gate, and the other half `distance` floats behind it.
template <int R, class Chain>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void finish_pair_group(const float* gate, std::int64_t distance, std::int64_t step,
                                                         float* c, std::int64_t ldc, const epilogue_operands& o,
                                                         const pair_operands& operands, const place& at) {
  typename several<R>::reg g, u;
  GEMWRIGHT_UNROLL
  for (int r = 0; r < R; ++r) {
    g.v[r] = vec::load(gate + r * step);
    u.v[r] = vec::load(gate + r * step + distance);
  }
  const auto v = apply_pair<true, R, Chain>(g, u, o, operands, at);
  GEMWRIGHT_UNROLL
  for (int r = 0; r < R; ++r) vec::store(c + r * ldc, at.lanes, v.v[r]);
}

// Vectors of the gate and of the other half become half as many of C.
template <int NV, class Chain>
__attribute__((noinline)) GEMWRIGHT_TARGET void finish_pairs(const float* tile, int rows, const micro_args& x) {
  constexpr std::int64_t kStep = NV * vec::width;
  for (std::int64_t j = 0; j < kStep / 2; j += vec::width) {
    const int n = lanes(x.cols - j, 0);
    if (n == 0) return;
    place at{x.item, x.row, x.col + j, vec::first(n)};
    const pair_operands operands = load_pair<true, Chain>(*x.operands, at.col, x.pair.columns, at.lanes);
    const float* const gate = tile + x.pair.gate(j);
    float* const c = x.c + j;
    int i = 0;
    for (; i + kRowsTogether <= rows; i += kRowsTogether) {
      at.row = x.row + i;
      finish_pair_group<kRowsTogether, Chain>(gate + i * kStep, x.pair.distance(), kStep, c + i * x.ldc, x.ldc,
                                              *x.operands, operands, at);
    }
    for (; i < rows; ++i) {
      at.row = x.row + i;
      finish_pair_group<1, Chain>(gate + i * kStep, x.pair.distance(), kStep, c + i * x.ldc, x.ldc, *x.operands,
                                  operands, at);
    }
  }
}

template <int MR, int NV, bool Masked, class Chain>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void finish(vec::reg (&acc)[MR][NV], const micro_args& x,
                                              const vec::mask (&masks)[NV]) {
  if constexpr (Chain::long_code) {
    if (x.finish) {
      alignas(64) float tile[MR * NV * vec::width];
      store_registers(acc, tile);
      if constexpr (Chain::pair) {
        finish_pairs<NV, Chain>(tile, MR, x);
      } else {
        finish_rows<NV, Masked, Chain>(tile, MR, x);
      }
      return;
    }
  } else if constexpr (!Chain::empty) {
    if (x.finish) {
      GEMWRIGHT_UNROLL
      for (int j = 0; j < NV; ++j) {
        const std::int64_t col = x.col + j * vec::width;
        const column_operands columns = load_columns<Masked, Chain>(*x.operands, col, masks[j]);
        GEMWRIGHT_UNROLL
        for (int i = 0; i < MR; ++i) {
          acc[i][j] =
              apply_chain<Masked, 1>(Chain{}, {{acc[i][j]}}, *x.operands, columns, {x.item, x.row + i, col, masks[j]})
                  .v[0];
        }
      }
    }
  }
  float* c = x.c;
  const std::int64_t ldc = x.ldc;  // read once: each store might be to the arguments
  GEMWRIGHT_UNROLL
  for (int i = 0; i < MR; ++i, c += ldc) {
    GEMWRIGHT_UNROLL
    for (int j = 0; j < NV; ++j) store_part<Masked>(c + j * vec::width, masks[j], acc[i][j]);
  }
}

// Columns of B that a tile may read of a pair that is finished in it: the last one may span more panels than there are.
template <int NV, int P>
GEMWRIGHT_INLINE int pair_columns(const micro_args& x) {
  constexpr int kAll = NV * vec::width;
  if constexpr (P == 1) return kAll;
  const std::int64_t left = x.pair.packed() - 2 * x.col;
  return left < kAll ? static_cast<int>(left) : kAll;
}

template <int MR, int NV, int KU, int KA, prefetch Hint, bool Masked, class Chain, int P = 1>
GEMWRIGHT_TARGET void micro(const micro_args& x) {
  vec::mask masks[NV];
  // The columns of a pair that is finished here are counted in C; its packed B has them in whole turns.
  const int cols = Chain::pair && x.finish ? pair_columns<NV, P>(x) : x.cols;
  GEMWRIGHT_UNROLL
  for (int j = 0; j < NV; ++j) masks[j] = Masked ? vec::first(lanes(cols, j)) : vec::first(vec::width);

  vec::reg acc[KA][MR][NV];
  GEMWRIGHT_UNROLL
  for (int q = 0; q < KA; ++q) {
    GEMWRIGHT_UNROLL
    for (int i = 0; i < MR; ++i) {
      GEMWRIGHT_UNROLL
      for (int j = 0; j < NV; ++j) acc[q][i][j] = vec::zero();
    }
  }
  if (x.accumulate) {
    GEMWRIGHT_UNROLL
    for (int i = 0; i < MR; ++i) {
      GEMWRIGHT_UNROLL
      for (int j = 0; j < NV; ++j) acc[0][i][j] = load_part<Masked>(x.c + i * x.ldc + j * vec::width, masks[j]);
    }
  }

  auto b = columns_of<NV, P, Masked>(x, cols);
  constexpr int kUnroll = KU > KA ? KU : KA;
  static_assert(kUnroll % KA == 0, "the unroll is a multiple of the accumulators");
  const std::int64_t b_row = x.b_row;
  strided_rows<MR> rows{{x.a, x.a_row}, x.a_k};
  std::int64_t k = x.k;
  if constexpr (!Masked) {
    constexpr int kColumns = NV * vec::width;
    prefetch_next<MR>(x, Chain::pair && x.finish ? kColumns / 2 : kColumns);
    if (x.a_row == 1 && x.a_k == MR && MR > 1) {
      packed_panel<MR> panel{x.a};
      k = unrolled_steps<kUnroll, Hint>(acc, panel, b, k, b_row, b.at + x.prefetch.from, x.prefetch.step);
      rows = {{panel.at, 1}, MR};
    } else {
      k = unrolled_steps<kUnroll, Hint>(acc, rows, b, k, b_row, b.at + x.prefetch.from, x.prefetch.step);
    }
  }
  for (int q = 0; k > 0; --k, q = (q + 1) % KA) {
    GEMWRIGHT_UNROLL
    for (int s = 0; s < KA; ++s) {
      if (s == q) step<prefetch::none, Masked, P>(acc[s], rows, 0, b, nullptr, masks);
    }
    move_on(rows, b, 1, b_row);
  }
  GEMWRIGHT_UNROLL
  for (int q = 1; q < KA; ++q) {
    GEMWRIGHT_UNROLL
    for (int i = 0; i < MR; ++i) {
      GEMWRIGHT_UNROLL
      for (int j = 0; j < NV; ++j) acc[0][i][j] = vec::add(acc[0][i][j], acc[q][i][j]);
    }
  }
  finish<MR, NV, Masked, Chain>(acc[0], x, masks);
}

// n consecutive columns of a half, from column `at` on: the runs of a pair may be shorter than a vector.
GEMWRIGHT_TARGET inline vec::reg load_half(const float* row, const pair_layout& pair, std::int64_t at,
                                           std::int64_t shift, int n, vec::mask m) {
  if (pair.run % vec::width == 0) return vec::load(row + pair.gate(at) + shift, m);
  float copy[vec::width] = {};
  for (int i = 0; i < n; ++i) copy[i] = row[pair.gate(at + i) + shift];
  return vec::load(copy);
}

template <class Chain>
GEMWRIGHT_TARGET void reduce_pairs(const reduce_args& x) {
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (std::int64_t j = 0; j < x.cols; j += vec::width) {
      const int n = lanes(x.cols - j, 0);
      const vec::mask m = vec::first(n);
      const float* row = x.partial + i * x.width;
      vec::reg gate = load_half(row, x.pair, x.col + j, 0, n, m);
      vec::reg up = load_half(row, x.pair, x.col + j, x.pair.distance(), n, m);
      for (int s = 1; s < x.slices; ++s) {
        row += x.partial_stride;
        gate = vec::add(gate, load_half(row, x.pair, x.col + j, 0, n, m));
        up = vec::add(up, load_half(row, x.pair, x.col + j, x.pair.distance(), n, m));
      }
      const pair_operands operands = load_pair<true, Chain>(*x.operands, x.col + j, x.pair.columns, m);
      const place at{x.item, x.row + i, x.col + j, m};
      vec::store(x.c + i * x.ldc + j, m, apply_pair<true, 1, Chain>({{gate}}, {{up}}, *x.operands, operands, at).v[0]);
    }
  }
}

// Columns [j, j + n) of all rows: sums first, then the chain on what stands in C.
template <bool Masked, class Chain>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE void reduce_columns(const reduce_args& x, std::int64_t j, int n) {
  const vec::mask m = vec::first(n);
  float* const c = x.c + j;
  for (std::int64_t i = 0; x.slices > 0 && i < x.rows; ++i) {
    vec::reg v = load_part<Masked>(c + i * x.ldc, m);
    for (int s = 0; s < x.slices; ++s) {
      v = vec::add(v, load_part<Masked>(x.partial + s * x.partial_stride + i * x.width + j, m));
    }
    store_part<Masked>(c + i * x.ldc, m, v);
  }
  if constexpr (!Chain::empty) {
    finish_columns<Masked, Chain>(c, x.ldc, x.rows, c, x.ldc, *x.operands, {x.item, x.row, x.col + j, m});
  }
}

template <class Chain>
GEMWRIGHT_TARGET void reduce(const reduce_args& whole) {
  if constexpr (Chain::pair) {
    reduce_pairs<Chain>(whole);
  } else {
    // A few rows at a time, because columns are walked inside: what lies in a row is read as it lies.
    for (std::int64_t row = 0; row < whole.rows; row += kRowsTogether) {
      reduce_args x = whole;
      x.c += row * x.ldc;
      x.partial += x.slices > 0 ? row * x.width : 0;
      x.row += row;
      x.rows = whole.rows - row < kRowsTogether ? whole.rows - row : kRowsTogether;
      std::int64_t j = 0;
      for (; j + vec::width <= x.cols; j += vec::width) reduce_columns<false, Chain>(x, j, vec::width);
      if (j < x.cols) reduce_columns<true, Chain>(x, j, lanes(x.cols - j, 0));
    }
  }
}
