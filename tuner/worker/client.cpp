#include "tuner/worker/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "tuner/problem/input_text.h"

namespace gemwright::tuner {
namespace {

using std::chrono::duration;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using Counters = std::vector<profilers::Counter>;
using Ceilings = std::vector<profilers::Ceiling>;

// As a command: the worker runs on this machine.
constexpr const char* kThisProgram = "/proc/self/exe";
// A worker that is lost is started again so often before the request fails.
constexpr int kTries = 3;
// How often to look whether the user interrupted.
constexpr int kLookMs = 100;
// A worker whose input was closed ends at once, but for what the kernel has to free.
constexpr milliseconds kEnd{2000};

// Deadlines. Portable code on one core computes some 1e9 operations a second; memory is filled and packed at 1e8 bytes
// a second at least. Nothing a hundred times slower than what was seen is worth waiting for.
constexpr double kSlowFlops = 1e9;
constexpr double kSlowBytes = 1e8;
constexpr double kHopeless = 100;
// A measured subject that suddenly takes this much longer hangs.
constexpr double kHangs = 20;
// Full-size runs that an admission or a setup needs, with the comparison.
constexpr double kVerifyRuns = 3;
// How often a count runs its calls: up to 12 groups of events that the hardware counts at once, and the other
// providers.
constexpr double kCountPasses = 16;
// Ceilings take some tenths of a second, more with many caches and threads.
constexpr double kCeilings_s = 30;

template <class T>
Block failed_block(const T& failure) {
  Block b;
  b.state = failure.state;
  b.reason = failure.reason;
  return b;
}

std::string to_text(const Waiting& w, bool local) {
  return fmt::format("waiting for {}{}, which measures {} on {} machine",
                     w.pid ? fmt::format("process {}", *w.pid) : "another process",
                     w.uid ? fmt::format(" (user {})", *w.uid) : "", w.study.empty() ? "something" : w.study,
                     local ? "this" : "that");
}

// Why something else than a block was not done.
const Block* failure_in(const Reply& reply) {
  const auto* const block = std::get_if<Block>(&reply.body);
  return block != nullptr && block->state != TrialState::ok ? block : nullptr;
}

tl::unexpected<Error> no_subject(int handle) {
  return fail(fmt::format("there is no subject with the handle {}", handle));
}

Error no_setup() { return Error{"the worker has no problem to measure: setup comes first"}; }

}  // namespace

Result<std::unique_ptr<WorkerClient>> WorkerClient::start(std::vector<std::string> argv, WorkerHooks hooks) {
  std::unique_ptr<WorkerClient> client(new WorkerClient(std::move(argv), std::move(hooks)));
  if (const auto launched = client->launch(); !launched) return tl::unexpected(launched.error());
  return client;
}

WorkerClient::~WorkerClient() { stop(); }

void WorkerClient::stop() {
  if (process_) {
    process_->close_input();
    (void)process_->wait(kEnd);  // then it is killed
  }
  lines_.reset();
  process_.reset();
  forget_worker();
}

void WorkerClient::forget_worker() {
  worker_is_set_up_ = false;
  for (auto& [handle, subject] : subjects_) subject.worker_handle = 0;
}

tl::unexpected<Error> WorkerClient::lose_worker(const std::string& reason) {
  std::string why = reason;
  if (process_->wait(milliseconds(100)) && !process_->status()->success()) {
    why += fmt::format(": it ended with {}", to_text(*process_->status()));
  }
  stop();
  last_loss_ = why;
  return fail(std::move(why));
}

Result<void> WorkerClient::launch() {
  if (process_) return {};
  Result<void> launched;
  bool hopeless = false;
  for (int i = 0; i < kTries && !hopeless; ++i) {
    launched = launch_once(hopeless);
    if (launched || launched.error().kind == ErrorKind::interrupted) return launched;
  }
  return fail("the worker cannot be started: " + launched.error().message);
}

Result<void> WorkerClient::launch_once(bool& hopeless) {
  auto process = Process::start(argv_, {.streams = true, .inherit_stderr = true});
  if (!process) {
    hopeless = true;
    return tl::unexpected(process.error());
  }
  process_ = std::move(*process);
  lines_.emplace(process_->output(), kMaxMessageLine);
  const auto started = Clock::now();
  bool told = false;
  for (;;) {
    auto message = next_message();
    if (!message) return tl::unexpected(message.error());
    if (*message) {
      const auto* const hello = std::get_if<Hello>(&**message);
      if (hello == nullptr) return lose_worker(fmt::format("{} does not begin with a hello", argv_[0]));
      hello_ = *hello;
      return {};
    }
    const double waited = duration<double>(Clock::now() - started).count();
    if (waited > hooks_.start_notice_s && !told && hooks_.notice) hooks_.notice("waiting for the worker to start");
    told = waited > hooks_.start_notice_s;
    if (waited > hooks_.start_s) {
      hopeless = true;  // nobody waits for that three times
      return lose_worker(
          fmt::format("{} said nothing for {:g} s; does it run 'gemwright worker'?", argv_[0], hooks_.start_s));
    }
  }
}

// A message, or nothing for a while. An error has stopped the worker.
Result<std::optional<Message>> WorkerClient::next_message() {
  auto line = lines_->next();
  if (!line && !lines_->ended()) {
    wait_readable({lines_->fd()}, kLookMs);
    lines_->fill();
    line = lines_->next();
  }
  if (hooks_.interrupted && hooks_.interrupted()) {
    stop();
    return fail("interrupted: everything so far is saved, and the same command goes on", ErrorKind::interrupted);
  }
  if (!line && lines_->ended()) return lose_worker(fmt::format("{} went away", argv_[0]));
  if (!line) return std::optional<Message>();
  auto message = parse_message(*line);
  if (!message) return lose_worker(fmt::format("{} cannot be understood: {}", argv_[0], message.error().message));
  return std::optional(std::move(*message));
}

// Sends one request and waits for its reply. An error has stopped the worker.
Result<Reply> WorkerClient::converse(const Body& body, double deadline_s) {
  const Request request{++last_id_, deadline_s, body};
  auto heard = Clock::now();
  const auto silent_too_long = [&] {
    return duration<double>(Clock::now() - heard).count() > deadline_s + hooks_.silence_s;
  };
  const auto give_up = [&] { return silent_too_long() || (hooks_.interrupted && hooks_.interrupted()); };
  (void)send_all(process_->input(), to_line(request), give_up);  // its failure shows when the reply does not come
  for (;;) {
    auto message = next_message();
    if (!message) return tl::unexpected(message.error());
    if (!*message && silent_too_long()) return lose_worker(fmt::format("{} does not answer", argv_[0]));
    if (!*message) continue;
    heard = Clock::now();
    if (const auto* waiting = std::get_if<Waiting>(&**message)) {
      const std::string text = to_text(*waiting, argv_[0] == kThisProgram);
      if (hooks_.notice && text != last_notice_) hooks_.notice(text);
      last_notice_ = text;
    } else if (auto* reply = std::get_if<Reply>(&**message)) {
      if (reply->id == request.id) {
        if (reply->lost) forget_worker();
        return std::move(*reply);
      }
      const auto* const error = std::get_if<Error>(&reply->body);
      return lose_worker(error != nullptr ? error->message : fmt::format("{} mixes up its replies", argv_[0]));
    }
  }
}

double WorkerClient::slow_call_s() const {
  const double s = flops(setup_->problem, setup_->m) / kSlowFlops;
  return best_call_s_ ? std::min(s, kHopeless * *best_call_s_) : s;
}

double WorkerClient::call_limit_s(const Subject& subject) const {
  return subject.call_s ? kHangs * *subject.call_s : slow_call_s();
}

double WorkerClient::preparation_s() const {
  const double bytes = min_bytes(setup_->problem, setup_->m) + setup_->cache_bytes;
  return hooks_.patience_s + bytes / kSlowBytes;
}

double WorkerClient::setup_runs() const {
  return kVerifyRuns * (1 + static_cast<double>(setup_->further.size()));  // each baseline is compared
}

Result<SetupReply> WorkerClient::send_setup() {
  for (int i = 0; i < kTries; ++i) {
    if (const auto launched = launch(); !launched) return tl::unexpected(launched.error());
    const double deadline = preparation_s() + setup_runs() * flops(setup_->problem, setup_->m) / kSlowFlops;
    auto reply = converse(SetupRequest{*setup_}, deadline);
    if (!reply && reply.error().kind == ErrorKind::interrupted) return tl::unexpected(reply.error());
    if (!reply) continue;
    if (auto* error = std::get_if<Error>(&reply->body)) return tl::unexpected(std::move(*error));
    const auto* const made = std::get_if<SetupReply>(&reply->body);
    if (made == nullptr) {
      (void)lose_worker(fmt::format("{} answers a setup with something else", argv_[0]));
      continue;
    }
    if (made->further.size() != setup_->further.size()) {
      (void)lose_worker(fmt::format("{} answers for other baselines than those asked for", argv_[0]));
      continue;
    }
    worker_is_set_up_ = true;
    return *made;
  }
  return fail("the worker failed again and again: " + last_loss_);
}

Result<SetupReply> WorkerClient::setup(const MeasureSetup& setup) {
  setup_ = setup;
  subjects_.clear();
  baseline_.reset();
  further_.clear();
  best_call_s_.reset();
  worker_is_set_up_ = false;
  auto made = send_setup();
  if (!made) return made;
  const auto add = [&](SubjectKind kind, int worker_handle) {
    subjects_[++last_handle_] = {kind, worker_handle, {}, TrialState::ok, ""};
    return last_handle_;
  };
  anchor_ = add(SubjectKind::anchor, made->anchor_handle);
  made->anchor_handle = *anchor_;
  if (!made->baseline.empty()) {
    baseline_ = add(SubjectKind::baseline, made->baseline_handle);
    made->baseline_handle = *baseline_;
  }
  for (FurtherBaseline& b : made->further) {
    further_.push_back(b.name.empty() ? 0 : add(SubjectKind::baseline, b.handle));
    b.handle = further_.back();
  }
  return made;
}

Result<void> WorkerClient::ensure_setup() {
  if (!setup_) return tl::unexpected(no_setup());
  if (process_ && worker_is_set_up_) return {};
  const auto made = send_setup();
  if (!made) return tl::unexpected(made.error());
  if (anchor_) subjects_[*anchor_].worker_handle = made->anchor_handle;
  if (baseline_) subjects_[*baseline_].worker_handle = made->baseline.empty() ? 0 : made->baseline_handle;
  for (std::size_t i = 0; i < further_.size(); ++i) {
    if (further_[i] != 0) subjects_[further_[i]].worker_handle = made->further[i].handle;
  }
  return {};
}

WorkerClient::Pardon WorkerClient::pardon_for(const Subject& subject) {
  if (std::holds_alternative<SubjectKind>(subject.what)) return Pardon::crashed;
  return subject.call_s ? Pardon::killed : Pardon::none;
}

bool WorkerClient::forgiven(const Reply& reply, Pardon& pardon) {
  const auto* const block = std::get_if<Block>(&reply.body);
  const auto* const admission = std::get_if<Admission>(&reply.body);
  const bool crashed = block != nullptr && block->state == TrialState::crashed;
  if (!reply.lost || pardon == Pardon::none || !(reply.killed || (crashed && pardon == Pardon::crashed))) return false;
  pardon = Pardon::none;
  last_loss_ = block != nullptr ? block->reason : admission != nullptr ? admission->reason : "it was killed";
  if (hooks_.notice) hooks_.notice("the worker was lost while it measured and starts again: " + last_loss_);
  return true;
}

Result<std::optional<Reply>> WorkerClient::attempt(const Body& body, double deadline_s) {
  Pardon none = Pardon::none;
  return attempt(body, deadline_s, none);
}

Result<std::optional<Reply>> WorkerClient::attempt(const Body& body, double deadline_s, Pardon& pardon) {
  auto reply = converse(body, deadline_s);
  if (!reply && reply.error().kind == ErrorKind::interrupted) return tl::unexpected(reply.error());
  if (!reply) return std::optional<Reply>();
  if (auto* error = std::get_if<Error>(&reply->body)) {
    if (!reply->lost) return tl::unexpected(std::move(*error));
    last_loss_ = error->message;
    return std::optional<Reply>();
  }
  if (forgiven(*reply, pardon)) return std::optional<Reply>();
  return std::optional(std::move(*reply));
}

Result<void> WorkerClient::prefetch_code(const std::vector<Config>& configs) {
  for (int i = 0; i < kTries; ++i) {
    if (const auto ready = ensure_setup(); !ready) return ready;
    PrefetchRequest request{configs};
    request.configs.resize(std::min(request.configs.size(), kMaxPrefetch));  // the others are compiled when admitted
    const auto reply = attempt(request, hooks_.patience_s);
    if (!reply) return tl::unexpected(reply.error());
    if (*reply) return {};
  }
  return fail("the worker failed again and again: " + last_loss_);
}

// A subject that the worker does not know becomes known, or failed.
Result<std::optional<Admission>> WorkerClient::attempt_admission(Subject& subject, Check how, Pardon& pardon) {
  if (const auto ready = ensure_setup(); !ready) return tl::unexpected(ready.error());
  const bool verify = how != Check::none, timed = how == Check::verify_timed;
  Body body;
  if (const auto* config = std::get_if<Config>(&subject.what)) {
    body = AdmitRequest{*config, verify, false, timed};
  } else if (const auto* bare = std::get_if<Bare>(&subject.what)) {
    body = AdmitRequest{bare->config, false, true};
  } else {
    const Header& header = std::get<Header>(subject.what);
    body = AdmitHeaderRequest{header.text, header.run_namespace, verify};
  }
  auto reply = attempt(body, preparation_s() + kVerifyRuns * slow_call_s(), pardon);
  if (!reply) return tl::unexpected(reply.error());
  if (!*reply) return std::optional<Admission>();
  auto* const admission = std::get_if<Admission>(&(*reply)->body);
  if (admission == nullptr) return lose_worker(fmt::format("{} answers an admission with something else", argv_[0]));
  subject.worker_handle = admission->handle;
  subject.state = admission->state;
  subject.reason = admission->reason;
  if (!timed) admission->block.reset();  // nobody asked for it
  if (admission->block) note_call(subject, *admission->block);
  return std::optional(std::move(*admission));
}

Result<Admission> WorkerClient::admit_new(Subject subject, Check how) {
  Pardon none = Pardon::none;
  for (int i = 0; i < kTries; ++i) {
    auto admission = attempt_admission(subject, how, none);
    if (!admission) return tl::unexpected(admission.error());
    if (!*admission) continue;
    if ((*admission)->state == TrialState::ok) {
      subjects_[++last_handle_] = std::move(subject);
      (*admission)->handle = last_handle_;
    } else {
      (*admission)->handle = 0;
    }
    return std::move(**admission);
  }
  return fail("the worker failed again and again: " + last_loss_);
}

Result<Admission> WorkerClient::admit(const Config& config) { return admit_new({config}); }

Result<Admission> WorkerClient::admit_timed(const Config& config) { return admit_new({config}, Check::verify_timed); }

Result<Admission> WorkerClient::admit_bare(const Config& config) { return admit_new({Bare{config}}); }

Result<Admission> WorkerClient::admit_header(const std::string& header_text, const std::string& run_namespace) {
  return admit_new({Header{header_text, run_namespace}});
}

Result<std::optional<Reply>> WorkerClient::attempt_timed(Subject& subject, const std::function<Body(int)>& request,
                                                         double calls, Pardon& pardon) {
  if (const auto ready = ensure_setup(); !ready) return tl::unexpected(ready.error());
  if (subject.worker_handle == 0) {
    if (std::holds_alternative<SubjectKind>(subject.what)) {
      subject.state = TrialState::runtime;
      subject.reason = "the baseline could not be made again after the worker was lost";
    } else {
      const auto admission = attempt_admission(subject, Check::none, pardon);
      if (!admission) return tl::unexpected(admission.error());
      if (!*admission) return std::optional<Reply>();
    }
    if (subject.state != TrialState::ok) return std::optional(Reply{0, false, failed_block(subject)});
  }
  // One more call is made and discarded.
  const double deadline = preparation_s() + (calls + 1) * call_limit_s(subject);
  return attempt(request(subject.worker_handle), deadline, pardon);
}

void WorkerClient::note_call(Subject& subject, const Block& block) {
  subject.call_s = static_cast<double>(block.ns) * 1e-9 / static_cast<double>(block.calls);
  const auto* const fixed = std::get_if<SubjectKind>(&subject.what);
  if (fixed != nullptr && *fixed == SubjectKind::anchor) return;
  best_call_s_ = std::min(best_call_s_.value_or(*subject.call_s), *subject.call_s);
}

Result<Block> WorkerClient::block(int handle, std::int64_t calls) {
  const auto found = subjects_.find(handle);
  if (found == subjects_.end()) return no_subject(handle);
  Subject& subject = found->second;
  if (subject.state != TrialState::ok) return failed_block(subject);
  const auto request = [&](int worker_handle) -> Body { return BlockRequest{worker_handle, calls}; };
  Pardon pardon = pardon_for(subject);
  for (int i = 0; i < kTries; ++i) {
    auto reply = attempt_timed(subject, request, static_cast<double>(calls), pardon);
    if (!reply) return tl::unexpected(reply.error());
    if (!*reply) continue;
    auto* const block = std::get_if<Block>(&(*reply)->body);
    if (block == nullptr) {
      (void)lose_worker(fmt::format("{} answers a block with something else", argv_[0]));
      continue;
    }
    subject.state = block->state;
    subject.reason = block->reason;
    if (subject.state == TrialState::ok) note_call(subject, *block);
    return std::move(*block);
  }
  return fail("the worker failed again and again: " + last_loss_);
}

Result<std::vector<profilers::Counter>> WorkerClient::count(int handle, std::int64_t calls) {
  const auto found = subjects_.find(handle);
  if (found == subjects_.end()) return no_subject(handle);
  Subject& subject = found->second;
  if (subject.state != TrialState::ok) return fail("a subject that failed is not counted: " + subject.reason);
  const auto request = [&](int worker_handle) -> Body { return CountRequest{worker_handle, calls}; };
  Pardon pardon = pardon_for(subject);
  for (int i = 0; i < kTries; ++i) {
    auto reply = attempt_timed(subject, request, kCountPasses * static_cast<double>(calls), pardon);
    if (!reply) return tl::unexpected(reply.error());
    if (!*reply) continue;
    if (auto* const counters = std::get_if<Counters>(&(*reply)->body)) return std::move(*counters);
    if (const auto* const block = failure_in(**reply)) {
      return fail("the subject could not be counted: " + block->reason);
    }
    (void)lose_worker(fmt::format("{} answers a count with something else", argv_[0]));
  }
  return fail("the worker failed again and again: " + last_loss_);
}

Result<std::vector<profilers::Ceiling>> WorkerClient::ceilings() {
  Pardon pardon = Pardon::crashed;
  for (int i = 0; i < kTries; ++i) {
    if (const auto ready = ensure_setup(); !ready) return tl::unexpected(ready.error());
    auto reply = attempt(CeilingsRequest{}, std::max(hooks_.patience_s, kCeilings_s), pardon);
    if (!reply) return tl::unexpected(reply.error());
    if (!*reply) continue;
    if (auto* const ceilings = std::get_if<Ceilings>(&(*reply)->body)) return std::move(*ceilings);
    if (const auto* const block = failure_in(**reply)) {
      return fail("the ceilings could not be measured: " + block->reason);
    }
    (void)lose_worker(fmt::format("{} answers ceilings with something else", argv_[0]));
  }
  return fail("the worker failed again and again: " + last_loss_);
}

Result<void> WorkerClient::drop(int handle) {
  const auto found = subjects_.find(handle);
  if (found == subjects_.end()) return no_subject(handle);
  const int worker_handle = found->second.worker_handle;
  subjects_.erase(found);
  if (worker_handle == 0) return {};
  // A worker that is lost has forgotten it, too.
  const auto reply = attempt(DropRequest{worker_handle}, hooks_.patience_s);
  return reply ? Result<void>() : tl::unexpected(reply.error());
}

Result<std::vector<std::string>> split_command(const std::string& command) {
  std::vector<std::string> words;
  std::optional<std::string> word;
  char quote = 0;
  for (std::size_t i = 0; i < command.size(); ++i) {
    char c = command[i];
    if (c == '\\' && quote != '\'' && i + 1 < command.size()) {
      c = command[++i];
    } else if (quote == 0 ? c == '"' || c == '\'' : c == quote) {
      quote = quote == 0 ? c : 0;
      if (!word) word.emplace();
      continue;
    } else if (quote == 0 && (c == ' ' || c == '\t')) {
      if (word) words.push_back(std::move(*word));
      word.reset();
      continue;
    }
    if (!word) word.emplace();
    *word += c;
  }
  if (quote != 0)
    return fail("the worker's command has a quote that does not end: " + printable(command), ErrorKind::usage);
  if (word) words.push_back(std::move(*word));
  if (words.empty()) return fail("the worker's command is empty", ErrorKind::usage);
  return words;
}

}  // namespace gemwright::tuner
