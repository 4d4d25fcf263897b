#include "profilers/text_file.h"

#include <charconv>
#include <fstream>
#include <limits>
#include <system_error>

namespace gemwright::profilers {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(separators);
    if (end != 0) out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace

std::optional<std::string> read_text(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) return std::nullopt;
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  std::string text;
  char part[4096];
  while (text.size() < kMaxTextBytes) {
    in.read(part, sizeof part);
    text.append(part, static_cast<std::size_t>(in.gcount()));
    if (in.bad()) return std::nullopt;
    if (!in) break;
  }
  return text;
}

std::optional<std::string> read_word(const std::filesystem::path& file) {
  const auto text = read_text(file);
  if (!text) return std::nullopt;
  const std::string_view word = trimmed(*text);
  if (word.empty()) return std::nullopt;
  return std::string(word);
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::vector<std::string_view> words(std::string_view text) { return split(text, kBlanks); }
std::vector<std::string_view> lines(std::string_view text) { return split(text, "\n"); }

std::optional<std::int64_t> parse_count(std::string_view text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || stop != end || value < 0) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  text = trimmed(text);
  if (text.empty()) return std::nullopt;
  const char unit = text.back();
  const int shift = unit == 'K' ? 10 : unit == 'M' ? 20 : unit == 'G' ? 30 : 0;
  if (shift != 0) text.remove_suffix(1);
  const auto count = parse_count(text);
  if (!count || *count == 0 || *count > (std::numeric_limits<std::int64_t>::max() >> shift)) return std::nullopt;
  return *count << shift;
}

std::optional<int> count_cpu_list(std::string_view text) {
  constexpr std::int64_t kMaxCpus = 1 << 20;
  std::int64_t total = 0;
  for (const std::string_view part : split(trimmed(text), ",")) {
    const std::size_t dash = part.find('-');
    const auto first = parse_count(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_count(part.substr(dash + 1));
    if (!first || !last || *last < *first || *last >= kMaxCpus) return std::nullopt;
    total += *last - *first + 1;
    if (total > kMaxCpus) return std::nullopt;
  }
  if (total == 0) return std::nullopt;
  return static_cast<int>(total);
}

}  // namespace gemwright::profilers
