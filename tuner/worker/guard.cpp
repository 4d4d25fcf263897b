#include "tuner/worker/guard.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tuner/toolchain/build_queue.h"
#include "tuner/toolchain/header_source.h"
#include "tuner/toolchain/tile_source.h"
#include "tuner/worker/channel.h"
#include "tuner/worker/guarded_child.h"
#include "tuner/worker/machine_lock.h"

namespace gemwright::tuner {
namespace {

using Clock = std::chrono::steady_clock;

// How often the client hears that a long wait goes on.
constexpr std::chrono::seconds kSign{10};
// How often the lock is tried: the other measurer keeps it for minutes.
constexpr int kTryLockMs = 200;
// How long a compilation is waited for between two looks.
constexpr int kLookMs = 200;

class Guard {
 public:
  Guard(int in_fd, int out_fd) : lines_(in_fd, kMaxRequestLine), out_(out_fd) {}

  int run(const Hello& hello);

 private:
  // The client has gone; there is nobody to answer.
  struct Gone {};
  template <class T>
  using OrGone = std::variant<T, Gone>;

  OrGone<Reply> handle(Request& r);
  OrGone<Reply> setup(const Request& r, const SetupRequest& s);
  OrGone<Reply> admit(const Request& r, const AdmitRequest& a);
  OrGone<Reply> admit_header(const Request& r, const AdmitHeaderRequest& a);
  OrGone<Reply> load(const Request& r, LoadRequest load, const std::string& source);
  OrGone<Reply> undisturbed(const Request& r);
  OrGone<Reply> ask_child(const Request& r);
  Reply prefetch(const Request& r, const PrefetchRequest& p);

  Result<void> open_queue();
  OrGone<Result<void>> take_lock(const MeasureSetup& s);
  OrGone<BuildResult> build(const std::string& source, const std::string& prefix);
  const std::string& source_of(const TileGroup& group);

  bool say(const Message& m) { return write_all(out_, to_line(m)); }
  bool gone() { return !lines_.fill(); }

