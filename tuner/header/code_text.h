// Words of the generated code that its parts share.
#pragma once

#include <optional>
#include <string>

#include "tuner/problem/problem.h"

namespace gemwright::tuner {

const char* layout_name(gemwright::layout l);
const char* bool_name(bool b);
// "kernels::element::bf16", and the C++ type of such an element.
std::string element_name(gemwright::element e);
const char* element_type(gemwright::element e);

// Whether the chain has an operation, as C++.
const char* reads(const Problem& p, EpilogueOp op);
// "kernels::chain<...>".
std::string chain_type(const Problem& p);

// A finite number, or std::nullopt.
std::string optional_double(const std::optional<double>& value);

}  // namespace gemwright::tuner
