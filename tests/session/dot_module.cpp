// A library of dot tiles as the toolchain would compile it, by hand: one mode, one type of C. What is wrong with it is
// chosen while it runs: the number is exported. Each micro-kernel is the real one; it may be handed other arguments,
// and what spoils a result does so behind the last tile of a product.
#include <gemwright/dot.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "tests/session/faults.h"
#include "tuner/toolchain/tile_library.h"

namespace {

using namespace gemwright;

constexpr compute_mode kMode = compute_mode::GEMWRIGHT_MODE;
constexpr element kC = element::GEMWRIGHT_C;
using Chain = chain<epilogue_op::bias, epilogue_op::relu>;

constexpr isa kBest = kMode == compute_mode::bf16 ? isa::avx512_bf16 : isa::avx512_vnni;
constexpr int kTiles = 6;
const char* const kNames[kTiles] = {
    "scalar_3x4_u2_a1_none",
    "avx2_4x2_u2_a2_t0",
    kMode == compute_mode::bf16 ? "avx512_bf16_5x2_u1_a1_none" : "avx512_vnni_5x2_u1_a1_none",
    "scalar_2x4_u1_a1_none",  // from here on with a chain
    "avx2_3x2_u1_a1_none",
    kMode == compute_mode::bf16 ? "avx512_bf16_2x1_u2_a2_t0" : "avx512_vnni_2x1_u2_a2_t0"};

float& f32_at(const dot_call& x, std::int64_t i) { return static_cast<float*>(x.c)[i]; }
bf16& bf16_at(const dot_call& x, std::int64_t i) { return static_cast<bf16*>(x.c)[i]; }
std::uint8_t& u8_at(const dot_call& x, std::int64_t i) { return static_cast<std::uint8_t*>(x.c)[i]; }

// Adds to an element as much as `part` of it, or a step.
void move_element(const dot_call& x, std::int64_t at, float part) {
  if (kC == element::f32) {
    f32_at(x, at) *= 1 + part;
  } else if (kC == element::u8) {
    u8_at(x, at) ^= 1;
  } else {
    bf16_at(x, at) = to_bf16(to_float(bf16_at(x, at)) * (1 + part));
  }
}

}  // namespace

extern "C" {
__attribute__((visibility("default"))) int gemwright_test_fault = DOT_FAULT_NONE;
__attribute__((visibility("default"))) int gemwright_test_marked = 0;
}

