// Two trials or two winners of studies side by side: what was timed of them, their configs, their counters.
#include <fmt/format.h>
#include <implot.h>

#include <algorithm>
#include <cmath>

#include "app/gui/fields.h"
#include "app/gui/plot.h"
#include "app/gui/widgets.h"

namespace gemwright::app::gui {
namespace {

// Of the plots, in letters.
constexpr float kIntervals = 9, kSamples = 15;

struct Interval {
  std::string name;
  double value = 1;
  std::optional<double> lo, hi;
  ImU32 colour = 0;
};

class CompareView : public View {
 public:
  const char* name() const override { return "compare"; }
  const char* title() const override { return "Compare"; }

  void draw(Frame& frame) override {
    if (!has_study(frame)) return;
    take_pins(frame);
    heading(frame.look, "A against B");
    ImGui::SameLine();
    copy_button(frame, *this);
    draw_operands(frame);
    const CompareState& state = frame.desk.compare_state();
    if (frame.desk.compare_form.a.empty() || frame.desk.compare_form.b.empty()) {
      return empty_state(frame.look, "Nothing to compare yet",
                         "Select a trial and press A, another one and press B. Or write trial:17, study:3 (its winner) "
                         "or the path of a database above.");
    }
    if (state.busy && !state.result) return dim_text(frame.look, "is being compared");
    if (!state.error.empty()) return warning_text(frame.look, state.error);
    if (!state.result) return;
    if (!state.result->trials) return draw_text(frame, state.result->text);
    draw_result(frame, *state.result);
  }

  std::string as_text(const Frame& frame) const override {
    const CompareState& state = frame.desk.compare_state();
    if (state.result) return state.result->text;
    return state.error.empty() ? "Nothing to compare yet\n" : state.error + "\n";
  }

 private:
  // A pin that is new takes the place of what stands there; one that is taken off clears it.
  void take_pins(Frame& frame) {
    CompareForm& form = frame.desk.compare_form;
    if (frame.database != nullptr) form.database = frame.database->path;
    const auto take = [&](Selection::Side side, std::optional<TrialRef>& seen, std::string& text) {
      const auto& pin = frame.selection.pinned(side);
      if (pin == seen) return;
      seen = pin;
      text =
          pin ? trial_operand(frame.snapshot.databases[static_cast<std::size_t>(pin->study.database)].path, pin->trial)
              : "";
    };
    take(Selection::Side::a, seen_a_, form.a);
    take(Selection::Side::b, seen_b_, form.b);
    offer(frame, form);
  }

  // As long as nobody chose: the winner of the study against its runner-up.
  void offer(const Frame& frame, CompareForm& form) {
    if (form.a != offered_a_ || form.b != offered_b_) return;
    const StudySnapshot& s = *frame.study;
    const auto& winner = s.record().outcome.best_trial;
    const auto best = winner ? s.find(*winner) : std::nullopt;
    std::optional<std::size_t> second;
    for (std::size_t i = 0; best && i < s.trials.size(); ++i) {
      const auto& speed = s.columns.gflops[i];
      if (i == best || s.columns.state[i] != tuner::TrialState::ok || !speed || !confirmed(s, i)) continue;
      if (!second || *speed > *s.columns.gflops[*second]) second = i;
    }
    const auto& path = frame.snapshot.databases[static_cast<std::size_t>(s.ref.database)].path;
    form.a = offered_a_ = second ? trial_operand(path, s.trials[*best].id) : "";
    form.b = offered_b_ = second ? trial_operand(path, s.trials[*second].id) : "";
  }

  static bool confirmed(const StudySnapshot& s, std::size_t i) {
    return s.estimates[i] && s.estimates[i]->phase == tuner::Phase::confirm;
  }

  static void draw_operands(Frame& frame) {
    CompareForm& form = frame.desk.compare_form;
    if (!begin_form("operands", 1.5f)) return;
    const float swap = ImGui::CalcTextSize("Swap").x + 2 * ImGui::GetStyle().FramePadding.x;
    form_row(frame.look, "A");
    ImGui::SetNextItemWidth(-swap - ImGui::GetStyle().ItemSpacing.x);
    text_field("##a", "trial:17, study:3 or a database", form.a);
    ImGui::SameLine();
    if (ImGui::Button("Swap")) std::swap(form.a, form.b);
    form_row(frame.look, "B");
    ImGui::SetNextItemWidth(-swap - ImGui::GetStyle().ItemSpacing.x);
    text_field("##b", "another of the same kind", form.b);
    end_form();
  }

