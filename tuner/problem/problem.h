// A problem: one kernel to tune. What makes its key is what changes the code or the data format; the M to serve and
// their weights are attributes of the suite that asks for it.
//
// C[M,N] = chain(A[M,K] * B[K,N] + beta * C), `batch` times with fixed strides. Sizes count elements.
// Limits: every size <= kMaxSize and every operand <= kMaxElements, so that no product of sizes overflows 64 bits and a
// typing error is refused before it becomes a failed allocation.
#pragma once

#include <gemwright/compute_mode.h>
#include <gemwright/config.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/result.h"

namespace gemwright::tuner {

constexpr std::int64_t kMaxSize = std::int64_t{1} << 30;
constexpr std::int64_t kMaxElements = std::int64_t{1}
                                      << 33;  // 32 GiB of f32: beyond the memory of the hosts we tune on

// What the caller hands in and gets: f32 x f32 -> f32, bf16 x bf16 -> bf16, u8 x s8 -> f32, or u8 behind requant. u8s8:
// A has one scale and zero point, B one scale a column. The chain's operands are f32 in all of them.
enum class Interface { f32, bf16, u8s8 };
using ComputeMode = gemwright::compute_mode;  // how the product is computed inside
// What follows the product. add and mul read an operand as large as C each, scale a number, clamp two. Of a pair of
// products (swiglu, geglu) B is [gate | up] along N and C has N / 2 columns: silu, or gelu_tanh, of the gate, times up.
// requant, the last of its chain, makes u8 of the results of u8s8: round(v / scale) + zero point, kept in 0 to 255,
// both numbers one for all of C. In the kernels it is the type of C and no operation of the chain.
enum class EpilogueOp { bias, relu, gelu_tanh, gelu_erf, silu, add, mul, scale, clamp, swiglu, geglu, requant };

std::string_view to_text(Interface i);
std::string_view to_text(ComputeMode m);
std::string_view to_text(EpilogueOp op);

// What the operands of an interface are made of; C with a chain.
gemwright::element a_element(Interface i);
gemwright::element b_element(Interface i);
gemwright::element c_element(Interface i, const std::vector<EpilogueOp>& chain);
// The mode that computes with the interface's own elements, and all that may stand behind it, the most exact first.
ComputeMode own_mode(Interface i);
std::vector<ComputeMode> modes_behind(Interface i);

// What a user may write; words that are planned but not built yet are refused as such.
Result<Interface> parse_interface(std::string_view text);
Result<ComputeMode> parse_compute_mode(std::string_view text);

// "none" or "bias+gelu_erf+add": any order, each operation at most once; a pair comes first, or second after a bias;
// requant comes last.
Result<std::vector<EpilogueOp>> parse_epilogue(std::string_view text);
std::string epilogue_text(const std::vector<EpilogueOp>& chain);

struct Problem {
  Interface interface = Interface::f32;
  std::int64_t n = 0;
  std::int64_t k = 0;
  std::int64_t batch = 1;
  gemwright::layout a_layout = gemwright::layout::row_major;
  gemwright::layout b_layout = gemwright::layout::row_major;
  bool constant_weights = true;  // B is packed once; otherwise it is handed in per call
  int beta = 0;                  // 0 or 1
  std::vector<EpilogueOp> chain;

  bool operator==(const Problem&) const = default;
};

gemwright::element c_element(const Problem& p);
bool has_op(const Problem& p, EpilogueOp op);
// Whether the chain makes one column of C of two of the product.
bool has_pair(const Problem& p);
// Whether a call must be told more than A, B and C: operands of the chain, or what integers mean.
bool takes_operands(const Problem& p);
std::int64_t c_columns(const Problem& p);
std::int64_t out_columns(const Problem& p, std::int64_t n);  // the same of a product with n columns
// How many of the chain's operands are as large as C.
int chain_matrices(const Problem& p);

// "nn", "nt", "tn" or "tt": first A, then B; t is column-major.
std::string layout_text(const Problem& p);
Result<void> set_layout(Problem& p, std::string_view text);
Result<void> set_interface(Problem& p, std::string_view text);
// "constant" or "call".
std::string_view weights_text(const Problem& p);
Result<void> set_weights(Problem& p, std::string_view text);

// Canonical text, for example "gemm/f32/n4096/k4096/b1/nn/constant/beta0/none". parse_key is its inverse
// and takes nothing else.
std::string key(const Problem& p);
Result<Problem> parse_key(std::string_view text);

// Refuses sizes out of range with a sentence, a beta other than 0 or 1, and a pair or a requant that cannot be one.
Result<void> check(const Problem& p, std::int64_t m);
// All of it but whether the interface has the chain: what was read before the interface is settled.
Result<void> check_before_interface(const Problem& p, std::int64_t m);

// 2 * M * N * K * batch; the chain is not counted.
double flops(const Problem& p, std::int64_t m);
// Bytes of one set of weights as the caller holds them (f32: 4 * N * K * batch; scales are not counted).
double weight_bytes(const Problem& p);
// Compulsory traffic of one call: A, B and the chain's M x N operands once, C once (twice with beta 1).
double min_bytes(const Problem& p, std::int64_t m);

}  // namespace gemwright::tuner