namespace {

bool large(const dot_call& x) { return x.m * x.n > 5000; }

// What quantises C wrongly: everything is one step too low, or what does not fit wraps around.
void spoil_codes(const dot_call& x) {
  for (std::int64_t i = 0; i < x.batch * x.m * x.n; ++i) {
    std::uint8_t& c = u8_at(x, i / (x.m * x.n) * x.stride_c + i / x.n % x.m * x.ldc + i % x.n);
    if (gemwright_test_fault == DOT_FAULT_STEP) c = c > 0 ? static_cast<std::uint8_t>(c - 1) : c;
    if (gemwright_test_fault == DOT_FAULT_WRAP) c = c == 255 ? 0 : c;
  }
}

void spoil(const dot_call& x) {
  const std::int64_t last = (x.batch - 1) * x.stride_c + (x.m - 1) * x.ldc + x.n - 1;
  if (gemwright_test_fault == DOT_FAULT_ELEMENT && large(x))
    move_element(x, last - 1, kC == element::f32 ? 1e-3F : 0.01F);
  if (gemwright_test_fault == DOT_FAULT_WRITE) {
    if (kC == element::f32) f32_at(x, last + 1) = 0;
    if (kC == element::bf16) bf16_at(x, last + 1) = {0};
    if (kC == element::u8) u8_at(x, last + 1) = 0;
  }
  if (kC == element::u8) spoil_codes(x);
}

// The call that a tile belongs to: the loop nest hands its operands on by address.
const dot_call& call_of(const dot_args& x) {
  return *reinterpret_cast<const dot_call*>(reinterpret_cast<const char*>(x.operands) - offsetof(dot_call, operands));
}

// A zero point as the fault in force takes it.
int misread(int zero, const dot_call& call) {
  if (gemwright_test_fault == DOT_FAULT_ZERO && large(call)) return zero ^ 1;
  return gemwright_test_fault == DOT_FAULT_SMALL_ZERO && zero == 255 ? 254 : zero;
}

// As if the last group of K of the third column of the first panel had not been packed.
void shorten(const dot_args& x) { const_cast<std::uint32_t*>(x.b)[(x.groups - 1) * x.b_group + 2] = 0; }

void mark(const dot_args& x) {
  constexpr std::uint32_t kMark = 0x5a5a5a5a;
  auto& word = const_cast<std::uint32_t&>(*x.b);
  if (word == kMark) ++gemwright_test_marked;
  word = kMark;
}

template <const dot_kernel_set& Real, int Rows>
void faulty(const dot_args& from) {
  dot_args x = from;
  const dot_call& call = call_of(x);
  std::int32_t zeros[Rows] = {};
  float scales[Real.nr];
  if (x.a_zero != nullptr && call.a_type == element::u8) {
    for (int r = 0; r < Rows; ++r) zeros[r] = misread(x.a_zero[r], call);
    x.a_zero = zeros;
  }
  if (gemwright_test_fault == DOT_FAULT_C_ZERO) x.requant.zero = 0;
  if (gemwright_test_fault == DOT_FAULT_SHORT && x.last && x.col == 0 && x.groups > 0) shorten(x);
  if (gemwright_test_fault == DOT_FAULT_SCALES && kMode == compute_mode::u8s8 && x.col == 0 && x.cols > 4) {
    std::copy_n(x.b_scale, Real.nr, scales);
    std::swap(scales[3], scales[4]);
    x.b_scale = scales;
  }
  if (gemwright_test_fault == DOT_FAULT_MARK && x.first && x.row == 0 && x.col == 0 && x.groups > 0) mark(x);
  Real.kernels[Rows - 1](x);
  const bool end = x.item == call.batch - 1 && x.row + Rows == call.m && x.col + x.cols == call.n;
  if (x.last && end) spoil(call);
}

template <const dot_kernel_set& Real>
void pack_rows(const dot_pack_args& from) {
  dot_pack_args x = from;
  if (gemwright_test_fault == DOT_FAULT_SYMMETRIC) x.quantisation = row_quantisation::symmetric;
  Real.pack_a(x);
}

template <const dot_kernel_set& Real, class Rows>
struct table;
template <const dot_kernel_set& Real, int... R>
struct table<Real, std::integer_sequence<int, R...>> {
  static constexpr dot_kernel functions[] = {&faulty<Real, R + 1>...};
};

template <const dot_kernel_set& Real>
constexpr dot_kernel_set wrapped() {
  dot_kernel_set s = Real;
  s.kernels = table<Real, std::make_integer_sequence<int, Real.shape.mr>>::functions;
  s.pack_a = &pack_rows<Real>;
  return s;
}

template <isa Family, int MR, int NV, int KU, int KA, prefetch Hint, class C>
constexpr dot_kernel_set kReal = compiled_dot_tile<kMode, Family, MR, NV, KU, KA, Hint, kC, C>();
template <isa Family, int MR, int NV, int KU, int KA, prefetch Hint, class C>
constexpr dot_kernel_set kSet = wrapped<kReal<Family, MR, NV, KU, KA, Hint, C>>();

constexpr const dot_kernel_set* kSets[kTiles] = {
    &kSet<isa::scalar, 3, 4, 2, 1, prefetch::none, chain<>>, &kSet<isa::avx2, 4, 2, 2, 2, prefetch::t0, chain<>>,
    &kSet<kBest, 5, 2, 1, 1, prefetch::none, chain<>>,       &kSet<isa::scalar, 2, 4, 1, 1, prefetch::none, Chain>,
    &kSet<isa::avx2, 3, 2, 1, 1, prefetch::none, Chain>,     &kSet<kBest, 2, 1, 2, 2, prefetch::t0, Chain>};

}  // namespace

extern "C" __attribute__((visibility("default"))) const gemwright::tuner::TileLibraryApi* gemwright_tile_library() {
  static constexpr gemwright::tuner::TileLibraryApi kApi{gemwright::tuner::kLibraryVersion,
                                                         "by hand",
                                                         static_cast<int>(kMode),
                                                         static_cast<int>(kC),
                                                         kTiles,
                                                         kNames,
                                                         nullptr,
                                                         kSets};
  return &kApi;
}
