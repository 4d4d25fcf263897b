#include "app/model/write_file.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

namespace gemwright::app {

tuner::Result<void> write_file(const std::filesystem::path& path, std::string_view text) {
  const auto failed = [&](const char* what) {
    return tuner::fail(fmt::format("{} {}: {}", what, path.string(), std::strerror(errno)));
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return tuner::fail(fmt::format("{} is a folder", path.string()));
  // A device or a pipe (/dev/stdout) is written in place; it cannot be renamed onto.
  const bool special = std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored);
  std::string temporary = special ? path.string() : path.string() + ".XXXXXX";
  std::FILE* file = nullptr;
  if (special) {
    file = std::fopen(temporary.c_str(), "w");
  } else if (const int fd = mkstemp(temporary.data()); fd >= 0) {
    const mode_t mask = umask(0);
    umask(mask);
    (void)fchmod(fd, 0666 & ~mask);
    file = fdopen(fd, "w");
  }
  if (file == nullptr) return failed("cannot write");
  bool ok = std::fwrite(text.data(), 1, text.size(), file) == text.size() && std::fflush(file) == 0;
  ok = ok && (special || fsync(fileno(file)) == 0);
  ok = (std::fclose(file) == 0) && ok;
  if (ok && !special) ok = std::rename(temporary.c_str(), path.c_str()) == 0;
  if (ok) return {};
  const auto error = failed("cannot write");
  if (!special) (void)unlink(temporary.c_str());
  return error;
}

}  // namespace gemwright::app
