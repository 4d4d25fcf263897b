// Candidates as they arrive: shared libraries behind the C interface of tile_library.h, loaded once and kept until the
// session ends. Tiles run in the session's own loop nest and threads, a header in those that it brings.
#pragma once

#include <gemwright/context.h>
#include <gemwright/dot_plan.h>
#include <gemwright/loop_nest.h>

#include <memory>
#include <optional>
#include <string>

#include "tuner/result.h"
#include "tuner/space/config.h"
#include "tuner/toolchain/tile_library.h"

namespace gemwright::tuner {

struct CloseLibrary {
  void operator()(void* handle) const;
};
using LibraryHandle = std::unique_ptr<void, CloseLibrary>;

class TileLibrary {
 public:
  // `expected_digest` empty: any source is accepted.
  static Result<std::unique_ptr<TileLibrary>> open(const std::string& path, const std::string& expected_digest);

  ComputeMode mode() const { return static_cast<ComputeMode>(api_->mode); }
  gemwright::element c_type() const { return static_cast<gemwright::element>(api_->c_type); }
  std::optional<int> find(const gemwright::tile& t) const;
  // Of tile `index`, in a library of f32 tiles, or of tiles of a dot mode.
  gemwright::plan plan(int index, const gemwright::packing& format, const gemwright::blocking& block) const {
    return {api_->tiles[index], format, block};
  }
  gemwright::dot_plan dot_plan(int index, const gemwright::packing& format, const gemwright::blocking& block) const {
    return {api_->dot_tiles[index], format, block};
  }

 private:
  TileLibrary(LibraryHandle handle, const TileLibraryApi* api) : handle_(std::move(handle)), api_(api) {}

  LibraryHandle handle_;
  const TileLibraryApi* api_;
};

// A tile of a library that is loaded.
struct FoundTile {
  const TileLibrary& library;
  int index;
};

// The threads and the scratch memory that all tiles share.
class TileContext {
 public:
  // Makes it anew when it has other threads or too little scratch memory. False when it cannot be made; then there is
  // none.
  bool ensure(int threads, const gemwright::scratch_size& scratch);
  // Behind an `ensure` that succeeded.
  gemwright::context& get() const { return *context_; }
  void drop();
  void park();

 private:
  std::unique_ptr<gemwright::context> context_;
  gemwright::scratch_size scratch_;
};

// Packed weights of a header, with the function that frees them.
using PackedWeights = std::unique_ptr<void, void (*)(void*)>;

class HeaderLibrary {
 public:
  static Result<std::unique_ptr<HeaderLibrary>> open(const std::string& path);
  ~HeaderLibrary();

  const HeaderLibraryApi& api() const { return *api_; }
  bool ensure_context(int threads);
  void* context() const { return context_; }
  void drop_context();
  void park();

 private:
  HeaderLibrary(LibraryHandle handle, const HeaderLibraryApi* api) : handle_(std::move(handle)), api_(api) {}

  LibraryHandle handle_;
  const HeaderLibraryApi* api_;
  void* context_ = nullptr;
  int threads_ = 0;
};

// What a candidate's status means, for people.
std::string run_status_text(gemwright::status status);
std::string run_status_text(int status);  // as a header's library gives it

}  // namespace gemwright::tuner
