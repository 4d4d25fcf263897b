// Which state of a file was seen: another stamp is another content. A write within the same tick of the file system's
// clock that keeps the length and the inode goes unseen.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace gemwright::app {

struct FileStamp {
  bool exists = false;
  std::int64_t device = 0, inode = 0, size = 0, written_ns = 0;

  bool operator==(const FileStamp&) const = default;
};

// Which file it is, whatever it holds: one that is deleted and made anew is another.
struct FileIdentity {
  std::int64_t device = 0, inode = 0;

  bool operator==(const FileIdentity&) const = default;
};
// Nothing where there is none.
std::optional<FileIdentity> file_identity(const std::filesystem::path& file);

FileStamp file_stamp(const std::filesystem::path& file);
// As part of a key.
std::string to_text(const FileStamp& stamp);

}  // namespace gemwright::app
