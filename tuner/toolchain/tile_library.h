// The C interface of a shared library that the tuner compiles and its worker loads: candidate tiles, or a whole
// exported header. Only this file's structs cross the border, and the tables of micro-kernels with the arguments that
// these take (tile.h, dot_tile.h): the library is compiled from the very headers embedded in the tool (`source_digest`
// says so and is compared on loading), so their layout is the same.
#pragma once

#include <gemwright/dot_tile.h>
#include <gemwright/tile.h>

#include <cstdint>

namespace gemwright::tuner {

constexpr std::uint32_t kLibraryVersion = 6;

extern "C" {

// A library of tiles with one compute mode, one type of C and one chain: micro-kernels and nothing around them.
// Packing, the loop nest and threads are the worker's, compiled once with the tool; an exported header compiles the
// same text around the same tiles.
struct TileLibraryApi {
  std::uint32_t version;
  const char* source_digest;
  std::int32_t mode;    // a compute_mode
  std::int32_t c_type;  // an element
  std::int32_t tile_count;
  const char* const* tile_names;  // as tile_name() writes them
  // One of the two, by the mode; the other is null.
  const gemwright::kernel_set* const* tiles;
  const gemwright::dot_kernel_set* const* dot_tiles;
};

// What an exported header's chain may read, dense: gemwright::epilogue_operands as no version of the kernels changes
// it; and what the u8s8 interface adds.
struct ChainOperands {
  const float* bias;
  const float* residual;
  const float* operand;
  float scale, clamp_lo, clamp_hi;
  float a_scale;         // u8s8
  std::int32_t a_zero;   // u8s8
  const float* b_scale;  // u8s8 with weights given per call: n a batch item
  float c_scale;         // C of u8
  std::int32_t c_zero;   // C of u8
};

// One problem of an exported header, seen through what its consumer calls. Its interface says what a, b and c are made
// of.
struct HeaderLibraryApi {
  std::uint32_t version;
  void* (*make_context)(int threads);
  void (*free_context)(void* context);
  void (*park)(void* context);
  // Null where B is given per call. `b_scale`: u8s8, n a batch item.
  void* (*pack)(const void* b, std::int64_t ldb, const float* b_scale);
  void (*free_packed)(void* packed);
  // `b` and `ldb` are used where weights are given per call, `packed` where they are constant. `chain` is null where
  // the problem takes no operand beside A, B and C (takes_operands).
  int (*run)(void* context, std::int64_t m, const void* a, std::int64_t lda, const void* packed, const void* b,
             std::int64_t ldb, void* c, std::int64_t ldc, const ChainOperands* chain);
};

}  // extern "C"

constexpr const char* kTileLibrarySymbol = "gemwright_tile_library";      // const TileLibraryApi* ()
constexpr const char* kHeaderLibrarySymbol = "gemwright_header_library";  // const HeaderLibraryApi* ()

}  // namespace gemwright::tuner
