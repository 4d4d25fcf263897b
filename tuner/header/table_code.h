// The tables of one problem in an exported header: tiles, plans, ranges and what was measured.
#pragma once

#include <string>

#include "tuner/header/header.h"

namespace gemwright::tuner {

// Each compiler uses its own table; one that was not tuned uses the other's.
std::string tables_code(const HeaderProblem& p);

}  // namespace gemwright::tuner
