// The Parallel coordinates view: one axis for each parameter that varies and one for the speed, one line for each
// trial.
//
// Idea: values of a parameter stand at even distances in their order, whatever their sizes: 0 is the lowest, 1 the
// highest. The speed is linear between the slowest and the fastest trial. Parts of axes that are brushed become a
// filter expression, the same that the filter bar and --filter take. Many lines are drawn as a picture of their
// density: trials share few values, so each pair of neighbouring axes has few different pieces of line, drawn once with
// their number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/model/chosen_trials.h"

namespace gemwright::app {

struct ParallelAxis {
  std::optional<TriedParameter> parameter;  // nothing: the speed
  double low = 0, high = 0;                 // of the speed, GFLOP/s

  std::string name() const;
  // Where a trial stands, 0 to 1.
  double place(const StudySnapshot& study, std::size_t trial) const;
};

struct ParallelPlot {
  std::vector<ParallelAxis> axes;   // the speed last
  std::vector<std::size_t> trials;  // indices in the study, the slowest first: the best is drawn last
  std::vector<float> places;        // of trials[i] on axis j: places[i * axes.size() + j]
  std::size_t without = 0;          // shown trials without a speed

  const float* line(std::size_t i) const { return places.data() + i * axes.size(); }
};
ParallelPlot parallel_plot(const StudySnapshot& study, const TrialSet& shown);

// Which of an axis' values are labelled, so that labels do not meet: always both ends, the others at even steps.
// `room`: from one value to the next, in heights of a line of text.
std::vector<std::size_t> labelled_values(std::size_t count, double room);

struct Extent {
  float low = 0, high = 0;
};
// The row of each of these, as few rows as they need, so that no two in a row come nearer than `gap`.
std::vector<std::size_t> rows_apart(const std::vector<Extent>& extents, float gap);

// The nearest line of a shown trial to a point: `x` counts axes (2.5 is in the middle between the third and the
// fourth), y is 0 to 1. Nothing where none is nearer than `reach` in y.
std::optional<std::size_t> nearest_line(const ParallelPlot& plot, const TrialSet& shown, double x, double y,
                                        double reach);

struct Brush {
  double low = 0, high = 1;
};
// By axis. A brush that holds no value of its axis counts as none.
std::string brush_filter(const ParallelPlot& plot, const std::vector<std::optional<Brush>>& brushes);

// The same parameter in another plot, or the speed; nothing where it does not vary there.
std::optional<std::size_t> same_axis(const ParallelAxis& axis, const ParallelPlot& in);
// Brushes of a plot on the axes of a later one of the same study, so that they hold the same values: with more trials
// values stand elsewhere.
std::vector<std::optional<Brush>> carried_brushes(const ParallelPlot& from,
                                                  const std::vector<std::optional<Brush>>& brushes,
                                                  const ParallelPlot& to);

// Lines through each cell of a picture, row 0 at the top.
struct DensityCell {
  std::size_t lines = 0;
  float best = 0;  // place of the fastest of them on the axis of speed
};
struct LineDensity {
  std::size_t columns = 0, rows = 0;
  std::size_t most = 0;  // lines through one cell
  std::vector<DensityCell> cells;
};
// Of the shown trials; `gap_columns` between two axes.
LineDensity line_density(const ParallelPlot& plot, const TrialSet& shown, std::size_t gap_columns, std::size_t rows);

// The axes with their values and how many trials have each; then the fastest trials.
std::string parallel_text(const StudySnapshot& study, const ParallelPlot& plot);

}  // namespace gemwright::app
