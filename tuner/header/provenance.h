// Where an exported header comes from, as comment lines: for people and, one JSON object a line, for tools.
#pragma once

#include <string>
#include <vector>

#include "tuner/header/header.h"

namespace gemwright::tuner {

// The head of the file. `names` are the namespaces of the problems.
std::string provenance_comment(const HeaderSpec& spec, const std::vector<std::string>& names);

// The table of one build for people.
std::string table_comment(const HeaderTable& table);

}  // namespace gemwright::tuner
