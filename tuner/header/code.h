// The C++ of an exported header below its provenance comment. The spec has been checked; see header.h.
#pragma once

#include <string>
#include <vector>

#include "tuner/header/header.h"

namespace gemwright::tuner {

// `id` tells this header from all others: it names its guard and its inline namespace.
std::string header_code(const HeaderSpec& spec, const std::vector<std::string>& names, const std::string& id);

}  // namespace gemwright::tuner
