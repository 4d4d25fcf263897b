// A new study: what to tune and how, what would run, what runs.
#include <fmt/format.h>

#include <utility>

#include "app/gui/fields.h"
#include "app/gui/widgets.h"
#include "app/model/database_name.h"
#include "tuner/strategy/strategy.h"

namespace gemwright::app::gui {
namespace {

// In letters.
constexpr float kNames = 7.5f, kShort = 9, kSecondNames = 6;
// Titles of studies that are shown of what would run.
constexpr std::size_t kTitles = 6;

const std::vector<std::string> kPrecisions{"f32", "bf16", "u8s8", "auto"}, kInterfaces{"f32", "bf16", "u8s8"},
    kData{"normal", "uniform", "outliers"}, kCaches{"auto", "hot", "rotate", "cold"},
    kProtocols{"quick", "normal", "careful"}, kLayouts{"nn", "nt", "tn", "tt"}, kWeights{"constant", "call"};

std::vector<std::string> strategies() {
  const auto names = tuner::strategy_names();
  return {names.begin(), names.end()};
}

class TuneView : public View {
 public:
  const char* name() const override { return "tune"; }
  const char* title() const override { return "Tune"; }

  void draw(Frame& frame) override {
    heading(frame.look, "New study");
    ImGui::SameLine();
    copy_button(frame, *this);
    dim_text(frame.look, "The same options as 'gemwright tune'. A study of the same key goes on where it stopped.");
    const FormState& state = frame.desk.form_state();
    draw_what(frame, state);
    draw_how(frame, state);
    draw_more(frame, state);
    draw_start(frame, state);
    draw_progress(frame);
    draw_lines(frame);
  }

  void take_keyboard() override { wants_keyboard_ = true; }

  std::string as_text(const Frame& frame) const override {
    std::string out =
        command_text(frame.desk.form, frame.database == nullptr ? "" : frame.database->path.string()) + "\n";
    if (const std::string now = tuning_text(frame.desk.tuning()); !now.empty()) out += now + "\n";
    for (const TuningLine& line : frame.desk.tuning().lines) out += line.text + "\n";
    return out;
  }

 private:
  void draw_what(Frame& frame, const FormState& state) {
    TuneForm& form = frame.desk.form;
    const Look& look = frame.look;
    if (!begin_form("what", kNames)) return;
    form_row(look, "tune");
    const auto source = [&](const char* label, TuneSource value) {
      if (ImGui::RadioButton(label, form.source == value)) form.source = value;
    };
    source("sizes", TuneSource::sizes);
    ImGui::SameLine();
    source("a preset", TuneSource::preset);
    ImGui::SameLine();
    source("a file of shapes", TuneSource::file);
    // The keyboard is there at once.
    const auto keyboard = [&, wanted = ImGui::IsWindowAppearing() ||
                                       std::exchange(wants_keyboard_, false)](const char* field) {
      if (wanted) keyboard_to(field);
    };
    switch (form.source) {
      case TuneSource::sizes:
        form_row(look, "sizes");
        keyboard("##gemm");
        text_field("##gemm", "MxNxK, several with commas: 8x1024x1024", form.sizes);
        form_error_text(look, state.error, "gemm");
        break;
      case TuneSource::preset:
        form_row(look, "preset");
        keyboard("##preset");
        choice_field("##preset", form.preset, frame.desk.presets());
        form_error_text(look, state.error, "preset");
        break;
      case TuneSource::file:
        form_row(look, "file");
        keyboard("##shapes");
        text_field("##shapes", "JSON, CSV, a benchdnn batch or a log of ONEDNN_VERBOSE=1", form.file);
        form_error_text(look, state.error, "shapes");
        break;
    }
    form_row(look, "M");
    text_field("##m", "as listed; or 1,8,32", form.m);
    form_error_text(look, state.error, "m");
    if (form.source == TuneSource::sizes) {
      form_row(look, "epilogue");
      text_field("##epilogue", "none; or bias+gelu_erf+add", form.epilogue);
      form_error_text(look, state.error, "epilogue");
    }
    end_form();
  }

