#include "tuner/worker/candidate.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cfenv>
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
  const bool f32 = api.mode == static_cast<int>(ComputeMode::f32);
  const bool whole = f32 ? api.pack && api.packed_data && api.run : api.pack_dot && api.copy_packed && api.run_dot;
  const bool known = api.mode >= 0 && api.mode < gemwright::compute_mode_count;
  if (!known || !whole) return fail(fmt::format("{} offers no tiles of a known compute mode", path));
  return std::unique_ptr<TileLibrary>(new TileLibrary(std::move(loaded->first), loaded->second));
}

TileLibrary::~TileLibrary() { drop_context(); }

std::optional<int> TileLibrary::find(const gemwright::tile& t) const {
  gemwright::tile same = t;  // program: the group holds it once (tile_group.h)
  same.ku = std::max(t.ku, t.ka);
  const std::string name = tile_name(same);
  for (int i = 0; i < api_->tile_count; ++i) {
    if (name == api_->tile_names[i]) return i;
  }
  return std::nullopt;
}

PackedWeights TileLibrary::pack(const float* b, std::int64_t ldb, gemwright::layout order, std::int64_t n,
                                std::int64_t k, std::int64_t batch, std::int64_t stride,
                                const gemwright::packing& format) const {
  const int col_major = order == gemwright::layout::col_major ? 1 : 0;
  return {api_->pack(b, ldb, col_major, n, k, batch, stride, &format), api_->free_packed};
}

PackedWeights TileLibrary::pack(const gemwright::dot_weights_source& b, std::int64_t n, std::int64_t k,
                                std::int64_t batch, const gemwright::packing& format) const {
  return {api_->pack_dot(&b, n, k, batch, &format), api_->free_packed};
}

PackedWeights TileLibrary::copy(const PackedWeights& packed) const {
  return {api_->copy_packed(packed.get()), api_->free_packed};
}

bool TileLibrary::ensure_context(int threads, const gemwright::scratch_size& scratch) {
  const gemwright::scratch_size wanted = gemwright::larger(scratch, scratch_);
  const bool enough =
      wanted.per_job == scratch_.per_job && wanted.jobs == scratch_.jobs && wanted.shared == scratch_.shared;
  if (context_ != nullptr && threads == threads_ && enough) return true;
  drop_context();
  context_ = api_->make_context(threads, &wanted);
  if (context_ == nullptr) return false;
  threads_ = threads;
  scratch_ = wanted;
  return true;
}

void TileLibrary::drop_context() {
  if (context_ != nullptr) api_->free_context(context_);
  context_ = nullptr;
  scratch_ = {};
}

void TileLibrary::park() {
  if (context_ != nullptr) api_->park(context_);
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
  return fmt::format("the candidate refused to run: {}",
                     gemwright::status_text(static_cast<gemwright::status>(status)));
}

}  // namespace gemwright::tuner
