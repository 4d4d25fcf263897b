// What a consumer calls of one problem in an exported header: args, pack_weights and run.
#pragma once

#include <string>

#include "tuner/problem/problem.h"

namespace gemwright::tuner {

std::string calls_code(const Problem& p);

}  // namespace gemwright::tuner
