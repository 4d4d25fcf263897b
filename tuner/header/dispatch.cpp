#include "tuner/header/dispatch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "tuner/space/space.h"

namespace gemwright::tuner {
namespace {

// Regrets are ratios of medians: differences below this are rounding.
constexpr double kRounding = 1e-9;

Result<void> check(const std::vector<Cell>& cells, double max_regret) {
  if (cells.empty()) return fail("there is nothing to export: no study has a confirmed result");
  if (!(max_regret >= 0)) return fail("the regret bound must not be negative", ErrorKind::usage);
  std::set<std::pair<std::int64_t, int>> seen;
  for (const Cell& cell : cells) {
    if (cell.candidates.empty()) return fail(fmt::format("M = {} has no measured config", cell.m));
    if (!seen.insert({cell.m, cell.threads}).second) {
      return fail(fmt::format("M = {} with {} threads was given twice", cell.m, cell.threads));
    }
    const bool weighed = cell.weight >= 0 && std::isfinite(cell.weight);
    if (cell.m < 1 || cell.threads < 1 || !weighed) {
      return fail(
          fmt::format("M = {} with {} threads and weight {} has no meaning", cell.m, cell.threads, cell.weight));
    }
    for (const Candidate& c : cell.candidates) {
      if (!(c.ns_per_call > 0) || !std::isfinite(c.ns_per_call)) {
        return fail(fmt::format("trial {} has the time {} ns", c.trial, c.ns_per_call));
      }
    }
  }
  return {};
}

// What a cell says about configs: looked up by what they run there.
class Measured {
 public:
  struct Figure {
    double regret = 0;
    TrialId trial = 0;
    bool confirmed = false;
    double measured = 0;  // the regret without what is added for doubt
    bool better_than(const Figure& o) const {
      return std::tuple(regret, !confirmed, measured) < std::tuple(o.regret, !o.confirmed, o.measured);
    }
  };

  Measured(const Problem& problem, const Cell& cell) : cell_(cell) {
    input_.problem = problem;
    input_.m = cell.m;
    input_.threads = cell.threads;
    input_.modes = modes_behind(problem.interface);
    const double best = best_ns();
    for (const Candidate& c : cell.candidates) {
      const double handicap = c.confirmed ? 0 : std::max(cell.noise_floor, kRounding);
      const double slower = c.ns_per_call / best - 1;
      const Figure f{std::max(slower, handicap), c.trial, c.confirmed, slower};
      const auto [at, fresh] = figures_.try_emplace(program(c.config), f);
      if (!fresh && f.better_than(at->second)) at->second = f;
      const auto [least, first] = least_.try_emplace(format_of(c.config), f.regret);
      if (!first) least->second = std::min(least->second, f.regret);
    }
  }

  const Cell& cell() const { return cell_; }
  // Nothing where the config was not measured here.
  std::optional<Figure> find(const Config& c) const {
    const auto at = figures_.find(program(c));
    return at == figures_.end() ? std::nullopt : std::optional(at->second);
  }
  std::optional<double> least_regret(const PackingFormat& format) const {
    const auto at = least_.find(format);
    return at == least_.end() ? std::nullopt : std::optional(at->second);
  }
  // Nothing where the config was not measured or is slower than the bound allows.
  std::optional<double> allowed(const Config& c, double max_regret) const {
    const auto f = find(c);
    const double bound = std::max(max_regret, least_regret(format_of(c)).value_or(0)) + kRounding;
    return f && f->regret <= bound ? std::optional(f->regret) : std::nullopt;
  }

 private:
  std::string program(const Config& c) const { return key(canonical(input_, c)); }

  double best_ns() const {
    double best = std::numeric_limits<double>::infinity(), confirmed = best;
    for (const Candidate& c : cell_.candidates) {
      best = std::min(best, c.ns_per_call);
      if (c.confirmed) confirmed = std::min(confirmed, c.ns_per_call);
    }
    return std::isfinite(confirmed) ? confirmed : best;
  }

