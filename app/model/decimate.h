// Fewer marks than points: a plot of many points draws one mark for each small cell of pixels, the best point of the
// cell standing for all, with how many they are.
//
// Drawing costs pixels, not logic: 50,000 marks take a tenth of a second in software, 2,000 take a few milliseconds.
// Units: x and y in the plot's pixels, or in anything linear in them.
#pragma once

#include <cstddef>
#include <vector>

namespace gemwright::app {

struct PlotPoint {
  double x = 0, y = 0;
  std::size_t index = 0;  // of the caller
};

struct PlotCell {
  PlotPoint best;
  std::size_t count = 1;
};

struct PlotArea {
  double x_min = 0, x_max = 1, y_min = 0, y_max = 1;
};

// Points outside the area, and those that are no numbers, are left out. The best of a cell has the largest y; of equal
// ones the first stands. Cells come in the order of their first points.
std::vector<PlotCell> decimate(const std::vector<PlotPoint>& points, const PlotArea& area, int columns, int rows);

// The side of square cells, in pixels, with which at most `marks` of them cover a plot; 1 where there are fewer points.
int cell_side(double width, double height, std::size_t points, std::size_t marks);

}  // namespace gemwright::app
