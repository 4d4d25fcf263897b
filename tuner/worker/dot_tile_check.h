// The small problems of tile_check.h for tiles of the dot modes: A and B of every type that the interface hands over, C
// of f32, bf16 and u8, zero points at both ends, extreme integers, one-sided rows.
//
// The reference quantises and rounds as quantize.h and compute_mode.h say. Sums of integers are exact in float64, so
// u8s8 is allowed nothing but its conversion and two scales; bf16 the proven bound of f32, and for the dot instruction,
// which takes what is below the normal numbers for zero, exactly that much more.
#pragma once

#include <optional>

#include "tuner/worker/tile_check.h"

namespace gemwright::tuner {

std::optional<TileFault> check_dot_tile(const TileLibrary& library, int tile, const Config& config,
                                        const Problem& problem);

}  // namespace gemwright::tuner
