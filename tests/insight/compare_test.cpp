// Comparing trials over scripted samples whose truth is known.
#include "tuner/insight/compare.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tuner/random.h"

namespace gemwright::tuner {
namespace {

constexpr double kBaselineNs = 50e3, kAnchorNs = 5e3;

// Rounds of a machine that slows by half in the course of a study, with skewed noise: interruptions only ever add.
struct Sitting {
  std::uint64_t seed = 1;
  int rounds = 26;
  double slowness = 1;  // of the whole sitting
  Phase phase = Phase::confirm;
  std::int64_t first_round = 0;

  double drift(int round) const { return slowness * (1 + 0.5 * round / rounds); }
  std::vector<Sample> blocks(double ns, std::uint64_t subject) const {
    Random random(seed * 1000 + subject);
    std::vector<Sample> out;
    for (int i = 0; i < rounds; ++i) {
      Sample s;
      s.phase = phase;
      s.round = first_round + i;
      s.calls = 40;
      s.ns = std::llround(40 * ns * drift(i) * (1 - 0.01 * std::log(1 - random.unit())));
      out.push_back(s);
    }
    return out;
  }
  TimedTrial trial(double ns, std::uint64_t subject, const std::string& baseline = "scripted 1.0") const {
    TimedTrial t;
    t.blocks = blocks(ns, subject);
    if (!baseline.empty()) t.baseline = blocks(kBaselineNs, 1);
    t.anchor = blocks(kAnchorNs, 2);
    t.baseline_name = baseline;
    return t;
  }
};

TEST(SpeedRatio, APlantedDifferenceIsFoundUnderCommonDrift) {
  const Sitting s;
  const auto r = speed_ratio(s.trial(42e3, 3), s.trial(40e3, 4), true);
  ASSERT_TRUE(r && r->lo && r->hi);
  EXPECT_EQ(r->basis, Basis::same_rounds);
  EXPECT_TRUE(r->confirmed_a && r->confirmed_b);
  EXPECT_EQ(r->rounds_a, 26);
  EXPECT_NEAR(r->ratio, 1.05, 0.01);
  EXPECT_GT(*r->lo, 1.03);
  EXPECT_LT(*r->hi, 1.07);
  EXPECT_TRUE(verdict(*r, 0.01).separated);
}

TEST(SpeedRatio, IdenticalTrialsAreNotSeparated) {
  int separated = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const Sitting s{seed};
    const auto r = speed_ratio(s.trial(40e3, 3), s.trial(40e3, 4), true);
    ASSERT_TRUE(r);
    separated += verdict(*r, 0).separated ? 1 : 0;
  }
  EXPECT_LE(separated, 10);  // 5 % at most; the noise floor, here left out, keeps these from being claimed
}

TEST(SpeedRatio, SwappedRolesInvertTheRatioAndItsInterval) {
  const Sitting s, other{9, 20};
  const TimedTrial x = s.trial(42e3, 3), y = s.trial(40e3, 4), z = other.trial(44e3, 5);
  const auto there = speed_ratio(x, y, true), back = speed_ratio(y, x, true);
  EXPECT_NEAR(there->ratio * back->ratio, 1, 1e-12);
  EXPECT_NEAR(*there->lo * *back->hi, 1, 1e-12);
  const auto across = speed_ratio(x, z, false), across_back = speed_ratio(z, x, false);
  EXPECT_NEAR(across->ratio * across_back->ratio, 1, 1e-12);
  EXPECT_NEAR(*across->hi * *across_back->lo, 1, 1e-12);
}

TEST(SpeedRatio, AcrossStudiesTheBaselineTakesTheMachineOut) {
  const Sitting now, later{2, 26, 1.7};
  const auto r = speed_ratio(now.trial(42e3, 3), later.trial(40e3, 4), false);
  ASSERT_TRUE(r && r->lo && r->hi);
  EXPECT_EQ(r->basis, Basis::baseline);
  EXPECT_NEAR(r->ratio, 1.05, 0.015);
  EXPECT_GT(*r->lo, 1.01);
}

TEST(SpeedRatio, AcrossStudiesTheIntervalCoversTheTruth) {
  int covered = 0;
  constexpr int kTrials = 400;
  for (std::uint64_t seed = 1; seed <= kTrials; ++seed) {
    const Sitting now{seed}, later{seed + kTrials, 20, 1.3};
    const auto r = speed_ratio(now.trial(42e3, 3), later.trial(40e3, 4), false);
    ASSERT_TRUE(r && r->lo);
    covered += *r->lo <= 1.05 && 1.05 <= *r->hi ? 1 : 0;
  }
  EXPECT_GE(covered, kTrials * 95 / 100);
}

TEST(SpeedRatio, WithoutACommonBaselineTheAnchorScales) {
  const Sitting now, later{2, 26, 1.7};
  for (const char* baseline : {"", "scripted 2.0"}) {
    const auto r = speed_ratio(now.trial(42e3, 3), later.trial(40e3, 4, baseline), false);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->basis, Basis::anchor);
    EXPECT_NEAR(r->ratio, 1.05, 0.015);
    EXPECT_NE(basis_text(*r, "").find("anchor loop"), std::string::npos);
  }
  TimedTrial bare = later.trial(40e3, 4, "");
  bare.anchor.clear();
  EXPECT_FALSE(speed_ratio(now.trial(42e3, 3), bare, false));
}

