// The guard, spoken to line by line: what it does when candidates, clients and other measurers misbehave.
#include "tuner/worker/guard.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "tests/worker/faults.h"
#include "tests/worker/scratch_folder.h"
#include "tuner/worker/channel.h"
#include "tuner/worker/machine_lock.h"

namespace gemwright::tuner {
namespace {

constexpr std::chrono::seconds kLong{120};  // never reached unless something hangs
constexpr double kPatient = 100;

// A worker and its side of the conversation.
class Worker {
 public:
  Worker() {
    auto p = Process::start({WORKER_HOST, "worker"}, {.streams = true, .inherit_stderr = true});
    EXPECT_TRUE(p);
    process_.emplace(std::move(*p));
    lines_.emplace(process_->output(), kMaxMessageLine);
    EXPECT_TRUE(std::holds_alternative<Hello>(next()));
  }

  // The next message; fails the test when there is none.
  Message next() {
    for (const auto end = std::chrono::steady_clock::now() + kLong; std::chrono::steady_clock::now() < end;) {
      if (const auto line = lines_->next()) {
        auto m = parse_message(*line);
        EXPECT_TRUE(m) << *line;
        return m ? *m : Message{};
      }
      if (lines_->ended()) break;
      wait_readable({lines_->fd()}, 1000);
      lines_->fill();
    }
    ADD_FAILURE() << "the worker says nothing";
    return Alive{};
  }
  void send(const decltype(Request::body)& body, double deadline_s = kPatient) {
    send_text(to_line(Request{++id_, deadline_s, body}));
  }
  void send_text(const std::string& text) {
    EXPECT_TRUE(send_all(process_->input(), text, [] { return false; }));
  }
  Reply ask(const decltype(Request::body)& body, double deadline_s = kPatient) {
    send(body, deadline_s);
    for (;;) {
      const Message m = next();
      if (std::holds_alternative<Alive>(m) && !testing::Test::HasFailure()) continue;
      const auto* const reply = std::get_if<Reply>(&m);
      EXPECT_NE(reply, nullptr);
      EXPECT_EQ(reply != nullptr ? reply->id : 0, id_);
      return reply != nullptr ? *reply : Reply{};
    }
  }
  Admission admit(const Config& c, double deadline_s = kPatient) {
    const Reply r = ask(AdmitRequest{c, true}, deadline_s);
    lost = r.lost;
    const auto* const a = std::get_if<Admission>(&r.body);
    EXPECT_NE(a, nullptr) << (std::holds_alternative<Error>(r.body) ? std::get<Error>(r.body).message : "");
    return a != nullptr ? *a : Admission{};
  }
  bool setup(const Compiler& compiler) {
    return std::holds_alternative<SetupReply>(ask(SetupRequest{small_setup(compiler.name)}).body);
  }
  Process& process() { return *process_; }

  bool lost = false;  // of the last admission

 private:
  std::optional<Process> process_;
  std::optional<LineReader> lines_;
  std::int64_t id_ = 0;
};

class GuardTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!__builtin_cpu_supports("avx2")) GTEST_SKIP() << "the faulty candidates are avx2 tiles";
    const auto found = available_compilers();
    ASSERT_FALSE(found.empty()) << "the tests need g++ or clang++";
    compiler_ = found[0];
    setenv("GEMWRIGHT_TEST_PID", (folder_.path() / "pid").c_str(), 1);
    unsetenv("GEMWRIGHT_TEST_TRIGGER");
  }
  void plant() { plant_faults(compiler_); }

  ScratchFolder folder_;
  Compiler compiler_;
};

