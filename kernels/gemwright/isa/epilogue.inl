// The operations of epilogue chains, written once over the vector operations of an instruction set, included as
// micro_kernel.inl is. Of `vec` it uses zero, set1, load, load(mask), fma, add, mul, div, and
//   max, min      the second operand where one is a NaN, as the instructions do: max(0, v) keeps a NaN of v
//   abs, constant(float); fused(a, b, c) = a * b + c, rounded once
//   ints, round(reg) to the nearest whole numbers, to_float(ints), pow2(ints n, m) = 2^(n + m) for -126 <= n + m <= 127

template <bool Masked>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE vec::reg load_part(const float* p, vec::mask m) {
  if constexpr (Masked) {
    return vec::load(p, m);
  } else {
    return vec::load(p);
  }
}

// c[0] + x * (c[1] + x * (c[2] + ...)).
template <int Count>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE vec::reg polynomial(vec::reg x, const float (&c)[Count]) {
  vec::reg sum = vec::constant(c[Count - 1]);
  GEMWRIGHT_UNROLL
  for (int i = Count - 2; i >= 0; --i) sum = vec::fma(sum, x, vec::constant(c[i]));
  return sum;
}

// Results of exp_minus are 2^64 times too large: what they are multiplied with later may bring them back into the
// normal range, so that subnormal numbers are rounded once, at the end.
constexpr int kExpShift = 64;
constexpr float kExpUnshift = 0x1p-64F;

// exp(low - w) * 2^64 for w >= 0, where w beyond 131 counts as that (2^-190 is nothing beside any f32) and low is tiny.
// n is the nearest whole number of w / ln 2; the rest, at most ln 2 / 2, goes into a polynomial of relative error 1e-8.
GEMWRIGHT_TARGET GEMWRIGHT_INLINE vec::reg exp_minus(vec::reg w, vec::reg low) {
  constexpr float kMost = 131.0F, kMinusLog2E = -1.44269504F;
  constexpr float kMinusLn2High = -0.693359375F, kMinusLn2Low = 2.12194440e-4F;  // high has 9 bits: n * high is exact
  constexpr float kRest[] = {1.0F, 1.0F, 0.5F, 0.1666657667F, 0.04166655421F, 0.008363232884F, 0.001392625083F};
  w = vec::min(w, vec::constant(kMost));
  const vec::ints n = vec::round(vec::mul(w, vec::constant(kMinusLog2E)));
  const vec::reg whole = vec::to_float(n);
  vec::reg rest = vec::fma(whole, vec::constant(kMinusLn2High), vec::mul(w, vec::constant(-1.0F)));
  rest = vec::fma(whole, vec::constant(kMinusLn2Low), vec::add(rest, low));
  return vec::mul(polynomial(rest, kRest), vec::pow2(n, kExpShift));
}

// 1 / (1 + exp(z)) * 2^64 for z >= 0.
GEMWRIGHT_TARGET GEMWRIGHT_INLINE vec::reg logistic_tail(vec::reg z) {
  const vec::reg e = exp_minus(z, vec::zero());
  return vec::div(e, vec::fma(e, vec::constant(kExpUnshift), vec::constant(1.0F)));
}

// The share of the normal distribution beyond t >= 0, * 2^64: exp(-t^2 / 2) * R(t), where R falls slowly from 1/2 and
// is u times a polynomial of u = 1 / (1 + 0.26 t), of relative error 6e-8 up to t = 13.3, where t * R meets the
// subnormals.
GEMWRIGHT_TARGET GEMWRIGHT_INLINE vec::reg normal_tail(vec::reg t) {
  constexpr float kR[] = {0.1037721848F,  0.1027932355F, 0.104629572F,   0.04474285197F, 0.1758054665F,
                          -0.1726296959F, 0.2706060158F, -0.1621605328F, 0.03244090458F};
  const vec::reg u = vec::div(vec::constant(1.0F), vec::fma(t, vec::constant(0.26F), vec::constant(1.0F)));
  const vec::reg half = vec::mul(t, vec::constant(-0.5F));
  const vec::reg w = vec::mul(t, vec::mul(t, vec::constant(0.5F)));
  // What rounding took from the square: without it the far tail is off by 1e-5.
  const vec::reg low = vec::fused(t, half, w);
  return vec::mul(exp_minus(w, low), vec::mul(polynomial(u, kR), u));
}

