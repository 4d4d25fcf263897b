// Small files of /proc and /sys: read with a bound, parsed without trust. They differ between kernels, containers and
// architectures, so every answer may be absent.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gemwright::profilers {

// /proc/cpuinfo of a machine with a thousand CPUs has about 2 MiB.
constexpr std::size_t kMaxTextBytes = std::size_t{4} << 20;

// At most kMaxTextBytes of a file; nothing when it cannot be opened or read, or is not a plain file.
std::optional<std::string> read_text(const std::filesystem::path& file);
// The same without blanks and line ends around it; nothing when nothing is left.
std::optional<std::string> read_word(const std::filesystem::path& file);

std::string_view trimmed(std::string_view text);
std::vector<std::string_view> words(std::string_view text);  // separated by blanks, tabs, line ends
std::vector<std::string_view> lines(std::string_view text);

// A non-negative decimal number and nothing else.
std::optional<std::int64_t> parse_count(std::string_view text);
// "48K", "2048K", "32M", "1G" as in /sys/.../cache; bytes, above zero.
std::optional<std::int64_t> parse_size(std::string_view text);
// How many CPUs "0-3,8,10-11" names; nothing for text of another form.
std::optional<int> count_cpu_list(std::string_view text);

}  // namespace gemwright::profilers
