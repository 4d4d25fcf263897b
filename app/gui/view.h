// What a view is: it draws what the snapshot and the selection say, changes only the selection, and can say all it
// shows as text. The shell owns the windows, the keys and everything that lasts.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "app/gui/look.h"
#include "app/model/desk.h"
#include "app/model/doctor.h"
#include "app/model/selection.h"
#include "app/model/snapshot.h"
#include "app/model/trial_table.h"

namespace gemwright::app::gui {

class View;

// A question with one line for an answer, asked by the shell.
struct Prompt {
  std::string title, hint, text;  // `text` stands there at first
  std::function<void(const std::string&)> run;
  std::function<std::string(const std::string&)> check = {};  // what is wrong with an answer: then it is asked again
  bool files = false;                                         // the answer is a database: those that fit are offered
};

struct Frame {
  const Look& look;
  const Snapshot& snapshot;
  std::shared_ptr<const StudySnapshot> study;  // the selected one; null where there is none
  Selection& selection;
  Desk& desk;
  const DatabaseSnapshot* database;        // of the selected study, else the first that is open; null without any
  TrialTable& table;                       // its trials that match the filter, in the table's order
  const std::vector<DoctorLine>* machine;  // null while the machine is still being asked
  // Set by a view: said in the status bar; asked; brought to the front.
  std::string notice = {};
  std::optional<Prompt> prompt = {};
  std::string show = {};
  const View* copy = nullptr;  // to be copied as text

  // The selected trial of the selected study, as its index.
  std::optional<std::size_t> selected_trial() const;
};

class View {
 public:
  virtual ~View() = default;
  virtual const char* name() const = 0;   // of --view
  virtual const char* title() const = 0;  // of its tab
  virtual void draw(Frame& frame) = 0;
  virtual std::string as_text(const Frame& frame) const = 0;
  // The same as something to run on another thread, for a text that takes longer than a frame may: it holds all it
  // needs. Empty: as_text is quick.
  virtual std::function<std::string()> text_later(const Frame&) const { return {}; }
  // Puts the keyboard into its first field, all of whose text is selected.
  virtual void take_keyboard() {}
  // Whether it waits for work of its own on another thread: frames go on until that is there.
  virtual bool busy() const { return false; }
};

std::unique_ptr<View> make_studies_view();
std::unique_ptr<View> make_run_view();
std::unique_ptr<View> make_trials_view();
std::unique_ptr<View> make_roofline_view();
std::unique_ptr<View> make_heatmap_view();
std::unique_ptr<View> make_pareto_view();
std::unique_ptr<View> make_parallel_view();
std::unique_ptr<View> make_importance_view();
std::unique_ptr<View> make_kernel_view();
std::unique_ptr<View> make_compare_view();
std::unique_ptr<View> make_export_view();
std::unique_ptr<View> make_tune_view();
std::unique_ptr<View> make_doctor_view();
std::unique_ptr<View> make_inspector();

}  // namespace gemwright::app::gui
