// The right side: everything about the selected trial, else about the selected study.
#include <fmt/format.h>

#include <algorithm>

#include "app/gui/steering.h"
#include "app/gui/widgets.h"
#include "app/model/run_view.h"
#include "tuner/problem/input_text.h"

namespace gemwright::app::gui {
namespace {

constexpr std::size_t kMaxText = 2000;

std::string json_text(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string time_text(std::optional<double> ns) {
  if (!ns) return "-";
  if (*ns >= 1e9) return fmt::format("{:.3g} s", *ns / 1e9);
  if (*ns >= 1e6) return fmt::format("{:.4g} ms", *ns / 1e6);
  return *ns >= 1e3 ? fmt::format("{:.4g} us", *ns / 1e3) : fmt::format("{:.4g} ns", *ns);
}

// A key of many parts in lines as wide as the space: broken behind its slashes, not in the middle of a part.
std::string in_lines(const std::string& key) {
  const float width = ImGui::GetContentRegionAvail().x;
  std::string out, line;
  for (std::size_t at = 0; at < key.size();) {
    const std::size_t slash = std::min(key.find('/', at), key.size() - 1);
    const std::string part = key.substr(at, slash + 1 - at);
    if (!line.empty() && ImGui::CalcTextSize((line + part).c_str()).x > width) {
      out.append(line).push_back('\n');
      line.clear();
    }
    line += part;
    at = slash + 1;
  }
  return out + line;
}

class Inspector : public View {
 public:
  const char* name() const override { return "inspector"; }
  const char* title() const override { return "Inspector"; }

  void draw(Frame& frame) override {
    if (!frame.study) return dim_text(frame.look, "Nothing is selected.");
    if (const auto trial = frame.selected_trial()) {
      draw_trial(frame, *trial);
    } else {
      draw_study(frame);
    }
  }

  std::string as_text(const Frame& frame) const override {
    if (!frame.study) return "";
    const auto trial = frame.selected_trial();
    return trial ? trials_table({frame.study->row(*trial)}) : run_text(*frame.study);
  }

 private:
  static void draw_study(const Frame& frame) {
    const StudyFigures& f = frame.study->figures;
    const tuner::StudyRecord& r = f.study;
    const Look& look = frame.look;
    heading(look, fmt::format("Study {}", r.id));
    if (!begin_facts("study")) return;
    fact(look, "state", state_now(frame, *frame.study));
    fact(look, "best", best_text(*frame.study));
    fact(look, "baseline",
         r.baseline.empty() ? tuner::printable(r.baseline_reason, kMaxText) : baseline_text(*frame.study));
    fact(look, "x baseline", f.best ? ratio_text(f.best->ratio, f.best->ratio_lo, f.best->ratio_hi) : "-");
    // Not the quotient of the two speeds above, which are medians over different rounds.
    ImGui::SetItemTooltip("Median of the ratios of rounds that timed both");
    fact(look, "spent", budget_text(r, frame.study->events, live_spent(*frame.study)));
    fact(look, "trials", std::to_string(r.trials));
    if (const std::string only = restrictions_text(frame.study->events); !only.empty()) fact(look, "steered", only);
    const auto row = study_row(f);
    for (const char* field :
         {"precision", "epilogue", "weights", "layout", "cache", "data", "threads", "compiler", "strategy"}) {
      fact(look, field, tuner::printable(json_text(row[field]), kMaxText));
    }
    fact_name(look, "problem");
    ImGui::TextUnformatted(in_lines(tuner::printable(json_text(row["problem"]), kMaxText)).c_str());
    fact(look, "device", tuner::printable(r.key.device.name, kMaxText));
    fact(look, "verdict", tuner::printable(r.outcome.verdict, kMaxText));
    end_facts();
    ImGui::Spacing();
    dim_text(look, "Select a trial to see its config.");
  }

  static void draw_trial(Frame& frame, std::size_t i) {
    const StudySnapshot& s = *frame.study;
    const tuner::Trial& t = s.trials[i];
    const Look& look = frame.look;
    heading(look, fmt::format("Trial {}", t.id));
    if (s.record().outcome.best_trial == t.id) {
      ImGui::SameLine();
      ImGui::PushStyleColor(ImGuiCol_Text, look.best());
      ImGui::TextUnformatted("winner");
      ImGui::PopStyleColor();
    }
    draw_actions(frame, i);
    if (begin_facts("trial")) {
      draw_figures(look, s, i);
      end_facts();
    }
    ImGui::SeparatorText("Config");
    if (!begin_facts("config")) return;
    const nlohmann::json config = tuner::to_json(t.config);
    for (const auto& [name, value] : config.items()) {
      if (!value.is_object()) choice(frame, name, json_text(value));
    }
    for (const auto& [part, value] : config.items()) {
      if (!value.is_object()) continue;
      for (const auto& [name, field] : value.items()) choice(frame, name, json_text(field));
    }
    end_facts();
  }

  // A parameter with its value: a click offers to pin or to veto it.
  static void choice(Frame& frame, const std::string& name, const std::string& value) {
    fact_name(frame.look, name.c_str());
    ImGui::PushID(name.c_str());
    if (ImGui::Selectable(value.empty() ? "-" : value.c_str())) ImGui::OpenPopup("choice");
    if (ImGui::BeginPopup("choice")) {
      const std::string argument = name + "=" + value;
      if (ImGui::MenuItem(fmt::format("Pin {}", argument).c_str())) steer(frame, *frame.study, "pin", argument);
      if (ImGui::MenuItem(fmt::format("Veto {}", argument).c_str())) steer(frame, *frame.study, "veto", argument);
      ImGui::EndPopup();
    }
    ImGui::PopID();
  }

  static void draw_figures(const Look& look, const StudySnapshot& s, std::size_t i) {
    const tuner::Trial& t = s.trials[i];
    const auto& e = s.estimates[i];
    fact(look, "state", std::string(tuner::to_text(t.state)));
    if (!t.reason.empty()) fact(look, "reason", tuner::printable(t.reason, kMaxText));
    fact(look, "speed", e ? number_text(e->gflops, 1) + " GFLOP/s" : "-");
    fact(look, "x baseline", cell_text(s, i, TrialColumn::ratio));
    fact(look, "a call", e ? time_text(e->ns_per_call) : "-");
    fact(look, "fastest", e ? time_text(e->min_ns) : "-");
    fact(look, "phase", cell_text(s, i, TrialColumn::phase));
    fact(look, "blocks", e ? fmt::format("{}, {} excluded", e->samples, e->excluded) : "-");
    fact(look, "error", cell_text(s, i, TrialColumn::error));
    for (const RooflineTrial& r : s.roofline.trials) {
      if (r.trial.id == t.id) fact(look, "of the roof", share_text(r.point));
    }
    fact(look, "origin", cell_text(s, i, TrialColumn::origin));
    const auto ns = [](const std::optional<std::int64_t>& v) {
      return v ? std::optional(static_cast<double>(*v)) : std::nullopt;
    };
    fact(look, "compiled in", time_text(ns(t.compile_ns)));
    fact(look, "verified in", time_text(ns(t.verify_ns)));
  }

  static void draw_actions(Frame& frame, std::size_t i) {
    const StudySnapshot& s = *frame.study;
    const TrialRef ref{s.ref, s.trials[i].id};
    for (const auto side : {Selection::Side::a, Selection::Side::b}) {
      const bool pinned = frame.selection.pinned(side) == ref;
      const char* const label =
          side == Selection::Side::a ? (pinned ? "Unpin A" : "Pin A") : (pinned ? "Unpin B" : "Pin B");
      if (ImGui::Button(label)) frame.selection.pin(side, ref);
      ImGui::SameLine();
    }
    if (ImGui::Button("Again")) steer(frame, s, "again", std::to_string(ref.trial));
    ImGui::SetItemTooltip("Measures it once more (M)");
    ImGui::SameLine();
    if (ImGui::Button("JSON")) {
      ImGui::SetClipboardText(json_line(s.row(i)).c_str());
      frame.notice = fmt::format("Trial {} copied as JSON", ref.trial);
    }
  }
};

}  // namespace

std::unique_ptr<View> make_inspector() { return std::make_unique<Inspector>(); }

}  // namespace gemwright::app::gui
