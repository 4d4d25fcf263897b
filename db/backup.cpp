#include "db/backup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "tuner/problem/input_text.h"

namespace gemwright::db {
namespace {

namespace fs = std::filesystem;
using tuner::fail;

// Removed again unless it got its final name.
class PartialFile {
 public:
  explicit PartialFile(fs::path name) : name_(std::move(name)) {}
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  ~PartialFile() {
    if (descriptor_ < 0) return;
    close(descriptor_);
    std::error_code ignored;
    if (!renamed_) fs::remove(name_, ignored);
  }

  const fs::path& name() const { return name_; }
  // 0, or errno. An empty file in the place of a leftover, as private as `model`.
  int create(const fs::path& model) {
    struct stat info {};
    if (stat(model.c_str(), &info) != 0) return errno;
    std::error_code ec;
    fs::remove(name_, ec);
    if (ec) return ec.value();
    descriptor_ = open(name_.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, info.st_mode & 0666);
    return descriptor_ < 0 ? errno : 0;
  }
  int sync() const { return fsync(descriptor_) == 0 ? 0 : errno; }
  int rename_to(const fs::path& final_name) {
    if (rename(name_.c_str(), final_name.c_str()) != 0) return errno;
    renamed_ = true;
    return 0;
  }

 private:
  fs::path name_;
  int descriptor_ = -1;
  bool renamed_ = false;
};

fs::path free_name(const std::string& wanted) {
  std::error_code ec;
  fs::path name = wanted;
  for (int n = 2; fs::symlink_status(name, ec).type() != fs::file_type::not_found && !ec; ++n) {
    name = fmt::format("{}.{}", wanted, n);
  }
  return name;
}

// A second connection: SQLite copies outside of a transaction only.
Result<void> copy(const fs::path& from, const fs::path& to, std::chrono::milliseconds busy_timeout) {
  auto connection = Connection::open(from, Access::write, busy_timeout);
  if (!connection) return tl::unexpected(connection.error());
  if (auto r = (*connection)->distrust_contents(); !r) return r;
  std::error_code ec;
  const fs::path target = fs::absolute(to, ec);  // SQLite gives some relative names a meaning of their own
  if (ec) return fail(ec.message());
  return (*connection)->run("VACUUM INTO ?", target.string());
}

}  // namespace

Result<void> back_up(const fs::path& file, std::int64_t version, std::chrono::milliseconds busy_timeout) {
  const std::string wanted = fmt::format("{}.bak-v{}", file.string(), version);
  const auto refuse = [&](const std::string& why) {
    return fail(fmt::format("{} stays at schema version {}, because the copy that is made before it changes failed: {}",
                            tuner::printable(file.string(), 4096), version, why));
  };
  PartialFile partial(wanted + ".partial");
  if (const int error = partial.create(file); error != 0) return refuse(std::strerror(error));
  if (auto r = copy(file, partial.name(), busy_timeout); !r) return refuse(r.error().message);
  if (const int error = partial.sync(); error != 0) return refuse(std::strerror(error));
  if (const int error = partial.rename_to(free_name(wanted)); error != 0) return refuse(std::strerror(error));
  return {};
}

}  // namespace gemwright::db
