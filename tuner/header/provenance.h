// Where an exported header comes from, as comment lines: for people and, one JSON object a line, for tools.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tuner/header/header.h"

namespace gemwright::tuner {

// The head of the file. `names` are the namespaces of the problems.
std::string provenance_comment(const HeaderSpec& spec, const std::vector<std::string>& names);

// The table of one build for people: how its mode computes and what that costs, build, data, choices.
std::string table_comment(const HeaderTable& table, const Problem& problem);

// Of its choices; absent where no error was measured.
std::optional<double> largest_error(const HeaderTable& table);

}  // namespace gemwright::tuner
