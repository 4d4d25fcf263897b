// House conventions over ImPlot: trials as marks by state, few enough to draw, hovered and clicked as one selection.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "app/gui/view.h"
#include "app/model/decimate.h"

namespace gemwright::app::gui {

// More marks than this are drawn as one a cell of pixels (reference: 5,000 marks take 22 ms in software).
constexpr std::size_t kMaxMarks = 2000;

// Between BeginPlot and EndPlot: takes every trial with its place, then draws.
class TrialMarks {
 public:
  explicit TrialMarks(std::size_t reserve) { points_.reserve(reserve); }
  // In the units of the axes. A trial that the filter leaves out is drawn faintly.
  void add(double x, double y, std::size_t trial) { points_.push_back({x, y, trial}); }
  // Marks, then those that stay exact: hovered, selected, pinned, `best`. Hovering and clicking select.
  void draw(Frame& frame, std::optional<std::size_t> best);

 private:
  void to_pixels();
  void draw_cells(const Frame& frame) const;
  void draw_exact(const Frame& frame, std::optional<std::size_t> best) const;
  void select(Frame& frame) const;
  const PlotPoint* place_of(std::size_t trial) const;

  std::vector<PlotPoint> points_;
};

// The marks of these states with their names and counts, in one line that wraps.
void state_legend(const Look& look, const StudySnapshot& study);
// A label at a corner of a point, on a ground of its own so that no line runs through it: side (-1, -1) is to the left
// and above. It stays inside the plot.
void plot_label(const Look& look, ImVec2 point, ImVec2 side, const std::string& text, ImU32 colour);
// How a plot of ours starts: no title, no legend box, no menus.
bool begin_plot(const char* id, ImVec2 size);

}  // namespace gemwright::app::gui
