// House conventions over ImPlot: points as marks, few enough to draw, and trials hovered and clicked as one selection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "app/gui/cell_texture.h"
#include "app/gui/view.h"
#include "app/model/decimate.h"

namespace gemwright::app::gui {

// More points than this are drawn as a picture of their density. A round mark costs a software renderer with one thread
// 15 us and the rest of a frame some 18 ms: with this many a frame stays below 33 ms.
constexpr std::size_t kMaxMarks = 800;

struct CloudMark {
  StateMark mark;
  float radius = 0;   // pixels
  bool front = true;  // drawn over the others
};

// Points of a plot, kept from frame to frame. What is drawn of them is computed anew only where the points, the axes,
// the place of the plot or `version` have changed.
class PointCloud {
 public:
  using MarkOf = std::function<CloudMark(std::size_t)>;

  void clear();
  // In the units of the axes.
  void add(double x, double y, std::size_t index);
  std::size_t size() const { return points_.size(); }

  // Between BeginPlot and EndPlot. `version` has to change where a mark would.
  void draw(const Look& look, std::uint64_t version, const MarkOf& mark);
  // In pixels, since the last draw; null where there is none.
  const PlotPoint* find(std::size_t index) const;
  const PlotPoint* nearest(ImVec2 to, float reach) const;
  static ImVec2 pixels(const PlotPoint& p) { return {static_cast<float>(p.x), static_cast<float>(-p.y)}; }

 private:
  struct Place {
    double x_min = 0, x_max = 0, y_min = 0, y_max = 0;
    float left = 0, top = 0, width = 0, height = 0;
    std::uint64_t version = 0;
    Theme theme = Theme::dark;
    float scale = 0;
    bool operator==(const Place&) const = default;
  };
  struct Drawn {
    ImVec2 at;
    CloudMark mark;
  };
  void compute(const Look& look, const MarkOf& mark);
  void add_marks(const std::vector<PlotPoint>& points, const MarkOf& mark);
  void add_density(const std::vector<PlotPoint>& points, const MarkOf& mark);

  std::vector<PlotPoint> points_, pixels_;  // pixels upwards, so that the best of a cell is the highest
  Place place_;
  bool stale_ = true;
  std::vector<Drawn> marks_;
  std::vector<ImU32> cells_;  // of the density; empty: there is none
  int columns_ = 0, rows_ = 0;
  std::size_t dense_ = 0;  // points that the density stands for
  CellTexture texture_;
};

// The trials of a study as points.
class TrialMarks {
 public:
  using MarkOf = std::function<StateMark(const Frame&, std::size_t trial)>;

  TrialMarks();  // marked by state
  explicit TrialMarks(MarkOf mark) : mark_(std::move(mark)) {}

  void clear() { cloud_.clear(); }
  // A trial that the filter leaves out is drawn faintly.
  void add(double x, double y, std::size_t trial) { cloud_.add(x, y, trial); }
  // Points, then those that stay exact: hovered, selected, pinned, `best`. Hovering and clicking select.
  void draw(Frame& frame, std::optional<std::size_t> best);

 private:
  void draw_exact(const Frame& frame, std::optional<std::size_t> best) const;
  void select(Frame& frame) const;

  MarkOf mark_;
  PointCloud cloud_;
};

// The marks of these states with their names and counts, in one line that wraps.
void state_legend(const Frame& frame);
// One entry of such a line; `first` begins it.
void legend_entry(const StateMark& mark, const std::string& text, bool first);
// A label at a corner of a point, on a ground of its own so that no line runs through it: side (-1, -1) is to the left
// and above. It stays inside the plot.
void plot_label(const Look& look, ImVec2 point, ImVec2 side, const std::string& text, ImU32 colour);
// A line across the plot that the marks are compared with, level or upright: wider than those of the grid, and none of
// them close beside it.
void reference_line(const Look& look, bool level, double at, ImU32 colour);
// A legend entry of such a line, and of any other.
void line_entry(ImU32 colour, const std::string& text, bool first);
// Labels a logarithmic axis with few, well placed ticks that do not meet: in the setup of a plot. `format` as of
// printf; `length`: of the plot along this axis, in pixels, with what stands around it.
void log_axis(int axis, double low, double high, const char* format, float length);
// Labels an axis that counts with whole numbers only: in the setup of a plot.
void whole_axis(int axis);
// How a plot of ours starts: no title, no legend box, no menus.
bool begin_plot(const char* id, ImVec2 size);
// What a colour says: from the lowest to the highest speed, in one line.
void speed_legend(double low, double high, const std::function<ImU32(double)>& colour);
// A perceptual map for values, 0 to 1 (viridis); and black or white, whichever can be read on it.
ImU32 value_colour(double share);
ImU32 text_on(ImU32 ground);

}  // namespace gemwright::app::gui
