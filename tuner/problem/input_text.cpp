#include "tuner/problem/input_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <system_error>

namespace gemwright::tuner {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// Bytes of the UTF-8 sequence at the start of `text`; 0 when there is none. Overlong forms, surrogates and code points
// above U+10FFFF are invalid, as the second byte tells.
std::size_t sequence_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xc2 && lead <= 0xdf   ? 2
                             : lead >= 0xe0 && lead <= 0xef ? 3
                             : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                            : 0;
  if (length == 0 || text.size() < length) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  const unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (!is_continuation(text[i])) return 0;
  }
  return length;
}

}  // namespace

std::optional<std::int64_t> parse_count(std::string_view text) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_number(std::string_view text) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;  // keeps out signs, inf and nan
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string printable(std::string_view text, std::size_t limit) {
  const bool cut = text.size() > limit;
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = sequence_length(text.substr(i));
    if (result.size() + std::max<std::size_t>(length, 1) > limit) break;
    if (length == 0 || is_control(text[i])) {
      result += '?';
      ++i;
    } else {
      result += text.substr(i, length);
      i += length;
    }
  }
  return cut ? result + "..." : result;
}

std::string quote(std::string_view text) { return '"' + printable(text) + '"'; }

tl::unexpected<Error> fail_at(const std::string& file, int line, const std::string& message) {
  return fail(fmt::format("{}:{}: {}", printable(file, 4096), line, message));
}

Result<std::string_view> check_text(std::string_view text, const std::string& file) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) text.remove_prefix(kByteOrderMark.size());
  int line = 1;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '\n') ++line;
    if (is_control(c) && c != '\n' && c != '\r' && c != '\t') {
      return fail_at(file, line, fmt::format("control character 0x{:02x} in a text file", static_cast<unsigned>(c)));
    }
    const std::size_t length = sequence_length(text.substr(i));
    if (length == 0) return fail_at(file, line, "the text is not valid UTF-8");
    i += length;
  }
  return text;
}

Result<std::string> read_text_file(const std::filesystem::path& file, std::uintmax_t max_bytes) {
  const std::string name = printable(file.string(), 4096);
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (status.type() == std::filesystem::file_type::not_found) return fail(fmt::format("{}: no such file", name));
  if (error) return fail(fmt::format("{}: cannot be read: {}", name, error.message()));
  if (std::filesystem::is_directory(status)) return fail(fmt::format("{}: is a folder, not a file", name));
  if (!std::filesystem::is_regular_file(status)) return fail(fmt::format("{}: is not a regular file", name));
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return fail(fmt::format("{}: cannot be opened for reading", name));
  // Read in pieces and count: the size that a file system tells may be wrong or change.
  std::string text;
  std::vector<char> piece(1 << 16);
  while (stream.read(piece.data(), static_cast<std::streamsize>(piece.size())) || stream.gcount() > 0) {
    text.append(piece.data(), static_cast<std::size_t>(stream.gcount()));
    if (text.size() > max_bytes) {
      return fail(fmt::format("{}: is larger than {} bytes; split it", name, max_bytes));
    }
  }
  if (stream.bad()) return fail(fmt::format("{}: an error occurred while reading", name));
  return text;
}

}  // namespace gemwright::tuner