  const Cell& cell_;
  SpaceInput input_;
  std::map<std::string, Figure> figures_;
  std::map<PackingFormat, double> least_;
};

bool admits(const Cell& cell, ComputeMode mode) {
  return std::find(cell.modes.begin(), cell.modes.end(), mode) != cell.modes.end();
}

// Of equally good formats the one of the most exact mode, then of the narrowest panel. Nothing where no mode that was
// measured is admitted by all cells.
std::optional<PackingFormat> choose_format(const std::vector<Measured>& cells) {
  std::set<PackingFormat> formats;
  for (const Measured& m : cells) {
    for (const Candidate& c : m.cell().candidates) {
      const bool all = std::all_of(cells.begin(), cells.end(),
                                   [&](const Measured& other) { return admits(other.cell(), c.config.mode); });
      if (all) formats.insert(format_of(c.config));
    }
  }
  std::optional<PackingFormat> chosen;
  std::pair<double, double> least{};  // weight not covered, weighted regret
  for (const PackingFormat& format : formats) {
    std::pair<double, double> cost{0, 0};
    for (const Measured& m : cells) {
      const auto regret = m.least_regret(format);
      // A missing cell counts even where its weight is 0.
      if (!regret) cost.first += m.cell().weight + kRounding;
      if (regret) cost.second += m.cell().weight * *regret;
    }
    if (!chosen || cost < least) {
      chosen = format;
      least = cost;
    }
  }
  return chosen;
}

// A run of neighbouring M of one thread count, and the config that serves it.
struct Run {
  std::vector<const Measured*> cells;
  Config config;
};

// Weighted regret of a config over cells [first, last], or nothing where one of them does not allow it.
std::optional<double> total(const Config& c, const std::vector<const Measured*>& cells, std::size_t first,
                            std::size_t last, double max_regret) {
  double sum = 0;
  for (std::size_t i = first; i <= last; ++i) {
    const auto regret = cells[i]->allowed(c, max_regret);
    if (!regret) return std::nullopt;
    sum += cells[i]->cell().weight * *regret;
  }
  return sum;
}

// The fewest runs over the cells (by M, all covered by the format); then the least regret.
std::vector<Run> cut(const std::vector<const Measured*>& cells, const PackingFormat& format, double max_regret) {
  struct Best {
    std::pair<std::size_t, double> cost{0, 0};  // runs, weighted regret
    std::size_t first = 0;
    const Config* config = nullptr;
  };
  std::vector<Best> best(cells.size() + 1);  // best[i] serves the first i cells
  for (std::size_t end = 1; end <= cells.size(); ++end) {
    // A run's config has the form it was measured in at the run's largest M: "all rows" is then written as that M.
    const Measured& last = *cells[end - 1];
    for (const Candidate& c : last.cell().candidates) {
      if (format_of(c.config) != format || !last.allowed(c.config, max_regret)) continue;
      double sum = 0;
      for (std::size_t first = end; first-- > 0;) {
        const auto regret = total(c.config, cells, first, first, max_regret);
        if (!regret) break;
        sum += *regret;
        const std::pair cost{best[first].cost.first + 1, best[first].cost.second + sum};
        if (best[end].config == nullptr || cost < best[end].cost) best[end] = {cost, first, &c.config};
      }
    }
  }
  std::vector<Run> runs;
  for (std::size_t end = cells.size(); end > 0; end = best[end].first) {
    const auto at = [&](std::size_t i) { return cells.begin() + static_cast<std::ptrdiff_t>(i); };
    runs.push_back({{at(best[end].first), at(end)}, *best[end].config});
  }
  std::reverse(runs.begin(), runs.end());
  return runs;
}

// Another of the chosen configs that can serve the run, by least regret.
std::optional<Config> substitute(const Run& run, const std::vector<Config>& others, double max_regret) {
  std::optional<Config> found;
  double least = std::numeric_limits<double>::infinity();
  for (const Config& c : others) {
    const auto sum = total(c, run.cells, 0, run.cells.size() - 1, max_regret);
    if (sum && *sum < least) {
      least = *sum;
      found = c;
    }
  }
  return found;
}

using Groups = std::map<int, std::vector<Run>>;  // by threads

std::vector<Config> distinct_configs(const Groups& groups) {
  std::vector<Config> configs;
  for (const auto& [threads, runs] : groups) {
    for (const Run& r : runs) {
      if (std::find(configs.begin(), configs.end(), r.config) == configs.end()) configs.push_back(r.config);
    }
  }
  return configs;
}

// Gives all runs of `victim` to other configs, or changes nothing.
bool drop(Groups& groups, const Config& victim, const std::vector<Config>& others, double max_regret) {
  Groups changed = groups;
  for (auto& [threads, runs] : changed) {
    for (Run& r : runs) {
      if (!(r.config == victim)) continue;
      const auto other = substitute(r, others, max_regret);
      if (!other) return false;
      r.config = *other;
    }
  }
  groups = std::move(changed);
  return true;
}

void drop_configs(Groups& groups, double max_regret) {
  const auto uses = [&](const Config& c) {
    std::ptrdiff_t count = 0;
    for (const auto& [threads, runs] : groups) {
      count += std::count_if(runs.begin(), runs.end(), [&](const Run& r) { return r.config == c; });
    }
    return count;
  };
  std::vector<Config> configs = distinct_configs(groups);
  std::vector<std::pair<std::ptrdiff_t, std::size_t>> order;
  for (std::size_t i = 0; i < configs.size(); ++i) order.emplace_back(uses(configs[i]), i);
  std::sort(order.begin(), order.end());
  std::vector<Config> left = configs;
  for (const auto& [count, i] : order) {
    std::vector<Config> others = left;
    others.erase(std::find(others.begin(), others.end(), configs[i]));
    if (drop(groups, configs[i], others, max_regret)) left = std::move(others);
  }
}

// Neighbouring runs of one config become one range.
DispatchGroup group_of(int threads, const std::vector<Run>& runs, const std::vector<Config>& configs) {
  DispatchGroup g{threads, {}};
  for (const Run& r : runs) {
    const auto config = static_cast<std::size_t>(std::find(configs.begin(), configs.end(), r.config) - configs.begin());
    const std::int64_t max_m = r.cells.back()->cell().m;
    if (!g.ranges.empty() && g.ranges.back().config == config) {
      g.ranges.back().max_m = max_m;
    } else {
      g.ranges.push_back({max_m, config});
    }
  }
  return g;
}

// The last range serves all larger M, so where it ends does not matter.
bool same_ranges(const DispatchGroup& x, const DispatchGroup& y) {
  if (x.ranges.size() != y.ranges.size()) return false;
  for (std::size_t i = 0; i < x.ranges.size(); ++i) {
    const bool last = i + 1 == x.ranges.size();
    if (x.ranges[i].config != y.ranges[i].config || (!last && x.ranges[i].max_m != y.ranges[i].max_m)) return false;
  }
  return true;
}

// What the header will do for this cell, by the rule of kernels/gemwright/dispatch.h.
ServedCell served(const Dispatch& d, const Measured& m) {
  const DispatchGroup* group = &d.groups.front();
  for (const DispatchGroup& g : d.groups) {
    if (g.threads <= m.cell().threads) group = &g;
  }
  const DispatchRange* range = &group->ranges.back();
  for (const DispatchRange& r : group->ranges) {
    if (m.cell().m <= r.max_m) {
      range = &r;
      break;
    }
  }
  ServedCell s;
  s.config = range->config;
  if (const auto f = m.find(d.configs[range->config])) {
    s.trial = f->trial;
    s.regret = f->regret;
    s.confirmed = f->confirmed;
  }
  return s;
}

}  // namespace

Result<Dispatch> choose_dispatch(const Problem& problem, const std::vector<Cell>& cells, double max_regret) {
  if (auto r = check(cells, max_regret); !r) return tl::unexpected(r.error());
  std::vector<Measured> measured;
  measured.reserve(cells.size());
  for (const Cell& c : cells) measured.emplace_back(problem, c);
  Dispatch d;
  const auto chosen = choose_format(measured);
  if (!chosen) {
    return fail(
        fmt::format("{}: its studies admit no compute mode in common; choose some with --filter", key(problem)));
  }
  const PackingFormat format = *chosen;
  d.mode = format.mode;
  d.format = {format.panel, format.pair};

  std::map<int, std::vector<const Measured*>> covered;  // by threads
  for (const Measured& m : measured) {
    if (m.least_regret(format)) covered[m.cell().threads].push_back(&m);
  }
  Groups groups;
  for (auto& [threads, row] : covered) {
    std::sort(row.begin(), row.end(), [](const Measured* x, const Measured* y) { return x->cell().m < y->cell().m; });
    groups[threads] = cut(row, format, max_regret);
  }
  drop_configs(groups, max_regret);
  d.configs = distinct_configs(groups);
  for (const auto& [threads, runs] : groups) {
    DispatchGroup g = group_of(threads, runs, d.configs);
    if (d.groups.empty() || !same_ranges(d.groups.back(), g)) d.groups.push_back(std::move(g));
  }
  for (const Measured& m : measured) d.cells.push_back(served(d, m));
  return d;
}

}  // namespace gemwright::tuner
