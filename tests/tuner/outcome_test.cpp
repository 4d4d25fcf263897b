#include "tuner/study/outcome.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "scripted_machine.h"

namespace gemwright::tuner {
namespace {

Config config_of(int mr, int threads, int slices = 1) {
  Config c;
  c.tile = {gemwright::isa::avx512f, mr, 2, 1, 1, gemwright::prefetch::none};
  c.blocking = {64, 64, 64, gemwright::loop_order::mnk, false, gemwright::a_packing::none, threads, 1, slices, 0};
  return c;
}

// Trials 10, 20, 30 are the entrants 1, 2, 3.
const std::vector<Finalist> kFinalists{{10, 1, config_of(8, 2)}, {20, 2, config_of(8, 1)}, {30, 3, config_of(4, 2)}};

Rival rival(EntrantId x, double lead, bool separated) {
  return {x, lead, Interval{separated ? lead / 2 : -lead, 2 * lead, 0.995}, 26, separated};
}

FinalResult result(EntrantId best, std::vector<Rival> rivals) { return {best, std::move(rivals), 0.005, 0.99}; }

TEST(Outcome, AConfirmedLeadIsCertifiedWithItsInterval) {
  const auto out = decide(result(1, {rival(2, 0.03, true), rival(3, 0.1, true)}), kFinalists, {}, {100, 0, 0, 0});
  EXPECT_EQ(out.best_trial, 10);
  EXPECT_TRUE(out.certified());
  EXPECT_DOUBLE_EQ(*out.confidence, 0.99);
  EXPECT_DOUBLE_EQ(*out.lead, std::exp(0.03));
  EXPECT_LT(*out.lead_lo, *out.lead);
  EXPECT_GT(*out.lead_hi, *out.lead);
  EXPECT_TRUE(out.ties.empty());
  EXPECT_EQ(out.verdict,
            "certified: 3.0 % ahead of the runner-up (99 % interval 1.5 to 6.2 %, 26 rounds; noise floor 0.5 %)");
}

TEST(Outcome, ATieClaimsNothing) {
  const auto out = decide(result(1, {rival(2, 0.008, false), rival(3, 0.1, true)}), kFinalists, {}, {100, 0, 0, 0});
  EXPECT_EQ(out.best_trial, 10);
  EXPECT_FALSE(out.certified());
  EXPECT_FALSE(out.lead);
  EXPECT_EQ(out.ties, std::vector<TrialId>{20});
  EXPECT_EQ(out.verdict.rfind("not separated from 1 other confirmed config (", 0), 0U) << out.verdict;
}

TEST(Outcome, WithinTheNoiseFloorTheSimplerConfigWins) {
  const auto out = decide(result(1, {rival(2, 0.002, false), rival(3, 0.1, true)}), kFinalists, {}, {100, 0, 0, 0});
  EXPECT_EQ(out.best_trial, 20);  // one thread does what two do
  EXPECT_EQ(out.ties, std::vector<TrialId>{10});
}

TEST(Outcome, WithinTheNoiseFloorTheIncumbentWins) {
  const auto both = result(1, {rival(2, 0.002, false), rival(3, 0.003, false)});
  EXPECT_EQ(decide(both, kFinalists, 30, {}).best_trial, 30);
  EXPECT_EQ(decide(both, kFinalists, 10, {}).best_trial, 10);
  // An incumbent that is really slower does not.
  EXPECT_EQ(decide(result(1, {rival(2, 0.03, true)}), kFinalists, 20, {}).best_trial, 10);
  EXPECT_EQ(decide(result(1, {rival(3, 0.03, false)}), kFinalists, 30, {}).best_trial, 10);
}

TEST(Outcome, OnANoisyHostTheFasterConfigWinsAllTheSame) {
  auto noisy = result(1, {rival(2, 0.05, false), rival(3, 0.1, false)});
  noisy.noise_floor = 0.2;
  EXPECT_EQ(decide(noisy, kFinalists, {}, {}).best_trial, 10);
  EXPECT_EQ(decide(noisy, kFinalists, 30, {}).best_trial, 10);
}

TEST(Outcome, ALoneConfigIsNotAResultOfAComparison) {
  const auto out = decide(result(1, {}), kFinalists, {}, {});
  EXPECT_EQ(out.best_trial, 10);
  EXPECT_FALSE(out.certified());
  EXPECT_EQ(out.verdict.rfind("the only config confirmed", 0), 0U);
  EXPECT_FALSE(decide({}, kFinalists, {}, {}).best_trial);
}

TEST(Outcome, ANoisyHostIsNamedWithItsCauses) {
  const auto one = result(1, {rival(2, 0.03, true)});
  const auto noisy = decide(one, kFinalists, {}, {100, 20, 15, 5});
  EXPECT_NE(noisy.verdict.find("host too noisy: 40 % of the blocks were disturbed (steal 20 %, context switches 15 %, "
                               "migration 5 %)"),
            std::string::npos)
      << noisy.verdict;
  EXPECT_EQ(decide(one, kFinalists, {}, {100, 30, 0, 0}).verdict.find("noisy"), std::string::npos);
  EXPECT_EQ(noisy.tally.excluded(), 40);
}

TEST(Outcome, SimplicityIsAStrictOrder) {
  EXPECT_TRUE(simpler(config_of(8, 1), config_of(8, 2)));
  EXPECT_TRUE(simpler(config_of(8, 2), config_of(8, 1, 2)));  // as many threads, but slices of K
  EXPECT_TRUE(simpler(config_of(4, 1), config_of(8, 1)));
  EXPECT_FALSE(simpler(config_of(8, 1), config_of(8, 1)));
}

TEST(Outcome, TheLastProgressSaysWhatWasConfirmed) {
  ScriptedMachine machine;
  const auto store = make_memory_store();
  EngineHooks hooks = hooks_of(machine);
  StudyProgress last;
  hooks.progress = [&](const StudyProgress& p) { last = p; };
  const auto result = run_study(*store, machine, request_for(64, "60"), hooks);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(last.phase, "done");
  const auto subjects = *store->subjects(result->record.id);
  const auto winner = std::find_if(subjects.begin(), subjects.end(), [&](const Subject& s) {
    return s.trial && s.trial == result->record.outcome.best_trial;
  });
  ASSERT_NE(winner, subjects.end());
  const auto estimates = *store->estimates(result->record.id);
  const auto e =
      std::find_if(estimates.begin(), estimates.end(), [&](const Estimate& x) { return x.subject == winner->id; });
  ASSERT_NE(e, estimates.end());
  EXPECT_EQ(last.best_gflops, e->gflops);
  EXPECT_EQ(last.best_ratio, e->ratio);
}

// A baseline that is now as fast as it is, now three times as fast.
class UnsteadyBaseline : public ScriptedMachine {
 public:
  Result<Block> block(int handle, std::int64_t calls) override {
    auto b = ScriptedMachine::block(handle, calls);
    if (b && handle == 1 && ++turn_ % 2 == 0) b->ns /= 3;
    return b;
  }

