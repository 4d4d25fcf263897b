// Work that takes longer than a frame: it runs on a thread of its own, and what it leaves is taken over on the thread
// of the window, between two frames.
//
// Idea: a piece of work answers with a continuation. The thread runs the work, `finish` runs the continuations; nothing
// is shared between the two but what the work was given and what it answers. Of one topic only the last piece counts:
// one that has not begun is replaced, the continuation of an older one is dropped.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace gemwright::app {

struct BackgroundHooks {
  std::function<void()> wake = [] {};  // a continuation waits; called from the thread
  // Work begins in the gaps between timed blocks, or after a moment's patience: blocks follow each other closely.
  std::function<bool()> being_timed = [] { return false; };
  // At the end what waits is done too, not dropped, though nobody takes its answers over: what a person asked for.
  bool finish_all = false;
};

// Waits for a gap between timed blocks, but not for ever: they follow each other closely, and somebody wants to see
// something. `wait` sleeps for so long, or until it is told to end, and says whether it was.
constexpr std::chrono::milliseconds kGapPatience{2000};
void await_gap(const std::function<bool()>& being_timed, const std::function<bool(std::chrono::milliseconds)>& wait,
               std::chrono::milliseconds patience = kGapPatience);

class Background {
 public:
  using Then = std::function<void()>;
  using Work = std::function<Then()>;

  explicit Background(BackgroundHooks hooks);
  // Waits for the piece at work; the others never begin, unless all are to be finished.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // With an empty topic every piece counts, in this order.
  void submit(const std::string& topic, Work work);
  // Runs the continuations of what is done, here.
  void finish();
  // Whether a piece of this topic waits, is at work, or is not taken over yet.
  bool busy(const std::string& topic) const;
  // Whether anything is.
  bool busy() const;

 private:
  struct Piece {
    std::string topic;
    std::int64_t number = 0;
    Work work;
    Then then;
  };
  void run();
  bool outdated(const Piece& piece) const;

  BackgroundHooks hooks_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Piece> waiting_, done_;
  std::map<std::string, std::int64_t> last_;  // of each topic the number of its last piece
  std::int64_t count_ = 0;
  std::string at_work_;
  bool working_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace gemwright::app