TEST(SpeedRatio, SearchRoundsCountOnlyWhereNotBothWereConfirmed) {
  Sitting race{1, 12, 1, Phase::race};
  const Sitting confirm{1, 26, 1, Phase::confirm, 12};
  TimedTrial a = race.trial(42e3, 3);
  const TimedTrial b = race.trial(40e3, 4);
  const TimedTrial confirmed = confirm.trial(30e3, 3);  // only A was confirmed
  a.blocks.insert(a.blocks.end(), confirmed.blocks.begin(), confirmed.blocks.end());
  const auto r = speed_ratio(a, b, true);
  ASSERT_TRUE(r);
  EXPECT_FALSE(r->confirmed_a || r->confirmed_b);
  EXPECT_NEAR(r->ratio, 1.05, 0.02);
  EXPECT_NE(basis_text(*r, "").find("not confirmed"), std::string::npos);
}

TEST(SpeedRatio, TrialsOfOneStudyThatNeverMetAreComparedThroughItsBaseline) {
  const Sitting early{1, 8, 1, Phase::screen}, late{1, 8, 1.5, Phase::screen, 8};
  TimedTrial a = early.trial(42e3, 3), b = late.trial(40e3, 4);
  const auto r = speed_ratio(a, b, true);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->basis, Basis::baseline);
  EXPECT_NEAR(r->ratio, 1.05, 0.03);
}

TEST(SpeedRatio, FewRoundsGiveAPointAndNoInterval) {
  const Sitting five{1, 5}, six{1, 6};
  EXPECT_FALSE(speed_ratio(five.trial(42e3, 3), five.trial(40e3, 4), true)->lo);
  EXPECT_TRUE(speed_ratio(six.trial(42e3, 3), six.trial(40e3, 4), true)->lo);
  EXPECT_FALSE(speed_ratio(six.trial(42e3, 3), six.trial(40e3, 4), false)->lo);  // each at 97.5 % needs seven
  const auto r = *speed_ratio(five.trial(42e3, 3), five.trial(40e3, 4), true);
  EXPECT_FALSE(verdict(r, 0).separated);
  EXPECT_EQ(verdict(r, 0).text.rfind("too few rounds for an interval: B/A = 1.0", 0), 0u);
  EXPECT_FALSE(speed_ratio({}, {}, true));
}

TEST(SpeedRatio, DisturbedAndBrokenBlocksDoNotCount) {
  const Sitting s;
  const TimedTrial a = s.trial(42e3, 3);
  TimedTrial b = s.trial(40e3, 4);
  for (std::size_t i = 0; i < 10; ++i) {
    b.blocks[i].ns *= 3;
    b.blocks[i].steal_ticks = 1;
  }
  b.blocks[12].calls = 0;
  b.blocks[13].ns = -1;
  const auto r = speed_ratio(a, b, true);
  EXPECT_EQ(r->rounds_a, 14);
  EXPECT_NEAR(r->ratio, 1.05, 0.01);
}

