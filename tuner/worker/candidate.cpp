#include "tuner/worker/candidate.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cfenv>
#include <exception>
#include <string_view>
#include <utility>

namespace gemwright::tuner {
namespace {

std::string loader_error() {
  const char* const text = dlerror();
  return text != nullptr ? text : "unknown reason";
}

// Returns what the library's entry point returns.
template <class Api>
Result<std::pair<LibraryHandle, const Api*>> load(const std::string& path, const char* symbol) {
  // A library linked with -ffast-math sets the floating-point environment of the thread that loads it, and with it that
  // of everything computed here afterwards.
  std::fenv_t environment;
  std::fegetenv(&environment);
  LibraryHandle handle(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
  std::fesetenv(&environment);
  if (!handle) return fail(fmt::format("cannot load the compiled library: {}", loader_error()));
  void* const entry = dlsym(handle.get(), symbol);
  if (entry == nullptr) return fail(fmt::format("{} is not a library of candidates: {} is missing", path, symbol));
  const Api* const api = reinterpret_cast<const Api* (*)()>(entry)();
  if (api == nullptr) return fail(fmt::format("{} offers no candidates", path));
  if (api->version != kLibraryVersion) {
    return fail(fmt::format("{} has interface version {}, expected {}", path, api->version, kLibraryVersion));
  }
  return std::pair{std::move(handle), api};
}

}  // namespace

void CloseLibrary::operator()(void* handle) const { dlclose(handle); }

Result<std::unique_ptr<TileLibrary>> TileLibrary::open(const std::string& path, const std::string& expected_digest) {
  auto loaded = load<TileLibraryApi>(path, kTileLibrarySymbol);
  if (!loaded) return tl::unexpected(loaded.error());
  const TileLibraryApi& api = *loaded->second;
  const std::string_view digest = api.source_digest != nullptr ? api.source_digest : "";
  if (!expected_digest.empty() && digest != expected_digest) {
    return fail(
        fmt::format("{} was compiled from kernel sources {}, but this program has {}", path, digest, expected_digest));
  }
  const bool known = api.mode >= 0 && api.mode < gemwright::compute_mode_count;
  const bool f32 = api.mode == static_cast<int>(ComputeMode::f32);
  const bool whole = f32 ? api.tiles != nullptr : api.dot_tiles != nullptr;
  if (!known || !whole) return fail(fmt::format("{} offers no tiles of a known compute mode", path));
  return std::unique_ptr<TileLibrary>(new TileLibrary(std::move(loaded->first), loaded->second));
}

std::optional<int> TileLibrary::find(const gemwright::tile& t) const {
  gemwright::tile same = t;  // program: the group holds it once (tile_group.h)
  same.ku = std::max(t.ku, t.ka);
  const std::string name = tile_name(same);
  for (int i = 0; i < api_->tile_count; ++i) {
    if (name == api_->tile_names[i]) return i;
  }
  return std::nullopt;
}

bool TileContext::ensure(int threads, const gemwright::scratch_size& scratch) {
  if (context_ && context_->threads() == std::max(threads, 1) && context_->fits(scratch)) return true;
  const gemwright::scratch_size all = gemwright::larger(scratch, scratch_);
  drop();
  // What other tiles needed before is kept where there is memory for it.
  for (const gemwright::scratch_size& wanted : {all, scratch}) {
    try {
      context_ = std::make_unique<gemwright::context>(threads, wanted);
    } catch (const std::exception&) {
      return false;
    }
    scratch_ = wanted;
    if (context_->ready()) return true;
  }
  drop();
  return false;
}

void TileContext::drop() {
  context_.reset();
  scratch_ = {};
}

void TileContext::park() {
  if (context_) context_->park();
}

Result<std::unique_ptr<HeaderLibrary>> HeaderLibrary::open(const std::string& path) {
  auto loaded = load<HeaderLibraryApi>(path, kHeaderLibrarySymbol);
  if (!loaded) return tl::unexpected(loaded.error());
  return std::unique_ptr<HeaderLibrary>(new HeaderLibrary(std::move(loaded->first), loaded->second));
}

HeaderLibrary::~HeaderLibrary() { drop_context(); }

bool HeaderLibrary::ensure_context(int threads) {
  if (context_ != nullptr && threads == threads_) return true;
  drop_context();
  context_ = api_->make_context(threads);
  threads_ = threads;
  return context_ != nullptr;
}

void HeaderLibrary::drop_context() {
  if (context_ != nullptr) api_->free_context(context_);
  context_ = nullptr;
}

void HeaderLibrary::park() {
  if (context_ != nullptr) api_->park(context_);
}

std::string run_status_text(int status) {
  if (status < 0 || status > static_cast<int>(gemwright::status::bad_scalar)) {
    return fmt::format("the candidate answered with the unknown status {}", status);
  }
  return run_status_text(static_cast<gemwright::status>(status));
}

std::string run_status_text(gemwright::status status) {
  return fmt::format("the candidate refused to run: {}", gemwright::status_text(status));
}

}  // namespace gemwright::tuner
