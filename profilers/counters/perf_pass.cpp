#include "profilers/counters/perf_pass.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

namespace gemwright::profilers {
namespace {

// A call may be interrupted by a signal any number of times; so many in a row are no accident any more.
constexpr int kMaxInterruptions = 1000;
// Of a group read, before the values: how many values, time enabled, time running.
constexpr std::size_t kHeaderWords = 3;

template <class Call>
PerfReply uninterrupted(Call call) {
  PerfReply reply = call();
  for (int i = 0; reply.error == EINTR && i < kMaxInterruptions; ++i) reply = call();
  return reply;
}

std::string error_text(int error) { return std::error_code(error, std::generic_category()).message(); }

class Descriptor {
 public:
  Descriptor(PerfKernel& kernel, int fd) : kernel_(&kernel), fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : kernel_(other.kernel_), fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) kernel_->close(fd_);
  }
  int get() const { return fd_; }

 private:
  PerfKernel* kernel_;
  int fd_;
};

// The events of one thread; the first leads.
struct ThreadGroup {
  std::vector<Descriptor> descriptors;
  std::vector<std::size_t> events;  // which event each descriptor counts

  int leader() const { return descriptors.empty() ? -1 : descriptors.front().get(); }
};

// What the threads counted of one event. Times in ns.
struct Sum {
  double scaled = 0;       // over threads that were counted, each scaled to its own time
  double ran_enabled = 0;  // time that these threads ran
  double enabled = 0;      // time that all threads ran
  double running = 0;      // of it, with the event on a counter

  void add(double count, double thread_enabled, double thread_running) {
    enabled += thread_enabled;
    running += thread_running;
    if (thread_running <= 0) return;
    scaled += thread_running < thread_enabled ? count * (thread_enabled / thread_running) : count;
    ran_enabled += thread_enabled;
  }
};

PerfOutcome outcome_of(const Sum& sum) {
  if (sum.enabled <= 0) return {CounterStatus::not_counted, std::nullopt, "no thread ran while it was enabled"};
  if (sum.running <= 0) {
    return {CounterStatus::not_counted, std::nullopt,
            "no hardware counter was free for it (the NMI watchdog or another profiler may hold them)"};
  }
  if (sum.running >= sum.enabled) return {CounterStatus::counted, sum.scaled, ""};
  // Threads that ran but never had a counter are taken to count like the others.
  return {CounterStatus::scaled, sum.scaled * (sum.enabled / sum.ran_enabled),
          fmt::format("counted for {:.1f} % of the time and extrapolated", 100 * sum.running / sum.enabled)};
}

class Pass {
 public:
  Pass(PerfKernel& kernel, const std::vector<PerfEvent>& events)
      : kernel_(kernel), events_(events), settled_(events.size()), deferred_(events.size()), sums_(events.size()) {}

  void open(const std::vector<int>& thread_ids) {
    for (const int id : thread_ids) open_thread(id);
    if (groups_.empty()) settle_rest(failed_outcome("no thread of this process could be observed"));
  }

  bool any_open() const {
    return std::any_of(groups_.begin(), groups_.end(), [](const ThreadGroup& g) { return !g.events.empty(); });
  }

  bool control(PerfControl what) {
    for (const ThreadGroup& group : groups_) {
      if (group.events.empty()) continue;
      const PerfReply reply = uninterrupted([&] { return kernel_.control(group.leader(), what); });
      if (reply) continue;
      settle_rest(failed_outcome(fmt::format("the counters could not be switched: {}", error_text(reply.error))));
      return false;
    }
    return true;
  }

  void read() {
    for (const ThreadGroup& group : groups_) {
      if (!group.events.empty() && !read_thread(group)) return;
    }
  }

  void settle_rest(const PerfOutcome& outcome) {
    for (std::size_t i = 0; i < settled_.size(); ++i) {
      if (!settled_[i] && !deferred_[i]) settled_[i] = outcome;
    }
  }

  // Ends the pass: whatever is open by now has a sum.
  PerfPass result() && {
    PerfPass pass;
    std::size_t summed = 0, without_counter = 0;
    for (std::size_t i = 0; i < settled_.size(); ++i) {
      if (settled_[i] || deferred_[i]) continue;
      settled_[i] = outcome_of(sums_[i]);
      ++summed;
      if (sums_[i].enabled > 0 && sums_[i].running <= 0) ++without_counter;
    }
    pass.starved = summed > 0 && without_counter == summed;
    pass.outcomes = std::move(settled_);
    return pass;
  }

