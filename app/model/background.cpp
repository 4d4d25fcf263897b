#include "app/model/background.h"

#include <algorithm>
#include <chrono>

namespace gemwright::app {
namespace {

using std::chrono::milliseconds;

// Timed blocks last milliseconds with a gap of about one.
constexpr milliseconds kLook{1};

}  // namespace

void await_gap(const std::function<bool()>& being_timed, const std::function<bool(milliseconds)>& wait,
               milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (being_timed() && std::chrono::steady_clock::now() < until) {
    if (wait(kLook)) return;
  }
}

Background::Background(BackgroundHooks hooks) : hooks_(std::move(hooks)), thread_([this] { run(); }) {}

Background::~Background() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Background::submit(const std::string& topic, Work work) {
  {
    const std::lock_guard lock(mutex_);
    const std::int64_t number = ++count_;
    if (!topic.empty()) {
      std::erase_if(waiting_, [&](const Piece& p) { return p.topic == topic; });
      last_[topic] = number;
    }
    waiting_.push_back({topic, number, std::move(work), {}});
  }
  changed_.notify_all();
}

bool Background::outdated(const Piece& p) const { return !p.topic.empty() && last_.at(p.topic) != p.number; }

void Background::finish() {
  std::deque<Piece> done;
  {
    const std::lock_guard lock(mutex_);
    done.swap(done_);
    std::erase_if(done, [&](const Piece& p) { return outdated(p); });
  }
  for (const Piece& p : done) {
    if (p.then) p.then();
  }
}

bool Background::busy(const std::string& topic) const {
  const std::lock_guard lock(mutex_);
  const auto is_it = [&](const Piece& p) { return p.topic == topic; };
  return (working_ && at_work_ == topic) || std::any_of(waiting_.begin(), waiting_.end(), is_it) ||
         std::any_of(done_.begin(), done_.end(), is_it);
}

bool Background::busy() const {
  const std::lock_guard lock(mutex_);
  return working_ || !waiting_.empty() || !done_.empty();
}

void Background::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
    if (!stopping_) {
      await_gap(hooks_.being_timed,
                [&](milliseconds m) { return changed_.wait_for(lock, m, [&] { return stopping_; }); });
    }
    if (stopping_ && (!hooks_.finish_all || waiting_.empty())) return;
    Piece piece = std::move(waiting_.front());
    waiting_.pop_front();
    working_ = true;
    at_work_ = piece.topic;
    lock.unlock();
    piece.then = piece.work();
    piece.work = {};
    lock.lock();
    working_ = false;
    done_.push_back(std::move(piece));
    hooks_.wake();
  }
}

}  // namespace gemwright::app
