// What the compiler made of the selected trial's tile: the loop in which its time is spent.
#include "app/model/kernel.h"

#include <fmt/format.h>

#include "app/gui/widgets.h"
#include "app/model/run_view.h"
#include "tuner/problem/input_text.h"
#include "tuner/worker/machine_lock.h"

namespace gemwright::app::gui {
namespace {

constexpr std::size_t kMaxSentence = 1000;

class KernelView : public View {
 public:
  KernelView() : loader_(kernel_code, [lock = tuner::machine_lock_path()] { return tuner::being_timed(lock); }) {}

  const char* name() const override { return "kernel"; }
  const char* title() const override { return "Kernel"; }

  void draw(Frame& frame) override {
    waiting_ = false;
    if (!has_study(frame)) return;
    const auto trial = chosen(frame);
    if (!trial) {
      answer_.reset();
      return empty_state(frame.look, "No trial is selected",
                         "The assembly of the selected trial's tile is shown here; without one, that of the fastest.");
    }
    const tuner::Trial& t = frame.study->trials[*trial];
    heading(frame.look, fmt::format("Trial {}: {}", t.id, tuner::tile_name(t.config.tile)));
    ImGui::SameLine();
    copy_button(frame, *this);
    answer_ = loader_.find(frame.study->record(), t.config);
    if (!answer_) {
      waiting_ = true;
      return empty_state(frame.look, "Compiling the tile", "It takes about half a second.");
    }
    if (!*answer_) {
      return empty_state(frame.look, "There is no assembly to show",
                         tuner::printable(answer_->error().message, kMaxSentence) + ".");
    }
    draw_code(frame.look, **answer_);
  }

  std::string as_text(const Frame&) const override {
    if (!answer_) return "no tile was compiled yet: show the Kernel view and select a trial\n";
    return *answer_ ? kernel_text(**answer_) : answer_->error().message + "\n";
  }

  bool busy() const override { return waiting_; }

 private:
  static std::optional<std::size_t> chosen(const Frame& frame) {
    if (const auto selected = frame.selected_trial()) return selected;
    if (const auto& best = frame.study->record().outcome.best_trial) return frame.study->find(*best);
    const auto steps = best_so_far(*frame.study);
    return steps.empty() ? std::nullopt : std::optional(steps.back().trial);
  }

  static void draw_code(const Look& look, const KernelCode& code) {
    const tuner::HotLoop& l = code.loop;
    const auto ratio = l.multiply_adds_per_load();
    std::string line = fmt::format(
        "The hot loop: {} instructions, {} multiply-adds, {} vector loads, {} broadcasts ({} within others), {} "
        "stores, "
        "{} prefetches; {} vector registers",
        l.instructions, l.multiply_adds, l.loads, l.broadcasts, l.embedded_broadcasts, l.stores, l.prefetches,
        l.vector_registers);
    if (ratio) line += fmt::format("; {:.2f} multiply-adds a load", *ratio);
    ImGui::PushTextWrapPos(0);
    ImGui::TextUnformatted((line + ".").c_str());
    if (l.spills > 0) {
      ImGui::PushStyleColor(ImGuiCol_Text, look.warning());
      ImGui::TextUnformatted(
          fmt::format("{} accesses of vector registers to the stack: the accumulators do not fit.", l.spills).c_str());
      ImGui::PopStyleColor();
    }
    ImGui::PopTextWrapPos();
    dim_text(look, fmt::format("Compiled by {}{}{}", tuner::printable(code.compiler, kMaxSentence),
                               code.note.empty() ? "" : ": ", tuner::printable(code.note, kMaxSentence)));
    draw_lines(look, l);
  }

  static void draw_lines(const Look& look, const tuner::HotLoop& loop) {
    constexpr ImGuiTableFlags kFlags = ImGuiTableFlags_ScrollY | ImGuiTableFlags_ScrollX | ImGuiTableFlags_RowBg |
                                       ImGuiTableFlags_SizingFixedFit | ImGuiTableFlags_PadOuterX;
    if (!ImGui::BeginTable("lines", 3, kFlags, {0, whole_rows(line_row())})) return;
    ImGui::TableSetupScrollFreeze(0, 1);
    ImGui::TableSetupColumn("line", ImGuiTableColumnFlags_WidthFixed, 3 * em());
    ImGui::TableSetupColumn("instruction", ImGuiTableColumnFlags_WidthFixed, 28 * em());
    ImGui::TableSetupColumn("what it does", ImGuiTableColumnFlags_WidthFixed, 12 * em());
    ImGui::TableHeadersRow();
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(loop.lines.size()));
    while (clipper.Step()) {
      for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
        const tuner::AnnotatedLine& l = loop.lines[static_cast<std::size_t>(i)];
        ImGui::TableNextRow();
        ImGui::TableNextColumn();
        ImGui::PushStyleColor(ImGuiCol_Text, look.dim());
        number(std::to_string(i + 1));
        ImGui::PopStyleColor();
        ImGui::TableNextColumn();
        ImGui::PushFont(look.fonts.code, kSmallSize);
        ImGui::TextUnformatted(l.text.c_str());
        ImGui::PopFont();
        ImGui::TableNextColumn();
        ImGui::PushStyleColor(ImGuiCol_Text, colour(look, l.note));
        ImGui::TextUnformatted(l.note.c_str());
        ImGui::PopStyleColor();
      }
    }
    ImGui::EndTable();
  }

  // Beside the words: the work, what feeds it, what should not be there.
  static ImU32 colour(const Look& look, const std::string& note) {
    if (note.find("multiply-add") != std::string::npos) return look.mark(tuner::TrialState::ok).colour;
    if (note.find("spill") != std::string::npos) return look.warning();
    return look.dim();
  }

  KernelLoader loader_;
  std::shared_ptr<const KernelLoader::Answer> answer_;
  bool waiting_ = false;
};

}  // namespace

std::unique_ptr<View> make_kernel_view() { return std::make_unique<KernelView>(); }

}  // namespace gemwright::app::gui
