// The C++ text of the library that the worker loads to run an exported header: the header itself, and behind it the C
// interface HeaderLibraryApi (tile_library.h) over what a consumer calls, whatever the problem's interface and mode.
#pragma once

#include <string>

#include "tuner/result.h"

namespace gemwright::tuner {

// Defines gemwright_header_library() over an exported header. `run_namespace` is the problem's namespace in it;
// anything but identifiers joined by :: is refused.
Result<std::string> header_library_source(const std::string& header_text, const std::string& run_namespace);

}  // namespace gemwright::tuner
