// The assembly of one tile's main micro-kernel: full height, all columns. Compiled from the embedded kernel headers
// with the flags of every build, so it is the code that was timed and that ships.
#pragma once

#include <string>
#include <vector>

#include "tuner/problem/problem.h"
#include "tuner/result.h"
#include "tuner/space/config.h"
#include "tuner/toolchain/compiler.h"

namespace gemwright::tuner {

// C++ text that instantiates that micro-kernel and nothing else.
std::string micro_kernel_source(const Config& config, const std::vector<EpilogueOp>& chain);

// AT&T syntax, fit for hot_loop. Runs the compiler in a folder of its own under the system's temporary folder: about
// half a second.
Result<std::string> tile_assembly(const Compiler& compiler, const Config& config, const std::vector<EpilogueOp>& chain);

}  // namespace gemwright::tuner