SpeedRatio ratio(double r, std::optional<double> lo, std::optional<double> hi) {
  SpeedRatio out;
  out.ratio = r;
  out.lo = lo;
  out.hi = hi;
  return out;
}

TEST(CompareVerdict, SaysHowMuchAndHowSure) {
  EXPECT_EQ(verdict(ratio(1.041, 1.02, 1.063), 0.01).text, "B is 4.1 % faster (95 % interval 2.0 to 6.3 %)");
  EXPECT_EQ(verdict(ratio(0.95, 0.94, 0.97), 0.01).text, "B is 5.0 % slower (95 % interval 3.0 to 6.0 %)");
  EXPECT_EQ(verdict(ratio(1.003, 0.99, 1.02), 0).text, "not separated: B/A = 1.003 [0.990, 1.020]");
  EXPECT_EQ(verdict(ratio(1.005, 1.002, 1.008), 0.01).text,
            "not separated: B/A = 1.005 [1.002, 1.008] lies within the noise floor of 1.0 %");
  SpeedRatio over = ratio(1.041, 1.02, 1.063);
  over.basis = Basis::baseline;
  EXPECT_EQ(verdict(over, 0.01).text, "over the baseline, B is 4.1 % faster (95 % interval 2.0 to 6.3 %)");
}

TEST(CompareVerdict, ClaimsNothingWhereTheAnchorSaysTheOpposite) {
  SpeedRatio r;
  r.basis = Basis::baseline;
  r.ratio = 0.25;
  r.lo = 0.2;
  r.hi = 0.3;
  EXPECT_TRUE(verdict(r, 0.01).separated);
  r.by_anchor = 0.3;
  EXPECT_FALSE(r.contradicted());
  r.by_anchor = 1.01;  // within the noise of any reference
  EXPECT_FALSE(r.contradicted());
  r.by_anchor = 1.2;
  EXPECT_TRUE(r.contradicted());
  const Verdict v = verdict(r, 0.01);
  EXPECT_FALSE(v.separated);
  EXPECT_EQ(v.text,
            "nothing can be claimed: over the baseline B/A = 0.250 [0.200, 0.300], but over the anchor loop 1.200; the "
            "baseline was disturbed or drifted in one of the two studies");
}

TEST(CheckSlower, FailsOnlyWithTheWholeInterval) {
  EXPECT_EQ(check_slower(0.95, 0.969, 0.01, 0.03), SlowerCheck::slower);
  EXPECT_EQ(check_slower(0.95, 0.971, 0.01, 0.03), SlowerCheck::uncertain);
  EXPECT_EQ(check_slower(0.95, {}, 0.01, 0.03), SlowerCheck::uncertain);
  EXPECT_EQ(check_slower(0.98, 0.985, 0.01, 0.03), SlowerCheck::within);
  EXPECT_EQ(check_slower(1.2, 1.3, 0.01, 0.03), SlowerCheck::within);
  EXPECT_EQ(check_slower(0.99, 0.995, 0.02, 0.0), SlowerCheck::uncertain);  // below the noise floor nothing is claimed
}

TEST(MeanRatio, IsGeometricAndItsIntervalNarrowsWithTheNumberOfStudies) {
  const auto two = mean_ratio({ratio(2, 1.9, 2.1), ratio(0.5, 0.475, 0.525)});
  ASSERT_TRUE(two && two->lo && two->hi);
  EXPECT_NEAR(two->ratio, 1, 1e-12);
  EXPECT_NEAR(std::log(*two->lo), -std::log(2 / 1.9) / std::sqrt(2.0), 1e-9);
  EXPECT_NEAR(std::log(*two->hi), std::log(1.05) / std::sqrt(2.0), 1e-9);
  const auto one = mean_ratio({ratio(1.1, 1.0, 1.2)});
  EXPECT_NEAR(*one->lo, 1.0, 1e-12);
  EXPECT_NEAR(*one->hi, 1.2, 1e-12);
}

