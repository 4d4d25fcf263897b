#include "tuner/problem/suite.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tuner/problem/input_text.h"
#include "tuner/problem/suite_builder.h"

namespace gemwright::tuner {
namespace {

tl::unexpected<Error> bad_size(std::string_view text, std::string_view why) {
  return fail(fmt::format("{} is not a size MxNxK such as 4x4096x4096: {}", quote(text), why), ErrorKind::usage);
}

bool looks_like_json(std::string_view text) {
  const auto first = text.find_first_not_of("\xef\xbb\xbf \t\r\n");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

}  // namespace

Result<GemmSize> parse_gemm_size(std::string_view text) {
  const auto parts = split(text, 'x');
  if (parts.size() != 3) return bad_size(text, fmt::format("it has {} parts, not 3", parts.size()));
  constexpr std::array<std::string_view, 3> kNames = {"M", "N", "K"};
  std::array<std::int64_t, 3> sizes{};
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto value = parse_count(parts[i]);
    if (!value || *value < 1 || *value > kMaxSize) {
      return bad_size(text, fmt::format("{} must be a whole number from 1 to {}", kNames[i], kMaxSize));
    }
    sizes[i] = *value;
  }
  return GemmSize{sizes[0], sizes[1], sizes[2]};
}

Result<std::vector<std::int64_t>> parse_m_list(std::string_view text, char separator) {
  std::vector<std::int64_t> list;
  for (const std::string_view part : split(text, separator)) {
    const auto value = parse_count(part);
    if (!value || *value < 1 || *value > kMaxSize) {
      return fail(fmt::format("M {} in {} must be a whole number from 1 to {}", quote(part), quote(text), kMaxSize),
                  ErrorKind::usage);
    }
    if (list.size() == kMaxMList) {
      return fail(fmt::format("the M list {} has more than {} sizes", quote(text), kMaxMList), ErrorKind::usage);
    }
    list.push_back(*value);
  }
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list;
}

Result<Suite> read_shapes_file(const std::filesystem::path& file) {
  const auto text = read_text_file(file, kMaxShapeFileBytes);
  if (!text) return tl::unexpected(text.error());
  const std::string name = file.string();
  const std::string extension = lower(file.extension().string());
  if (extension == ".csv") return parse_shapes_csv(*text, name);
  if (extension == ".json" || looks_like_json(*text)) return parse_shapes_json(*text, name);
  return parse_benchdnn(*text, name);
}

double suite_weight_bytes(const Suite& suite) {
  double bytes = 0;
  for (const SuiteEntry& entry : suite.entries) bytes += weight_bytes(entry.problem);
  return bytes;
}

}  // namespace gemwright::tuner