 private:
  int turn_ = 0;
};

TEST(Outcome, TheBestSpeedToldWhileItRunsIsOneThatATrialHad) {
  UnsteadyBaseline machine;
  const auto store = make_memory_store();
  EngineHooks hooks = hooks_of(machine);
  std::vector<double> told;
  hooks.progress = [&](const StudyProgress& p) {
    if (p.best_gflops && p.phase != "count" && p.phase != "done") told.push_back(*p.best_gflops);
  };
  const StudyRequest request = request_for(64, "40");
  ASSERT_TRUE(run_study(*store, machine, request, hooks));
  ASSERT_FALSE(told.empty());
  std::map<SubjectId, std::pair<double, double>> had;  // its slowest and its fastest block
  const double work = flops(request.key.problem, request.key.m);
  const auto samples = *store->samples(1);
  const auto subjects = *store->subjects(1);
  for (const Sample& s : samples) {
    const double gflops = work * static_cast<double>(s.calls) / static_cast<double>(s.ns);
    auto& [low, high] = had.try_emplace(s.subject, gflops, gflops).first->second;
    low = std::min(low, gflops);
    high = std::max(high, gflops);
  }
  for (const Subject& s : subjects) {
    if (s.kind != SubjectKind::trial) had.erase(s.id);
  }
  for (const double gflops : told) {
    EXPECT_TRUE(std::any_of(had.begin(), had.end(), [&](const auto& h) {
      return h.second.first * (1 - 1e-9) <= gflops && gflops <= h.second.second * (1 + 1e-9);
    })) << gflops;
  }
}

}  // namespace
}  // namespace gemwright::tuner
