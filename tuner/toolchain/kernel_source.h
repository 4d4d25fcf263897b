// The kernel headers, embedded in the binary: what the tuner compiles for its candidates is the text that an export
// ships.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gemwright::tuner {

struct SourceFile {
  std::string_view path;  // as included: "gemwright/gemm.h"
  std::string_view text;
};

const std::vector<SourceFile>& kernel_headers();

// 16 hex digits over all paths and texts.
std::string source_digest();

// The kernel headers that f32 plans, dot plans (bf16, u8s8) or both need, as one C++17 text: system includes first,
// then each header once in include order (.inl texts as often as they are included), the inline namespace
// `gemwright_abi` renamed to "abi_<digest>", each header guarded by a macro of that digest so that two exported headers
// can meet in one file, helper macros undefined at the end.
std::string amalgamated_kernels(bool f32 = true, bool dot = false);

// The part of them that tiles alone are compiled from: those of f32, or those of the dot modes.
std::string amalgamated_tiles(bool dot);

}  // namespace gemwright::tuner
