// The host compilers that turn candidates into code.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tuner/result.h"
#include "tuner/study/records.h"

namespace gemwright::tuner {

struct Compiler {
  std::string name;     // as the user names it: "g++", "/opt/gcc/bin/g++-14"
  std::string path;     // absolute or as given
  std::string version;  // first line of --version
};

// What a consumer's plain build uses: no -march (the tiles carry their own target attributes), -O2, shared and
// position-independent because candidates are loaded at run time.
const std::vector<std::string>& compile_flags();
std::string compile_flags_text();

// A name is looked for on PATH, a path is taken as it is.
Result<Compiler> find_compiler(const std::string& name);
// Of g++ and clang++, those that are there.
std::vector<Compiler> available_compilers();

// What identifies code compiled by it from the embedded kernel headers.
Build build_of(const Compiler& compiler, const std::string& tool_version);

// The first error in what a compiler printed, without the folder of the file; empty when there is none.
std::string first_error(std::string_view printed);

}  // namespace gemwright::tuner
