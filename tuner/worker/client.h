// A Measurer over a worker process: the one on this machine, or any command that runs `gemwright worker` somewhere.
//
// Whatever a candidate does to the worker is hidden: after a failure the next request sets the problem up again and
// admits the subjects that are still in use again, each when it is needed. A subject that took the worker down is
// marked failed and not tried again; but the baseline and the anchor, which are trusted, get one more try after a
// crash, and a candidate that was timed before one more after a SIGKILL, which is not its own. An Error means that no
// worker can be had, that the problem cannot be set up, or that the user interrupted; of a count and of ceilings also
// that the worker was lost to them (see measurer.h).
//
// It may be used from one thread at a time. On this machine the worker ends with the client, whatever ends that.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tuner/study/measurer.h"
#include "tuner/toolchain/process.h"
#include "tuner/worker/channel.h"
#include "tuner/worker/protocol.h"

namespace gemwright::tuner {

struct WorkerHooks {
  std::function<void(const std::string&)> notice = {};  // a sentence for people: whom the worker waits for
  std::function<bool()> interrupted = {};               // asked ten times a second while the worker works
  // The least time that the worker gets for one request. Larger problems get more, see the deadlines in client.cpp.
  double patience_s = 60;
  // The worker gives a sign every 10 s where it may take long; one that gives none for this long beyond a request's
  // deadline is lost.
  double silence_s = 60;
  // A job scheduler may keep the worker waiting before it starts: so long, and after how long people are told.
  double start_s = 600;
  double start_notice_s = 5;
};

// `ssh board "gemwright worker"` as words: blanks separate, quotes and backslashes keep together. No shell is involved,
// so nothing is expanded.
Result<std::vector<std::string>> split_command(const std::string& command);

class WorkerClient final : public Measurer {
 public:
  // Starts the worker and waits for its hello.
  static Result<std::unique_ptr<WorkerClient>> start(std::vector<std::string> argv = {"/proc/self/exe", "worker"},
                                                     WorkerHooks hooks = {});
  // Ends the worker.
  ~WorkerClient() override;
  WorkerClient(const WorkerClient&) = delete;
  WorkerClient& operator=(const WorkerClient&) = delete;

  // Of the worker that is running or ran last.
  const Hello& hello() const { return hello_; }

  Result<SetupReply> setup(const MeasureSetup& setup) override;
  Result<void> prefetch_code(const std::vector<Config>& configs) override;
  Result<Admission> admit(const Config& config) override;
  Result<Admission> admit_timed(const Config& config) override;
  Result<Admission> admit_bare(const Config& config) override;
  Result<Admission> admit_header(const std::string& header_text, const std::string& run_namespace) override;
  Result<Block> block(int handle, std::int64_t calls) override;
  Result<std::vector<profilers::Counter>> count(int handle, std::int64_t calls) override;
  Result<std::vector<profilers::Ceiling>> ceilings() override;
  Result<void> drop(int handle) override;

 private:
  using Body = decltype(Request::body);
  struct Bare {
    Config config;
  };
  struct Header {
    std::string text, run_namespace;
  };
  struct Subject {
    std::variant<SubjectKind, Config, Bare, Header> what;  // the first: baseline or anchor
    int worker_handle = 0;                                 // 0: the worker does not know it now
    std::optional<double> call_s = {};                     // measured
    TrialState state = TrialState::ok;
    std::string reason = {};
  };

  WorkerClient(std::vector<std::string> argv, WorkerHooks hooks) : argv_(std::move(argv)), hooks_(std::move(hooks)) {}

  // The process.
  Result<void> launch();
  Result<void> launch_once(bool& hopeless);
  void stop();
  tl::unexpected<Error> lose_worker(const std::string& reason);
  Result<std::optional<Message>> next_message();
  Result<Reply> converse(const Body& body, double deadline_s);

  // The setup.
  Result<SetupReply> send_setup();
  Result<void> ensure_setup();
  void forget_worker();

  // A loss of the worker's child that is not yet held against the request it happened to. It is used up by the first.
  enum class Pardon { none, killed, crashed };
  static Pardon pardon_for(const Subject& subject);
  bool forgiven(const Reply& reply, Pardon& pardon);

  // Nothing when the worker was lost without this request's fault: try again.
  Result<std::optional<Reply>> attempt(const Body& body, double deadline_s, Pardon& pardon);
  Result<std::optional<Reply>> attempt(const Body& body, double deadline_s);
  enum class Check { none, verify, verify_timed };  // none: admitted before
  Result<std::optional<Admission>> attempt_admission(Subject& subject, Check how, Pardon& pardon);
  // `request` makes the request from the worker's handle; it makes `calls` calls. A subject that has failed answers as
  // its last block.
  Result<std::optional<Reply>> attempt_timed(Subject& subject, const std::function<Body(int)>& request, double calls,
                                             Pardon& pardon);
  Result<Admission> admit_new(Subject subject, Check how = Check::verify);
  void note_call(Subject& subject, const Block& block);

  // What a slow but not hopeless candidate takes for one call.
  double slow_call_s() const;
  double call_limit_s(const Subject& subject) const;
  double preparation_s() const;
  double setup_runs() const;  // at full size

  std::vector<std::string> argv_;
  WorkerHooks hooks_;
  Hello hello_;
  std::optional<Process> process_;
  std::optional<LineReader> lines_;
  std::int64_t last_id_ = 0;
  std::string last_loss_;    // why the worker was lost
  std::string last_notice_;  // each sentence is said once in a row

  std::optional<MeasureSetup> setup_;
  bool worker_is_set_up_ = false;
  std::map<int, Subject> subjects_;  // by the handle that the caller knows
  int last_handle_ = 0;
  std::optional<int> baseline_, anchor_;
  std::vector<int> further_;           // 0 for an absent one
  std::optional<double> best_call_s_;  // of all subjects of this setup but the anchor
};

}  // namespace gemwright::tuner
