// What a call needs besides its operands: threads, scratch memory and the knowledge of the CPU. All of it is made when
// the context is; a call allocates nothing. One context serves one call at a time; threads that call at once have one
// each.
#pragma once

#include <algorithm>
#include <memory>

#include "gemwright/cpu.h"
#include "gemwright/memory.h"
#include "gemwright/parallel.h"

namespace gemwright {
inline namespace gemwright_abi {

// Floats of scratch that a configuration needs (see scratch_for in loop_nest.h).
struct scratch_size {
  std::int64_t per_job = 0;  // packed blocks of A, one for each thread of the grid
  int jobs = 0;
  std::int64_t shared = 0;  // packed B of a call, sums that wait: of slices of K, of pairs
};

constexpr scratch_size larger(scratch_size x, scratch_size y) {
  return {x.per_job > y.per_job ? x.per_job : y.per_job, x.jobs > y.jobs ? x.jobs : y.jobs,
          x.shared > y.shared ? x.shared : y.shared};
}

class context {
 public:
  // A pool of `threads` threads, the caller being one of them. Families better than `best` are treated as if the CPU
  // did not have them: with isa::scalar a machine can show what another one would compute.
  context(int threads, scratch_size scratch, isa best = static_cast<isa>(family_count - 1)) : context(scratch, best) {
    if (threads > 1) pool_ = std::make_unique<thread_pool>(threads);
  }
  // The caller's executor.
  context(const executor& e, scratch_size scratch, isa best = static_cast<isa>(family_count - 1))
      : context(scratch, best) {
    executor_ = e;
    external_ = true;
  }

  int threads() const { return external_ ? std::max(executor_.threads, 1) : pool_ ? pool_->threads() : 1; }
  bool has(isa family) const { return has_[static_cast<int>(family)]; }
  bool fits(scratch_size s) const {
    return s.per_job <= size_.per_job && s.jobs <= size_.jobs && s.shared <= size_.shared && ready_;
  }
  // False when the scratch memory was not to be had; run then answers no_memory.
  bool ready() const { return ready_; }

  float* job_scratch(int job) { return job_.get() + per_job_stride(size_) * job; }
  float* shared_scratch() { return shared_.get(); }

  // Sends the pool's workers to sleep until the next call.
  void park() {
    if (pool_) pool_->park();
  }

  // One phase: task(argument, job) for each job.
  void run(int jobs, void (*task)(void*, int), void* argument) {
    if (external_ && jobs > 1) {
      executor_.run(executor_.self, jobs, task, argument);
    } else if (pool_) {
      pool_->run(jobs, task, argument);
    } else {
      for (int j = 0; j < jobs; ++j) task(argument, j);
    }
  }

 private:
  // Whole pages, so that two threads never write to one cache line or prefetch each other's.
  static constexpr std::int64_t per_job_stride(scratch_size s) { return (s.per_job + 1023) / 1024 * 1024; }

  context(scratch_size s, isa best) : size_(s) {
    for (int i = 0; i < family_count; ++i) has_[i] = i <= static_cast<int>(best) && cpu_has(static_cast<isa>(i));
    if (s.per_job < 0 || s.per_job > max_floats || s.jobs < 0 || s.jobs > max_grid_jobs || s.shared < 0) return;
    const std::int64_t jobs = per_job_stride(s) * s.jobs;
    if (jobs > 0) job_ = allocate_floats(static_cast<std::size_t>(jobs));
    if (s.shared > 0) shared_ = allocate_floats(static_cast<std::size_t>(s.shared));
    ready_ = (jobs == 0 || job_) && (s.shared == 0 || shared_);
  }

  scratch_size size_;
  float_block job_, shared_;
  bool ready_ = false;
  bool has_[family_count] = {};
  bool external_ = false;
  executor executor_{};
  std::unique_ptr<thread_pool> pool_;
};

}  // namespace gemwright_abi
}  // namespace gemwright
