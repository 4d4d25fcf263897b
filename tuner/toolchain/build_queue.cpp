#include "tuner/toolchain/build_queue.h"

#include <fmt/format.h>
#include <poll.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <system_error>
#include <utility>

namespace gemwright::tuner {
namespace {

// How long `wait` sleeps at most where the kernel does not tell the end of a process.
constexpr int kLookAgainMs = 20;

std::size_t usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<std::size_t>(std::max(CPU_COUNT(&set), 1));
}

void discard(const std::filesystem::path& folder) {
  std::error_code ignored;  // a leftover is removed when it is old
  std::filesystem::remove_all(folder, ignored);
}

Result<void> write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.flush();
  if (!out) return fail(fmt::format("{} cannot be written: is the disk full?", path.string()));
  return {};
}

}  // namespace

BuildQueue::BuildQueue(LibraryCache cache, std::chrono::seconds deadline)
    : cache_(std::move(cache)), deadline_(deadline), parallel_(usable_cpus()) {}

BuildQueue::~BuildQueue() {
  for (Running& r : running_) {
    r.process.kill();
    discard(work_folder(r.job));
  }
}

std::string BuildQueue::start(const Compiler& compiler, const std::string& source, const std::string& prefix) {
  std::string key = library_key(compiler, source);
  const auto same = [&](const Job& j) { return j.key == key; };
  const bool known = failed_.count(key) > 0 || std::any_of(queued_.begin(), queued_.end(), same) ||
                     std::any_of(running_.begin(), running_.end(), [&](const Running& r) { return same(r.job); });
  if (known || cache_.valid(key)) return key;
  queued_.push_back({key, compiler, source, prefix.empty() ? "" : library_key(compiler, prefix)});
  if (!prefix.empty()) want_prefix(compiler, prefix);
  advance();
  return key;
}

// Behind the library that asks for them: it is waited for.
void BuildQueue::want_prefix(const Compiler& compiler, const std::string& text) {
  const std::string key = library_key(compiler, text);
  if (prefixes_.insert(key).second && !cache_.has_prefix(key)) queued_.push_back({key, compiler, text, "", true});
}

std::optional<BuildResult> BuildQueue::result(const std::string& key) {
  const auto same = [&](const Job& j) { return j.key == key; };
  if (std::any_of(queued_.begin(), queued_.end(), same)) return std::nullopt;
  if (std::any_of(running_.begin(), running_.end(), [&](const Running& r) { return same(r.job); })) return std::nullopt;
  BuildResult result;
  if (const auto spent = compile_ns_.extract(key)) result.compile_ns = spent.mapped();
  if (const auto failure = failed_.find(key); failure != failed_.end()) {
    result.error = failure->second;
  } else if (cache_.valid(key)) {
    result.library = cache_.library_path(key).string();
  } else {
    result.error = fmt::format("the compiled library {} has gone", cache_.library_path(key).string());
  }
  return result;
}

void BuildQueue::prefer(const std::string& key) {
  const auto at = std::find_if(queued_.begin(), queued_.end(), [&](const Job& j) { return j.key == key; });
  if (at != queued_.end()) std::rotate(queued_.begin(), at, at + 1);
}

BuildResult BuildQueue::wait(const std::string& key) {
  prefer(key);
  for (;;) {
    advance();
    if (auto r = result(key)) return std::move(*r);
    std::vector<pollfd> fds;
    for (const int fd : poll_fds()) fds.push_back({fd, POLLIN, 0});
    poll(fds.data(), fds.size(), kLookAgainMs);
  }
}

void BuildQueue::advance() {
  for (auto r = running_.begin(); r != running_.end();) {
    const bool ended = r->process.finished();
    const bool late = !ended && !paused_ && Clock::now() - r->started > deadline_;
    if (late) {
      r->process.kill();
      if (!r->with_prefix || !try_without_prefix(r->job)) {
        give_up(r->job, fmt::format("{} did not end within {} s", r->job.compiler.name, deadline_.count()));
      }
    }
    if (ended) finish(*r);
    if (ended || late) discard(work_folder(r->job));
    r = ended || late ? running_.erase(r) : std::next(r);
  }
  while (!paused_ && !queued_.empty() && running_.size() < parallel_) {
    Job job = std::move(queued_.front());
    queued_.pop_front();
    launch(std::move(job));
  }
}

