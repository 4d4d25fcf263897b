// Which compiler a build was made with, as far as a header can ask its own compiler: family and major version.
#pragma once

#include <optional>

#include "tuner/study/records.h"

namespace gemwright::tuner {

enum class CompilerFamily { gcc, clang };
const char* to_text(CompilerFamily f);  // "g++", "clang++"

struct CompilerId {
  CompilerFamily family = CompilerFamily::gcc;
  std::optional<int> major;  // absent where the version text does not tell
};
// From the first line of --version: "g++ (Debian 12.2.0-14) 12.2.0", "Debian clang version 14.0.6".
CompilerId compiler_id(const Build& build);

}  // namespace gemwright::tuner
