#include "app/model/trial_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tuner/problem/input_text.h"

namespace gemwright::app {
namespace {

constexpr std::array<TrialColumnInfo, kTrialColumns> kColumns{{{"trial", true},
                                                               {"state", false},
                                                               {"GFLOP/s", true},
                                                               {"x baseline", false},
                                                               {"error", true},
                                                               {"phase", false},
                                                               {"config", false},
                                                               {"reason", false},
                                                               {"origin", false}}};
// A cell is one line; what is longer is read in the inspector.
constexpr std::size_t kMaxCell = 400;

// Missing values stand last, whatever the order.
template <class T>
bool before(const std::optional<T>& x, const std::optional<T>& y, bool descending) {
  if (!x || !y) return x.has_value() && !y.has_value();
  return descending ? *y < *x : *x < *y;
}

}  // namespace

const TrialColumnInfo& info(TrialColumn column) { return kColumns[static_cast<std::size_t>(column)]; }

std::string cell_text(const StudySnapshot& study, std::size_t i, TrialColumn column) {
  const tuner::Trial& t = study.trials[i];
  const auto& e = study.estimates[i];
  switch (column) {
    case TrialColumn::id:
      return std::to_string(t.id);
    case TrialColumn::state:
      return std::string(tuner::to_text(t.state));
    case TrialColumn::gflops:
      return number_text(study.columns.gflops[i], 1);
    case TrialColumn::ratio:
      return e ? ratio_text(e->ratio, e->ratio_lo, e->ratio_hi) : "-";
    case TrialColumn::phase:
      return e ? std::string(tuner::to_text(e->phase)) : "-";
    case TrialColumn::error:
      return t.error_fro ? fmt::format("{:.1e}", *t.error_fro) : "-";
    case TrialColumn::origin:
      return tuner::printable(t.origin, kMaxCell);
    case TrialColumn::config:
      return tuner::label(t.config);
    case TrialColumn::reason:
      return tuner::printable(t.reason, kMaxCell);
  }
  return "";
}

void TrialTable::show(std::shared_ptr<const StudySnapshot> study, const Selection& selection) {
  if (study == study_ && filter_version_ == selection.filter_version()) return;
  study_ = std::move(study);
  restart(selection);
}

void TrialTable::restart(const Selection& selection) {
  ++version_;
  filter_version_ = selection.filter_version();
  filter_ = selection.filter();
  rows_.clear();
  shows_.assign(study_ ? study_->trials.size() : 0, false);
  looked_at_ = 0;
  error_.clear();
  if (!study_ || study_->trials.empty()) return;
  const auto known = check_fields(filter_, study_->row(0));
  if (known) return;
  error_ = without_option(known.error());
  filter_ = {};
}

bool TrialTable::advance(std::size_t trials) {
  if (done()) return false;
  ++version_;
  const bool all = filter_.comparisons().empty();
  const std::size_t end = all ? study_->trials.size() : std::min(looked_at_ + trials, study_->trials.size());
  for (; looked_at_ < end; ++looked_at_) {
    shows_[looked_at_] = all || filter_.matches(study_->row(looked_at_));
    if (shows_[looked_at_]) rows_.push_back(static_cast<std::uint32_t>(looked_at_));
  }
  sort();
  return !done();
}

void TrialTable::sort_by(TrialColumn column, bool descending) {
  if (column == column_ && descending == descending_) return;
  column_ = column;
  descending_ = descending;
  sort();
}

void TrialTable::sort() {
  if (!study_) return;
  const StudySnapshot& s = *study_;
  const auto by = [&](auto value) {
    std::stable_sort(rows_.begin(), rows_.end(),
                     [&](std::uint32_t x, std::uint32_t y) { return before(value(x), value(y), descending_); });
  };
  const auto by_text = [&] {
    std::vector<std::optional<std::string>> texts(s.trials.size());
    for (const std::uint32_t i : rows_) texts[i] = cell_text(s, i, column_);
    by([&](std::uint32_t i) -> const std::optional<std::string>& { return texts[i]; });
  };
  std::sort(rows_.begin(), rows_.end());
  switch (column_) {
    case TrialColumn::id:
      return by([&](std::uint32_t i) { return std::optional(s.trials[i].seq); });
    case TrialColumn::gflops:
      return by([&](std::uint32_t i) { return s.columns.gflops[i]; });
    case TrialColumn::ratio:
      return by([&](std::uint32_t i) { return s.columns.ratio[i]; });
    case TrialColumn::error:
      return by([&](std::uint32_t i) { return s.columns.error[i]; });
    case TrialColumn::state:
    case TrialColumn::phase:
    case TrialColumn::origin:
    case TrialColumn::config:
    case TrialColumn::reason:
      return by_text();
  }
}

std::string TrialTable::as_text() const {
  std::vector<nlohmann::json> rows;
  for (const std::uint32_t i : rows_) rows.push_back(study_->row(i));
  return trials_table(rows);
}

std::string TrialTable::as_json() const {
  std::string out;
  for (const std::uint32_t i : rows_) {
    auto row = study_->row(i);
    if (out.empty()) row["version"] = kJsonVersion;
    out += json_line(row);
  }
  return out;
}

std::optional<std::size_t> TrialTable::place_of(tuner::TrialId trial) const {
  const auto it =
      std::find_if(rows_.begin(), rows_.end(), [&](std::uint32_t i) { return study_->trials[i].id == trial; });
  return it == rows_.end() ? std::nullopt : std::optional(static_cast<std::size_t>(it - rows_.begin()));
}

}  // namespace gemwright::app