  // Two short fields in one row.
  static void pair(const Look& look, const char* name) {
    ImGui::SameLine(0, em());
    const float x = ImGui::GetCursorPosX();
    ImGui::AlignTextToFramePadding();
    ImGui::PushStyleColor(ImGuiCol_Text, look.dim());
    ImGui::TextUnformatted(name);
    ImGui::PopStyleColor();
    ImGui::SameLine(0, 0);
    ImGui::SetCursorPosX(x + kSecondNames * em());
    ImGui::SetNextItemWidth(kShort * em());
  }

  // The words of --device, that of the CPU with its name.
  static void device_field(const Look& look, TuneForm& form, const FormState& state) {
    const std::string cpu = state.device.empty() ? "cpu" : "cpu: " + state.device;
    if (!ImGui::BeginCombo("##device", form.device == "cpu" ? cpu.c_str() : form.device.c_str())) return;
    if (ImGui::Selectable(cpu.c_str(), form.device == "cpu")) form.device = "cpu";
    if (ImGui::Selectable("cuda:0", form.device == "cuda:0")) form.device = "cuda:0";
    dim_text(look, "GPUs are not built yet");
    ImGui::EndCombo();
  }

  static void draw_how(Frame& frame, const FormState& state) {
    TuneForm& form = frame.desk.form;
    const Look& look = frame.look;
    if (!begin_form("how", kNames)) return;
    const auto row = [&](const char* name) {
      form_row(look, name);
      ImGui::SetNextItemWidth(kShort * em());
    };
    form_row(look, "device");
    device_field(look, form, state);
    form_error_text(look, state.error, "device");
    row("precision");
    choice_field("##precision", form.precision, kPrecisions);
    pair(look, "largest error");
    text_field("##max-error", "none", form.max_error);
    form_error_text(look, state.error, "precision");
    form_error_text(look, state.error, "max-error");
    row("threads");
    text_field("##threads", "all CPUs", form.threads);
    pair(look, "budget, each");
    text_field("##budget", "10s", form.budget);
    form_error_text(look, state.error, "threads");
    form_error_text(look, state.error, "budget");
    row("data");
    choice_field("##data", form.data, kData);
    pair(look, "cache state");
    choice_field("##cache", form.cache, kCaches);
    form_error_text(look, state.error, "data");
    form_error_text(look, state.error, "cache");
    row("strategy");
    choice_field("##strategy", form.strategy, strategies());
    pair(look, "protocol");
    choice_field("##protocol", form.protocol, kProtocols);
    form_error_text(look, state.error, "strategy");
    form_error_text(look, state.error, "protocol");
    end_form();
  }

  static void draw_more(Frame& frame, const FormState& state) {
    const Look& look = frame.look;
    TuneForm& form = frame.desk.form;
    static constexpr const char* kFields[] = {"interface", "compiler", "seed",  "batch-invariant",
                                              "layout",    "weights",  "batch", "beta"};
    bool wrong = false;
    for (const char* field : kFields) wrong = wrong || (state.error && state.error->field == field);
    if (wrong) ImGui::SetNextItemOpen(true);
    if (!ImGui::TreeNode("More options")) return;
    if (begin_form("more", kNames - 1)) {
      const auto row = [&](const char* name) {
        form_row(look, name);
        ImGui::SetNextItemWidth(kShort * em());
      };
      row("interface");
      choice_field("##interface", form.interface, kInterfaces);
      pair(look, "compiler");
      text_field("##compiler", "g++", form.compiler);
      row("seed");
      text_field("##seed", "1", form.seed);
      pair(look, "");
      ImGui::Checkbox("batch-invariant", &form.batch_invariant);
      ImGui::SameLine();
      ImGui::Checkbox("start anew", &form.fresh);
      if (form.source == TuneSource::sizes) {
        row("layout");
        choice_field("##layout", form.layout, kLayouts);
        pair(look, "weights");
        choice_field("##weights", form.weights, kWeights);
        row("batch");
        text_field("##batch", "1", form.batch);
        pair(look, "");
        ImGui::Checkbox("add to C", &form.beta);
      }
      for (const char* field : kFields) form_error_text(look, state.error, field);
      end_form();
    }
    ImGui::TreePop();
  }

