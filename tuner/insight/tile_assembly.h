// The assembly of one tile's main micro-kernel: full height, all columns. Compiled from the embedded kernel headers
// with the flags of every build, so it is the code that was timed and that ships.
#pragma once

#include <string>

#include "tuner/problem/problem.h"
#include "tuner/result.h"
#include "tuner/space/config.h"
#include "tuner/toolchain/compiler.h"

namespace gemwright::tuner {

// C++ text that instantiates that micro-kernel and nothing else: for the problem's chain and, in a dot mode, its type
// of C.
std::string micro_kernel_source(const Config& config, const Problem& problem);

// AT&T syntax, fit for hot_loop. Runs the compiler in a folder of its own under the system's temporary folder: about
// half a second.
Result<std::string> tile_assembly(const Compiler& compiler, const Config& config, const Problem& problem);

}  // namespace gemwright::tuner