TEST(MeanRatio, RatiosWithoutAnIntervalCountOnlyAmongThemselves) {
  const auto mixed = mean_ratio({ratio(1.1, 1.0, 1.2), ratio(5, {}, {})});
  EXPECT_EQ(mixed->studies, 1u);
  EXPECT_NEAR(mixed->ratio, 1.1, 1e-12);
  const auto none = mean_ratio({ratio(2, {}, {}), ratio(8, {}, {})});
  EXPECT_NEAR(none->ratio, 4, 1e-12);
  EXPECT_FALSE(none->lo);
  EXPECT_FALSE(mean_ratio({}));
}

StudyRecord study(StudyId id, std::int64_t m, const std::string& device = "d1") {
  StudyRecord s;
  s.id = id;
  s.created_at = id;
  s.key.problem.n = 64;
  s.key.problem.k = 32;
  s.key.m = m;
  s.key.device.fingerprint = device;
  s.key.build.compiler = "g++";
  s.key.modes = {ComputeMode::f32};
  s.state = StudyState::finished;
  s.outcome.best_trial = 1;
  return s;
}

TEST(MatchStudies, TakesTheNewestFinishedOnesOfTheSameConditions) {
  auto unfinished = study(9, 4);
  unfinished.state = StudyState::running;
  unfinished.outcome = {};
  auto clang = study(5, 8);
  clang.key.build.compiler = "clang++";
  const std::vector<StudyRecord> a{study(1, 4), study(2, 8), study(3, 4), unfinished};
  const std::vector<StudyRecord> b{clang, study(6, 4), study(7, 16)};
  const auto m = match_studies(a, b);
  ASSERT_EQ(m.matched.size(), 1u);
  EXPECT_EQ(a[m.matched[0].a].id, 3);
  EXPECT_EQ(b[m.matched[0].b].id, 6);
  EXPECT_EQ(m.a.unmatched, 1);
  EXPECT_EQ(m.a.superseded, 1);
  EXPECT_EQ(m.a.unfinished, 1);
  EXPECT_EQ(m.b.unmatched, 2);
}

TEST(MatchStudies, AConfirmedWinnerCountsWhileItsStudyGoesOn) {
  auto running = study(2, 4);
  running.state = StudyState::running;
  const auto m = match_studies({study(1, 4)}, {running});
  EXPECT_EQ(m.matched.size(), 1u);
  EXPECT_EQ(m.b.unfinished, 0);
}

TEST(MatchStudies, TheSameDeviceFindsItselfFirst) {
  const std::vector<StudyRecord> a{study(1, 4, "x"), study(2, 4, "y")};
  const std::vector<StudyRecord> b{study(3, 4, "z"), study(4, 4, "x")};
  const auto m = match_studies(a, b);
  ASSERT_EQ(m.matched.size(), 2u);
  EXPECT_EQ(b[m.matched[0].b].id, 4);
  EXPECT_EQ(b[m.matched[1].b].id, 3);
}

TEST(Differences, AreListedInWordsAndOtherProblemsAreRefused) {
  const StudyRecord a = study(1, 4);
  StudyRecord b = study(2, 4, "d2");
  b.key.cache = CacheState::hot;
  b.key.build.compiler_version = "g++ 13";
  const auto d = differences(a, b);
  ASSERT_EQ(d.size(), 3u);
  EXPECT_EQ(d[0].what, "cache state");
  EXPECT_EQ(d[0].b, "hot");
  EXPECT_EQ(d[1].what, "device");
  EXPECT_EQ(d[2].what, "compiler");
  EXPECT_TRUE(differences(a, a).empty());
  EXPECT_FALSE(incomparable(a.key, b.key));
  EXPECT_NE(incomparable(a.key, study(3, 5).key)->find("different M: 4 and 5"), std::string::npos);
  b.key.problem.n = 128;
  EXPECT_NE(incomparable(a.key, b.key)->find("different problems"), std::string::npos);
}

}  // namespace
}  // namespace gemwright::tuner
