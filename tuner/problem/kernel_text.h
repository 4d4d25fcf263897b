// How generated C++ names what a problem asks of the kernels; `kernels` is the namespace that stands for theirs there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tuner/problem/problem.h"

namespace gemwright::tuner {

// "kernels::element::u8".
std::string kernel_element(gemwright::element e, std::string_view kernels);
// "kernels::chain<kernels::epilogue_op::bias>"; requant is the type of C and no operation there.
std::string kernel_chain(const std::vector<EpilogueOp>& chain, std::string_view kernels);
// What compiled_tile is told of a tile behind its chain, where that is not the usual: ", true", ", false, 2"; and
// compiled_dot_tile: ", 2".
std::string kernel_columns(ComputeMode mode, bool along_k, int panels);

}  // namespace gemwright::tuner