  LineReader lines_;
  const int out_;
  std::optional<BuildQueue> queue_;
  const std::string prefix_ = tile_prefix();
  std::optional<MachineLock> lock_;
  GuardedChild child_{{"/proc/self/exe", "worker", "--child"}};
  std::optional<MeasureSetup> setup_;  // what the child has; nothing after it was lost
  std::optional<Compiler> compiler_;
  std::map<TileGroup, std::string> sources_;  // of this setup's chain
};

bool is_timed(const Request& r) {
  return std::holds_alternative<BlockRequest>(r.body) || std::holds_alternative<CountRequest>(r.body) ||
         std::holds_alternative<CeilingsRequest>(r.body);
}

Reply failure(const Request& r, std::string message, bool lost = false) {
  return {r.id, lost, Error{std::move(message)}};
}

int Guard::run(const Hello& hello) {
  if (!say(hello)) return 0;
  for (;;) {
    const auto line = lines_.next();
    if (!line && lines_.ended()) return lines_.too_long() ? 1 : 0;
    if (!line) {
      // Compilers that were started ahead go on meanwhile.
      if (queue_) queue_->advance();
      std::vector<int> fds{lines_.fd()};
      if (queue_) {
        const auto compilers = queue_->poll_fds();
        fds.insert(fds.end(), compilers.begin(), compilers.end());
      }
      wait_readable(fds, queue_ && !queue_->idle() ? kLookMs : -1);
      lines_.fill();
      continue;
    }
    auto request = parse_request(*line);
    if (!request) {
      // Whose request it was cannot be told, so nobody waits for this answer; the client ends the conversation.
      (void)say(Reply{0, false, request.error()});
      return 1;
    }
    if (std::holds_alternative<QuitRequest>(request->body)) return 0;
    const auto answer = handle(*request);
    if (std::holds_alternative<Gone>(answer) || !say(std::get<Reply>(answer))) return 0;
  }
}

Guard::OrGone<Reply> Guard::handle(Request& r) {
  if (const auto* s = std::get_if<SetupRequest>(&r.body)) return setup(r, *s);
  if (std::holds_alternative<LoadRequest>(r.body)) return failure(r, "libraries are loaded on the guard's word only");
  if (!setup_) {
    if (std::holds_alternative<DropRequest>(r.body)) return Reply{r.id, true, Done{}};
    return failure(r, "nothing was set up in the worker", true);
  }
  if (const auto* p = std::get_if<PrefetchRequest>(&r.body)) return prefetch(r, *p);
  if (const auto* a = std::get_if<AdmitRequest>(&r.body)) return admit(r, *a);
  if (const auto* a = std::get_if<AdmitHeaderRequest>(&r.body)) return admit_header(r, *a);
  return is_timed(r) ? undisturbed(r) : ask_child(r);
}

Result<void> Guard::open_queue() {
  if (queue_) return {};
  const auto folder = LibraryCache::default_folder();
  if (!folder) return tl::unexpected(folder.error());
  auto cache = LibraryCache::open(*folder);
  if (!cache) return tl::unexpected(cache.error());
  queue_.emplace(std::move(*cache));
  return {};
}

Guard::OrGone<Result<void>> Guard::take_lock(const MeasureSetup& s) {
  if (!lock_) {
    auto opened = MachineLock::open(machine_lock_path());
    if (!opened) return tl::unexpected(opened.error());
    lock_.emplace(std::move(*opened));
  }
  std::optional<Clock::time_point> said;
  for (;;) {
    const auto taken = lock_->try_take();
    if (!taken) return tl::unexpected(taken.error());
    if (*taken) break;
    if (!said || Clock::now() - *said > kSign) {
      if (const auto holder = lock_->holder()) {
        const auto stranger = holder->uid != geteuid() ? holder->uid : std::nullopt;
        if (!say(Waiting{holder->pid, stranger, holder->study})) return Gone{};
        said = Clock::now();
      }
    }
    wait_readable({lines_.fd()}, kTryLockMs);
    if (gone()) return Gone{};
  }
  lock_->set_study(fmt::format("{} at M={}", key(s.problem), s.m));
  return Result<void>{};
}

Guard::OrGone<Reply> Guard::setup(const Request& r, const SetupRequest& s) {
  if (const auto opened = open_queue(); !opened) return failure(r, opened.error().message);
  if (!compiler_ || compiler_->name != s.setup.compiler) {
    auto found = find_compiler(s.setup.compiler);
    if (!found) return failure(r, found.error().message);
    compiler_ = std::move(*found);
  }
  const auto locked = take_lock(s.setup);
  if (std::holds_alternative<Gone>(locked)) return Gone{};
  if (const auto& result = std::get<Result<void>>(locked); !result) return failure(r, result.error().message);
  (void)child_.ended_between();
  if (!child_.running()) {
    if (const auto started = child_.start(); !started) return failure(r, started.error().message);
  }
  sources_.clear();
  queue_->forget_queued();
  setup_ = s.setup;
  auto answer = ask_child(r);
  const auto* const reply = std::get_if<Reply>(&answer);
  if (reply == nullptr || !std::holds_alternative<SetupReply>(reply->body)) setup_.reset();
  return answer;
}

const std::string& Guard::source_of(const TileGroup& group) {
  std::string& source = sources_[group];
  if (source.empty()) source = tile_library_source(group, setup_->problem.chain);
  return source;
}

Reply Guard::prefetch(const Request& r, const PrefetchRequest& p) {
  std::set<TileGroup> seen;
  for (const Config& c : p.configs) {
    const TileGroup group = group_of(setup_->problem, c);
    if (seen.insert(group).second) (void)queue_->start(*compiler_, source_of(group), prefix_);
  }
  return {r.id, false, Done{}};
}

Guard::OrGone<BuildResult> Guard::build(const std::string& source, const std::string& prefix) {
  const std::string key = queue_->start(*compiler_, source, prefix);
  queue_->prefer(key);
  auto said = Clock::now();
  for (;;) {
    queue_->advance();
    if (auto result = queue_->result(key)) return std::move(*result);
    std::vector<int> fds = queue_->poll_fds();
    fds.push_back(lines_.fd());
    wait_readable(fds, kLookMs);
    if (gone()) return Gone{};
    if (Clock::now() - said < kSign) continue;
    said = Clock::now();
    if (!say(Alive{})) return Gone{};
  }
}

Guard::OrGone<Reply> Guard::admit(const Request& r, const AdmitRequest& a) {
  return load(r, {a.config, "", a.verify, a.bare, a.timed}, source_of(group_of(setup_->problem, a.config)));
}

Guard::OrGone<Reply> Guard::admit_header(const Request& r, const AdmitHeaderRequest& a) {
  const auto source = header_library_source(a.text, a.run_namespace);
  if (!source) return failure(r, source.error().message);
  return load(r, {std::nullopt, "", a.verify}, *source);
}

Guard::OrGone<Reply> Guard::load(const Request& r, LoadRequest load, const std::string& source) {
  // A header has to name all that it needs itself.
  const auto built = build(source, load.config ? prefix_ : "");
  if (std::holds_alternative<Gone>(built)) return Gone{};
  const BuildResult& b = std::get<BuildResult>(built);
  if (b.library.empty()) {
    Admission refused;
    refused.state = TrialState::compile;
    refused.reason = b.error;
    refused.compile_ns = b.compile_ns;
    return Reply{r.id, false, refused};
  }
  load.library = b.library;
  // Compilers stop while such a config is packed and compared, too: where calls take so long they are not waited for.
  const Request request{r.id, r.deadline_s, load};
  auto answer = load.timed ? undisturbed(request) : ask_child(request);
  if (auto* reply = std::get_if<Reply>(&answer)) {
    if (auto* admission = std::get_if<Admission>(&reply->body)) admission->compile_ns = b.compile_ns;
  }
  return answer;
}

// Nothing else of ours works meanwhile, and every window on this machine is told.
Guard::OrGone<Reply> Guard::undisturbed(const Request& r) {
  queue_->pause();
  lock_->set_timing(true);
  auto answer = ask_child(r);
  lock_->set_timing(false);
  queue_->resume();
  return answer;
}

// The body that a loss gives the request which it happened to.
Reply lost_reply(const Request& r, const GuardedChild::Loss& loss) {
  Reply reply{r.id, true, Done{}, loss.killed};
  if (std::holds_alternative<LoadRequest>(r.body)) {
    Admission a;
    a.state = loss.state;
    a.reason = loss.reason;
    reply.body = a;
  } else if (is_timed(r)) {
    Block b;
    b.state = loss.state;
    b.reason = loss.reason;
    reply.body = b;
  } else if (std::holds_alternative<SetupRequest>(r.body)) {
    reply.body = Error{"the worker failed while it prepared the problem: " + loss.reason, ErrorKind::worker_lost};
  }
  return reply;
}

Guard::OrGone<Reply> Guard::ask_child(const Request& r) {
  if (const auto loss = child_.ended_between()) {
    setup_.reset();
    return failure(r, "the worker ended between two requests: " + loss->reason, true);
  }
  auto answer = child_.request(r, lines_.fd(), [this] { return gone(); });
  if (auto* reply = std::get_if<Reply>(&answer)) return std::move(*reply);
  setup_.reset();
  if (const auto* loss = std::get_if<GuardedChild::Loss>(&answer)) return lost_reply(r, *loss);
  return Gone{};
}

}  // namespace

int run_worker(int in_fd, int out_fd, const Hello& hello) {
  std::signal(SIGPIPE, SIG_IGN);  // a client that has gone is the end of the input, not a signal
  return Guard(in_fd, out_fd).run(hello);
}

}  // namespace gemwright::tuner
