#include "app/model/parallel.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "app/model/run_view.h"
#include "tuner/insight/importance.h"

namespace gemwright::app {
namespace {

// For Copy as text.
constexpr std::size_t kFastest = 20;

double even_place(std::size_t place, std::size_t count) {
  return count > 1 ? static_cast<double>(place) / static_cast<double>(count - 1) : 0.5;
}

bool within(const Brush& b, double place) {
  constexpr double kSlack = 1e-9;
  return place >= b.low - kSlack && place <= b.high + kSlack;
}

std::string speed_filter(const ParallelAxis& axis, const Brush& b) {
  const double range = axis.high - axis.low;
  // Outwards to the printed digits, so that the trials at the ends stay in.
  const double low = std::floor((axis.low + b.low * range) * 1000) / 1000;
  const double high = std::ceil((axis.low + b.high * range) * 1000) / 1000;
  std::vector<std::string> parts;
  if (b.low > 0) parts.push_back(fmt::format("gflops>={:.3f}", low));
  if (b.high < 1) parts.push_back(fmt::format("gflops<={:.3f}", high));
  return fmt::format("{}", fmt::join(parts, " and "));
}

std::string parameter_filter(const TriedParameter& p, const Brush& b) {
  std::vector<std::string> in, out;
  for (std::size_t v = 0; v < p.values.size(); ++v) {
    (within(b, even_place(v, p.values.size())) ? in : out).push_back(tuner::value_text(p.param, p.values[v]));
  }
  if (in.empty() || out.empty()) return "";
  const std::string_view name = name_of(p.param);
  if (in.size() == 1) return fmt::format("{}={}", name, in.front());
  if (!tuner::has_names(p.param)) return fmt::format("{}>={} and {}<={}", name, in.front(), name, in.back());
  // Names have no order in the language of filters, and it has no brackets: what is not in the brush is excluded.
  for (std::string& o : out) o = fmt::format("{}!={}", name, o);
  return fmt::format("{}", fmt::join(out, " and "));
}

// Where the values that a brush holds stand on a later axis; nothing where it holds none.
std::optional<Brush> carried(const TriedParameter& from, const Brush& b, const TriedParameter& to) {
  std::optional<Brush> out;
  for (std::size_t v = 0; v < from.values.size(); ++v) {
    if (!within(b, even_place(v, from.values.size()))) continue;
    const double place = even_place(to.place(from.values[v]), to.values.size());
    out = out ? Brush{out->low, place} : Brush{place, place};
  }
  return out;
}

Brush carried(const ParallelAxis& from, const Brush& b, const ParallelAxis& to) {
  const double range = to.high - to.low;
  const auto at = [&](double place) {
    const double speed = from.low + place * (from.high - from.low);
    return range > 0 ? std::clamp((speed - to.low) / range, 0.0, 1.0) : place;
  };
  // An end of the axis stays one: it bounds nothing.
  return {b.low > 0 ? at(b.low) : 0, b.high < 1 ? at(b.high) : 1};
}

// Pieces of line between two axes that begin and end in the same rows are one, with their number.
class Pieces {
 public:
  explicit Pieces(std::size_t rows) : rows_(rows), cells_(rows * rows) {}

  void clear() { std::fill(cells_.begin(), cells_.end(), DensityCell{}); }
  void add(float from, float to, float speed) {
    DensityCell& c = cells_[row(from) * rows_ + row(to)];
    ++c.lines;
    c.best = std::max(c.best, speed);
  }
  void draw(LineDensity& out, std::size_t first_column, std::size_t columns) const {
    for (std::size_t from = 0; from < rows_; ++from) {
      for (std::size_t to = 0; to < rows_; ++to) {
        const DensityCell& piece = cells_[from * rows_ + to];
        if (piece.lines == 0) continue;
        // A steep piece takes several rows of a column: it is to be seen as a line.
        const auto row_at = [&](std::size_t column) {
          const double share = static_cast<double>(column) / static_cast<double>(columns);
          return static_cast<double>(from) + share * (static_cast<double>(to) - static_cast<double>(from));
        };
        for (std::size_t c = 0; c < columns; ++c) {
          const double low = std::min(row_at(c), row_at(c + 1)), high = std::max(row_at(c), row_at(c + 1));
          for (auto y = static_cast<std::size_t>(low + 0.5); y <= static_cast<std::size_t>(high + 0.5); ++y) {
            DensityCell& cell = out.cells[y * out.columns + first_column + c];
            cell.lines += piece.lines;
            cell.best = std::max(cell.best, piece.best);
          }
        }
      }
    }
  }

