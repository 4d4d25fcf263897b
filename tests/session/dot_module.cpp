// A library of dot tiles as the toolchain would compile it, by hand: one mode, one type of C. What is wrong with it is
// chosen while it runs: the number is exported.
#include <gemwright/dot.h>

#include <memory>
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

template <isa Family, int MR, int NV, int KU, int KA, prefetch Hint, class C>
constexpr dot_kernel_set kSet = compiled_dot_tile<kMode, Family, MR, NV, KU, KA, Hint, kC, C>();

const dot_kernel_set& kernels(int tile) {
  static constexpr const dot_kernel_set* kSets[kTiles] = {
      &kSet<isa::scalar, 3, 4, 2, 1, prefetch::none, chain<>>, &kSet<isa::avx2, 4, 2, 2, 2, prefetch::t0, chain<>>,
      &kSet<kBest, 5, 2, 1, 1, prefetch::none, chain<>>,       &kSet<isa::scalar, 2, 4, 1, 1, prefetch::none, Chain>,
      &kSet<isa::avx2, 3, 2, 1, 1, prefetch::none, Chain>,     &kSet<kBest, 2, 1, 2, 2, prefetch::t0, Chain>};
  return *kSets[tile];
}

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
__attribute__((visibility("default"))) int gemwright_test_copies = 0;
}

namespace {

bool large(const dot_call& x) { return x.m * x.n > 5000; }

// The call that a faulty library would run instead.
dot_call misread(dot_call x) {
  switch (gemwright_test_fault) {
    case DOT_FAULT_ZERO:
      if (large(x)) x.a_zero ^= 1;
      break;
    case DOT_FAULT_SMALL_ZERO:
      if (x.a_zero == 255) x.a_zero = 254;
      break;
    case DOT_FAULT_C_ZERO:
      x.requant.zero = 0;
      break;
    case DOT_FAULT_SYMMETRIC:
      x.quantisation = row_quantisation::symmetric;
      break;
    default:
      break;
  }
  return x;
}

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

// Swaps the scales of two columns of u8s8, or loses the last elements of a column.
void spoil_weights(const packed_dot_weights& w) {
  if (!w.valid() || w.n() < 5 || w.k() < 5) return;
  auto* const words = const_cast<std::uint32_t*>(w.data());
  const std::int64_t panels = dot_panels_size(w.mode(), w.n(), w.k(), w.format());
  if (gemwright_test_fault == DOT_FAULT_SCALES) std::swap(words[panels + 3], words[panels + 4]);
  if (gemwright_test_fault == DOT_FAULT_SHORT)
    words[(ceil_div(w.k(), k_group(w.mode())) - 1) * w.format().panel + 2] = 0;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const gemwright::tuner::TileLibraryApi* gemwright_tile_library() {
  static gemwright::tuner::TileLibraryApi api{};
  api.version = gemwright::tuner::kLibraryVersion;
  api.source_digest = "by hand";
  api.mode = static_cast<int>(kMode);
  api.c_type = static_cast<int>(kC);
  api.tile_count = kTiles;
  api.tile_names = kNames;
  api.make_context = [](int threads, const scratch_size* scratch) -> void* { return new context(threads, *scratch); };
  api.free_context = [](void* c) { delete static_cast<context*>(c); };
  api.park = [](void* c) { static_cast<context*>(c)->park(); };
  api.pack_dot = [](const dot_weights_source* b, std::int64_t n, std::int64_t k, std::int64_t batch,
                    const packing* format) -> void* {
    auto w = std::make_unique<packed_dot_weights>(pack_dot_weights(kMode, *b, n, k, batch, *format));
    spoil_weights(*w);
    return w->valid() ? w.release() : nullptr;
  };
  api.copy_packed = [](const void* p) -> void* {
    ++gemwright_test_copies;
    return new packed_dot_weights(copy_weights(*static_cast<const packed_dot_weights*>(p)));
  };
  api.free_packed = [](void* p) { delete static_cast<packed_dot_weights*>(p); };
  api.scratch = [](int tile, const packing* format, const blocking* g, std::int64_t n, std::int64_t k,
                   std::int64_t batch, int b_packed, scratch_size* out) {
    if (format->panel > 0) *out = scratch_for({&kernels(tile), *format, *g}, n, k, batch, b_packed != 0);
  };
  api.run_dot = [](void* c, int tile, const packing* format, const blocking* g, const dot_call* x) -> int {
    const dot_call call = misread(*x);
    const status s = run_dot(call, {&kernels(tile), *format, *g}, *static_cast<context*>(c));
    if (s == status::ok && x->m > 0 && x->n > 0) spoil(*x);
    return static_cast<int>(s);
  };
  return &api;
}
