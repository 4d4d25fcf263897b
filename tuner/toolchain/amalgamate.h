// Joins C++ headers into one text that can be pasted into another header.
//
// A header with `#pragma once` appears once, before the header that first needs it and outside that one's #if blocks
// (so a header guards itself), under a guard of its own: two texts made of one set of files, from different entries,
// can meet in one file. A header of macros alone has no guard, since the macros are gone at the end: whatever the
// including program had defined under names that begin with GEMWRIGHT_ is back. Any other file (.inl) appears wherever
// it is included. System includes come first, each under the conditions under which it stood.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tuner/result.h"
#include "tuner/toolchain/kernel_source.h"

namespace gemwright::tuner {

// `entries` are paths among `files`. Fails when an #include "..." names no file or includes run in a circle. Guards are
// GEMWRIGHT_KERNELS_<digest>_<path>, and the word gemwright_abi is abi_<digest> in the text.
Result<std::string> amalgamate(const std::vector<SourceFile>& files, const std::vector<std::string_view>& entries,
                               std::string_view digest);

}  // namespace gemwright::tuner