 private:
  PerfReply open_event(const PerfEvent& event, int thread_id, int leader) {
    perf_event_attr attr{};
    attr.size = sizeof attr;
    attr.type = event.type;
    attr.config = event.config;
    attr.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
    attr.disabled = leader < 0;  // the others follow their leader
    attr.exclude_kernel = event.exclude_kernel;
    attr.exclude_hv = event.exclude_kernel;
    return uninterrupted([&] { return kernel_.open(attr, thread_id, -1, leader, PERF_FLAG_FD_CLOEXEC); });
  }

  void open_thread(int thread_id) {
    const bool first = groups_.empty();
    ThreadGroup group;
    for (std::size_t i = 0; i < events_.size(); ++i) {
      if (settled_[i] || deferred_[i]) continue;
      const PerfReply reply = open_event(events_[i], thread_id, group.leader());
      if (reply) {
        group.descriptors.emplace_back(kernel_, static_cast<int>(reply.value));
        group.events.push_back(i);
      } else if (reply.error == ESRCH) {
        return;  // the thread has ended
      } else if (first && !group.events.empty() && (reply.error == EINVAL || reply.error == ENOSPC)) {
        deferred_[i] = true;  // the kernel checks whether a group fits the counters of the CPU
      } else {
        settled_[i] = refused(kernel_, reply.error, events_[i].type);
      }
    }
    groups_.push_back(std::move(group));
  }

  bool read_thread(const ThreadGroup& group) {
    std::vector<std::uint64_t> words(kHeaderWords + group.events.size());
    const auto bytes = std::as_writable_bytes(std::span(words));
    const PerfReply reply = uninterrupted([&] { return kernel_.read(group.leader(), bytes); });
    if (!reply) {
      settle_rest(failed_outcome(fmt::format("the counters could not be read: {}", error_text(reply.error))));
      return false;
    }
    if (reply.value != static_cast<std::int64_t>(bytes.size()) || words[0] != group.events.size()) {
      settle_rest(failed_outcome(fmt::format("what the kernel gave is no group of {} counters: {} of {} bytes",
                                             group.events.size(), reply.value, bytes.size())));
      return false;
    }
    for (std::size_t i = 0; i < group.events.size(); ++i) {
      sums_[group.events[i]].add(static_cast<double>(words[kHeaderWords + i]), static_cast<double>(words[1]),
                                 static_cast<double>(words[2]));
    }
    return true;
  }

  PerfKernel& kernel_;
  const std::vector<PerfEvent>& events_;
  std::vector<std::optional<PerfOutcome>> settled_;
  std::vector<bool> deferred_;
  std::vector<Sum> sums_;
  std::vector<ThreadGroup> groups_;
};

}  // namespace

PerfOutcome failed_outcome(std::string reason) { return {CounterStatus::failed, std::nullopt, std::move(reason)}; }

PerfOutcome refused(PerfKernel& kernel, int error, std::uint32_t event_type) {
  switch (error) {
    case ENOENT:
    case EOPNOTSUPP:
    case ENODEV:
      return {CounterStatus::unsupported, std::nullopt,
              event_type == PERF_TYPE_SOFTWARE ? "this kernel has no such event" : "this CPU has no such event"};
    case ENOSYS:
      return {CounterStatus::unsupported, std::nullopt, "this kernel has no perf_event_open"};
    case EACCES:
    case EPERM: {
      const auto level = kernel.paranoid();
      return {CounterStatus::denied, std::nullopt,
              fmt::format("not permitted: kernel.perf_event_paranoid is {}; lower it or grant CAP_PERFMON (in a "
                          "container, also through its seccomp filter)",
                          level ? std::to_string(*level) : "not readable")};
    }
    case EMFILE:
      return failed_outcome("too many open files: every thread needs one for each counter; raise ulimit -n");
    default:
      return failed_outcome(fmt::format("the event could not be opened: {}", error_text(error)));
  }
}

PerfPass count_pass(PerfKernel& kernel, const std::vector<PerfEvent>& events, const std::vector<int>& thread_ids,
                    const Workload& work) {
  Pass pass(kernel, events);
  pass.open(thread_ids);
  if (!pass.any_open() || !pass.control(PerfControl::reset) || !pass.control(PerfControl::enable))
    return std::move(pass).result();
  const bool run_ok = work.run && work.run();
  const bool stopped = pass.control(PerfControl::disable);
  if (!run_ok) {
    pass.settle_rest(failed_outcome("a call of the workload failed"));
  } else if (stopped) {
    pass.read();
  }
  PerfPass result = std::move(pass).result();
  result.ran = true;
  result.run_ok = run_ok;
  return result;
}

}  // namespace gemwright::profilers
