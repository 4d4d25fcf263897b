// Joins C++ headers into one text that can be pasted into another header.
//
// A header with `#pragma once` appears once, before the header that first needs it and outside that one's #if blocks
// (so a header guards itself). Any other file (.inl) appears wherever it is included. System includes come first, each
// under the conditions under which it stood. Macros whose names begin with GEMWRIGHT_ are gone at the end, and whatever
// the including program had defined under their names is back.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tuner/result.h"
#include "tuner/toolchain/kernel_source.h"

namespace gemwright::tuner {

// `entry` is a path among `files`. Fails when an #include "..." names no file or includes run in a circle. The text is
// guarded by GEMWRIGHT_KERNELS_<digest>, and the word gemwright_abi is abi_<digest> in it.
Result<std::string> amalgamate(const std::vector<SourceFile>& files, std::string_view entry, std::string_view digest);

}  // namespace gemwright::tuner
