#include "profilers/cgroup.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "profilers/text_file.h"

namespace gemwright::profilers {
namespace {

namespace fs = std::filesystem;

// A limit of "no limit" in version 1's memory controller is the largest multiple of a page: far above any memory.
constexpr std::int64_t kNoMemoryLimit = std::int64_t{1} << 60;

// Where a controller's files may lie, from the process's own group up to the mount point.
struct Place {
  bool found = false;
  bool version2 = false;
  std::vector<fs::path> groups;
};

std::vector<fs::path> groups_between(const fs::path& mount, std::string_view group) {
  std::vector<fs::path> out{mount};
  fs::path at = mount;
  for (const fs::path& part : fs::path(group).relative_path()) {
    // A process outside its namespace's root sees ".."; nothing below the mount point can be told then.
    if (part == "..") break;
    at /= part;
    out.push_back(at);
  }
  return out;
}

// Whether "cpu,cpuacct" names "cpu".
bool names(std::string_view list, std::string_view one) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    if (list.substr(0, end) == one) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

// A line of /proc/self/cgroup is "id:controllers:path"; version 2 has id 0 and no controllers.
Place find_place(const fs::path& root, std::string_view text, std::string_view controller) {
  const fs::path base = root / "sys/fs/cgroup";
  Place place;
  for (const std::string_view line : lines(text)) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string controllers(line.substr(first + 1, second - first - 1));
    const std::string_view group = line.substr(second + 1);
    if (names(controllers, controller)) {
      place = {true, false, groups_between(base / controllers, group)};
      for (const fs::path& p : groups_between(base / controller, group)) place.groups.push_back(p);
      return place;
    }
    if (controllers.empty()) place = {true, true, groups_between(base, group)};
  }
  return place;
}

std::optional<double> cpus_of(const fs::path& group, bool version2, bool& readable) {
  std::optional<std::int64_t> quota, period;
  if (version2) {
    const auto text = read_word(group / "cpu.max");
    if (!text) return std::nullopt;
    readable = true;
    const auto parts = words(*text);
    if (parts.size() == 2) {
      quota = parse_count(parts[0]);
      period = parse_count(parts[1]);
    }
  } else {
    const auto q = read_word(group / "cpu.cfs_quota_us"), p = read_word(group / "cpu.cfs_period_us");
    if (!q || !p) return std::nullopt;
    readable = true;
    quota = parse_count(*q);  // -1 is no limit
    period = parse_count(*p);
  }
  if (!quota || !period || *quota == 0 || *period == 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

std::optional<std::int64_t> memory_of(const fs::path& group, bool version2, bool& readable) {
  const auto text = read_word(group / (version2 ? "memory.max" : "memory.limit_in_bytes"));
  if (!text) return std::nullopt;
  readable = true;
  const auto bytes = parse_count(*text);  // "max" is no limit
  return bytes && *bytes < kNoMemoryLimit ? bytes : std::nullopt;
}

template <class T>
Reading<T> tightest(const Place& place, std::optional<T> (*read)(const fs::path&, bool, bool&)) {
  if (!place.found) return missing<T>("/proc/self/cgroup names no group with this controller");
  Reading<T> out;
  bool readable = false;
  for (const fs::path& group : place.groups) {
    const auto value = read(group, place.version2, readable);
    if (value && (!out.value || *value < *out.value)) out.value = value;
  }
  if (!out.value) out.reason = readable ? kNoLimit : "the group's limit files are not readable here";
  return out;
}

}  // namespace

CgroupLimits cgroup_limits(const fs::path& root) {
  const auto text = read_text(root / "proc/self/cgroup");
  if (!text) {
    return {missing<double>("/proc/self/cgroup is not readable"),
            missing<std::int64_t>("/proc/self/cgroup is not readable")};
  }
  return {tightest<double>(find_place(root, *text, "cpu"), cpus_of),
          tightest<std::int64_t>(find_place(root, *text, "memory"), memory_of)};
}

}  // namespace gemwright::profilers
