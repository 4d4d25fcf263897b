#include "app/model/database_stamp.h"

#include <sys/stat.h>

#include <algorithm>

namespace gemwright::app {
namespace {

// File systems keep times to a few milliseconds, some to two seconds.
constexpr std::int64_t kSecond = 1'000'000'000, kSettled = 3 * kSecond;

}  // namespace

std::optional<DatabaseStamp> settled_stamp(const std::filesystem::path& database, std::int64_t now) {
  DatabaseStamp out;
  for (const char* tail : {"", "-wal"}) {
    struct stat status {};
    if (::stat((database.string() + tail).c_str(), &status) != 0) {
      if (*tail == '\0') return std::nullopt;
      out.numbers.push_back(-1);
      continue;
    }
    const std::int64_t written = status.st_mtim.tv_sec * kSecond + status.st_mtim.tv_nsec;
    if (written > now - kSettled) return std::nullopt;
    out.numbers.insert(out.numbers.end(), {static_cast<std::int64_t>(status.st_dev),
                                           static_cast<std::int64_t>(status.st_ino), status.st_size, written});
  }
  return out;
}

}  // namespace gemwright::app
