// A small picture of cells that is set rarely and drawn in every frame: one quad, however many points it stands for.
// The renderer's back end uploads it; where there is none (tests) it is never asked for.
#pragma once

#include <imgui.h>

#include <memory>
#include <vector>

namespace gemwright::app::gui {

class CellTexture {
 public:
  static constexpr int kMaxColumns = 768, kMaxRows = 384;

  CellTexture() = default;
  ~CellTexture();
  CellTexture(const CellTexture&) = delete;
  CellTexture& operator=(const CellTexture&) = delete;

  // Row by row from the top; a colour of 0 is transparent. At most kMaxColumns and kMaxRows.
  void set(int columns, int rows, const std::vector<ImU32>& cells);
  void draw(ImDrawList& list, ImVec2 low, ImVec2 high) const;

 private:
  std::unique_ptr<ImTextureData> texture_;
  int columns_ = 0, rows_ = 0;
};

}  // namespace gemwright::app::gui
