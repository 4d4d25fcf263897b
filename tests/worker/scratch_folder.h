// A folder for one test, empty at first and gone afterwards. GEMWRIGHT_CACHE and GEMWRIGHT_LOCK point into it, so that
// a test meets neither the user's compiled kernels nor another measurer.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace gemwright::tuner {

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "gemwright-test-XXXXXX").string();
    path_ = mkdtemp(name.data());
    setenv("GEMWRIGHT_CACHE", (path_ / "cache").c_str(), 1);
    setenv("GEMWRIGHT_LOCK", (path_ / "gemwright.lock").c_str(), 1);
    // In a worker built with sanitizers, their handlers would turn a candidate's signals into exit codes.
    setenv("ASAN_OPTIONS", "handle_segv=0:handle_abort=0:handle_sigill=0:handle_sigfpe=0:detect_leaks=0", 1);
    setenv("UBSAN_OPTIONS", "handle_segv=0:handle_abort=0:handle_sigill=0:handle_sigfpe=0", 1);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  std::string write(const std::string& name, const std::string& text, bool executable = false) const {
    const auto file = path_ / name;
    std::ofstream(file) << text;
    if (executable) std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    return file.string();
  }
  // Empty while there is no such file.
  std::string read(const std::string& name) const {
    std::ifstream in(path_ / name);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }

 private:
  std::filesystem::path path_;
};

}  // namespace gemwright::tuner