  static void draw_text(const Frame& frame, const std::string& text) {
    ImGui::PushFont(frame.look.fonts.code, kSmallSize);
    if (ImGui::BeginChild("text", {0, 0}, 0, ImGuiWindowFlags_HorizontalScrollbar)) {
      ImGui::TextUnformatted(text.c_str());
    }
    ImGui::EndChild();
    ImGui::PopFont();
  }

  void draw_result(const Frame& frame, const CompareResult& r) {
    const Look& look = frame.look;
    ImGui::TextWrapped("%s", r.trials->verdict.text.c_str());
    if (!r.basis.empty()) dim_text(look, r.basis);
    if (ImGui::BeginChild("all")) {
      draw_intervals(look, *r.trials);
      draw_samples(look, r);
      draw_rows(look, r);
      draw_counters(look, r.counters);
    }
    ImGui::EndChild();
  }

  static void draw_intervals(const Look& look, const TrialComparison& c) {
    std::vector<Interval> rows;
    if (c.ratio) rows.push_back({"B over A", c.ratio->ratio, c.ratio->lo, c.ratio->hi, look.accent()});
    const auto figure = [&](const char* name, const ComparedTrial& t, bool b) {
      if (t.figure && t.figure->ratio) {
        rows.push_back({name, *t.figure->ratio, t.figure->ratio_lo, t.figure->ratio_hi, look.pin(b)});
      }
    };
    figure("B over baseline", c.b, true);
    figure("A over baseline", c.a, false);
    if (rows.empty()) return;
    double low = 1, high = 1;
    for (const Interval& i : rows) {
      low = std::min(low, i.lo.value_or(i.value));
      high = std::max(high, i.hi.value_or(i.value));
    }
    const double margin = 0.08 * (high - low) + 0.01;
    if (!begin_plot("##intervals", {-1, kIntervals * em()})) return;
    ImPlot::SetupAxes("speed ratio, with 95 % interval", nullptr, ImPlotAxisFlags_None,
                      ImPlotAxisFlags_NoGridLines | ImPlotAxisFlags_NoTickMarks);
    ImPlot::SetupAxesLimits(low - margin, high + margin, -0.6, static_cast<double>(rows.size()) - 0.4,
                            ImPlotCond_Always);
    std::vector<double> at;
    std::vector<const char*> names;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      at.push_back(static_cast<double>(i));
      names.push_back(rows[i].name.c_str());
    }
    ImPlot::SetupAxisTicks(ImAxis_Y1, at.data(), static_cast<int>(at.size()), names.data());
    ImPlotSpec one;
    one.LineColor = ImGui::ColorConvertU32ToFloat4(look.dim());
    const double equal = 1;
    ImPlot::PlotInfLines("equal", &equal, 1, one);
    ImPlot::PushPlotClipRect();
    ImDrawList& list = *ImPlot::GetPlotDrawList();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const ImVec2 p = ImPlot::PlotToPixels(rows[i].value, at[i]);
      if (rows[i].lo && rows[i].hi) {
        const ImVec2 lo = ImPlot::PlotToPixels(*rows[i].lo, at[i]), hi = ImPlot::PlotToPixels(*rows[i].hi, at[i]);
        list.AddLine(lo, hi, rows[i].colour, 0.12f * em());
        for (const ImVec2& end : {lo, hi}) {
          list.AddLine({end.x, end.y - 0.3f * em()}, {end.x, end.y + 0.3f * em()}, rows[i].colour, 0.12f * em());
        }
      }
      draw_marker(list, i == 0 && c.ratio ? ImPlotMarker_Diamond : ImPlotMarker_Circle, p, 0.3f * em(), rows[i].colour);
    }
    ImPlot::PopPlotClipRect();
    ImPlot::EndPlot();
  }

  // Of each side, the share of its blocks that were slower: the further right a curve, the faster.
  static void draw_curve(const char* name, const std::vector<double>& gflops, ImU32 colour) {
    if (gflops.empty()) return;
    std::vector<double> x, y;
    const auto n = static_cast<double>(gflops.size());
    x.push_back(gflops.front());
    y.push_back(0);
    for (std::size_t i = 0; i < gflops.size(); ++i) {
      x.push_back(gflops[i]);
      y.push_back(100 * static_cast<double>(i + 1) / n);
    }
    ImPlotSpec spec;
    spec.LineColor = ImGui::ColorConvertU32ToFloat4(colour);
    spec.LineWeight = std::max(1.5f, 0.12f * em());
    ImPlot::PlotStairs(name, x.data(), y.data(), static_cast<int>(x.size()), spec);
  }

