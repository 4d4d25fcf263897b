#include "tuner/worker/client.h"

#include <gtest/gtest.h>

#include <csignal>

#include "tests/worker/faults.h"
#include "tests/worker/scratch_folder.h"
#include "tuner/worker/machine_lock.h"

namespace gemwright::tuner {
namespace {

constexpr const char* kHeader = R"cpp(
#include <cstdint>
  namespace my::tuned {
  struct context {
    explicit context(int) {}
  };
  namespace per_call {
  constexpr bool constant_weights = false;
  using a_type = float;
  using b_type = float;
  using c_type = float;
  struct args {
    const float* bias = nullptr;
  };
  inline int run(context&, std::int64_t m, const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float* c,
                 std::int64_t ldc, const args&) {
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < 40; ++j) {
        float sum = 0;
        for (std::int64_t k = 0; k < 24; ++k) sum += a[i * lda + k] * b[k * ldb + j];
        c[i * ldc + j] = sum;
      }
    }
    return 0;
  }
  }  // namespace per_call
  namespace packed {
  constexpr bool constant_weights = true;
  using a_type = float;
  using b_type = float;
  using c_type = float;
  struct args {
    const float* bias = nullptr;
  };
  struct weights {
    float values[24 * 40];
    bool valid() const { return true; }
  };
  inline weights pack_weights(const float* b, std::int64_t ldb) {
    weights w;
    for (int k = 0; k < 24; ++k) {
      for (int j = 0; j < 40; ++j) w.values[k * 40 + j] = b[k * ldb + j];
    }
    return w;
  }
  inline int run(context& ctx, std::int64_t m, const float* a, std::int64_t lda, const weights& w, float* c,
                 std::int64_t ldc, const args& x) {
    return per_call::run(ctx, m, a, lda, w.values, 40, c, ldc, {x.bias});
  }
  }  // namespace packed
  }  // namespace my::tuned
)cpp";

class ClientTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!__builtin_cpu_supports("avx2")) GTEST_SKIP() << "the faulty candidates are avx2 tiles";
    const auto found = available_compilers();
    ASSERT_FALSE(found.empty()) << "the tests need g++ or clang++";
    compiler_ = found[0];
    unsetenv("GEMWRIGHT_TEST_TRIGGER");
    setenv("GEMWRIGHT_TEST_PID", (folder_.path() / "pid").c_str(), 1);
  }
  void TearDown() override { unsetenv("GEMWRIGHT_TEST_TRIGGER"); }

  std::unique_ptr<WorkerClient> client(WorkerHooks hooks = {}) {
    auto c = WorkerClient::start({WORKER_HOST, "worker"}, std::move(hooks));
    EXPECT_TRUE(c) << (c ? "" : c.error().message);
    return c ? std::move(*c) : nullptr;
  }
  std::string start_error(std::vector<std::string> argv) {
    const auto c = WorkerClient::start(std::move(argv));
    EXPECT_FALSE(c);
    return c ? "" : c.error().message;
  }
  MeasureSetup setup() const { return small_setup(compiler_.name); }
  // Candidates of the faulty group run well until `pull` is called.
  void plant_with_trigger() {
    setenv("GEMWRIGHT_TEST_TRIGGER", (folder_.path() / "trigger").c_str(), 1);
    plant_faults(compiler_);
  }
  void pull() { folder_.write("trigger", ""); }

  ScratchFolder folder_;
  Compiler compiler_;
};

TEST_F(ClientTest, MeasuresCandidatesBaselineAndAnchor) {
  const auto c = client();
  EXPECT_EQ(c->hello().tool, "test");
  const auto ready = c->setup(setup());
  ASSERT_TRUE(ready) << ready.error().message;
  ASSERT_TRUE(c->prefetch_code({good_config()}));
  const auto a = c->admit(good_config());
  ASSERT_TRUE(a) << a.error().message;
  ASSERT_EQ(a->state, TrialState::ok) << a->reason;
  EXPECT_TRUE(a->compile_ns) << "a fresh cache";
  const auto again = c->admit(good_config());
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->compile_ns);
  EXPECT_NE(again->handle, a->handle);
  std::vector<int> handles{a->handle, again->handle, ready->anchor_handle};
  if (!ready->baseline.empty()) handles.push_back(ready->baseline_handle);
  for (const int handle : handles) {
    const auto b = c->block(handle, 3);
    ASSERT_TRUE(b) << b.error().message;
    EXPECT_EQ(b->state, TrialState::ok) << b->reason;
    EXPECT_EQ(b->calls, 3);
  }
  EXPECT_TRUE(c->drop(a->handle));
  EXPECT_FALSE(c->drop(a->handle));
  EXPECT_FALSE(c->block(a->handle, 1));
  EXPECT_TRUE(c->block(again->handle, 1));
}

TEST_F(ClientTest, SubjectThatCrashesFailsAndTheOthersGoOn) {
  plant_with_trigger();
  const auto c = client();
  const auto ready = c->setup(setup());
  ASSERT_TRUE(ready) << ready.error().message;
  const auto good = c->admit(good_config());
  const auto bad = c->admit(faulty_config(Fault::crash));
  ASSERT_TRUE(good && bad);
  ASSERT_EQ(bad->state, TrialState::ok) << bad->reason;
  EXPECT_EQ(c->block(bad->handle, 2)->state, TrialState::ok);
  pull();
  const auto crashed = c->block(bad->handle, 2);
  ASSERT_TRUE(crashed) << crashed.error().message;
  EXPECT_EQ(crashed->state, TrialState::crashed);
  EXPECT_NE(crashed->reason.find("signal 11"), std::string::npos) << crashed->reason;
  EXPECT_EQ(c->block(bad->handle, 2)->state, TrialState::crashed) << "it is not tried again";
  EXPECT_EQ(c->block(good->handle, 2)->state, TrialState::ok);
  EXPECT_EQ(c->block(ready->anchor_handle, 2)->state, TrialState::ok);
  if (!ready->baseline.empty()) {
    EXPECT_EQ(c->block(ready->baseline_handle, 2)->state, TrialState::ok);
  }
  EXPECT_TRUE(c->drop(bad->handle));
  const auto refused = c->admit(faulty_config(Fault::crash));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->state, TrialState::crashed);
  EXPECT_EQ(c->admit(good_config())->state, TrialState::ok);
}

