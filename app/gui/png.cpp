#include "app/gui/png.h"

#include <fmt/format.h>

#include <string>

#include "app/model/write_file.h"

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include <stb_image_write.h>

namespace gemwright::app::gui {

tuner::Result<void> write_png(const std::filesystem::path& path, const Picture& p) {
  std::string bytes;
  const auto append = [](void* to, void* data, int size) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(data), static_cast<std::size_t>(size));
  };
  if (stbi_write_png_to_func(append, &bytes, p.width, p.height, 3, p.rgb.data(), 3 * p.width) == 0) {
    return tuner::fail(fmt::format("cannot make a PNG of {} x {} pixels", p.width, p.height));
  }
  return write_file(path, bytes);
}

}  // namespace gemwright::app::gui
