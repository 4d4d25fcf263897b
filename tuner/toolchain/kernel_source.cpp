#include "tuner/toolchain/kernel_source.h"

#include "tuner/toolchain/amalgamate.h"
#include "tuner/toolchain/embedded.h"

namespace gemwright::tuner {

const std::vector<SourceFile>& kernel_headers() {
  static const std::vector<SourceFile> files(embedded::kFiles, embedded::kFiles + embedded::kFileCount);
  return files;
}

std::string source_digest() { return embedded::kDigest; }

namespace {

// The embedded headers are fixed when the tool is built, and a test amalgamates them: this cannot fail at run time.
std::string amalgamated(const std::vector<std::string_view>& entries) {
  return amalgamate(kernel_headers(), entries, embedded::kDigest).value();
}

}  // namespace

std::string amalgamated_kernels(bool f32, bool dot) {
  std::vector<std::string_view> entries;
  if (f32) entries.emplace_back("gemwright/dispatch.h");
  if (dot) entries.emplace_back("gemwright/dot_dispatch.h");
  return amalgamated(entries);
}

std::string amalgamated_tiles(bool dot) {
  return amalgamated({dot ? "gemwright/compiled_dot_tile.h" : "gemwright/compiled_tile.h"});
}

}  // namespace gemwright::tuner
