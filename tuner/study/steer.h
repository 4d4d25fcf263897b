// What the events of a study ask for, as a pure fold: `gemwright steer` and the window write events, the process that
// runs the study reads them between blocks.
//
//   pause, resume   nothing is timed in between
//   stop            the search ends, what it found is confirmed
//   again TRIAL     the trial comes back into the field and is timed once more
//   pin P=V         only configs whose parameter P is V from now on; proposals are changed to it where that is valid
//   veto P=V        no such configs from now on
//                   Of what was said about one parameter the last word counts: a pin replaces the pin before it and
//                   takes a veto of its value back, a veto takes a pin of its value back.
//   extend BUDGET   so much more than the budget
//
// P and V are those of a config's JSON ("mr=8", "isa=avx2", "hint=t0").
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tuner/space/space.h"
#include "tuner/study/records.h"

namespace gemwright::tuner {

// Refuses an argument that its kind of event cannot mean.
Result<void> check_event(EventKind kind, std::string_view argument);

class Steering {
 public:
  // Events in the order of their ids. One whose argument has no meaning (the database may come from elsewhere) is
  // without effect.
  void apply(const StudyEvent& event);

  bool paused() const { return paused_; }
  bool stopped() const { return stopped_; }
  // Trials to be timed again; each is told once.
  std::vector<TrialId> take_again() { return std::exchange(again_, {}); }
  // The budget with everything that was added to it.
  Budget extended(Budget budget) const;
  bool admits(const Config& config) const;
  bool allows(Param param, std::int64_t value) const;
  // Whether anything is pinned or vetoed; and what, as "mr=8".
  bool restricts() const { return !pins_.empty() || !vetoes_.empty(); }
  std::vector<std::string> pins() const { return texts(pins_); }
  std::vector<std::string> vetoes() const { return texts(vetoes_); }
  // Whether `text` names a parameter and one of its values, as "mr=8".
  static bool is_choice(std::string_view text) { return parse_choice(text).has_value(); }
  // The config itself, or the nearest one that the pins and vetoes allow; nothing where there is none near.
  std::optional<Config> steered(const SpaceInput& space, const Config& config) const;
  // Whether an event asks a finished study to go on.
  static bool wakes(const StudyEvent& event) {
    return !event.applied_round && event.kind != EventKind::pause && event.kind != EventKind::resume &&
           event.kind != EventKind::stop;
  }

 private:
  struct Choice {
    Param param;
    std::int64_t value;

    bool operator==(const Choice&) const = default;
  };
  static std::optional<Choice> parse_choice(std::string_view argument);
  static std::vector<std::string> texts(const std::vector<Choice>& choices);

  bool paused_ = false, stopped_ = false;
  std::vector<TrialId> again_;
  std::vector<Choice> pins_, vetoes_;
  std::vector<Budget> extensions_;
};

}  // namespace gemwright::tuner
