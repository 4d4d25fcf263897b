// The operations of epilogue chains, written once over the vector operations of an instruction set, included as
// micro_kernel.inl is. Of `vec` it uses zero, set1, load, load(mask), fma, add, mul, div, and
//   max, min      the second operand where one is a NaN, as the instructions do: max(0, v) keeps a NaN of v
//   abs, constant(float); fused_minus(a, b, c) = a * b - c, rounded once
//   whole(reg) to the nearest whole numbers, times_pow2(v, n) = v * 2^n, where both are normal numbers and n is whole

template <bool Masked>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE vec::reg load_part(const float* p, vec::mask m) {
  if constexpr (Masked) {
    return vec::load(p, m);
  } else {
    return vec::load(p);
  }
}

// One vector of each of R rows, and what the activations do with them: operation by operation for all rows, because an
// activation is one long chain of operations that wait for each other, of which a core keeps but two or three in
// flight.
#define GEMWRIGHT_EACH_ROW(result, name, parameters, value)         \
  static GEMWRIGHT_TARGET GEMWRIGHT_INLINE result name parameters { \
    result out;                                                     \
    GEMWRIGHT_UNROLL                                                \
    for (int r = 0; r < R; ++r) out.v[r] = value;                   \
    return out;                                                     \
  }
template <int R>
struct several {
  struct reg {
    vec::reg v[R];
  };
  GEMWRIGHT_EACH_ROW(reg, zero, (), vec::zero())
  GEMWRIGHT_EACH_ROW(reg, constant, (float f), vec::constant(f))
  GEMWRIGHT_EACH_ROW(reg, add, (const reg& a, const reg& b), vec::add(a.v[r], b.v[r]))
  GEMWRIGHT_EACH_ROW(reg, mul, (const reg& a, const reg& b), vec::mul(a.v[r], b.v[r]))
  GEMWRIGHT_EACH_ROW(reg, div, (const reg& a, const reg& b), vec::div(a.v[r], b.v[r]))
  GEMWRIGHT_EACH_ROW(reg, max, (const reg& a, const reg& b), vec::max(a.v[r], b.v[r]))
  GEMWRIGHT_EACH_ROW(reg, min, (const reg& a, const reg& b), vec::min(a.v[r], b.v[r]))
  GEMWRIGHT_EACH_ROW(reg, abs, (const reg& a), vec::abs(a.v[r]))
  GEMWRIGHT_EACH_ROW(reg, fma, (const reg& a, const reg& b, const reg& c), vec::fma(a.v[r], b.v[r], c.v[r]))
  GEMWRIGHT_EACH_ROW(reg, fused_minus, (const reg& a, const reg& b, const reg& c),
                     vec::fused_minus(a.v[r], b.v[r], c.v[r]))
  GEMWRIGHT_EACH_ROW(reg, whole, (const reg& a), vec::whole(a.v[r]))
  GEMWRIGHT_EACH_ROW(reg, times_pow2, (const reg& a, const reg& n), vec::times_pow2(a.v[r], n.v[r]))
};
#undef GEMWRIGHT_EACH_ROW

// c[0] + x * (c[1] + x * (c[2] + ...)).
template <class V, int Count>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE typename V::reg polynomial(typename V::reg x, const float (&c)[Count]) {
  typename V::reg sum = V::constant(c[Count - 1]);
  GEMWRIGHT_UNROLL
  for (int i = Count - 2; i >= 0; --i) sum = V::fma(sum, x, V::constant(c[i]));
  return sum;
}

// Results of exp_below are 2^100 times too large: what they are multiplied with later may bring them back into the
// normal range, so that subnormal numbers are rounded once, at the end, and none comes up on the way: one costs more
// than the whole activation.
constexpr float kExpUnshift = 0x1p-100F;

