#include "tuner/baseline/loaded.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <string_view>

#include "tuner/problem/input_text.h"

namespace gemwright::tuner {
namespace {

constexpr std::string_view kByPath = "blas:";
constexpr std::size_t kMaxPath = 4096;
constexpr std::size_t kMaxShown = 300;  // of a path in a sentence

bool is_path(std::string_view name) { return name.substr(0, kByPath.size()) == kByPath; }

}  // namespace

Result<LoadedLibrary> LoadedLibrary::open(const std::string& file) {
  // Lazily: a library may want functions that none of ours calls.
  void* const handle = dlopen(file.c_str(), RTLD_LAZY | RTLD_LOCAL);
  if (handle != nullptr) return LoadedLibrary(handle);
  const char* const text = dlerror();
  std::string_view why = text != nullptr ? text : "the loader does not say why";
  // It begins with the file, which stands here already.
  if (why.substr(0, file.size() + 2) == file + ": ") why.remove_prefix(file.size() + 2);
  return fail(
      fmt::format("{} cannot be opened as a library: {}", printable(file, kMaxShown), printable(why, kMaxShown)));
}

void* LoadedLibrary::address(const char* symbol) const { return dlsym(handle_, symbol); }

Result<void> check_plain_f32(const std::string& name, const Problem& p) {
  if (p.interface != Interface::f32) {
    return fail(fmt::format("{} is called for f32 products alone, not for {}", name, to_text(p.interface)));
  }
  if (!p.chain.empty()) return fail(fmt::format("{} has no fused chain such as {}", name, epilogue_text(p.chain)));
  if (p.k == 0) return fail(fmt::format("{} is not asked for products with K = 0", name));
  return {};
}

Result<void> check_baseline_name(const std::string& name) {
  if (is_path(name)) {
    const std::string path = name.substr(kByPath.size());
    if (path.empty()) return fail("blas: needs a library behind it, as in blas:/path/to/lib.so", ErrorKind::usage);
    if (path.size() > kMaxPath || printable(path, kMaxPath) != path) {
      return fail(fmt::format("{} is not the path of a library", quote(path)), ErrorKind::usage);
    }
    return {};
  }
  if (name == kOneDnn || name == kOpenBlas || name == kLibxsmm) return {};
  return fail(
      fmt::format("there is no baseline {}: onednn, openblas, libxsmm and blas:/path/to/lib.so are known", quote(name)),
      ErrorKind::usage);
}

bool names_a_file(const std::string& name) { return is_path(name); }

Result<std::unique_ptr<Baseline>> open_baseline(const std::string& name) {
  if (auto known = check_baseline_name(name); !known) return tl::unexpected(known.error());
  if (is_path(name)) return open_cblas(name, name.substr(kByPath.size()));
  if (name == kOpenBlas) return open_cblas(name, "libopenblas.so.0");
  if (name == kLibxsmm) return open_libxsmm("libxsmm.so.1");
  return make_onednn();
}

}  // namespace gemwright::tuner
