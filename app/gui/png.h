// A picture as a PNG file, whole or not at all.
#pragma once

#include <filesystem>

#include "app/gui/window.h"

namespace gemwright::app::gui {

tuner::Result<void> write_png(const std::filesystem::path& path, const Picture& picture);

}  // namespace gemwright::app::gui