  static void legend(const char* name, const CompareSide& side, ImU32 colour, int marker, bool first) {
    legend_entry({colour, marker, ""},
                 fmt::format("{}: {} block{}{}{}", name, side.gflops.size(), side.gflops.size() == 1 ? "" : "s",
                             side.confirmed ? ", confirmed" : "",
                             side.excluded > 0 ? fmt::format(", {} disturbed", side.excluded) : ""),
                 first);
  }

  static void draw_samples(const Look& look, const CompareResult& r) {
    if (r.a.gflops.empty() && r.b.gflops.empty()) return;
    double low = 1e300, high = 0;
    for (const CompareSide* side : {&r.a, &r.b}) {
      if (side->gflops.empty()) continue;
      low = std::min(low, side->gflops.front());
      high = std::max(high, side->gflops.back());
    }
    const double margin = 0.05 * (high - low) + 0.001 * high;
    legend("A", r.a, look.pin(false), ImPlotMarker_Circle, true);
    legend("B", r.b, look.pin(true), ImPlotMarker_Circle, false);
    if (!begin_plot("##samples", {-1, kSamples * em()})) return;
    ImPlot::SetupAxes("GFLOP/s of a block", "% of blocks");
    ImPlot::SetupAxesLimits(low - margin, high + margin, -4, 104, ImPlotCond_Always);
    draw_curve("A", r.a.gflops, look.pin(false));
    draw_curve("B", r.b.gflops, look.pin(true));
    ImPlot::EndPlot();
  }

  static void draw_rows(const Look& look, const CompareResult& r) {
    constexpr ImGuiTableFlags kFlags =
        ImGuiTableFlags_RowBg | ImGuiTableFlags_BordersInnerV | ImGuiTableFlags_PadOuterX;
    if (!ImGui::BeginTable("rows", 3, kFlags)) return;
    ImGui::TableSetupColumn("", ImGuiTableColumnFlags_WidthFixed, 9 * em());
    ImGui::TableSetupColumn("A");
    ImGui::TableSetupColumn("B");
    ImGui::TableHeadersRow();
    for (const ComparedRow& row : r.rows) {
      ImGui::TableNextRow();
      ImGui::TableNextColumn();
      ImGui::PushStyleColor(ImGuiCol_Text, row.config ? look.accent() : look.dim());
      ImGui::TextUnformatted(row.what.c_str());
      ImGui::PopStyleColor();
      for (const std::string* text : {&row.a, &row.b}) {
        ImGui::TableNextColumn();
        ImGui::TextWrapped("%s", text->c_str());
      }
    }
    ImGui::EndTable();
  }

  static void draw_counters(const Look& look, const ComparedCounters& counters) {
    if (counters.rows.empty() && counters.missing == 0) {
      return dim_text(look, "No counters of both: 'gemwright profile' counts a trial.");
    }
    ImGui::Spacing();
    constexpr ImGuiTableFlags kFlags =
        ImGuiTableFlags_RowBg | ImGuiTableFlags_BordersInnerV | ImGuiTableFlags_PadOuterX;
    if (!counters.rows.empty() && ImGui::BeginTable("counters", 5, kFlags)) {
      ImGui::TableSetupColumn("counter, per call", ImGuiTableColumnFlags_WidthStretch, 2);
      for (const char* name : {"A", "B", "B/A", "status"}) ImGui::TableSetupColumn(name);
      ImGui::TableHeadersRow();
      for (const ComparedCounter& c : counters.rows) {
        ImGui::TableNextRow();
        ImGui::TableNextColumn();
        ImGui::Text("%s, %s", c.name.c_str(), c.unit.c_str());
        for (const std::string& text : {fmt::format("{:.4g}", c.a), fmt::format("{:.4g}", c.b),
                                        c.a > 0 ? fmt::format("{:.3f}", c.b / c.a) : std::string("-")}) {
          ImGui::TableNextColumn();
          number(text);
        }
        ImGui::TableNextColumn();
        ImGui::TextUnformatted(c.status.c_str());
      }
      ImGui::EndTable();
    }
    if (counters.missing > 0) {
      dim_text(look, fmt::format("{} counter{} without a value in A or B", counters.missing,
                                 counters.missing == 1 ? "" : "s"));
    }
  }

  std::optional<TrialRef> seen_a_, seen_b_;
  std::string offered_a_, offered_b_;
};

}  // namespace

std::unique_ptr<View> make_compare_view() { return std::make_unique<CompareView>(); }

}  // namespace gemwright::app::gui
