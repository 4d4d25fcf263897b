#include "tuner/worker/guarded_child.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>

#include "tuner/problem/input_text.h"

namespace gemwright::tuner {
namespace {

using Clock = std::chrono::steady_clock;

// Between the end of its output and its exit; a dump of memory is not written.
constexpr std::chrono::seconds kExit{5};

// The last line that it printed, for example what abort() or the memory allocator had to say.
std::string last_words(const std::string& printed) {
  const std::string_view all = trimmed(printed);
  const std::string_view text = all.substr(0, all.find_last_not_of("\r\n") + 1);
  const std::string_view last = trimmed(text.substr(text.rfind('\n') + 1));
  return last.empty() ? "" : ": " + printable(last, 160);
}

}  // namespace

Result<void> GuardedChild::start() {
  auto process = Process::start(argv_, {.streams = true, .die_with_parent = true});
  if (!process) return tl::unexpected(process.error());
  process_ = std::move(*process);
  lines_.emplace(process_->output(), kMaxMessageLine);
  return {};
}

void GuardedChild::end() {
  lines_.reset();
  process_.reset();
}

GuardedChild::Loss GuardedChild::lose(TrialState state, std::string reason) {
  end();
  return {state, std::move(reason), false};
}

// It closed its output: it has ended, or is about to.
GuardedChild::Loss GuardedChild::lose_to_end() {
  if (!process_->wait(kExit)) return lose(TrialState::crashed, "it closed the worker's output");
  const ExitStatus status = *process_->status();
  const std::string words = last_words(process_->err());
  if (status.code)
    return lose(TrialState::crashed, fmt::format("it ended the worker with {}{}", to_text(status), words));
  if (status.signal == SIGKILL) {
    Loss loss =
        lose(TrialState::crashed, "it was killed from outside, most likely because the machine ran out of memory");
    loss.killed = true;
    return loss;
  }
  return lose(TrialState::crashed, to_text(status) + words);
}

std::optional<GuardedChild::Loss> GuardedChild::ended_between() {
  if (!process_ || !process_->finished()) return std::nullopt;
  return lose_to_end();
}

std::variant<Reply, GuardedChild::Loss, GuardedChild::Abandoned> GuardedChild::request(
    const Request& r, int watch, const std::function<bool()>& abandoned) {
  const auto end_at =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(r.deadline_s));
  const auto late = [&] { return Clock::now() >= end_at; };
  if (!send_all(process_->input(), to_line(r), late) && !late()) return lose_to_end();
  for (bool dead = false;;) {
    if (const auto line = lines_->next()) {
      const auto message = parse_message(*line);
      const auto* const reply = message ? std::get_if<Reply>(&*message) : nullptr;
      if (reply != nullptr && reply->id == r.id) return *reply;
      return lose(TrialState::runtime, "it wrote into the worker's protocol");
    }
    if (lines_->too_long()) return lose(TrialState::runtime, "it wrote into the worker's protocol");
    if (lines_->ended() || dead) return lose_to_end();
    if (late()) return lose(TrialState::timeout, fmt::format("it did not answer within {:g} s", r.deadline_s));
    const double left = std::chrono::duration<double, std::milli>(end_at - Clock::now()).count();
    std::vector<int> fds = process_->poll_fds();
    fds.insert(fds.end(), {process_->output(), watch});
    wait_readable(fds, static_cast<int>(std::clamp(std::ceil(left), 0.0, 60e3)));
    dead = process_->finished();  // before the last look at what it wrote
    lines_->fill();
    if (abandoned()) {
      end();
      return Abandoned{};
    }
  }
}

}  // namespace gemwright::tuner
