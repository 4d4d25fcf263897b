// A library of tiles as the toolchain would compile it, by hand; GEMWRIGHT_FAULT chooses what is wrong with it. Each
// micro-kernel is the real one; what spoils a result does so behind the last tile of a product.
#include <gemwright/gemm.h>

#include <atomic>
#include <cstddef>
#include <limits>
#include <utility>

#include "tests/session/faults.h"
#include "tuner/toolchain/tile_library.h"

extern "C" {
// Tiles that ended a block of K with the chain.
__attribute__((visibility("default"))) std::atomic<int> gemwright_test_finished{0};
}

namespace {

using namespace gemwright;

using op = epilogue_op;
#if defined(GEMWRIGHT_CHAIN)
using Chain = chain<GEMWRIGHT_CHAIN>;
#else
using Chain = chain<>;
#endif

constexpr int kTiles = 3;
const char* const kNames[kTiles] = {"scalar_3x5_u2_a1_none", "avx2_4x2_u2_a2_t0", "avx2_5x1_u2_a2_none_along_k"};

// Spoils a right result; `large`: the operands are those of a real problem and not of a small check.
void spoil(const gemm_call& x) {
  [[maybe_unused]] float* const last = x.c + (x.batch - 1) * x.stride_c + (x.m - 1) * x.ldc + x.n - 1;
  [[maybe_unused]] const bool large = x.m * x.n > 4000;
#if GEMWRIGHT_FAULT == GEMWRIGHT_FAULT_ELEMENT
  if (large) *last += 1e-2F;
#elif GEMWRIGHT_FAULT == GEMWRIGHT_FAULT_ROW
  if (large) x.c[(x.m / 2) * x.ldc + 3] = 1e-3F;
#elif GEMWRIGHT_FAULT == GEMWRIGHT_FAULT_NAN
  if (large) x.c[0] = std::numeric_limits<float>::quiet_NaN();
#elif GEMWRIGHT_FAULT == GEMWRIGHT_FAULT_SMALL
  if (x.m % 3 == 1) *last += 1.0F;
#elif GEMWRIGHT_FAULT == GEMWRIGHT_FAULT_WRITE
  last[1] = 0.0F;
#elif GEMWRIGHT_FAULT == GEMWRIGHT_FAULT_WRITE_LARGE
  if (large) last[1] = 0.0F;
#elif GEMWRIGHT_FAULT == GEMWRIGHT_FAULT_READ
  if (x.a_layout == layout::row_major) *last += 0.0F * x.a[(x.batch - 1) * x.stride_a + (x.m - 1) * x.lda + x.k];
#elif GEMWRIGHT_FAULT == GEMWRIGHT_FAULT_SUBNORMAL
  if (*last != 0 && *last < std::numeric_limits<float>::min() && *last > -std::numeric_limits<float>::min()) *last = 0;
#endif
}

// The call that a tile belongs to: the loop nest hands its operands on by address.
const gemm_call& call_of(const micro_args& x) {
  return *reinterpret_cast<const gemm_call*>(reinterpret_cast<const char*>(x.operands) - offsetof(gemm_call, operands));
}

template <const kernel_set& Real, bool Tail, int Rows>
void faulty(const micro_args& x) {
  (Tail ? Real.tail : Real.full)[Rows - 1](x);
  if (!x.finish) return;
  ++gemwright_test_finished;
  const gemm_call& call = call_of(x);
  const std::int64_t columns = x.col + (Tail ? x.cols : Real.nr);
  if (x.item == call.batch - 1 && x.row + Rows == call.m && columns == call.n) spoil(call);
}

template <const kernel_set& Real, bool Tail, class Rows>
struct table;
template <const kernel_set& Real, bool Tail, int... R>
struct table<Real, Tail, std::integer_sequence<int, R...>> {
  static constexpr micro_kernel functions[] = {&faulty<Real, Tail, R + 1>...};
};

template <const kernel_set& Real>
constexpr kernel_set wrapped() {
  using rows = std::make_integer_sequence<int, Real.shape.mr>;
  kernel_set s = Real;
  s.full = table<Real, false, rows>::functions;
  s.tail = table<Real, true, rows>::functions;
  s.reads.operand = s.reads.operand || GEMWRIGHT_FAULT == GEMWRIGHT_FAULT_STATUS;
  return s;
}

constexpr kernel_set kScalar = compiled_tile<isa::scalar, 3, 5, 2, 1, prefetch::none, Chain>();
constexpr kernel_set kAvx2 = compiled_tile<isa::avx2, 4, 2, 2, 2, prefetch::t0, Chain>();
constexpr kernel_set kAlong = compiled_tile<isa::avx2, 5, 1, 2, 2, prefetch::none, Chain, true>();
constexpr kernel_set kWrapped[kTiles] = {wrapped<kScalar>(), wrapped<kAvx2>(), wrapped<kAlong>()};
constexpr const kernel_set* kSets[kTiles] = {&kWrapped[0], &kWrapped[1], &kWrapped[2]};

}  // namespace

extern "C" __attribute__((visibility("default"))) const gemwright::tuner::TileLibraryApi* gemwright_tile_library() {
  constexpr bool kOther = GEMWRIGHT_FAULT == GEMWRIGHT_FAULT_VERSION;
  static constexpr gemwright::tuner::TileLibraryApi kApi{
      kOther ? 99 : gemwright::tuner::kLibraryVersion, "by hand", 0, 0, kTiles, kNames, kSets, nullptr};
  return &kApi;
}
