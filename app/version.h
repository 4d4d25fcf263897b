// The version of the tool, as CMake's project() states it.
#pragma once

namespace gemwright::app {

inline constexpr const char* kVersion = GEMWRIGHT_VERSION;

}  // namespace gemwright::app
