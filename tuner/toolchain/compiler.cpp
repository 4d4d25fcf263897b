#include "tuner/toolchain/compiler.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tuner/problem/input_text.h"
#include "tuner/toolchain/digest.h"
#include "tuner/toolchain/kernel_source.h"
#include "tuner/toolchain/process.h"

namespace gemwright::tuner {
namespace {

// A compiler answers --version in milliseconds; one on a slow network drive in seconds.
constexpr std::chrono::seconds kVersionDeadline{10};
constexpr std::size_t kMaxVersion = 200;
constexpr std::size_t kMaxMessage = 300;  // of an error: template names are long

}  // namespace

const std::vector<std::string>& compile_flags() {
  static const std::vector<std::string> flags{"-std=c++17", "-O2", "-fPIC", "-shared", "-pthread"};
  return flags;
}

std::string compile_flags_text() { return fmt::format("{}", fmt::join(compile_flags(), " ")); }

Result<Compiler> find_compiler(const std::string& name) {
  const auto path = find_program(name);
  if (!path) {
    if (name.find('/') != std::string::npos) {
      return fail(fmt::format("{} is not a compiler that can be run: give --compiler a name or the path of one",
                              printable(name, kMaxVersion)));
    }
    return fail(fmt::format("no compiler named {} on PATH: install it or pass --compiler", printable(name)));
  }
  auto process = Process::start({*path, "--version"}, {.environment = {"LC_ALL=C"}});
  if (!process) return tl::unexpected(process.error());
  if (!process->wait(kVersionDeadline)) {
    return fail(fmt::format("{} --version does not end: pass another --compiler", *path));
  }
  const std::string version = printable(trimmed(split(process->out(), '\n').front()), kMaxVersion);
  if (!process->status()->success() || version.empty()) {
    return fail(fmt::format("{} --version ended with {}: it is not a compiler that can be used", *path,
                            to_text(*process->status())));
  }
  return Compiler{name, *path, version};
}

std::vector<Compiler> available_compilers() {
  std::vector<Compiler> found;
  for (const char* name : {"g++", "clang++"}) {
    if (auto c = find_compiler(name)) found.push_back(std::move(*c));
  }
  return found;
}

Build build_of(const Compiler& compiler, const std::string& tool_version) {
  Build b;
  b.tool_version = tool_version;
  b.compiler = compiler.name;
  b.compiler_version = compiler.version;
  b.flags = compile_flags_text();
  b.source_digest = source_digest();
  // The loop nest around the tiles is compiled with the tool.
  b.digest = digest_of({b.compiler, b.compiler_version, b.flags, b.source_digest, __VERSION__});
  return b;
}

std::string first_error(std::string_view printed) {
  for (std::string_view line : split(printed, '\n')) {
    if (line.find("error:") == std::string_view::npos) continue;
    const auto path_end = line.find(':');
    const auto slash = line.substr(0, path_end).rfind('/');
    if (slash != std::string_view::npos) line.remove_prefix(slash + 1);
    return printable(trimmed(line), kMaxMessage);
  }
  return "";
}

}  // namespace gemwright::tuner