// exp(x) * 2^100 for x <= 0, where x below -131 counts as that (2^-190 is nothing beside any f32); and exp(x + low)
// where low is what rounding took from x. n is the nearest whole number of x / ln 2; the rest, at most ln 2 / 2, goes
// into a polynomial of relative error 1e-8.
template <class V>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE typename V::reg exp_below(typename V::reg x,
                                                            [[maybe_unused]] const typename V::reg* low) {
  constexpr float kLeast = -131.0F, kLog2E = 1.44269504F;
  constexpr float kMinusLn2High = -0.693359375F, kMinusLn2Low = 2.12194440e-4F;  // high has 9 bits: n * high is exact
  constexpr float kShift = 1.0F / kExpUnshift;
  constexpr float kRest[] = {kShift,
                             kShift,
                             0.5F * kShift,
                             0.1666657667F * kShift,
                             0.04166655421F * kShift,
                             0.008363232884F * kShift,
                             0.001392625083F * kShift};
  x = V::max(V::constant(kLeast), x);
  const typename V::reg n = V::whole(V::mul(x, V::constant(kLog2E)));
  typename V::reg rest = V::fma(n, V::constant(kMinusLn2High), x);
  if (low != nullptr) rest = V::add(rest, *low);
  rest = V::fma(n, V::constant(kMinusLn2Low), rest);
  return V::times_pow2(polynomial<V>(rest, kRest), n);
}

// 1 / (1 + exp(-x)) * 2^100 for x <= 0.
template <class V>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE typename V::reg logistic_tail(const typename V::reg& x) {
  const typename V::reg e = exp_below<V>(x, nullptr);
  return V::div(e, V::fma(e, V::constant(kExpUnshift), V::constant(1.0F)));
}

// The share of the normal distribution beyond t >= 0, * 2^100: exp(-t^2 / 2) * R(t), where R falls slowly from 1/2 and
// is u times a polynomial of u = 1 / (1 + 0.26 t), of relative error 6e-8 up to t = 13.3, where t * R meets the
// subnormals.
template <class V>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE typename V::reg normal_tail(const typename V::reg& t) {
  constexpr float kR[] = {0.1037721848F,  0.1027932355F, 0.104629572F,   0.04474285197F, 0.1758054665F,
                          -0.1726296959F, 0.2706060158F, -0.1621605328F, 0.03244090458F};
  const typename V::reg u = V::div(V::constant(1.0F), V::fma(t, V::constant(0.26F), V::constant(1.0F)));
  const typename V::reg half = V::mul(t, V::constant(-0.5F));
  const typename V::reg x = V::mul(t, half);
  // What rounding took from the square: without it the far tail is off by 1e-5.
  const typename V::reg low = V::fused_minus(t, half, x);
  return V::mul(exp_below<V>(x, &low), V::mul(polynomial<V>(u, kR), u));
}

// All three activations are v times a share that grows from 0 to 1, S(v) = 1 - S(-v), and so
//   max(v, 0) - |v| * tail(|v|),
// which keeps the relative precision of small and of very negative v, a NaN, and infinities.
template <epilogue_op Op, class V>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE typename V::reg activate(const typename V::reg& v) {
  // 1024 * 2^-190 is nothing as an f32. Larger |v| count as that: squares stay finite, and nothing is 0 * infinity.
  constexpr float kNothingBeyond = 1024.0F;
  constexpr float kTwoRootTwoOverPi = 1.595769122F, kCubic = 0.07135481627F;  // the latter times 0.044715
  const typename V::reg t = V::min(V::abs(v), V::constant(kNothingBeyond));
  typename V::reg tail;
  if constexpr (Op == epilogue_op::gelu_erf) {
    tail = normal_tail<V>(t);
  } else if constexpr (Op == epilogue_op::gelu_tanh) {
    const typename V::reg slope = V::fma(V::mul(t, t), V::constant(-kCubic), V::constant(-kTwoRootTwoOverPi));
    tail = logistic_tail<V>(V::mul(t, slope));
  } else {
    tail = logistic_tail<V>(V::mul(t, V::constant(-1.0F)));
  }
  return V::fma(V::mul(t, tail), V::constant(-kExpUnshift), V::max(V::zero(), v));
}

// What the operations read for one vector of columns, in all rows.
struct column_operands {
  vec::reg bias, scale, lo, hi;
};

template <bool Masked, class Chain>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE column_operands load_columns(const epilogue_operands& o, std::int64_t col,
                                                               vec::mask m) {
  column_operands c{vec::zero(), vec::zero(), vec::zero(), vec::zero()};
  if constexpr (Chain::reads.bias) c.bias = load_part<Masked>(o.bias + col, m);
  if constexpr (Chain::reads.scale) c.scale = vec::set1(&o.scale);
  if constexpr (Chain::reads.clamp) {
    c.lo = vec::set1(&o.clamp_lo);
    c.hi = vec::set1(&o.clamp_hi);
  }
  return c;
}

