#include "profilers/team.h"

#include <algorithm>
#include <chrono>
#include <system_error>

#include "profilers/pinning.h"

namespace gemwright::profilers {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Members have a CPU each, but another process may have taken it: then the one that is waited for needs this one.
void spin_until_zero(const std::atomic<int>& count) {
  constexpr int kSpinsBeforeYield = 20000;  // some 100 us at least, longer than a thread needs to wake up
  for (int spins = 0; count.load(std::memory_order_acquire) != 0;) {
    if (++spins > kSpinsBeforeYield) std::this_thread::yield();
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
}

}  // namespace

Team::Team(const std::vector<int>& cpus) : spans_(std::max<std::size_t>(cpus.size(), 1)) {
  if (!cpus.empty()) pin_to(cpus[0]);
  threads_.reserve(spans_.size());
  try {
    for (std::size_t i = 1; i < cpus.size(); ++i) {
      threads_.emplace_back(&Team::member_loop, this, static_cast<int>(i), cpus[i]);
    }
  } catch (const std::system_error&) {
    complete_ = false;
  }
}

Team::~Team() {
  work_ = nullptr;
  run_.fetch_add(1, std::memory_order_release);
  run_.notify_all();
  for (std::thread& t : threads_) t.join();
}

void Team::member_loop(int member, int cpu) {
  pin_to(cpu);
  for (unsigned seen = 0;; ++seen) {
    run_.wait(seen, std::memory_order_acquire);
    if (work_ == nullptr) return;
    take_part(member);
  }
}

void Team::take_part(int member) {
  waiting_.fetch_sub(1, std::memory_order_acq_rel);
  spin_until_zero(waiting_);
  Span span;
  span.begin = now();
  (*work_)(member);
  span.end = now();
  spans_[static_cast<std::size_t>(member)] = span;
  working_.fetch_sub(1, std::memory_order_acq_rel);
}

double Team::run(const std::function<void(int)>& work) {
  work_ = &work;
  waiting_.store(size(), std::memory_order_relaxed);
  working_.store(size(), std::memory_order_relaxed);
  run_.fetch_add(1, std::memory_order_release);
  run_.notify_all();
  take_part(0);
  spin_until_zero(working_);
  double begin = spans_[0].begin, end = spans_[0].end;
  for (const Span& s : spans_) {
    begin = std::min(begin, s.begin);
    end = std::max(end, s.end);
  }
  return end - begin;
}

}  // namespace gemwright::profilers