void BuildQueue::launch(Job job) {
  std::error_code error;
  std::filesystem::create_directories(work_folder(job), error);
  if (error) return give_up(job, fmt::format("{} cannot be made: {}", work_folder(job).string(), error.message()));
  const auto written =
      job.makes_prefix ? cache_.write_prefix(job.key, job.source) : write_file(source_path(job), job.source);
  if (!written) return give_up(job, written.error().message);
  const bool with_prefix = !job.without_prefix && !job.makes_prefix && useless_prefixes_.count(job.prefix) == 0 &&
                           cache_.has_prefix(job.prefix);
  std::vector<std::string> argv{job.compiler.path};
  argv.insert(argv.end(), compile_flags().begin(), compile_flags().end());
  if (job.makes_prefix) argv.insert(argv.end(), {"-x", "c++-header"});
  if (with_prefix) {
    // g++ would else read the text where it does not like what was made of it.
    argv.insert(argv.end(), {"-Winvalid-pch", "-Werror=invalid-pch"});
    argv.insert(argv.end(), {"-include", cache_.prefix_path(job.prefix).string()});
  }
  argv.insert(argv.end(), {source_path(job).string(), "-o", output_path(job).string()});
  // The C locale: the first error is found by its English name.
  auto process = Process::start(
      argv, {.die_with_parent = true, .environment = {"LC_ALL=C", "TMPDIR=" + work_folder(job).string()}});
  if (!process) return give_up(job, process.error().message);
  running_.push_back({std::move(job), std::move(*process), Clock::now(), with_prefix});
}

void BuildQueue::finish(Running& r) {
  const ExitStatus status = *r.process.status();
  if (r.job.makes_prefix) {
    const bool made = status.success() && cache_.store_prefix(r.job.key, output_path(r.job));
    if (!made) useless_prefixes_.insert(r.job.key);
    return;
  }
  compile_ns_[r.job.key] = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - r.started).count();
  if (!status.success()) {
    if (r.with_prefix && try_without_prefix(r.job)) return;
    const std::string error = first_error(r.process.err());
    return give_up(
        r.job, fmt::format("{}: {}", r.job.compiler.name, error.empty() ? "it ended with " + to_text(status) : error));
  }
  if (r.job.without_prefix && useless_prefixes_.insert(r.job.prefix).second) cache_.remove_prefix(r.job.prefix);
  if (const auto stored = cache_.store(r.job.key, output_path(r.job)); !stored) {
    give_up(r.job, stored.error().message);
  }
}

bool BuildQueue::try_without_prefix(const Job& job) {
  if (job.prefix.empty() || job.makes_prefix || job.without_prefix) return false;
  Job again = job;
  again.without_prefix = true;
  queued_.push_front(std::move(again));
  return true;
}

void BuildQueue::give_up(const Job& job, std::string reason) {
  discard(work_folder(job));
  if (job.makes_prefix) {
    useless_prefixes_.insert(job.key);
  } else {
    failed_[job.key] = std::move(reason);
  }
}

std::vector<int> BuildQueue::poll_fds() const {
  std::vector<int> fds;
  for (const Running& r : running_) {
    const auto of_one = r.process.poll_fds();
    fds.insert(fds.end(), of_one.begin(), of_one.end());
  }
  return fds;
}

void BuildQueue::pause() {
  if (paused_) return;
  paused_ = Clock::now();
  for (Running& r : running_) r.process.stop();
}

void BuildQueue::resume() {
  if (!paused_) return;
  for (Running& r : running_) {
    r.started += Clock::now() - *paused_;
    r.process.resume();
  }
  paused_.reset();
  advance();
}

}  // namespace gemwright::tuner
