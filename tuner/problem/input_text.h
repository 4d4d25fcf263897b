// Small tools for text that a user hands in: numbers read strictly, foreign text made fit for a message, files read
// with bounds. Internal to the readers of this folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/result.h"

namespace gemwright::tuner {

// Decimal digits only; nothing for signs, blanks, hex, an empty text or overflow of 64 bits.
std::optional<std::int64_t> parse_count(std::string_view text);
// A plain decimal number such as 3 or 0.25 or 1e3; nothing for blanks, hex, inf, nan and what does not fit a double.
std::optional<double> parse_number(std::string_view text);

std::string_view trimmed(std::string_view text);  // without blanks, tabs and carriage returns at both ends
std::vector<std::string_view> split(std::string_view text, char separator);  // empty parts are kept
std::string lower(std::string_view text);                                    // ASCII only

// One printable line of at most `limit` bytes; control characters become '?', a cut is marked with "...".
std::string printable(std::string_view text, std::size_t limit = 60);
std::string quote(std::string_view text);  // printable, between double quotes

// "file:line: message".
tl::unexpected<Error> fail_at(const std::string& file, int line, const std::string& message);

// The text without a byte order mark. Refuses NUL and other control characters and invalid UTF-8, naming the line.
Result<std::string_view> check_text(std::string_view text, const std::string& file);

// The whole of a regular file of at most `max_bytes`.
Result<std::string> read_text_file(const std::filesystem::path& file, std::uintmax_t max_bytes);

}  // namespace gemwright::tuner