TEST_F(ClientTest, SecondSetupForgetsTheFirstOnesSubjects) {
  const auto c = client();
  const auto first = c->setup(setup());
  ASSERT_TRUE(first);
  const auto a = c->admit(good_config());
  ASSERT_TRUE(a);
  MeasureSetup other = setup();
  other.m = 3;
  ASSERT_TRUE(c->setup(other));
  EXPECT_FALSE(c->block(a->handle, 1));
  EXPECT_FALSE(c->block(first->anchor_handle, 1));
}

TEST_F(ClientTest, WorkerThatDiesBetweenRequestsIsReplaced) {
  const auto c = client();
  ASSERT_TRUE(c->setup(setup()));
  const auto a = c->admit(good_config());
  ASSERT_TRUE(a);
  const auto info = read_machine_lock(machine_lock_path());
  ASSERT_TRUE(info);
  kill(info->pid.value(), SIGKILL);
  const auto b = c->block(a->handle, 2);
  ASSERT_TRUE(b) << b.error().message;
  EXPECT_EQ(b->state, TrialState::ok) << b->reason;
}

TEST_F(ClientTest, InterruptEndsALongAdmission) {
  plant_faults(compiler_);
  bool hanging = false;
  // Interrupted once the candidate hangs: it has written its pid.
  const auto c = client({{}, [&] { return hanging && !folder_.read("pid").empty(); }, 1000});
  ASSERT_TRUE(c->setup(setup()));
  hanging = true;
  const auto a = c->admit(faulty_config(Fault::hang));
  ASSERT_FALSE(a);
  EXPECT_EQ(a.error().kind, ErrorKind::interrupted);
  hanging = false;
  EXPECT_EQ(c->admit(good_config())->state, TrialState::ok) << "it can go on";
}

TEST_F(ClientTest, WaitingForAnotherMeasurerIsTold) {
  auto lock = MachineLock::open(machine_lock_path());
  ASSERT_TRUE(lock && lock->try_take().value_or(false));
  lock->set_study("the other study");
  std::vector<std::string> notices;
  const auto c = client({[&](const std::string& text) { notices.push_back(text); }, [&] { return !notices.empty(); }});
  const auto ready = c->setup(setup());
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().kind, ErrorKind::interrupted);
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_NE(notices[0].find("the other study"), std::string::npos) << notices[0];
}

TEST_F(ClientTest, HeadersAreMeasuredAsAConsumerCallsThem) {
  const auto c = client();
  MeasureSetup s = setup();
  ASSERT_TRUE(c->setup(s));
  const auto packed = c->admit_header(kHeader, "my::tuned::packed");
  ASSERT_TRUE(packed) << packed.error().message;
  EXPECT_EQ(packed->state, TrialState::ok) << packed->reason;
  EXPECT_EQ(c->block(packed->handle, 2)->state, TrialState::ok);
  s.problem.constant_weights = false;
  ASSERT_TRUE(c->setup(s));
  const auto per_call = c->admit_header(kHeader, "my::tuned::per_call");
  ASSERT_TRUE(per_call) << per_call.error().message;
  EXPECT_EQ(per_call->state, TrialState::ok) << per_call->reason;
  const auto missing = c->admit_header(kHeader, "my::tuned::other");
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->state, TrialState::compile);
  EXPECT_NE(missing->reason.find("error:"), std::string::npos) << missing->reason;
}

TEST_F(ClientTest, RequestsBeforeASetupAreErrors) {
  const auto c = client();
  EXPECT_FALSE(c->admit(good_config()));
  EXPECT_FALSE(c->prefetch_code({good_config()}));
  EXPECT_FALSE(c->block(1, 1));
}

TEST_F(ClientTest, WorkersThatAreNoneGetASentence) {
  EXPECT_NE(start_error({"no-such-program"}).find("no-such-program"), std::string::npos);
  EXPECT_NE(start_error({"false"}).find("exit code 1"), std::string::npos);
  EXPECT_NE(start_error({"echo", "hello there"}).find("not JSON"), std::string::npos);
  const auto hello = folder_.write("hello", "{\"type\":\"hello\",\"version\":7,\"tool\":\"x\"}\n");
  EXPECT_NE(start_error({"cat", hello}).find("version 7"), std::string::npos);
  EXPECT_NE(start_error({"echo", "{\"type\":\"alive\"}"}).find("hello"), std::string::npos);
}

TEST(SplitCommand, SplitsAtBlanksOutsideOfQuotes) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(*split_command("ssh board gemwright worker"), (Words{"ssh", "board", "gemwright", "worker"}));
  EXPECT_EQ(*split_command("  a\t'b c'  \"d 'e'\" f\\ g ''"), (Words{"a", "b c", "d 'e'", "f g", ""}));
  EXPECT_EQ(*split_command("a\"b\"c $(x) `y`"), (Words{"abc", "$(x)", "`y`"}));
  EXPECT_FALSE(split_command("a 'b"));
  EXPECT_FALSE(split_command("   "));
  EXPECT_EQ(split_command("").error().kind, ErrorKind::usage);
}

}  // namespace
}  // namespace gemwright::tuner
