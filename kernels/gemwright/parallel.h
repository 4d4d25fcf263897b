// Who runs the jobs of one call: nobody else (one thread), a pool of our own, or the caller's executor.
//
// A phase is `run(jobs, task, argument)`: task(argument, j) once for each j in [0, jobs), in any order, perhaps at
// once; run returns when all are done. Nothing more is promised or needed: a product that must wait for its parts is
// two phases.
//
// The pool's workers spin for a while after a job, since the next product usually follows at once, and sleep after
// that. `park` sends them to sleep now: two pools that both spin slow each other several times.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "gemwright/config.h"

namespace gemwright {
inline namespace gemwright_abi {

// An executor of the caller: `run` is given `self` back. It must run every job, on as many threads as it likes.
struct executor {
  void* self;
  int threads;  // how many jobs can be expected to run at once
  void (*run)(void* self, int jobs, void (*task)(void* argument, int job), void* argument);
};

inline void cpu_relax() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

class thread_pool {
 public:
  // The calling thread is one of the `threads`.
  explicit thread_pool(int threads) : threads_(threads < 1 ? 1 : threads) {
    // Where the system refuses a thread, those that were made must end before the exception leaves.
    struct stop_on_failure {
      thread_pool* pool;
      ~stop_on_failure() {
        if (pool != nullptr) pool->stop();
      }
    } guard{this};
    workers_.reserve(static_cast<std::size_t>(threads_ - 1));
    for (int t = 1; t < threads_; ++t) workers_.emplace_back([this, t] { work(t); });
    guard.pool = nullptr;
  }
  ~thread_pool() { stop(); }
  thread_pool(const thread_pool&) = delete;
  thread_pool& operator=(const thread_pool&) = delete;

  int threads() const { return threads_; }

  void run(int jobs, void (*task)(void*, int), void* argument) {
    if (jobs <= 1 || threads_ == 1) {
      for (int j = 0; j < jobs; ++j) task(argument, j);
      return;
    }
    task_ = task;
    argument_ = argument;
    jobs_ = jobs;
    parked_.store(false, std::memory_order_relaxed);
    unfinished_.store(threads_ - 1, std::memory_order_relaxed);
    generation_.fetch_add(1);  // sequentially consistent against `sleepers_`: a worker sees it or is counted
    if (sleepers_.load() > 0) {
      { const std::lock_guard<std::mutex> lock(mutex_); }
      wake_.notify_all();
    }
    share(0);
    for (int spins = 0; unfinished_.load(std::memory_order_acquire) > 0; ++spins) {
      // A worker that lost its core needs ours: after some 10 us of waiting let it run.
      if (spins < 400) {
        cpu_relax();
      } else {
        std::this_thread::yield();
      }
    }
  }

  // The workers sleep until the next run. Returns when they do.
  void park() {
    parked_.store(true);
    while (sleepers_.load() < threads_ - 1) std::this_thread::yield();
  }

 private:
  // Long enough to bridge the serial code between the layers of a model, short enough to leave the core to others soon.
  static constexpr std::chrono::microseconds kSpin{200};

  void stop() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
      generation_.fetch_add(1);
    }
    wake_.notify_all();
    for (std::thread& w : workers_) w.join();
  }

  void share(int thread) {
    for (int j = thread; j < jobs_; j += threads_) task_(argument_, j);
  }

  void work(int thread) {
    std::uint64_t seen = 0;
    for (;;) {
      await(seen);
      seen = generation_.load();
      if (stop_.load()) return;
      share(thread);
      unfinished_.fetch_sub(1, std::memory_order_release);
    }
  }

  void await(std::uint64_t seen) {
    const auto until = std::chrono::steady_clock::now() + kSpin;
    do {
      for (int i = 0; i < 32; ++i) {
        if (generation_.load(std::memory_order_acquire) != seen) return;
        cpu_relax();
      }
    } while (!parked_.load(std::memory_order_relaxed) && std::chrono::steady_clock::now() < until);
    std::unique_lock<std::mutex> lock(mutex_);
    sleepers_.fetch_add(1);
    wake_.wait(lock, [&] { return generation_.load() != seen; });
    sleepers_.fetch_sub(1);
  }

  const int threads_;
  std::vector<std::thread> workers_;
  void (*task_)(void*, int) = nullptr;
  void* argument_ = nullptr;
  int jobs_ = 0;
  // One cache line each: the caller and the workers write them at different times.
  alignas(64) std::atomic<std::uint64_t> generation_{0};
  alignas(64) std::atomic<int> unfinished_{0};
  alignas(64) std::atomic<int> sleepers_{0};
  std::atomic<bool> parked_{false};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
};

}  // namespace gemwright_abi
}  // namespace gemwright
