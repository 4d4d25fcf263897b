// The reduction class of a config: everything that decides the bits of a result. Configs of one class give identical
// bits for the same problem and operands, built by the same compiler; the other way round nothing is claimed.
//
// What decides (and who proved that the rest does not; tests/kernels/bitwise_test.cpp, for dot modes dot_test.cpp):
//   mode          with the interface: where operands and C are rounded
//   instruction   fma; mul+add of scalar code, whose chains also round differently; vdpbf16ps; the integer dot product,
//                 exact in all families, behind which scales and chain round as those of vectors or of scalar code do.
//                 Vector families of one instruction agree: FamiliesOfOneInstructionAgree
//   ka            accumulators along K; with more than one also kc, since they are summed after each block of K.
//                 Sums of integers do not depend on it: TilesOfOneFamilyAgree
//   along         vectors along K, with their width: their lanes are summed after each block of K, so kc counts too
//                 (tests/kernels/along_k_test.cpp)
//   tk            slices of K: SlicesOfKFixTheBitsForTheirNumberWhateverTheRest
// What does not: mr, nv, ku, the hint (TilesOfOneFamilyAgree), block sizes, order, grid, packing and threads
// (BlockingOrderGridPackingAndThreadsDoNotChangeABit: partial sums of C are loaded back into the accumulators),
// layouts (LayoutsAgree), N (AColumnDoesNotDependOnN) and M (ARowDoesNotDependOnM); for dot modes all of these at once
// (BlockingThreadsAndRowsDoNotChangeABit).
#pragma once

#include <string>

#include "tuner/space/config.h"

namespace gemwright::tuner {

// Canonical text, for example "f32>bf16 vdpbf16ps ka1 tk1".
std::string reduction_class(const Problem& problem, const Config& config);

}  // namespace gemwright::tuner
