#include "app/model/file_stamp.h"

#include <fmt/format.h>
#include <sys/stat.h>

namespace gemwright::app {

FileStamp file_stamp(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return {};
  constexpr std::int64_t kSecond = 1'000'000'000;
  return {true, static_cast<std::int64_t>(status.st_dev), static_cast<std::int64_t>(status.st_ino), status.st_size,
          status.st_mtim.tv_sec * kSecond + status.st_mtim.tv_nsec};
}

std::optional<FileIdentity> file_identity(const std::filesystem::path& file) {
  const FileStamp stamp = file_stamp(file);
  return stamp.exists ? std::optional(FileIdentity{stamp.device, stamp.inode}) : std::nullopt;
}

std::string to_text(const FileStamp& s) {
  return s.exists ? fmt::format("{} {} {} {}", s.device, s.inode, s.size, s.written_ns) : "absent";
}

}  // namespace gemwright::app
