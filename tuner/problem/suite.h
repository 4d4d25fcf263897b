// A suite: a named list of problems with the M to serve and how much each counts. It comes from a preset, a shapes file
// (JSON, CSV, oneDNN benchdnn batch) or from --gemm. All of these are input that may be hostile: each reader answers
// with a suite or with one sentence that names file and line. The formats are described at the top of shapes_json.cpp,
// shapes_csv.cpp and benchdnn.cpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/problem/problem.h"
#include "tuner/result.h"

namespace gemwright::tuner {

struct SuiteEntry {
  std::string name;  // unique in the suite, a C++ identifier after sanitising; "" lets the exporter choose
  Problem problem;
  std::vector<std::int64_t> m;  // ascending, without repeats, not empty
  double weight = 1;            // how often (or how long) it runs in the real program
  std::string note;  // what a user should know, e.g. "chain relu:0.5 is not built yet: runs with epilogue none"

  std::string source = {};  // where the sizes come from

  bool operator==(const SuiteEntry&) const = default;
};

struct Suite {
  std::string name;
  std::vector<SuiteEntry> entries;
  std::string note = {};  // what holds for all of them, e.g. how the weights are stored

  bool operator==(const Suite&) const = default;
};

// Limits that keep a hostile file from costing memory or time.
constexpr std::uintmax_t kMaxShapeFileBytes = 16u << 20;
constexpr std::size_t kMaxSuiteEntries = 10000;
constexpr std::size_t kMaxMList = 256;
constexpr double kMaxWeight = 1e15;  // of one entry: sums stay exact enough and finite

// "4x4096x4096" -> M, N, K. Overflow, signs, hex, blanks, a missing part: refused with a sentence.
struct GemmSize {
  std::int64_t m = 0, n = 0, k = 0;
};
Result<GemmSize> parse_gemm_size(std::string_view text);
// "1,8,32" (also "1/8/32" in CSV): positive, sorted, unique.
Result<std::vector<std::int64_t>> parse_m_list(std::string_view text, char separator = ',');

// Format is told by extension and content: .json, .csv; without these, JSON begins with a brace or bracket, anything
// else is a benchdnn batch file.
Result<Suite> read_shapes_file(const std::filesystem::path& file);
Result<Suite> parse_shapes_json(std::string_view text, const std::string& file_name);
Result<Suite> parse_shapes_csv(std::string_view text, const std::string& file_name);
Result<Suite> parse_benchdnn(std::string_view text, const std::string& file_name);

// Presets are JSON shape files in the presets folder; the name has no path separators. An unknown name lists the known
// ones.
Result<Suite> read_preset(const std::filesystem::path& presets_dir, std::string_view name);
std::vector<std::string> preset_names(const std::filesystem::path& presets_dir);

// A name made fit for C++: "attn.qkv 2" becomes "attn_qkv_2". Empty where nothing is left of it.
std::string identifier(std::string_view name);

// Sum of weight bytes over the suite: decides the automatic cache state.
double suite_weight_bytes(const Suite& suite);

}  // namespace gemwright::tuner