// One vector of each of some rows of the whole result: where the first stands, and which lanes are valid.
struct place {
  std::int64_t item, row, col;
  vec::mask lanes;
};

// R rows of an M x N operand of the chain.
template <bool Masked, int R>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE typename several<R>::reg load_rows(const float* p, std::int64_t ld,
                                                                     std::int64_t stride, const place& at) {
  typename several<R>::reg out;
  const float* const first = p + at.item * stride + at.row * ld + at.col;
  GEMWRIGHT_UNROLL
  for (int r = 0; r < R; ++r) out.v[r] = load_part<Masked>(first + r * ld, at.lanes);
  return out;
}

template <epilogue_op Op, bool Masked, int R>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE typename several<R>::reg apply(typename several<R>::reg v, const epilogue_operands& o,
                                                                 const column_operands& c, const place& at) {
  using V = several<R>;
  if constexpr (Op == epilogue_op::add) {
    return V::add(v, load_rows<Masked, R>(o.residual, o.ld_residual, o.stride_residual, at));
  } else if constexpr (Op == epilogue_op::mul) {
    return V::mul(v, load_rows<Masked, R>(o.operand, o.ld_operand, o.stride_operand, at));
  } else if constexpr (Op == epilogue_op::bias || Op == epilogue_op::relu || Op == epilogue_op::scale ||
                       Op == epilogue_op::clamp) {
    GEMWRIGHT_UNROLL
    for (int r = 0; r < R; ++r) {
      vec::reg& x = v.v[r];
      if constexpr (Op == epilogue_op::bias) x = vec::add(x, c.bias);
      if constexpr (Op == epilogue_op::relu) x = vec::max(vec::zero(), x);
      if constexpr (Op == epilogue_op::scale) x = vec::mul(x, c.scale);
      if constexpr (Op == epilogue_op::clamp) x = vec::min(c.hi, vec::max(c.lo, x));
    }
    return v;
  } else {
    return activate<Op, V>(v);
  }
}

template <bool Masked, int R, epilogue_op... Ops>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE typename several<R>::reg apply_chain(chain<Ops...>, typename several<R>::reg v,
                                                                       [[maybe_unused]] const epilogue_operands& o,
                                                                       [[maybe_unused]] const column_operands& c,
                                                                       [[maybe_unused]] const place& at) {
  ((v = apply<Ops, Masked, R>(v, o, c, at)), ...);
  return v;
}

// A pair of products: what its bias and the rest of its chain read for one vector of columns of C.
struct pair_operands {
  vec::reg gate_bias, up_bias;
  column_operands after;
};

template <bool Masked, class Chain>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE pair_operands load_pair(const epilogue_operands& o, std::int64_t col,
                                                          std::int64_t half, vec::mask m) {
  using parts = pair_parts<Chain>;
  pair_operands p{vec::zero(), vec::zero(), load_columns<Masked, typename parts::after>(o, col, m)};
  if constexpr (parts::bias) {
    p.gate_bias = load_part<Masked>(o.bias + col, m);
    p.up_bias = load_part<Masked>(o.bias + half + col, m);
  }
  return p;
}

template <bool Masked, int R, class Chain>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE typename several<R>::reg apply_pair(typename several<R>::reg gate,
                                                                      typename several<R>::reg up,
                                                                      const epilogue_operands& o,
                                                                      const pair_operands& p, const place& at) {
  using V = several<R>;
  using parts = pair_parts<Chain>;
  if constexpr (parts::bias) {
    GEMWRIGHT_UNROLL
    for (int r = 0; r < R; ++r) {
      gate.v[r] = vec::add(gate.v[r], p.gate_bias);
      up.v[r] = vec::add(up.v[r], p.up_bias);
    }
  }
  const typename V::reg v = V::mul(activate<parts::gate, V>(gate), up);
  return apply_chain<Masked, R>(typename parts::after{}, v, o, p.after, at);
}

// Rows that pass through a chain together. With more the registers end.
constexpr int kRowsTogether = 4;
