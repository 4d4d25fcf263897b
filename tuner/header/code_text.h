// Words of the generated code that its parts share.
#pragma once

#include <optional>
#include <string>

#include "tuner/problem/problem.h"

namespace gemwright::tuner {

const char* layout_name(gemwright::layout l);
const char* bool_name(bool b);
// The C++ type of an element.
const char* element_type(gemwright::element e);

// Whether the chain has an operation, as C++.
const char* reads(const Problem& p, EpilogueOp op);
// A finite number, or std::nullopt.
std::string optional_double(const std::optional<double>& value);

}  // namespace gemwright::tuner
