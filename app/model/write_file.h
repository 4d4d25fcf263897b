// Writes a text file so that a reader sees the old file or the whole new one, never a part.
#pragma once

#include <filesystem>
#include <string_view>

#include "tuner/result.h"

namespace gemwright::app {

tuner::Result<void> write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace gemwright::app