TEST_F(GuardTest, FaultsBecomeStatesAndTheWorkerGoesOn) {
  plant();
  Worker w;
  const auto fails = [&](Fault fault, TrialState state, const std::string& reason) {
    ASSERT_TRUE(w.setup(compiler_));
    const Admission a = w.admit(faulty_config(fault));
    EXPECT_EQ(a.state, state) << a.reason;
    EXPECT_NE(a.reason.find(reason), std::string::npos) << a.reason;
    EXPECT_TRUE(w.lost);
  };
  fails(Fault::crash, TrialState::crashed, "signal 11");
  fails(Fault::illegal, TrialState::crashed, "signal 4");
  fails(Fault::abort_, TrialState::crashed, "signal 6");
  fails(Fault::abort_, TrialState::crashed, "last words");
  fails(Fault::exit_, TrialState::crashed, "exit code 3");
  fails(Fault::garbage, TrialState::runtime, "protocol");
  ASSERT_TRUE(w.setup(compiler_));
  EXPECT_EQ(w.admit(faulty_config(Fault::noise)).state, TrialState::ok) << "standard output is not the protocol";
  const Admission good = w.admit(good_config());
  ASSERT_EQ(good.state, TrialState::ok) << good.reason;
  EXPECT_TRUE(good.error_fro);
  EXPECT_TRUE(good.verify_ns);
  EXPECT_FALSE(good.block);
  const Reply timed = w.ask(AdmitRequest{good_config(), true, false, true});
  ASSERT_TRUE(std::holds_alternative<Admission>(timed.body));
  EXPECT_TRUE(std::get<Admission>(timed.body).block);
  const Reply r = w.ask(BlockRequest{good.handle, 10});
  const auto* const block = std::get_if<Block>(&r.body);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(block->state, TrialState::ok);
  EXPECT_EQ(block->calls, 10);
  EXPECT_GT(block->ns, 0);
}

TEST_F(GuardTest, CandidateThatHangsIsKilledAtItsDeadline) {
  plant();
  Worker w;
  ASSERT_TRUE(w.setup(compiler_));
  const Admission a = w.admit(faulty_config(Fault::hang), 0.3);
  EXPECT_EQ(a.state, TrialState::timeout);
  EXPECT_NE(a.reason.find("0.3 s"), std::string::npos) << a.reason;
  EXPECT_TRUE(w.lost);
  EXPECT_NE(kill(std::stoi(folder_.read("pid")), 0), 0) << "the child is gone";
  EXPECT_TRUE(w.setup(compiler_));
}

TEST_F(GuardTest, SubjectsAreCountedUndisturbedAndWithADeadline) {
  setenv("GEMWRIGHT_TEST_TRIGGER", (folder_.path() / "trigger").c_str(), 1);
  plant();
  Worker w;
  const auto admitted = [&] {
    std::filesystem::remove(folder_.path() / "trigger");
    EXPECT_TRUE(w.setup(compiler_));
    const Admission a = w.admit(faulty_config(Fault::hang));
    EXPECT_EQ(a.state, TrialState::ok) << a.reason;
    folder_.write("trigger", "");  // it hangs from now on
    return a.handle;
  };
  const Reply late = w.ask(CountRequest{admitted(), 1}, 0.3);
  EXPECT_TRUE(late.lost);
  EXPECT_FALSE(late.killed) << "not from outside";
  const auto* const block = std::get_if<Block>(&late.body);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(block->state, TrialState::timeout);
  EXPECT_FALSE(read_machine_lock(machine_lock_path())->timing);
  std::filesystem::remove(folder_.path() / "pid");
  w.send(CountRequest{admitted(), 1}, 1000);
  while (folder_.read("pid").find('\n') == std::string::npos) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_TRUE(read_machine_lock(machine_lock_path())->timing);
  kill(std::stoi(folder_.read("pid")), SIGKILL);
  const Message m = w.next();
  ASSERT_TRUE(std::holds_alternative<Reply>(m));
  EXPECT_TRUE(std::get<Reply>(m).lost && std::get<Reply>(m).killed);
  const Reply ceilings = w.ask(CeilingsRequest{});
  EXPECT_TRUE(std::holds_alternative<Error>(ceilings.body) && ceilings.lost) << "a setup is needed";
}

TEST_F(GuardTest, NothingIsLeftWhenTheInputCloses) {
  plant();
  Worker w;
  ASSERT_TRUE(w.setup(compiler_));
  w.send(AdmitRequest{faulty_config(Fault::hang), true}, 1000);
  while (folder_.read("pid").find('\n') == std::string::npos) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  w.process().close_input();
  ASSERT_TRUE(w.process().wait(kLong));
  EXPECT_TRUE(w.process().status()->success());
  EXPECT_NE(kill(std::stoi(folder_.read("pid")), 0), 0) << "the child is gone";
  EXPECT_FALSE(read_machine_lock(machine_lock_path())) << "the lock is free";
}

