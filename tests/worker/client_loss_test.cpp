// What the client makes of workers that are lost, silent or wrong: scripted ones, and the real one killed.
#include <dirent.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/worker/faults.h"
#include "tests/worker/scratch_folder.h"
#include "tuner/worker/client.h"
#include "tuner/worker/machine_lock.h"

namespace gemwright::tuner {
namespace {

using profilers::Ceiling;
using profilers::Counter;
using profilers::CounterStatus;

// Where a scripted worker puts the id of the request that it answers.
constexpr std::int64_t kId = 424242;

Block good_block() {
  Block b;
  b.ns = 1000;
  b.calls = 2;
  return b;
}

Block failed_block(TrialState state, const std::string& reason) {
  Block b;
  b.state = state;
  b.reason = reason;
  return b;
}

const Block kCrash = failed_block(TrialState::crashed, "signal 11");
const Block kKill = failed_block(TrialState::crashed, "it was killed");

std::string line(const decltype(Reply::body)& body) { return to_line(Message(Reply{kId, false, body})); }
std::string lost_line(const decltype(Reply::body)& body, bool killed) {
  return to_line(Message(Reply{kId, true, body, killed}));
}

// A worker by script: it says what stands in files named after the type of request, and writes down what it was asked.
class ScriptedWorker : public testing::Test {
 protected:
  ScriptedWorker() {
    folder_.write("hello", to_line(Message(Hello{"script", {}})));
    answer("setup", line(SetupReply{"onednn", "", 2, 1}));
    Admission a;
    a.handle = 3;
    answer("admit", line(a));
    answer("block", line(good_block()));
    script_ = folder_.write("worker",
                            "#!/bin/sh\n"
                            "dir=" +
                                folder_.path().string() +
                                "\n"
                                "echo start >> $dir/log\n"
                                "cat $dir/hello\n"
                                "while IFS= read -r line; do\n"
                                "  id=${line#*\\\"id\\\":}; id=${id%%,*}\n"
                                "  type=${line##*\\\"type\\\":\\\"}; type=${type%%\\\"*}\n"
                                "  echo $type >> $dir/log\n"
                                "  file=$dir/$type.$(grep -c \"^$type\\$\" $dir/log)\n"
                                "  [ -e $file ] || file=$dir/$type\n"
                                "  sed \"s/424242/$id/\" $file\n"
                                "done\n",
                            true);
  }

  // To every request of this type, or to the `nth` only.
  void answer(const std::string& type, const std::string& text, int nth = 0) {
    folder_.write(nth == 0 ? type : type + "." + std::to_string(nth), text);
  }
  void connect(WorkerHooks hooks = {}) {
    hooks.notice = [this](const std::string& text) { notices_.push_back(text); };
    auto c = WorkerClient::start({script_}, hooks);
    ASSERT_TRUE(c) << c.error().message;
    client_ = std::move(*c);
    const auto ready = client_->setup(small_setup());
    ASSERT_TRUE(ready) << ready.error().message;
    anchor_ = ready->anchor_handle;
    baseline_ = ready->baseline_handle;
  }
  int admitted() {
    const auto a = client_->admit(good_config());
    EXPECT_TRUE(a && a->state == TrialState::ok);
    return a ? a->handle : 0;
  }
  TrialState timed(int handle) {
    const auto b = client_->block(handle, 2);
    EXPECT_TRUE(b) << (b ? "" : b.error().message);
    return b ? b->state : TrialState::cancelled;
  }
  // What was asked since the last look, blank by blank.
  std::string asked() {
    std::istringstream log(folder_.read("log"));
    std::string word, all;
    for (int i = 0; log >> word; ++i) {
      if (i >= seen_) all += (all.empty() ? "" : " ") + word, ++seen_;
    }
    return all;
  }

