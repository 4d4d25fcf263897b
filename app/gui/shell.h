// Everything around the views: docked panels, menu, keys, command list, status bar, theme and scale.
//
// The shell draws what it was handed last and asks nobody for anything: a snapshot comes from a watcher's thread, the
// lines about the machine from a probe, what the desk has done from its threads. So it runs headless in tests as in the
// window. Long work belongs to whoever hands the data over, never into a frame.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/gui/view.h"

namespace gemwright::app::gui {

// One thing to do: in the menu, by its key, in the command list (Ctrl+K) and on the sheet of keys (F1).
struct Command {
  const char* menu;  // whose entry it is
  std::string name;
  ImGuiKeyChord key = 0;  // 0: none
  std::function<void()> run;
};

// The views of --view, in the order of their tabs.
std::vector<std::string> view_names();

class Shell {
 public:
  // Needs the contexts of Dear ImGui and ImPlot. `view` is shown first; empty: that of the settings. The desk is driven
  // by the shell and outlives it.
  Shell(Desk& desk, const WindowSettings& settings, const std::string& view, std::string notice);
  ~Shell();
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  void show(std::shared_ptr<const Snapshot> snapshot);
  // Selects this study as soon as a snapshot has it.
  void want_study(tuner::StudyId study) { wanted_study_ = study; }
  void show_machine(std::vector<DoctorLine> lines) { machine_ = std::move(lines); }
  void screen_scale(float scale);

  void before_frame();  // before ImGui::NewFrame: theme and scale
  void draw();          // between NewFrame and Render

  // Whether what was drawn is not the last word: rows are still being filtered, or the pointer rests on another trial.
  bool wants_frame() const;
  bool wants_to_quit() const { return quit_; }
  // To be remembered.
  WindowSettings settings() const;
  Selection& selection() { return selection_; }
  const TrialTable& table() const { return table_; }
  const std::string& notice() const { return notice_; }
  const std::string& shown_view() const { return shown_; }
  // Whether a text is still being made for the clipboard.
  bool copying() const { return copying_.valid(); }

 private:
  void add_commands();
  void add_view_commands();
  void add_study_commands();
  void run_keys();
  void draw_menu();
  void draw_docks();
  void draw_window(View& view, Frame& frame);
  void expire_notice();
  std::string status_text() const;
  void draw_status();
  void draw_command_list();
  const Command* draw_found(const std::vector<const Command*>& found, bool moved) const;
  void draw_keys();
  void ask(Prompt prompt);
  void draw_prompt();
  std::vector<std::string> offers() const;
  std::optional<std::string> draw_offers();
  void ask_for_database();
  void close_database();
  void bring_to_front(const std::string& view);
  void take_wishes(Frame& frame);
  // Runs `what` with the selected study; says so where there is none.
  void with_study(const std::function<void(Frame&, const StudySnapshot&)>& what);
  void time_again();
  void start_form();
  std::vector<const Command*> found_commands() const;
  void default_layout(unsigned dock);
  void step_trial(int by);
  void step_study(int by);
  // One of the two: that of the panel which has the keyboard.
  void step(int by);
  void tune_example();
  bool is_side(const View& view) const { return &view == views_.front().get() || &view == views_.back().get(); }
  bool narrow() const;
  void draw_over(View& view, Frame& frame);
  void pin(Selection::Side side);
  void copy_view();
  void copy(const View& view, const Frame& frame);
  void finish_copy();
  void copy_trial();
  void scale_by(double factor);
  Frame frame();
  View* find(const std::string& name);

  Desk& desk_;
  WindowSettings settings_;
  Look look_;
  float screen_scale_ = 1;
  bool look_changed_ = true, quit_ = false, reset_layout_ = false;
  bool busy_ = false;  // a view that is to be seen waits for work of its own
  bool open_commands_ = false, open_keys_ = false;
  std::string shown_;                 // the centre view in front
  std::string focus_;                 // to be brought to the front
  std::string asked_;                 // the side panel that was asked for: in a narrow window it lies over the others
  const View* side_focus_ = nullptr;  // the side panel that has the keyboard
  int focus_frames_ = 0;
  std::string notice_, timed_notice_;
  double notice_until_ = 0;  // in the seconds of Dear ImGui
  std::future<std::string> copying_;
  std::string copied_;                        // title of the view that is being copied
  std::vector<std::unique_ptr<View>> views_;  // the rail first, then the tabs, the inspector last
  std::vector<Command> commands_;
  std::optional<Prompt> prompt_;
  bool open_prompt_ = false, ask_again_ = false;
  std::string prompt_error_;
  std::size_t offered_ = 0;  // of the files that fit: 0 is what was typed
  std::string search_;
  std::size_t chosen_ = 0;
  std::shared_ptr<const Snapshot> snapshot_ = std::make_shared<const Snapshot>();
  std::optional<std::vector<DoctorLine>> machine_;
  Selection selection_;
  std::optional<tuner::StudyId> wanted_study_;
  TrialTable table_;
};

}  // namespace gemwright::app::gui