TEST_F(GuardTest, ChildEndsWithAGuardThatIsKilled) {
  plant();
  Worker w;
  ASSERT_TRUE(w.setup(compiler_));
  w.send(AdmitRequest{faulty_config(Fault::hang), true}, 1000);
  while (folder_.read("pid").find('\n') == std::string::npos) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const int child = std::stoi(folder_.read("pid"));
  kill(w.process().pid(), SIGKILL);
  ASSERT_TRUE(w.process().wait(kLong));
  const std::string stat = "/proc/" + std::to_string(child) + "/stat";
  const auto lives = [&] {
    std::ifstream in(stat);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    return !text.empty() && text[text.rfind(')') + 2] != 'Z';
  };
  for (int i = 0; i < 6000 && lives(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_FALSE(lives());
}

TEST_F(GuardTest, SecondMeasurerWaitsAndSaysForWhom) {
  Worker first, second;
  ASSERT_TRUE(first.setup(compiler_));
  const auto info = read_machine_lock(machine_lock_path());
  ASSERT_TRUE(info);
  EXPECT_EQ(info->pid, first.process().pid());
  EXPECT_FALSE(info->timing);
  second.send(SetupRequest{small_setup(compiler_.name)});
  const Message m = second.next();
  const auto* const waiting = std::get_if<Waiting>(&m);
  ASSERT_NE(waiting, nullptr);
  EXPECT_EQ(waiting->pid, first.process().pid());
  EXPECT_NE(waiting->study.find("n40/k24"), std::string::npos) << waiting->study;
  first.send(QuitRequest{});
  ASSERT_TRUE(first.process().wait(kLong));
  const Message then = second.next();
  ASSERT_TRUE(std::holds_alternative<Reply>(then));
  EXPECT_TRUE(std::holds_alternative<SetupReply>(std::get<Reply>(then).body));
}

TEST_F(GuardTest, LockThatIsALinkIsRefused) {
  const auto target = folder_.write("precious", "keep");
  std::filesystem::create_symlink(target, machine_lock_path());
  Worker w;
  const Reply r = w.ask(SetupRequest{small_setup(compiler_.name)});
  ASSERT_TRUE(std::holds_alternative<Error>(r.body));
  EXPECT_NE(std::get<Error>(r.body).message.find("lock"), std::string::npos);
  EXPECT_EQ(folder_.read("precious"), "keep");
}

TEST_F(GuardTest, MissingCompilerIsAnErrorOfTheSetup) {
  Worker w;
  const Reply r = w.ask(SetupRequest{small_setup("no-such-c++")});
  ASSERT_TRUE(std::holds_alternative<Error>(r.body));
  EXPECT_NE(std::get<Error>(r.body).message.find("no compiler named no-such-c++"), std::string::npos);
}

TEST_F(GuardTest, FailedCompilationIsAState) {
  const auto path = folder_.write("cc",
                                  "#!/bin/sh\nif [ \"$1\" = --version ]; then echo script 1; exit 0; fi\n"
                                  "echo 'x.cpp:1:2: error: no luck' >&2; exit 1\n",
                                  true);
  Worker w;
  ASSERT_TRUE(std::holds_alternative<SetupReply>(w.ask(SetupRequest{small_setup(path)}).body));
  const Admission a = w.admit(good_config());
  EXPECT_EQ(a.state, TrialState::compile);
  EXPECT_NE(a.reason.find("no luck"), std::string::npos) << a.reason;
  EXPECT_FALSE(w.lost);
}

TEST_F(GuardTest, RequestsOutOfOrderAreAnswered) {
  Worker w;
  const Reply early = w.ask(AdmitRequest{good_config(), true});
  EXPECT_TRUE(std::holds_alternative<Error>(early.body));
  EXPECT_TRUE(early.lost) << "a setup is needed";
  const Reply load = w.ask(LoadRequest{std::nullopt, "/lib/evil.so", true});
  ASSERT_TRUE(std::holds_alternative<Error>(load.body));
  EXPECT_FALSE(load.lost);
  ASSERT_TRUE(w.setup(compiler_));
  EXPECT_TRUE(std::holds_alternative<Error>(w.ask(BlockRequest{99, 1}).body)) << "no such handle";
  EXPECT_TRUE(std::holds_alternative<Error>(w.ask(AdmitHeaderRequest{"", "a; b", true}).body));
}

TEST_F(GuardTest, EndsOnALineThatIsNoRequest) {
  Worker w;
  w.send_text("{\"type\":\"setup\"}\n");
  const Message m = w.next();
  ASSERT_TRUE(std::holds_alternative<Reply>(m));
  EXPECT_TRUE(std::holds_alternative<Error>(std::get<Reply>(m).body));
  ASSERT_TRUE(w.process().wait(kLong));
  EXPECT_EQ(w.process().status()->code, 1);
}

}  // namespace
}  // namespace gemwright::tuner
