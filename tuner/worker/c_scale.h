// The scale and zero point of a C of u8: a program finds them on calibration data, we on the operands that are
// measured.
#pragma once

#include "tuner/worker/operands.h"

namespace gemwright::tuner {

// From the range of the result in float64, zero included, as quantize.h chooses them for a row: of all rows, or of as
// many, spread evenly, as take some milliseconds; what lies beyond theirs saturates. Depends on the operands alone,
// which must be complete. 1 and 0 where all of it is zero.
void choose_c_scale(Operands& o);

}  // namespace gemwright::tuner
