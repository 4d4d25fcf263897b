#include "app/gui/cell_texture.h"

#include <imgui_internal.h>

#include <algorithm>

namespace gemwright::app::gui {

CellTexture::~CellTexture() {
  if (!texture_) return;
  ImGui::UnregisterUserTexture(texture_.get());
  // The list of the last frame still names it, and the renderer looks through it when it ends. What the renderer holds
  // of the texture ends with its context.
  ImGui::GetPlatformIO().Textures.find_erase(texture_.get());
}

void CellTexture::set(int columns, int rows, const std::vector<ImU32>& cells) {
  columns_ = std::min(columns, kMaxColumns);
  rows_ = std::min(rows, kMaxRows);
  if (!texture_) {
    texture_ = std::make_unique<ImTextureData>();
    // One size for ever: another would be another texture.
    texture_->Create(ImTextureFormat_RGBA32, kMaxColumns, kMaxRows);
    texture_->UseColors = true;
    ImGui::RegisterUserTexture(texture_.get());
  }
  // One cell more at the right and at the bottom: neighbours are blended at the edges.
  const int width = std::min(columns_ + 1, kMaxColumns), height = std::min(rows_ + 1, kMaxRows);
  for (int y = 0; y < height; ++y) {
    auto* const row = static_cast<ImU32*>(texture_->GetPixelsAt(0, y));
    std::fill_n(row, width, 0U);
    if (y >= rows_) continue;
    const auto from = cells.begin() + static_cast<std::ptrdiff_t>(y) * columns;
    std::copy_n(from, columns_, row);
  }
  if (texture_->Status != ImTextureStatus_WantCreate) ImTextureDataQueueUpload(texture_.get(), 0, 0, width, height);
}

void CellTexture::draw(ImDrawList& list, ImVec2 low, ImVec2 high) const {
  if (!texture_ || columns_ < 1 || rows_ < 1) return;
  list.AddImage(texture_->GetTexRef(), low, high, {0, 0},
                {static_cast<float>(columns_) / kMaxColumns, static_cast<float>(rows_) / kMaxRows});
}

}  // namespace gemwright::app::gui
