#include "tuner/toolchain/library_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <system_error>

#include "tuner/problem/input_text.h"
#include "tuner/toolchain/digest.h"

namespace gemwright::tuner {
namespace {

namespace fs = std::filesystem;

// A library of tiles has some 100 KB; nothing near this is one.
constexpr std::uintmax_t kMaxLibraryBytes = 256u << 20;
constexpr std::string_view kTemporaryPrefix = "tmp-";
// Work in progress that is older was left by a process that was killed: a compilation ends within minutes.
constexpr std::chrono::hours kAbandoned{1};
// Precompiled headers take 30 MB a compiler, and a second to make again.
constexpr std::string_view kHeadersPrefix = "prefix-";
constexpr std::chrono::hours kOldHeaders{30 * 24};

std::string seal_of(std::string_view content) {
  return fmt::format("\ngemwright-library {} {}\n", content.size(), digest_of({content}));
}

std::optional<std::string> read_file(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error || size > kMaxLibraryBytes) return std::nullopt;
  std::string text(size, '\0');
  std::ifstream in(path, std::ios::binary);
  if (!in.read(text.data(), static_cast<std::streamsize>(size))) return std::nullopt;
  return text;
}

std::string shown(const fs::path& p) { return printable(p.string(), 4096); }

const char* variable(const char* name) {
  const char* const text = std::getenv(name);
  return text != nullptr && *text != '\0' ? text : nullptr;
}

void remove_old(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    const bool temporary = name.rfind(kTemporaryPrefix, 0) == 0, headers = name.rfind(kHeadersPrefix, 0) == 0;
    if (!temporary && !headers) continue;
    const auto written = entry.last_write_time(error);
    const auto old = temporary ? kAbandoned : kOldHeaders;
    if (!error && fs::file_time_type::clock::now() - written > old) fs::remove_all(entry.path(), error);
  }
}

fs::path precompiled(fs::path text) { return text += ".gch"; }

}  // namespace

std::string library_key(const Compiler& compiler, std::string_view source) {
  utsname machine{};  // one home folder may serve machines of several architectures
  uname(&machine);
  return digest_of({source, compiler.path, compiler.version, compile_flags_text(), machine.machine});
}

Result<fs::path> LibraryCache::default_folder() {
  if (const char* const own = variable("GEMWRIGHT_CACHE")) return fs::path(own);
  if (const char* const cache = variable("XDG_CACHE_HOME")) return fs::path(cache) / "gemwright";
  if (const char* const home = variable("HOME")) return fs::path(home) / ".cache" / "gemwright";
  return fail("there is no folder for compiled kernels: set GEMWRIGHT_CACHE to one");
}

Result<LibraryCache> LibraryCache::open(const fs::path& wanted) {
  std::error_code error;
  const fs::path folder = fs::absolute(wanted, error);
  if (!error) fs::create_directories(folder, error);
  struct stat s {};
  if (error || stat(folder.c_str(), &s) != 0) {
    return fail(fmt::format("the folder for compiled kernels, {}, cannot be made: {}; set GEMWRIGHT_CACHE to another",
                            shown(wanted), error ? error.message() : std::strerror(errno)));
  }
  if (!S_ISDIR(s.st_mode) || access(folder.c_str(), W_OK | X_OK) != 0) {
    return fail(fmt::format("{} is no folder that compiled kernels can be written to: set GEMWRIGHT_CACHE to another",
                            shown(folder)));
  }
  if ((s.st_mode & S_IWOTH) != 0 || (s.st_uid != geteuid() && s.st_uid != 0)) {
    return fail(
        fmt::format("{} can be written by others, and compiled kernels are run from there: set GEMWRIGHT_CACHE to "
                    "a folder of your own",
                    shown(folder)));
  }
  remove_old(folder);
  return LibraryCache(folder);
}

fs::path LibraryCache::library_path(std::string_view key) const { return folder_ / fmt::format("{}.so", key); }

fs::path LibraryCache::temporary(std::string_view key, std::string_view extension) const {
  return folder_ / fmt::format("{}{}-{}{}", kTemporaryPrefix, getpid(), key, extension);
}

fs::path LibraryCache::prefix_path(std::string_view key) const {
  return folder_ / fmt::format("{}{}.h", kHeadersPrefix, key);
}

bool LibraryCache::has_prefix(std::string_view key) const {
  std::error_code error;
  const fs::path text = prefix_path(key);
  return fs::is_regular_file(text, error) && fs::is_regular_file(precompiled(text), error);
}

Result<void> LibraryCache::write_prefix(std::string_view key, const std::string& text) const {
  const fs::path place = prefix_path(key);
  if (read_file(place) == text) return {};
  const fs::path fresh = temporary(key, ".h");
  std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  std::error_code error;
  if (out) fs::rename(fresh, place, error);
  if (!out || error) return fail(fmt::format("{} cannot be written: is the disk full?", shown(place)));
  return {};
}

Result<void> LibraryCache::store_prefix(std::string_view key, const fs::path& built) const {
  std::error_code error;
  fs::rename(built, precompiled(prefix_path(key)), error);
  if (error) return fail(fmt::format("{} cannot be written: {}", shown(prefix_path(key)), error.message()));
  return {};
}

void LibraryCache::remove_prefix(std::string_view key) const {
  std::error_code ignored;
  fs::remove(precompiled(prefix_path(key)), ignored);
}

bool LibraryCache::valid(std::string_view key) const {
  const auto text = read_file(library_path(key));
  if (!text) return false;
  const auto seal_at = text->rfind("\ngemwright-library ");
  return seal_at != std::string::npos && text->substr(seal_at) == seal_of(std::string_view(*text).substr(0, seal_at));
}

Result<void> LibraryCache::store(std::string_view key, const fs::path& built) const {
  const auto content = read_file(built);
  if (!content) return fail(fmt::format("{} cannot be read", shown(built)));
  const fs::path sealed = temporary(key, ".sealed");
  {
    std::ofstream out(sealed, std::ios::binary | std::ios::trunc);
    out << *content << seal_of(*content);
    out.flush();
    if (!out) return fail(fmt::format("compiled kernels cannot be written to {}: is the disk full?", shown(folder_)));
  }
  std::error_code error;
  fs::rename(sealed, library_path(key), error);
  if (error) return fail(fmt::format("{} cannot be written: {}", shown(library_path(key)), error.message()));
  return {};
}

}  // namespace gemwright::tuner
