// Tiles of the dot modes from their source to a timed block: real compiler, real worker.
#include <gemwright/cpu.h>
#include <gtest/gtest.h>

#include "tests/worker/faults.h"
#include "tests/worker/scratch_folder.h"
#include "tuner/worker/client.h"

namespace gemwright::tuner {
namespace {

using gemwright::isa;

Config dot_config(ComputeMode mode, isa family) {
  Config c;
  c.mode = mode;
  c.tile = {family, 2, family == isa::scalar ? 4 : 1, 1, 1, gemwright::prefetch::none};
  c.format = {2 * nr(c.tile)};
  c.blocking = {16, 64, 24, gemwright::loop_order::mnk, true, gemwright::a_packing::job, 1, 1, 1, 0};
  return c;
}

TEST(DotModes, AreCompiledAdmittedAndTimedByTheWorker) {
  const auto compilers = available_compilers();
  ASSERT_FALSE(compilers.empty()) << "the tests need g++ or clang++";
  const ScratchFolder folder;
  auto client = WorkerClient::start({WORKER_HOST, "worker"}, {});
  ASSERT_TRUE(client) << client.error().message;
  const struct {
    Interface interface;
    ComputeMode mode;
    isa family;
  } all[] = {{Interface::bf16, ComputeMode::bf16, isa::scalar},
             {Interface::u8s8, ComputeMode::u8s8, isa::avx512_vnni},
             {Interface::f32, ComputeMode::bf16, isa::avx512_bf16}};
  for (const auto& x : all) {
    MeasureSetup s = small_setup(compilers[0].name);
    s.problem.interface = x.interface;
    s.problem.chain = {EpilogueOp::bias, EpilogueOp::silu};
    const auto ready = (*client)->setup(s);
    ASSERT_TRUE(ready) << ready.error().message;
    const auto a = (*client)->admit(dot_config(x.mode, gemwright::cpu_has(x.family) ? x.family : isa::scalar));
    ASSERT_TRUE(a) << a.error().message;
    ASSERT_EQ(a->state, TrialState::ok) << key(s.problem) << ": " << a->reason;
    EXPECT_LT(*a->error_fro, 0.01);
    const auto b = (*client)->block(a->handle, 2);
    ASSERT_TRUE(b) << b.error().message;
    EXPECT_EQ(b->state, TrialState::ok) << b->reason;
  }
}

}  // namespace
}  // namespace gemwright::tuner