// All three activations are v times a share that grows from 0 to 1, S(v) = 1 - S(-v), and so
//   max(v, 0) - |v| * tail(|v|),
// which keeps the relative precision of small and of very negative v, a NaN, and infinities.
template <epilogue_op Op>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE vec::reg activate(vec::reg v) {
  // 1024 * 2^-190 is nothing as an f32. Larger |v| count as that: squares stay finite, and nothing is 0 * infinity.
  constexpr float kNothingBeyond = 1024.0F;
  constexpr float kTwoRootTwoOverPi = 1.595769122F, kCubic = 0.07135481627F;  // the latter times 0.044715
  const vec::reg t = vec::min(vec::abs(v), vec::constant(kNothingBeyond));
  vec::reg tail;
  if constexpr (Op == epilogue_op::gelu_erf) {
    tail = normal_tail(t);
  } else if constexpr (Op == epilogue_op::gelu_tanh) {
    const vec::reg slope = vec::fma(vec::mul(t, t), vec::constant(kCubic), vec::constant(kTwoRootTwoOverPi));
    tail = logistic_tail(vec::mul(t, slope));
  } else {
    tail = logistic_tail(t);
  }
  return vec::fma(vec::mul(t, tail), vec::constant(-kExpUnshift), vec::max(vec::zero(), v));
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

// One vector of the whole result: where it stands, and which of its lanes are valid.
struct place {
  std::int64_t item, row, col;
  vec::mask lanes;
};

template <epilogue_op Op, bool Masked>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE vec::reg apply(vec::reg v, const epilogue_operands& o, const column_operands& c,
                                                 const place& at) {
  if constexpr (Op == epilogue_op::bias) {
    return vec::add(v, c.bias);
  } else if constexpr (Op == epilogue_op::relu) {
    return vec::max(vec::zero(), v);
  } else if constexpr (Op == epilogue_op::add) {
    return vec::add(
        v, load_part<Masked>(o.residual + at.item * o.stride_residual + at.row * o.ld_residual + at.col, at.lanes));
  } else if constexpr (Op == epilogue_op::mul) {
    return vec::mul(
        v, load_part<Masked>(o.operand + at.item * o.stride_operand + at.row * o.ld_operand + at.col, at.lanes));
  } else if constexpr (Op == epilogue_op::scale) {
    return vec::mul(v, c.scale);
  } else if constexpr (Op == epilogue_op::clamp) {
    return vec::min(c.hi, vec::max(c.lo, v));
  } else {
    return activate<Op>(v);
  }
}

template <bool Masked, epilogue_op... Ops>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE vec::reg apply_chain(chain<Ops...>, vec::reg v,
                                                       [[maybe_unused]] const epilogue_operands& o,
                                                       [[maybe_unused]] const column_operands& c,
                                                       [[maybe_unused]] const place& at) {
  ((v = apply<Ops, Masked>(v, o, c, at)), ...);
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

template <bool Masked, class Chain>
GEMWRIGHT_TARGET GEMWRIGHT_INLINE vec::reg apply_pair(vec::reg gate, vec::reg up, const epilogue_operands& o,
                                                      const pair_operands& p, const place& at) {
  using parts = pair_parts<Chain>;
  if constexpr (parts::bias) {
    gate = vec::add(gate, p.gate_bias);
    up = vec::add(up, p.up_bias);
  }
  const vec::reg v = vec::mul(activate<parts::gate>(gate), up);
  return apply_chain<Masked>(typename parts::after{}, v, o, p.after, at);
}
