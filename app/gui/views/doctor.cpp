// What this machine can measure, and why not the rest.
#include <fmt/format.h>

#include "app/gui/widgets.h"
#include "tuner/problem/input_text.h"

namespace gemwright::app::gui {
namespace {

constexpr std::size_t kMaxCell = 1000;

class DoctorView : public View {
 public:
  const char* name() const override { return "doctor"; }
  const char* title() const override { return "Doctor"; }

  void draw(Frame& frame) override {
    if (frame.machine == nullptr) {
      return empty_state(frame.look, "Asking this machine", "Its counters, compilers and databases appear here.");
    }
    heading(frame.look, "This machine");
    ImGui::SameLine();
    copy_button(frame, *this);
    constexpr ImGuiTableFlags kFlags = ImGuiTableFlags_ScrollY | ImGuiTableFlags_RowBg;
    if (!ImGui::BeginTable("doctor", 3, kFlags)) return;
    ImGui::TableSetupColumn("name", ImGuiTableColumnFlags_WidthFixed, 13 * em());
    ImGui::TableSetupColumn("value", ImGuiTableColumnFlags_WidthStretch, 3);
    ImGui::TableSetupColumn("remark", ImGuiTableColumnFlags_WidthStretch, 2);
    const std::string* section = nullptr;
    for (const DoctorLine& l : *frame.machine) {
      if (section == nullptr || *section != l.section) {
        ImGui::TableNextRow();
        ImGui::TableNextColumn();
        heading(frame.look, l.section);
        section = &l.section;
      }
      draw_line(frame.look, l);
    }
    ImGui::EndTable();
  }

  std::string as_text(const Frame& frame) const override { return frame.machine ? doctor_table(*frame.machine) : ""; }

 private:
  static void cell(const std::string& text) {
    ImGui::TableNextColumn();
    ImGui::PushTextWrapPos(0);
    ImGui::TextUnformatted(tuner::printable(text, kMaxCell).c_str());
    ImGui::PopTextWrapPos();
  }

  static void draw_line(const Look& look, const DoctorLine& l) {
    ImGui::TableNextRow();
    cell(l.name);
    if (!l.value) ImGui::PushStyleColor(ImGuiCol_Text, look.warning());
    cell(l.value.value_or("missing"));
    if (!l.value) ImGui::PopStyleColor();
    ImGui::PushStyleColor(ImGuiCol_Text, look.dim());
    cell(l.reason);
    ImGui::PopStyleColor();
  }
};

}  // namespace

std::unique_ptr<View> make_doctor_view() { return std::make_unique<DoctorView>(); }

}  // namespace gemwright::app::gui
