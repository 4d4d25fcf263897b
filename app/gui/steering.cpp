#include "app/gui/steering.h"

#include <fmt/format.h>

#include <chrono>

#include "app/gui/widgets.h"
#include "app/model/run_view.h"

namespace gemwright::app::gui {
namespace {

const std::filesystem::path& database_of(const Frame& frame, const StudySnapshot& study) {
  return frame.snapshot.databases[static_cast<std::size_t>(study.ref.database)].path;
}

ShownStudy shown(const StudySnapshot& study) { return {study.ref.study, study.record().created_at}; }

bool runs(const StudySnapshot& study) { return study.figures.runner_alive == true; }

}  // namespace

void steer(const Frame& frame, const StudySnapshot& study, const std::string& action, const std::string& argument) {
  frame.desk.steer(database_of(frame, study), shown(study), action, argument);
}

void ask_and_steer(Frame& frame, const StudySnapshot& study, const std::string& action) {
  const bool extend = action == "extend", counts = study.record().attributes.budget.trials.has_value();
  Prompt p;
  p.title =
      extend ? fmt::format("Give study {} more budget", study.ref.study)
             : fmt::format("{} study {}", action == "pin" ? "Pin a parameter of" : "Veto a value in", study.ref.study);
  p.hint = extend ? (counts ? "a number of configs, as 100" : "a time, as 30s or 5m")
                  : (action == "pin" ? "only configs with PARAMETER=VALUE, as mr=8"
                                     : "no configs with PARAMETER=VALUE, as isa=avx2");
  p.text = extend ? (counts ? "100" : "30s") : "";
  p.run = [&desk = frame.desk, path = database_of(frame, study), which = shown(study),
           action](const std::string& text) { desk.steer(path, which, action, text); };
  p.check = [id = study.ref.study, action](const std::string& text) {
    const auto request = parse_steer(std::to_string(id), action, text);
    if (request) return std::string();
    // The sentence is that of the command line.
    const std::string& sentence = request.error().message;
    constexpr std::string_view kCommand = "steer: ";
    return sentence.starts_with(kCommand) ? sentence.substr(kCommand.size()) : sentence;
  };
  frame.prompt = std::move(p);
}

void toggle_pause(const Frame& frame, const StudySnapshot& study) {
  steer(frame, study, paused(study.events) ? "resume" : "pause");
}

void go_on(const Frame& frame, const StudySnapshot& study) {
  frame.desk.go_on(database_of(frame, study), shown(study));
}

std::optional<double> live_spent(const StudySnapshot& study) {
  using namespace std::chrono;
  return spent_so_far(study.figures, study.events,
                      duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count());
}

bool starting(const Frame& frame, const StudySnapshot& study) {
  return !runs(study) && frame.desk.goes_on(database_of(frame, study), study.ref.study);
}

std::string state_now(const Frame& frame, const StudySnapshot& study) {
  if (!starting(frame, study)) return state_text(study.figures);
  return paused(study.events) ? "starts paused" : "starting";
}

void steer_buttons(Frame& frame, const StudySnapshot& study) {
  const bool is_paused = paused(study.events), at_work = runs(study) || starting(frame, study);
  if (at_work || is_paused) {
    if (ImGui::Button(is_paused ? "Resume" : "Pause")) toggle_pause(frame, study);
    ImGui::SameLine();
  }
  if (at_work) {
    if (ImGui::Button("Stop")) steer(frame, study, "stop");
    ImGui::SetItemTooltip("Ends the search and confirms what it found");
    ImGui::SameLine();
  }
  if (!at_work) {
    if (ImGui::Button("Go on")) go_on(frame, study);
    ImGui::SetItemTooltip("Runs the study here for what is left of its budget and what was asked of it since");
    ImGui::SameLine();
  }
  if (ImGui::Button("Extend...")) ask_and_steer(frame, study, "extend");
  ImGui::SameLine();
  if (ImGui::Button("Steer...")) ImGui::OpenPopup("steer");
  if (!ImGui::BeginPopup("steer")) return;
  steer_menu(frame, study);
  ImGui::EndPopup();
}

void steer_menu(Frame& frame, const StudySnapshot& study) {
  const bool is_paused = paused(study.events), at_work = runs(study) || starting(frame, study);
  if (ImGui::MenuItem(is_paused ? "Resume" : "Pause", nullptr, false, at_work || is_paused)) {
    toggle_pause(frame, study);
  }
  if (ImGui::MenuItem("Stop", nullptr, false, at_work || study.record().state != tuner::StudyState::finished)) {
    steer(frame, study, "stop");
  }
  if (ImGui::MenuItem("Go on", nullptr, false, !at_work)) go_on(frame, study);
  if (ImGui::MenuItem("Extend its budget...")) ask_and_steer(frame, study, "extend");
  if (ImGui::MenuItem("Pin a parameter...")) ask_and_steer(frame, study, "pin");
  if (ImGui::MenuItem("Veto a value...")) ask_and_steer(frame, study, "veto");
  ImGui::Separator();
  const bool has_winner = study.record().outcome.best_trial.has_value();
  if (ImGui::MenuItem("Compare as A", nullptr, false, has_winner)) compare_study(frame, study, Selection::Side::a);
  if (ImGui::MenuItem("Compare as B", nullptr, false, has_winner)) compare_study(frame, study, Selection::Side::b);
}

void compare_study(Frame& frame, const StudySnapshot& study, Selection::Side side) {
  const auto& path = database_of(frame, study);
  (side == Selection::Side::a ? frame.desk.compare_form.a : frame.desk.compare_form.b) =
      study_operand(path, study.ref.study);
  frame.show = "compare";
}

}  // namespace gemwright::app::gui
