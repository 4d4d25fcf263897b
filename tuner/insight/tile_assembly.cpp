#include "tuner/insight/tile_assembly.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "tuner/problem/input_text.h"
#include "tuner/toolchain/kernel_source.h"
#include "tuner/toolchain/process.h"

namespace gemwright::tuner {
namespace {

// One micro-kernel compiles in half a second; a loaded machine or a sanitizer takes some times that.
constexpr std::chrono::seconds kDeadline{60};
constexpr std::uintmax_t kMaxAssembly = std::uintmax_t{16} << 20;  // the largest tile has some 100 KB

// A folder that goes with the object.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::error_code none;
    const auto parent = std::filesystem::temp_directory_path(none);
    if (none) return;
    std::string name = (parent / "gemwright-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;  // a leftover in the temporary folder does no harm
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }  // empty when there is none

 private:
  std::filesystem::path path_;
};

}  // namespace

std::string micro_kernel_source(const Config& config, const std::vector<EpilogueOp>& chain) {
  const gemwright::tile& t = config.tile;
  std::string ops;
  for (const EpilogueOp op : chain) {
    ops += fmt::format("{}gemwright::epilogue_op::{}", ops.empty() ? "" : ", ", to_text(op));
  }
  return amalgamated_kernels() +
         fmt::format(
             "\ntemplate void gemwright::{}_kernels::micro<{}, {}, {}, {}, gemwright::prefetch::{}, false, "
             "gemwright::chain<{}>>(const gemwright::micro_args&);\n",
             gemwright::isa_name(t.family), t.mr, t.nv, t.ku, t.ka, gemwright::prefetch_name(t.hint), ops);
}

Result<std::string> tile_assembly(const Compiler& compiler, const Config& config,
                                  const std::vector<EpilogueOp>& chain) {
  if (const auto reason = violated(config.mode, config.tile)) return fail(*reason);
  const ScratchFolder folder;
  const auto source = folder.path() / "tile.cpp", output = folder.path() / "tile.s";
  {
    std::ofstream out(source, std::ios::binary);
    out << micro_kernel_source(config, chain);
    out.flush();
    if (folder.path().empty() || !out) {
      return fail("the temporary folder cannot be written: set TMPDIR to one with room");
    }
  }
  std::vector<std::string> argv{compiler.path};
  argv.insert(argv.end(), compile_flags().begin(), compile_flags().end());
  argv.insert(argv.end(), {"-S", source.string(), "-o", output.string()});
  // The C locale: the first error is found by its English name.
  auto process = Process::start(argv, {.environment = {"LC_ALL=C"}});
  if (!process) return tl::unexpected(process.error());
  if (!process->wait(kDeadline)) {
    process->kill();
    return fail(fmt::format("{} did not end within {} s", compiler.name, kDeadline.count()));
  }
  if (!process->status()->success()) {
    const std::string error = first_error(process->err());
    return fail(
        fmt::format("{}: {}", compiler.name, error.empty() ? "it ended with " + to_text(*process->status()) : error));
  }
  return read_text_file(output, kMaxAssembly);
}

}  // namespace gemwright::tuner