  ScratchFolder folder_;
  std::string script_;
  std::unique_ptr<WorkerClient> client_;
  std::vector<std::string> notices_;
  int anchor_ = 0, baseline_ = 0;
  int seen_ = 0;
};

TEST_F(ScriptedWorker, FurtherBaselinesAreTimedAgainAfterALossAndMustBeThoseAskedFor) {
  answer("block", lost_line(kKill, true), 1);
  connect();
  answer("setup", line(SetupReply{"onednn", "", 2, 1, {{"", "not installed", 0}, {"x", "", 7}}}));
  MeasureSetup s = small_setup();
  s.further = {"openblas", "blas:x"};
  const auto ready = client_->setup(s);
  ASSERT_TRUE(ready) << ready.error().message;
  ASSERT_EQ(ready->further.size(), 2u);
  EXPECT_EQ(ready->further[0].handle, 0);
  EXPECT_NE(ready->further[1].handle, ready->baseline_handle);
  EXPECT_EQ(timed(ready->further[1].handle), TrialState::ok);
  EXPECT_EQ(asked(), "start setup setup block setup block");
  s.further = {"openblas"};
  EXPECT_FALSE(client_->setup(s));
}

TEST_F(ScriptedWorker, CountersAndCeilingsArrive) {
  const std::vector<Counter> counters{{"perf", "cycles", "events", CounterStatus::counted, 12.0, 5, ""},
                                      {"steal", "steal", "ticks", CounterStatus::denied, std::nullopt, 5, "no"}};
  const std::vector<Ceiling> ceilings{{"read.l1", 1, "GB/s", 50.0, "", 0.1, 2e4}};
  answer("count", line(counters));
  answer("ceilings", line(ceilings));
  connect();
  const auto c = client_->count(anchor_, 5);
  ASSERT_TRUE(c) << c.error().message;
  EXPECT_EQ(*c, counters);
  const auto r = client_->ceilings();
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ(*r, ceilings);
  EXPECT_EQ(asked(), "start setup count ceilings");
}

TEST_F(ScriptedWorker, WrongAnswersToACountAreAnErrorAndMeasuringGoesOn) {
  answer("count", line(SetupReply{}));
  answer("ceilings", line(good_block()));
  connect();
  const auto c = client_->count(anchor_, 5);
  ASSERT_FALSE(c);
  EXPECT_NE(c.error().message.find("something else"), std::string::npos) << c.error().message;
  EXPECT_FALSE(client_->ceilings());
  answer("count", R"({"type":"reply","id":424242,"lost":false,"killed":false,"counters":[{"provider":"perf"}]})"
                  "\n");
  EXPECT_FALSE(client_->count(anchor_, 5));
  EXPECT_EQ(timed(anchor_), TrialState::ok);
}

TEST_F(ScriptedWorker, LossToACountIsAnErrorAndTheSubjectGoesOn) {
  connect();
  const int candidate = admitted();
  answer("count", lost_line(kCrash, false));
  (void)asked();
  const auto c = client_->count(candidate, 5);
  ASSERT_FALSE(c);
  EXPECT_EQ(c.error().kind, ErrorKind::failed);
  EXPECT_NE(c.error().message.find("signal 11"), std::string::npos) << c.error().message;
  EXPECT_EQ(asked(), "count");
  EXPECT_EQ(timed(candidate), TrialState::ok);
  EXPECT_EQ(asked(), "setup admit block");
}

TEST_F(ScriptedWorker, LossOfTrustedCodeToACountIsTriedAgainOnce) {
  answer("count", lost_line(kCrash, false));
  answer("ceilings", lost_line(kCrash, false), 1);
  answer("ceilings", line(std::vector<Ceiling>{}));
  connect();
  EXPECT_FALSE(client_->count(baseline_, 5));
  EXPECT_EQ(asked(), "start setup count setup count");
  EXPECT_TRUE(client_->ceilings());
  EXPECT_EQ(asked(), "setup ceilings setup ceilings");
}

TEST_F(ScriptedWorker, WorkerThatIsLostBetweenRequestsCountsAgain) {
  answer("count", lost_line(Error{"the worker ended between two requests"}, true), 1);
  answer("count", line(std::vector<Counter>{}));
  connect();
  EXPECT_TRUE(client_->count(anchor_, 5));
  EXPECT_EQ(asked(), "start setup count setup count");
}

TEST_F(ScriptedWorker, CrashedBlockOfTrustedCodeIsTimedAgain) {
  answer("block", lost_line(kCrash, false), 1);
  answer("block", lost_line(kKill, true), 3);
  connect();
  EXPECT_EQ(timed(anchor_), TrialState::ok);
  EXPECT_EQ(asked(), "start setup block setup block");
  EXPECT_EQ(timed(baseline_), TrialState::ok);
  EXPECT_EQ(asked(), "block setup block");
  ASSERT_EQ(notices_.size(), 2u);
  EXPECT_NE(notices_[0].find("signal 11"), std::string::npos) << notices_[0];
}

TEST_F(ScriptedWorker, SecondCrashOfTrustedCodeIsReported) {
  answer("block", lost_line(kCrash, false));
  connect();
  const auto b = client_->block(baseline_, 2);
  ASSERT_TRUE(b) << b.error().message;
  EXPECT_EQ(b->state, TrialState::crashed);
  EXPECT_EQ(b->reason, "signal 11");
  EXPECT_EQ(asked(), "start setup block setup block");
}

TEST_F(ScriptedWorker, TrustedCodeThatHangsIsNotTriedAgain) {
  answer("block", lost_line(failed_block(TrialState::timeout, "too long"), false));
  connect();
  EXPECT_EQ(timed(anchor_), TrialState::timeout);
  EXPECT_EQ(asked(), "start setup block");
}

TEST_F(ScriptedWorker, KilledCandidateIsTimedAgainWhereItWasTimedBefore) {
  answer("block", lost_line(kKill, true), 2);
  connect();
  const int candidate = admitted();
  EXPECT_EQ(timed(candidate), TrialState::ok);
  (void)asked();
  EXPECT_EQ(timed(candidate), TrialState::ok);
  EXPECT_EQ(asked(), "block setup admit block");
  answer("block", lost_line(kKill, true));
  EXPECT_EQ(timed(candidate), TrialState::crashed) << "the second time it is its own fault";
  EXPECT_EQ(asked(), "block setup admit block");
}

TEST_F(ScriptedWorker, CandidateThatIsKilledBeforeItWasTimedIsFailed) {
  answer("block", lost_line(kKill, true), 1);
  connect();
  const int candidate = admitted();
  EXPECT_EQ(timed(candidate), TrialState::crashed);
  EXPECT_EQ(asked(), "start setup admit block");
}

TEST_F(ScriptedWorker, CandidateThatCrashesIsFailedAtOnce) {
  for (const Block& loss : {kCrash, failed_block(TrialState::timeout, "too long")}) {
    answer("block", line(good_block()));
    connect();
    const int candidate = admitted();
    EXPECT_EQ(timed(candidate), TrialState::ok);
    answer("block", lost_line(loss, false));
    (void)asked();
    EXPECT_EQ(timed(candidate), loss.state);
    EXPECT_EQ(asked(), "block");
    EXPECT_EQ(timed(candidate), loss.state) << "it stays failed";
    EXPECT_EQ(asked(), "");
    EXPECT_FALSE(client_->count(candidate, 1));
  }
}

TEST_F(ScriptedWorker, KillsInAnAdmissionCountToo) {
  Admission killed;
  killed.state = TrialState::crashed;
  killed.reason = "it was killed";
  answer("block", lost_line(kKill, true), 2);
  answer("admit", lost_line(killed, true), 2);
  connect();
  const int candidate = admitted();
  EXPECT_EQ(timed(candidate), TrialState::ok);
  (void)asked();
  EXPECT_EQ(timed(candidate), TrialState::crashed);
  EXPECT_EQ(asked(), "block setup admit");
}

TEST_F(ScriptedWorker, WorkerWithoutASignOfLifeIsAnError) {
  // After its hello it says nothing, or never ends a line.
  for (const std::string silence : {"sleep 0.05", "printf ' '; sleep 0.05", "printf '{\"type\":'; sleep 0.05"}) {
    const auto script = folder_.write("silent",
                                      "#!/bin/sh\ncat " + folder_.path().string() + "/hello\n(while " + silence +
                                          "; do :; done) &\ncat > /dev/null\nkill $!\n",
                                      true);
    auto c = WorkerClient::start({script}, {{}, {}, 0.05, 0.1});
    ASSERT_TRUE(c) << c.error().message;
    const auto ready = (*c)->setup(small_setup());
    ASSERT_FALSE(ready);
    EXPECT_NE(ready.error().message.find("does not answer"), std::string::npos) << ready.error().message;
  }
}

TEST_F(ScriptedWorker, WorkerThatNeverStartsIsWaitedForOnceAndTold) {
  const auto script =
      folder_.write("late", "#!/bin/sh\necho start >> " + folder_.path().string() + "/log\ncat > /dev/null\n", true);
  std::vector<std::string> notices;
  WorkerHooks hooks{[&](const std::string& text) { notices.push_back(text); }, {}, 60, 60, 0.5, 0.05};
  const auto c = WorkerClient::start({script}, hooks);
  ASSERT_FALSE(c);
  EXPECT_NE(c.error().message.find("said nothing for 0.5 s"), std::string::npos) << c.error().message;
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_NE(notices[0].find("waiting for the worker"), std::string::npos) << notices[0];
  EXPECT_EQ(asked(), "start");
}

// The process that runs candidates for this guard.
int child_of(int guard) {
  int found = 0;
  DIR* const all = opendir("/proc");
  while (const dirent* const one = all != nullptr ? readdir(all) : nullptr) {
    if (std::atoi(one->d_name) == 0) continue;
    const std::string folder = std::string("/proc/") + one->d_name;
    std::ifstream stat(folder + "/stat"), command(folder + "/cmdline");
    const std::string text((std::istreambuf_iterator<char>(stat)), {});
    const std::string words((std::istreambuf_iterator<char>(command)), {});
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos || words.find("--child") == std::string::npos) continue;
    std::istringstream fields(text.substr(name_end + 1));
    std::string state;
    int parent = 0;
    if (fields >> state >> parent && parent == guard && state != "Z") found = std::atoi(one->d_name);
  }
  if (all != nullptr) closedir(all);
  return found;
}

TEST(RealWorker, SubjectsWhoseWorkerIsKilledFromOutsideAreTimedAgain) {
  const ScratchFolder folder;
  const auto compilers = available_compilers();
  ASSERT_FALSE(compilers.empty()) << "the tests need g++ or clang++";
  int kills = 0, last = 0;
  // Asked ten times a second while the client waits.
  const auto kill_child = [&] {
    const auto info = read_machine_lock(machine_lock_path());
    if (kills == 0 || !info || !info->timing || !info->pid) return false;
    const int child = child_of(*info->pid);
    if (child == 0 || child == last) return false;
    last = child;
    --kills;
    kill(child, SIGKILL);
    return false;
  };
  std::vector<std::string> notices;
  auto c = WorkerClient::start({WORKER_HOST, "worker"},
                               {[&](const std::string& text) { notices.push_back(text); }, kill_child});
  ASSERT_TRUE(c) << c.error().message;
  const auto ready = (*c)->setup(small_setup(compilers[0].name));
  ASSERT_TRUE(ready) << ready.error().message;
  const auto admission = (*c)->admit(good_config());
  ASSERT_TRUE(admission);
  ASSERT_EQ(admission->state, TrialState::ok) << admission->reason;
  ASSERT_EQ((*c)->block(admission->handle, 2)->state, TrialState::ok);
  // Long enough for several looks, a second or so; and again where the machine was too busy for one.
  const auto timed = [&](int handle, std::int64_t calls) {
    Block b;
    for (int i = 0; i < 20 && kills > 0; ++i)
      b = (*c)->block(handle, calls).value_or(failed_block(TrialState::cancelled, "no answer"));
    EXPECT_EQ(kills, 0);
    return b;
  };
  kills = 1;
  EXPECT_EQ(timed(ready->anchor_handle, 40'000).state, TrialState::ok);
  kills = 1;
  EXPECT_EQ(timed(admission->handle, 300'000).state, TrialState::ok);
  EXPECT_EQ(notices.size(), 2u);
  kills = 2;
  const Block crashed = timed(ready->anchor_handle, 40'000);
  EXPECT_EQ(crashed.state, TrialState::crashed);
  EXPECT_NE(crashed.reason.find("killed"), std::string::npos) << crashed.reason;
}

TEST(RealWorker, CountsSubjectsAndCeilings) {
  const ScratchFolder folder;
  const auto compilers = available_compilers();
  ASSERT_FALSE(compilers.empty()) << "the tests need g++ or clang++";
  auto c = WorkerClient::start({WORKER_HOST, "worker"});
  ASSERT_TRUE(c) << c.error().message;
  EXPECT_FALSE((*c)->ceilings()) << "nothing was set up";
  const auto ready = (*c)->setup(small_setup(compilers[0].name));
  ASSERT_TRUE(ready) << ready.error().message;
  const auto admission = (*c)->admit(good_config());
  ASSERT_TRUE(admission);
  for (const int handle : {admission->handle, ready->anchor_handle, ready->baseline_handle}) {
    if (handle == 0) continue;
    const auto counters = (*c)->count(handle, 3);
    ASSERT_TRUE(counters) << counters.error().message;
    EXPECT_FALSE(counters->empty());
    for (const Counter& counter : *counters) EXPECT_EQ(counter.value.has_value(), has_value(counter.status));
  }
  const auto ceilings = (*c)->ceilings();
  ASSERT_TRUE(ceilings) << ceilings.error().message;
  EXPECT_FALSE(ceilings->empty());
  for (const Ceiling& ceiling : *ceilings) EXPECT_EQ(ceiling.threads, 1);
  EXPECT_FALSE((*c)->count(99, 1)) << "no such subject";
  EXPECT_EQ((*c)->block(admission->handle, 2)->state, TrialState::ok);
}

TEST(RealWorker, SubjectThatCrashesWhileItIsCountedIsAnError) {
  if (!__builtin_cpu_supports("avx2")) GTEST_SKIP() << "the faulty candidates are avx2 tiles";
  const ScratchFolder folder;
  const auto compilers = available_compilers();
  ASSERT_FALSE(compilers.empty()) << "the tests need g++ or clang++";
  setenv("GEMWRIGHT_TEST_TRIGGER", (folder.path() / "trigger").c_str(), 1);
  plant_faults(compilers[0]);
  auto c = WorkerClient::start({WORKER_HOST, "worker"});
  ASSERT_TRUE(c) << c.error().message;
  const auto ready = (*c)->setup(small_setup(compilers[0].name));
  ASSERT_TRUE(ready) << ready.error().message;
  const auto bad = (*c)->admit(faulty_config(Fault::crash));
  ASSERT_TRUE(bad);
  ASSERT_EQ(bad->state, TrialState::ok) << bad->reason;
  EXPECT_TRUE((*c)->count(bad->handle, 2));
  folder.write("trigger", "");
  const auto counters = (*c)->count(bad->handle, 2);
  ASSERT_FALSE(counters);
  EXPECT_NE(counters.error().message.find("signal 11"), std::string::npos) << counters.error().message;
  EXPECT_TRUE((*c)->count(ready->anchor_handle, 2));
  unsetenv("GEMWRIGHT_TEST_TRIGGER");
}

}  // namespace
}  // namespace gemwright::tuner
