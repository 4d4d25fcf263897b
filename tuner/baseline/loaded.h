// Shared libraries that are opened when somebody asks for them. Internal to the baselines.
//
// A library stays open until the process ends: its threads may be anywhere in its code.
#pragma once

#include <memory>
#include <string>

#include "tuner/baseline/baseline.h"

namespace gemwright::tuner {

class LoadedLibrary {
 public:
  // `file`: a path, or a name that the system's loader finds.
  static Result<LoadedLibrary> open(const std::string& file);

  // nullptr where the library does not have it.
  template <class Function>
  Function* find(const char* symbol) const {
    return reinterpret_cast<Function*>(address(symbol));
  }

 private:
  explicit LoadedLibrary(void* handle) : handle_(handle) {}
  void* address(const char* symbol) const;

  void* handle_;
};

// Any library with cblas_sgemm. `name` is how the user called it; the version follows where the library tells it.
Result<std::unique_ptr<Baseline>> open_cblas(const std::string& name, const std::string& file);
// LIBXSMM 1.x: code made for one small product at a time.
Result<std::unique_ptr<Baseline>> open_libxsmm(const std::string& file);

// Why a plain f32 product is not what the problem asks for, if so. These libraries have nothing else.
Result<void> check_plain_f32(const std::string& name, const Problem& problem);

}  // namespace gemwright::tuner
