// A library of tiles as the toolchain would compile it, by hand; GEMWRIGHT_FAULT chooses what is wrong with it.
#include <limits>
#include <memory>

#include "tests/session/faults.h"
#include "tuner/toolchain/tile_library.h"

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

const kernel_set& kernels(int tile) {
  static constexpr kernel_set kScalar = compiled_tile<isa::scalar, 3, 5, 2, 1, prefetch::none, Chain>();
  static constexpr kernel_set kAvx2 = compiled_tile<isa::avx2, 4, 2, 2, 2, prefetch::t0, Chain>();
  static constexpr kernel_set kAlong = compiled_tile<isa::avx2, 5, 1, 2, 2, prefetch::none, Chain, true>();
  return tile == 0 ? kScalar : tile == 1 ? kAvx2 : kAlong;
}

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

}  // namespace

extern "C" __attribute__((visibility("default"))) const gemwright::tuner::TileLibraryApi* gemwright_tile_library() {
  static gemwright::tuner::TileLibraryApi api{};
  api.version = GEMWRIGHT_FAULT == GEMWRIGHT_FAULT_VERSION ? 99 : gemwright::tuner::kLibraryVersion;
  api.source_digest = "by hand";
  api.tile_count = kTiles;
  api.tile_names = kNames;
  api.make_context = [](int threads, const scratch_size* scratch) -> void* { return new context(threads, *scratch); };
  api.free_context = [](void* c) { delete static_cast<context*>(c); };
  api.park = [](void* c) { static_cast<context*>(c)->park(); };
  api.pack = [](const float* b, std::int64_t ldb, int col_major, std::int64_t n, std::int64_t k, std::int64_t batch,
                std::int64_t stride, const packing* format) -> void* {
    auto w = std::make_unique<packed_weights>(
        pack_weights(b, ldb, col_major != 0 ? layout::col_major : layout::row_major, n, k, batch, stride, *format));
    return w->valid() ? w.release() : nullptr;
  };
  api.packed_data = [](const void* p) { return static_cast<const packed_weights*>(p)->data(); };
  api.free_packed = [](void* p) { delete static_cast<packed_weights*>(p); };
  api.scratch = [](int tile, const packing* format, const blocking* g, std::int64_t n, std::int64_t k,
                   std::int64_t batch, int b_packed, scratch_size* out) {
    *out = scratch_for(kernels(tile).shape, *format, *g, n, k, batch, b_packed != 0);
  };
  api.run = [](void* c, int tile, const packing* format, const blocking* g, const gemm_call* x) -> int {
    if (GEMWRIGHT_FAULT == GEMWRIGHT_FAULT_BARE && !x->bare) return static_cast<int>(status::bad_scalar);
    if (GEMWRIGHT_FAULT == GEMWRIGHT_FAULT_STATUS && x->m > 64) return static_cast<int>(status::bad_stride);
    const status s = run_gemm(*x, {&kernels(tile), *format, *g}, *static_cast<context*>(c));
    if (s == status::ok && x->m > 0 && x->n > 0) spoil(*x);
    return static_cast<int>(s);
  };
  return &api;
}