  static void draw_start(Frame& frame, const FormState& state) {
    ImGui::Spacing();
    // What is still being checked starts when that is done.
    const bool ready = (state.preview || state.busy) && frame.database != nullptr;
    ImGui::BeginDisabled(!ready);
    if (ImGui::Button(frame.desk.tuning().running ? "Queue" : "Start") && ready) {
      frame.desk.start_checked(frame.database->path);
    }
    ImGui::EndDisabled();
    ImGui::SameLine();
    ImGui::AlignTextToFramePadding();
    if (frame.database == nullptr) return dim_text(frame.look, "No database is open: Ctrl+O opens or makes one.");
    if (state.busy) return dim_text(frame.look, "is being checked");
    if (!state.preview) return dim_text(frame.look, "Something above cannot be tuned.");
    ImGui::TextUnformatted(preview_text(*state.preview).c_str());
    ImGui::SameLine(0, 0.6f * em());
    dim_text(frame.look, "into " + database_name(frame.snapshot, *frame.database));
    if (!ImGui::TreeNode("What would run")) return;
    const auto& titles = state.preview->titles;
    for (std::size_t i = 0; i < std::min(titles.size(), kTitles); ++i) ImGui::TextUnformatted(titles[i].c_str());
    if (titles.size() > kTitles) dim_text(frame.look, fmt::format("and {} more", titles.size() - kTitles));
    for (const std::string& note : state.preview->notes) dim_text(frame.look, note);
    ImGui::TreePop();
  }

  static void draw_progress(Frame& frame) {
    const TuningState& t = frame.desk.tuning();
    if (!t.running) return;
    ImGui::SeparatorText("Running");
    const std::string head = t.title.empty() ? t.job : t.title;
    ImGui::TextUnformatted((t.count > 1 ? fmt::format("{} of {}: {}", t.index + 1, t.count, head) : head).c_str());
    const float button = ImGui::CalcTextSize("Interrupt").x + 2 * ImGui::GetStyle().FramePadding.x;
    ImGui::ProgressBar(t.progress ? static_cast<float>(progress_share(*t.progress)) : 0,
                       {ImGui::GetContentRegionAvail().x - button - ImGui::GetStyle().ItemSpacing.x, 0},
                       t.progress ? t.progress->phase.c_str() : "");
    ImGui::SameLine();
    ImGui::BeginDisabled(t.stopping);
    if (ImGui::Button("Interrupt")) frame.desk.interrupt();
    ImGui::SetItemTooltip("Saves what there is; the same again goes on");
    ImGui::EndDisabled();
    if (t.stopping) {
      dim_text(frame.look, "is being stopped and saved");
    } else if (!t.waits.empty()) {
      warning_text(frame.look, t.waits);
    } else {
      dim_text(frame.look, t.progress ? progress_text(*t.progress) : "is being prepared");
    }
    for (const std::string& job : t.waiting) dim_text(frame.look, job + " waits for its turn");
  }

  static void draw_lines(const Frame& frame) {
    const auto& lines = frame.desk.tuning().lines;
    if (lines.empty()) return;
    ImGui::SeparatorText("What happened");
    if (ImGui::BeginChild("lines")) {
      for (std::size_t i = lines.size(); i-- > 0;) {
        if (lines[i].kind == TuningLine::Kind::problem) {
          warning_text(frame.look, lines[i].text);
        } else if (lines[i].kind == TuningLine::Kind::note) {
          dim_text(frame.look, lines[i].text);
        } else {
          ImGui::TextWrapped("%s", lines[i].text.c_str());
        }
      }
    }
    ImGui::EndChild();
  }

  bool wants_keyboard_ = false;
};

}  // namespace

std::unique_ptr<View> make_tune_view() { return std::make_unique<TuneView>(); }

}  // namespace gemwright::app::gui
