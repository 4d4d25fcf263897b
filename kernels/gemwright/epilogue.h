// Epilogue chains: what happens to each element of C after the product, in order. Arithmetic is f32.
//
//   bias       v + bias[column]                  gelu_tanh  v / 2 * (1 + tanh(sqrt(2 / pi) * (v + 0.044715 v^3)))
//   add        v + residual[row, column]         gelu_erf   v / 2 * (1 + erf(v / sqrt(2)))
//   mul        v * operand[row, column]          silu       v / (1 + exp(-v))
//   scale      v * scale                         relu       max(v, 0)
//   clamp      min(max(v, clamp_lo), clamp_hi)
//
// Pairs of products: B is [gate | up] along N and C has N / 2 columns,
//   swiglu     silu(gate) * up                   geglu      gelu_tanh(gate) * up
// A pair is the first operation of its chain, or the second after a bias of N elements; what follows it works on the
// N / 2 columns of C. There is no beta.
//
// A chain is a type, so that a tile compiles exactly its operations; an operation stands in it at most once. Each
// instruction set applies it to one vector at a time (isa/epilogue.inl), before the result is written for good.
//
// Errors of the activations against float64, over every 37th f32, in every instruction set: below 1.2e-7 of the larger
// of the result and 1; and of the result itself below 2.5e-7 (silu), 5e-7 (gelu_erf) and 1.5e-5 (gelu_tanh, whose
// exponent is large where the result is next to nothing), or 1e-43 where that is more. A NaN stays a NaN, infinity
// stays infinity, minus infinity becomes zero; subnormal numbers are not flushed.
#pragma once

#include "gemwright/tile.h"

namespace gemwright {
inline namespace gemwright_abi {

enum class epilogue_op : std::uint8_t { bias, relu, gelu_tanh, gelu_erf, silu, add, mul, scale, clamp, swiglu, geglu };

// How often an operation stands in a list.
template <epilogue_op... Ops>
constexpr int count_op(epilogue_op op) {
  return ((Ops == op ? 1 : 0) + ... + 0);
}

template <epilogue_op... Ops>
constexpr bool has_pair = count_op<Ops...>(epilogue_op::swiglu) + count_op<Ops...>(epilogue_op::geglu) > 0;

template <epilogue_op... Ops>
struct chain {
  static_assert(((count_op<Ops...>(Ops) == 1) && ... && true), "an operation stands in a chain at most once");
  static constexpr bool empty = sizeof...(Ops) == 0;
  static constexpr chain_reads reads{count_op<Ops...>(epilogue_op::bias) > 0,  count_op<Ops...>(epilogue_op::add) > 0,
                                     count_op<Ops...>(epilogue_op::mul) > 0,   count_op<Ops...>(epilogue_op::scale) > 0,
                                     count_op<Ops...>(epilogue_op::clamp) > 0, has_pair<Ops...>};
  static constexpr bool pair = has_pair<Ops...>;
  // Whether an operation takes tens of instructions: code that is worth having once for all rows of a tile.
  static constexpr bool long_code = pair || count_op<Ops...>(epilogue_op::gelu_tanh) +
                                                    count_op<Ops...>(epilogue_op::gelu_erf) +
                                                    count_op<Ops...>(epilogue_op::silu) >
                                                0;
};

// The parts of a chain with a pair: whether a bias stands before it, the activation of the gate, and what follows.
template <class Chain>
struct pair_parts;
template <epilogue_op Pair, epilogue_op... After>
struct pair_parts<chain<Pair, After...>> {
  static_assert(has_pair<Pair> && !has_pair<After...>, "a pair comes first, or second after a bias");
  static constexpr bool bias = false;
  static constexpr epilogue_op gate = Pair == epilogue_op::swiglu ? epilogue_op::silu : epilogue_op::gelu_tanh;
  using after = chain<After...>;
};
template <epilogue_op Pair, epilogue_op... After>
struct pair_parts<chain<epilogue_op::bias, Pair, After...>> : pair_parts<chain<Pair, After...>> {
  static constexpr bool bias = true;
};

}  // namespace gemwright_abi
}  // namespace gemwright
