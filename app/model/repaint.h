// When the window draws. A state machine without clock or window: the loop tells what happened and gets told what to
// do.
//
// Idea: nothing happened, nothing is drawn. Input of a person is answered at once, with a few frames, because a popup
// or a layout needs more than one to settle. New data is drawn a limited number of times a second, for a small share of
// the time, and no frame begins while a block is being timed on this machine: drawing then would disturb what is
// measured. A minimised window draws nothing.
//
// Units: seconds, of any monotonic clock.
#pragma once

#include <algorithm>
#include <limits>

namespace gemwright::app {

struct RepaintRules {
  int frames_after_input = 4;   // a popup needs two, docking and automatic sizes up to four
  double data_interval = 0.25;  // least time between two frames for new data
  // Most of the time that they may take: a frame drawn by software takes as long as some blocks, which begin meanwhile,
  // so it is a guard and not a promise (doctor --ui-impact tells).
  double data_share = 0.02;
  double timing_poll = 0.05;            // how soon to look again whether the block is over
  double progress_interval = 1.0 / 30;  // of work that is shown while it goes on (a filter over many rows)
};

struct RepaintStep {
  bool draw = false;
  double wait = 0;  // before the next step, for events; infinite: until one comes
};

class RepaintPolicy {
 public:
  static constexpr double kForEver = std::numeric_limits<double>::infinity();

  explicit RepaintPolicy(RepaintRules rules = {}) : rules_(rules) {}

  void input() { frames_left_ = rules_.frames_after_input; }
  void data() { data_waits_ = true; }
  // The frame that was drawn wants another one, for work in progress.
  void progress() { progress_waits_ = true; }
  void minimised(bool is) { minimised_ = is; }
  // How long the last frame took.
  void took(double seconds) { cost_ = seconds; }

  // `being_timed` asks the machine's lock; it is asked only where the answer matters.
  template <class BeingTimed>
  RepaintStep next(double now, BeingTimed being_timed);

 private:
  RepaintRules rules_;
  int frames_left_ = 4;  // the first picture
  bool data_waits_ = false, progress_waits_ = false, minimised_ = false;
  double drawn_at_ = -std::numeric_limits<double>::infinity();
  double cost_ = 0;

  RepaintStep drawn(double now);
};

template <class BeingTimed>
RepaintStep RepaintPolicy::next(double now, BeingTimed being_timed) {
  if (minimised_) return {false, kForEver};
  if (frames_left_ > 0) return drawn(now);
  if (!data_waits_ && !progress_waits_) return {false, kForEver};
  const double of_data = std::max(rules_.data_interval, cost_ / rules_.data_share);
  const double interval = progress_waits_ ? rules_.progress_interval : of_data;
  const double due = drawn_at_ + interval;
  if (now < due) return {false, due - now};
  if (being_timed()) return {false, rules_.timing_poll};
  return drawn(now);
}

}  // namespace gemwright::app
