// What a compute mode multiplies in place of the values it was given: bf16 rounds them, u8s8 quantises each row of A
// asymmetrically and each column of B symmetrically, as quantize.h defines it. As f32 again, these are the factors that
// a result of the mode has to be right about, while the given values say how large the mode's error is.
//
// A dequantised factor is scale * (q - zero), rounded to f32: off by 2^-24 of itself at most.
#pragma once

#include <gemwright/memory.h>
#include <gemwright/quantize.h>

#include <cstdint>

#include "tuner/problem/problem.h"
#include "tuner/result.h"
#include "tuner/worker/reference.h"

namespace gemwright::tuner {

// Each value as the bf16 next to it; `codes` may be null.
void round_to_bf16(const float* values, std::int64_t count, float* out, gemwright::bf16* codes);

// All values by one scale and zero point, which it returns. `out` may be `values`.
gemwright::row_scale quantise_tensor(const float* values, std::int64_t count, float* out, std::uint8_t* codes);

// Each row by itself, asymmetrically; each column symmetrically. Element (i, j) of `out` and `codes` lies where that of
// the matrix does relative to its data; `out` may be that data. `codes` and `scales` (one a column) may be null.
void quantise_rows(const MatrixView& a, float* out);
void quantise_columns(const MatrixView& b, float* out, std::int8_t* codes, float* scales);

}  // namespace gemwright::tuner