 private:
  // The top row is place 1.
  std::size_t row(float place) const {
    return static_cast<std::size_t>(std::lround((1 - std::clamp(place, 0.0F, 1.0F)) * static_cast<float>(rows_ - 1)));
  }

  std::size_t rows_;
  std::vector<DensityCell> cells_;
};

}  // namespace

std::string ParallelAxis::name() const { return parameter ? std::string(name_of(parameter->param)) : "GFLOP/s"; }

double ParallelAxis::place(const StudySnapshot& study, std::size_t i) const {
  if (parameter) {
    const std::int64_t value = tuner::value(study.trials[i].config, parameter->param);
    return even_place(parameter->place(value), parameter->values.size());
  }
  return high > low ? (study.columns.gflops[i].value_or(low) - low) / (high - low) : 0.5;
}

ParallelPlot parallel_plot(const StudySnapshot& study, const TrialSet& shown) {
  ParallelPlot out;
  TrialSet drawn(study.trials.size(), false);
  ParallelAxis speed;
  for (std::size_t i = 0; i < study.trials.size(); ++i) {
    if (!shown[i]) continue;
    if (!has_speed(study, i)) {
      ++out.without;
      continue;
    }
    drawn[i] = true;
    const double g = *study.columns.gflops[i];
    speed.low = out.trials.empty() ? g : std::min(speed.low, g);
    speed.high = out.trials.empty() ? g : std::max(speed.high, g);
    out.trials.push_back(i);
  }
  for (TriedParameter& p : varying_parameters(study, drawn)) out.axes.push_back({std::move(p), 0, 0});
  out.axes.push_back(speed);
  std::stable_sort(out.trials.begin(), out.trials.end(),
                   [&](std::size_t x, std::size_t y) { return *study.columns.gflops[x] < *study.columns.gflops[y]; });
  out.places.reserve(out.trials.size() * out.axes.size());
  for (const std::size_t i : out.trials) {
    for (const ParallelAxis& a : out.axes) out.places.push_back(static_cast<float>(a.place(study, i)));
  }
  return out;
}

std::vector<std::size_t> labelled_values(std::size_t count, double room) {
  // Of a line of text and the space below it.
  constexpr double kLine = 1.2;
  const auto step = static_cast<std::size_t>(std::max(1.0, std::ceil(kLine / std::max(room, 1e-3))));
  std::vector<std::size_t> out;
  for (std::size_t v = 0; v < count; ++v) {
    const bool end = v == 0 || v + 1 == count;
    if (end || (v % step == 0 && count - 1 - v >= step)) out.push_back(v);
  }
  return out;
}

std::vector<std::size_t> rows_apart(const std::vector<Extent>& extents, float gap) {
  std::vector<std::vector<Extent>> rows;
  std::vector<std::size_t> out;
  for (const Extent& e : extents) {
    const auto free = std::find_if(rows.begin(), rows.end(), [&](const std::vector<Extent>& row) {
      return std::none_of(row.begin(), row.end(),
                          [&](const Extent& o) { return e.low < o.high + gap && o.low < e.high + gap; });
    });
    out.push_back(static_cast<std::size_t>(free - rows.begin()));
    if (free == rows.end()) {
      rows.push_back({e});
    } else {
      free->push_back(e);
    }
  }
  return out;
}

std::optional<std::size_t> nearest_line(const ParallelPlot& plot, const TrialSet& shown, double x, double y,
                                        double reach) {
  if (plot.axes.size() < 2 || !(x >= 0) || x > static_cast<double>(plot.axes.size() - 1)) return std::nullopt;
  const auto axis = std::min(static_cast<std::size_t>(x), plot.axes.size() - 2);
  const double share = x - static_cast<double>(axis);
  std::optional<std::size_t> best;
  // Of lines that lie on each other the fastest, which is drawn on top.
  for (std::size_t i = 0; i < plot.trials.size(); ++i) {
    if (!shown[plot.trials[i]]) continue;
    const float* const line = plot.line(i);
    const double distance = std::abs((1 - share) * line[axis] + share * line[axis + 1] - y);
    if (distance > reach) continue;
    reach = distance;
    best = i;
  }
  return best;
}

std::string brush_filter(const ParallelPlot& plot, const std::vector<std::optional<Brush>>& brushes) {
  std::string out;
  for (std::size_t i = 0; i < std::min(brushes.size(), plot.axes.size()); ++i) {
    if (!brushes[i]) continue;
    const ParallelAxis& a = plot.axes[i];
    const std::string part = a.parameter ? parameter_filter(*a.parameter, *brushes[i]) : speed_filter(a, *brushes[i]);
    if (!part.empty()) out += (out.empty() ? "" : " and ") + part;
  }
  return out;
}

std::optional<std::size_t> same_axis(const ParallelAxis& axis, const ParallelPlot& in) {
  for (std::size_t a = 0; a < in.axes.size(); ++a) {
    if (in.axes[a].name() == axis.name()) return a;
  }
  return std::nullopt;
}

std::vector<std::optional<Brush>> carried_brushes(const ParallelPlot& from,
                                                  const std::vector<std::optional<Brush>>& brushes,
                                                  const ParallelPlot& to) {
  std::vector<std::optional<Brush>> out(to.axes.size());
  for (std::size_t a = 0; a < from.axes.size() && a < brushes.size(); ++a) {
    const auto same = brushes[a] ? same_axis(from.axes[a], to) : std::nullopt;
    if (!same) continue;
    const ParallelAxis& axis = to.axes[*same];
    out[*same] = axis.parameter ? carried(*from.axes[a].parameter, *brushes[a], *axis.parameter)
                                : std::optional(carried(from.axes[a], *brushes[a], axis));
  }
  return out;
}

LineDensity line_density(const ParallelPlot& plot, const TrialSet& shown, std::size_t gap_columns, std::size_t rows) {
  LineDensity out;
  if (plot.axes.size() < 2 || rows < 2 || gap_columns == 0) return out;
  out.columns = (plot.axes.size() - 1) * gap_columns;
  out.rows = rows;
  out.cells.resize(out.columns * rows);
  Pieces pieces(rows);
  for (std::size_t a = 0; a + 1 < plot.axes.size(); ++a) {
    pieces.clear();
    for (std::size_t i = 0; i < plot.trials.size(); ++i) {
      if (!shown[plot.trials[i]]) continue;
      const float* const line = plot.line(i);
      pieces.add(line[a], line[a + 1], line[plot.axes.size() - 1]);
    }
    pieces.draw(out, a * gap_columns, gap_columns);
  }
  for (const DensityCell& c : out.cells) out.most = std::max(out.most, c.lines);
  return out;
}

std::string parallel_text(const StudySnapshot& study, const ParallelPlot& plot) {
  std::string out = fmt::format("study {}: {}\n{} trials with a speed, {} without\n\n", study.record().id,
                                study_title(study.record()), plot.trials.size(), plot.without);
  std::vector<Column> columns{{"trial", true}};
  for (const ParallelAxis& a : plot.axes) columns.push_back({a.name(), true});
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = plot.trials.size(); i-- > 0 && rows.size() < kFastest;) {
    const tuner::Trial& t = study.trials[plot.trials[i]];
    rows.push_back({std::to_string(t.id)});
    for (const ParallelAxis& a : plot.axes) {
      rows.back().push_back(a.parameter
                                ? tuner::value_text(a.parameter->param, tuner::value(t.config, a.parameter->param))
                                : number_text(study.columns.gflops[plot.trials[i]], 1));
    }
  }
  if (plot.trials.size() > kFastest) out += fmt::format("the fastest {}:\n", kFastest);
  return out + table(columns, rows);
}

}  // namespace gemwright::app
