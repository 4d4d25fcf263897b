#include "app/model/decimate.h"

#include <algorithm>
#include <cmath>

namespace gemwright::app {

std::vector<PlotCell> decimate(const std::vector<PlotPoint>& points, const PlotArea& area, int columns, int rows) {
  const double width = area.x_max - area.x_min, height = area.y_max - area.y_min;
  if (!(width > 0) || !(height > 0) || columns < 1 || rows < 1) return {};
  const auto cell_of = [](double share, int count) { return std::min(static_cast<int>(share * count), count - 1); };
  constexpr std::size_t kEmpty = static_cast<std::size_t>(-1);
  std::vector<std::size_t> grid(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows), kEmpty);
  std::vector<PlotCell> cells;
  for (const PlotPoint& p : points) {
    // Written so that a point that is no number is outside.
    if (!(p.x >= area.x_min && p.x <= area.x_max && p.y >= area.y_min && p.y <= area.y_max)) continue;
    const int row = cell_of((p.y - area.y_min) / height, rows);
    const int column = cell_of((p.x - area.x_min) / width, columns);
    std::size_t& place =
        grid[static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column)];
    if (place == kEmpty) {
      place = cells.size();
      cells.push_back({p, 1});
      continue;
    }
    ++cells[place].count;
    if (p.y > cells[place].best.y) cells[place].best = p;
  }
  return cells;
}

int cell_side(double width, double height, std::size_t points, std::size_t marks) {
  if (points <= marks || marks == 0) return 1;
  return std::max(1, static_cast<int>(std::ceil(std::sqrt(width * height / static_cast<double>(marks)))));
}

}  // namespace gemwright::app
