// Candidates as they arrive: shared libraries behind the C interface of tile_library.h, loaded once and kept until the
// session ends. Each library has one context, hence one pool of threads, that its candidates share.
#pragma once

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

// Packed weights of a library, with the function that frees them.
using PackedWeights = std::unique_ptr<void, void (*)(void*)>;

class TileLibrary {
 public:
  // `expected_digest` empty: any source is accepted.
  static Result<std::unique_ptr<TileLibrary>> open(const std::string& path, const std::string& expected_digest);
  ~TileLibrary();

  const TileLibraryApi& api() const { return *api_; }
  ComputeMode mode() const { return static_cast<ComputeMode>(api_->mode); }
  gemwright::element c_type() const { return static_cast<gemwright::element>(api_->c_type); }
  std::optional<int> find(const gemwright::tile& t) const;
  // f32.
  PackedWeights pack(const float* b, std::int64_t ldb, gemwright::layout order, std::int64_t n, std::int64_t k,
                     std::int64_t batch, std::int64_t stride, const gemwright::packing& format) const;
  // The dot modes.
  PackedWeights pack(const gemwright::dot_weights_source& b, std::int64_t n, std::int64_t k, std::int64_t batch,
                     const gemwright::packing& format) const;
  PackedWeights copy(const PackedWeights& packed) const;
  // Makes the context anew when it has other threads or too little scratch memory. False when it cannot be made.
  bool ensure_context(int threads, const gemwright::scratch_size& scratch);
  void* context() const { return context_; }
  void drop_context();
  void park();

 private:
  TileLibrary(LibraryHandle handle, const TileLibraryApi* api) : handle_(std::move(handle)), api_(api) {}

  LibraryHandle handle_;
  const TileLibraryApi* api_;
  void* context_ = nullptr;
  int threads_ = 0;
  gemwright::scratch_size scratch_;
};

// A tile of a library that is loaded.
struct FoundTile {
  TileLibrary& library;
  int index;
};

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
std::string run_status_text(int status);

}  // namespace gemwright::tuner
