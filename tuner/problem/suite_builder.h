// Puts the rows that a shapes reader found together into a suite. Internal to the readers of this folder.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "tuner/problem/suite.h"

namespace gemwright::tuner {

constexpr std::size_t kMaxLineBytes = 1u << 16;  // of CSV and benchdnn files: bounds the parts a line splits into

// Takes the next line off `rest`, without its end; false at the end of the text.
bool next_line(std::string_view& rest, std::string_view& line);

// Joined with "; " unless it is there already.
void add_note(SuiteEntry& entry, std::string_view note);

Result<void> set_chain(SuiteEntry& entry, std::string_view text);

// The stem of a file name, printable: the name of a suite that has none.
std::string suite_name(const std::string& file_name);

// Invariant of the suite under construction: names are unique identifiers or empty, M lists are ascending, without
// repeats and within bounds, sizes and weights are in range. At most kMaxSuiteEntries rows are taken, merged ones
// included.
class SuiteBuilder {
 public:
  Result<void> add(SuiteEntry entry);
  // Adds to the entry that was merged under the same text before: weights are summed, M lists united.
  Result<void> merge(SuiteEntry entry, const std::string& same);

  bool empty() const { return suite_.entries.empty(); }
  Suite take(std::string name, std::string note = {});

 private:
  Result<void> count_row();
  Result<void> append(SuiteEntry entry);
  std::string unique_name(const std::string& name);

  Suite suite_;
  std::size_t rows_ = 0;
  std::unordered_set<std::string> names_;
  std::unordered_map<std::string, int> next_suffix_;
  std::unordered_map<std::string, std::size_t> merged_;
};

}  // namespace gemwright::tuner
