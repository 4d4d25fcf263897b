#include "tuner/insight/tile_assembly.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

#include "tuner/problem/input_text.h"
#include "tuner/problem/kernel_text.h"
#include "tuner/space/limits.h"
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

// Where the kernel headers keep the dot micro-kernel of a family.
std::string_view dot_namespace(ComputeMode mode, gemwright::isa family) {
  using gemwright::isa;
  const bool bf16 = mode == ComputeMode::bf16;
  switch (family) {
    case isa::scalar:
      return bf16 ? "scalar_bf16" : "scalar_u8s8";
    case isa::avx2:
      return bf16 ? "avx2_bf16" : "avx2_u8s8";
    case isa::avx512f:
      return "avx512f_bf16";
    case isa::avx_vnni:
      return "avx_vnni_dot";
    case isa::avx512_vnni:
      return "avx512_vnni_dot";
    case isa::avx512_bf16:
      break;
  }
  return "avx512_bf16_dot";
}

}  // namespace

std::string micro_kernel_source(const Config& config, const Problem& problem) {
  const gemwright::tile& t = config.tile;
  const std::string chain = kernel_chain(problem.chain, "gemwright");
  const std::string shape =
      fmt::format("{}, {}, {}, {}, gemwright::prefetch::{}", t.mr, t.nv, t.ku, t.ka, gemwright::prefetch_name(t.hint));
  const std::string along = fmt::format("{}_kernels::micro_along<{}, {}, {}, {}, {}>(const gemwright::micro_args&)",
                                        gemwright::isa_name(t.family), t.mr, t.nv, t.ku, t.ka, chain);
  const std::string kernel = t.along_k ? along
                             : config.mode == ComputeMode::f32
                                 ? fmt::format("{}_kernels::micro<{}, false, {}, {}>(const gemwright::micro_args&)",
                                               gemwright::isa_name(t.family), shape, chain, t.panels)
                                 : fmt::format("{}::dot_micro<{}, {}, {}, {}>(const gemwright::dot_args&)",
                                               dot_namespace(config.mode, t.family), shape,
                                               kernel_element(c_element(problem), "gemwright"), chain, t.panels);
  return amalgamated_tiles(is_dot(config.mode)) + fmt::format("\ntemplate void gemwright::{};\n", kernel);
}

Result<std::string> tile_assembly(const Compiler& compiler, const Config& config, const Problem& problem) {
  if (const auto reason = violated(config.mode, config.tile)) return fail(*reason);
  if (config.tile.panels > 1 && !may_span(problem, config.mode)) {
    return fail("tiles of a pair of products in a dot mode span one panel");
  }
  const ScratchFolder folder;
  const auto source = folder.path() / "tile.cpp", output = folder.path() / "tile.s";
  {
    std::ofstream out(source, std::ios::binary);
    out << micro_kernel_source(config, problem);
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
