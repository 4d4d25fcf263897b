// Compiled libraries on disk, named by the digest of what they were made from. Several processes share one folder: a
// library appears there whole or not at all, and one that was damaged since is not used.
//
// A file is a shared object followed by a seal (its size and hash), which the loader ignores. Precompiled headers have
// none: the compiler that reads them judges them, and a compilation that fails is repeated without. Those of a compiler
// that is not used any more, and work in progress of processes that were killed, are removed when they are old.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "tuner/result.h"
#include "tuner/toolchain/compiler.h"

namespace gemwright::tuner {

// The name of what this compiler makes of this source: 32 hex digits.
std::string library_key(const Compiler& compiler, std::string_view source);

class LibraryCache {
 public:
  // $GEMWRIGHT_CACHE, else $XDG_CACHE_HOME/gemwright, else ~/.cache/gemwright.
  static Result<std::filesystem::path> default_folder();
  // Makes the folder. Refuses one that others can write: what lies there is loaded and run.
  static Result<LibraryCache> open(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path library_path(std::string_view key) const;
  // Whether the library is there as it was stored.
  bool valid(std::string_view key) const;
  // Seals the file and moves it to its place.
  Result<void> store(std::string_view key, const std::filesystem::path& built) const;
  // Of headers that a compiler has precompiled: their text, and beside it, with ".gch" behind its name, what g++ and
  // clang++ look for where they are told to include the text first.
  std::filesystem::path prefix_path(std::string_view key) const;
  bool has_prefix(std::string_view key) const;
  // In its place before it is compiled: clang++ wants to find there what it compiled, as old as it was then.
  Result<void> write_prefix(std::string_view key, const std::string& text) const;
  Result<void> store_prefix(std::string_view key, const std::filesystem::path& built) const;
  void remove_prefix(std::string_view key) const;
  // A name in the folder that no other process uses, for work in progress.
  std::filesystem::path temporary(std::string_view key, std::string_view extension) const;

 private:
  explicit LibraryCache(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path folder_;
};

}  // namespace gemwright::tuner
