// An exported header's library, by hand: 96 columns, K 40, row-major, constant weights. It counts its packings, so that
// a test can see how many copies rotate: the counter is exported.
#include <gemwright/compute_mode.h>
#include <gemwright/gemm.h>

#include <memory>
#include <vector>

#include "tuner/toolchain/tile_library.h"

namespace {

using namespace gemwright;
constexpr std::int64_t kN = 96, kK = 40;

const kernel_set& kernels() {
  static constexpr kernel_set kScalar = compiled_tile<isa::scalar, 3, 4, 1, 1, prefetch::none, chain<>>();
  return kScalar;
}

// What the header computes with: the operands, or (GEMWRIGHT_HEADER_FAULT 2) those rounded to bf16, which is no fault
// but another mode.
std::vector<float> used(const void* from, std::int64_t count) {
  std::vector<float> v(static_cast<const float*>(from), static_cast<const float*>(from) + count);
  if (GEMWRIGHT_HEADER_FAULT == 2) {
    for (float& x : v) x = to_float(to_bf16(x));
  }
  return v;
}

constexpr blocking kBlock = {64, 64, 32, loop_order::nmk, true, a_packing::none, 1, 1, 1, 0};

}  // namespace

extern "C" {
__attribute__((visibility("default"))) int gemwright_test_packings = 0;
}

extern "C" __attribute__((visibility("default"))) const gemwright::tuner::HeaderLibraryApi* gemwright_header_library() {
  static gemwright::tuner::HeaderLibraryApi api{};
  api.version = gemwright::tuner::kLibraryVersion;
  api.make_context = [](int threads) -> void* { return new context(threads, {0, 1, 0}); };
  api.free_context = [](void* c) { delete static_cast<context*>(c); };
  api.park = [](void* c) { static_cast<context*>(c)->park(); };
  api.pack = [](const void* b, std::int64_t ldb, const float*) -> void* {
    ++gemwright_test_packings;
    const std::vector<float> w = used(b, kK * ldb);
    return new packed_weights(pack_weights(w.data(), ldb, layout::row_major, kN, kK, 1, kN * kK, {8}));
  };
  api.free_packed = [](void* p) { delete static_cast<packed_weights*>(p); };
  api.run = [](void* c, std::int64_t m, const void* a, std::int64_t lda, const void* packed, const void*, std::int64_t,
               void* out, std::int64_t ldc, const gemwright::tuner::ChainOperands*) -> int {
    const std::vector<float> rows = used(a, m * lda);
    gemm_call x;
    x.m = m;
    x.n = kN;
    x.k = kK;
    x.a = rows.data();
    x.lda = lda;
    x.b = static_cast<const packed_weights*>(packed)->data();
    x.b_packed = true;
    x.c = static_cast<float*>(out);
    x.ldc = ldc;
    const status s = run_gemm(x, {&kernels(), {8}, kBlock}, *static_cast<context*>(c));
    if (GEMWRIGHT_HEADER_FAULT == 1) *x.c += 1.0F;
    return static_cast<int>(s);
  };
  return &api;
}
