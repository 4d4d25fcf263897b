#include "tuner/study/records.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "tests/db/support.h"

namespace gemwright::tuner {
namespace {

using test::some_key;

template <class Enum, class Parse>
void expect_round_trip(int count, Parse parse) {
  for (int i = 0; i < count; ++i) {
    const auto value = static_cast<Enum>(i);
    const auto back = parse(to_text(value));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, value);
  }
}

TEST(StudyTexts, EachValueIsReadBackFromItsText) {
  expect_round_trip<CacheState>(3, parse_cache_state);
  expect_round_trip<DataKind>(3, parse_data_kind);
  expect_round_trip<StudyState>(4, parse_study_state);
  expect_round_trip<TrialState>(10, parse_trial_state);
  expect_round_trip<SubjectKind>(3, parse_subject_kind);
  expect_round_trip<Phase>(3, parse_phase);
  expect_round_trip<EventKind>(7, parse_event_kind);
}

TEST(StudyTexts, UnknownTextIsRefusedWithTheKnownOnes) {
  const auto state = parse_cache_state("warm");
  ASSERT_FALSE(state);
  EXPECT_NE(state.error().message.find("\"warm\""), std::string::npos);
  EXPECT_NE(state.error().message.find("hot, rotate, cold"), std::string::npos);
  for (const char* text : {"", "Hot", "hot ", "hotrotate"}) EXPECT_FALSE(parse_cache_state(text)) << text;
}

TEST(StudyTexts, HostileTextIsNotEchoedWhole) {
  const auto state = parse_phase("\x1b[31m\n" + std::string(100000, 'x'));
  ASSERT_FALSE(state);
  EXPECT_LT(state.error().message.size(), 200u);
  EXPECT_EQ(state.error().message.find('\x1b'), std::string::npos);
  EXPECT_EQ(state.error().message.find('\n'), std::string::npos);
}

TEST(Budget, TimesAndTrialsAreRead) {
  EXPECT_EQ(parse_budget("60s"), (Budget{60.0, {}}));
  EXPECT_EQ(parse_budget("2m"), (Budget{120.0, {}}));
  EXPECT_EQ(parse_budget("1h"), (Budget{3600.0, {}}));
  EXPECT_EQ(parse_budget("1.5s"), (Budget{1.5, {}}));
  EXPECT_EQ(parse_budget("500"), (Budget{{}, 500}));
  EXPECT_EQ(parse_budget("1000000000"), (Budget{{}, 1000000000}));
}

TEST(Budget, TextIsReadBack) {
  for (const char* text : {"60s", "1.5s", "500", "0.25s"}) {
    const auto budget = parse_budget(text);
    ASSERT_TRUE(budget) << text;
    EXPECT_EQ(to_text(*budget), text);
  }
  EXPECT_EQ(to_text(Budget{}), "default");
}

TEST(Budget, EverythingElseIsAUsageError) {
  const char* const bad[] = {"",
                             "0",
                             "0s",
                             "-1",
                             "-5s",
                             "+5",
                             " 5",
                             "5 ",
                             "5 s",
                             "s",
                             "m",
                             "1e3",
                             "1e3s",
                             "0x10",
                             "0x1s",
                             "nan",
                             "nans",
                             "infs",
                             "inf",
                             "5ms",
                             "5S",
                             "1d",
                             ".5s",
                             "5.s",
                             "1.2",
                             "1..2s",
                             "1.2.3s",
                             "5,5s",
                             "0.0s",
                             "60ss",
                             "1h30m",
                             "0.0001s",
                             "99999999999999999999",
                             "99999999999999999999s",
                             "1000000001",
                             "721h",
                             "\xff",
                             "60s\n"};
  for (const char* text : bad) {
    const auto budget = parse_budget(text);
    ASSERT_FALSE(budget) << text;
    EXPECT_EQ(budget.error().kind, ErrorKind::usage) << text;
  }
  EXPECT_FALSE(parse_budget(std::string("60s\0", 4)));
  EXPECT_FALSE(parse_budget(std::string(1 << 20, '9') + "s"));
}

TEST(StudyKey, EveryPartChangesTheText) {
  const StudyKey base = some_key();
  std::vector<StudyKey> others(13, base);
  others[0].problem.n = 8;
  others[1].m = 8;
  others[2].device.fingerprint = "ffff";
  others[3].device.threads = 1;
  others[4].device.kind = "cuda";
  others[5].build.digest = "other";
  others[6].space_version = 2;
  others[7].modes = {};
  others[8].max_error = {};
  others[9].data = DataKind::normal;
  others[10].cache = CacheState::cold;
  others[11].cache_bytes = 1;
  others[12].batch_invariant = true;
  for (std::size_t i = 0; i < others.size(); ++i) EXPECT_NE(key(others[i]), key(base)) << i;
}

TEST(StudyKey, WhatIsForPeopleIsNoPartOfIt) {
  StudyKey other = some_key();
  other.device.name = "renamed";
  other.device.properties_json = "{}";
  other.build.compiler_version = "same digest";
  EXPECT_EQ(key(other), key(some_key()));
}

TEST(StudyKey, ForeignTextCannotForgeAnotherKey) {
  StudyKey a = some_key(), b = some_key();
  a.device.fingerprint = "x:2 build=y";
  b.device.fingerprint = "x";
  b.build.digest = "y";
  EXPECT_NE(key(a), key(b));
  EXPECT_EQ(key(a).find("x:2 build=y"), std::string::npos);
}

TEST(Sample, OutsideDisturbanceExcludesIt) {
  Sample s = test::some_sample(1, 0);
  EXPECT_FALSE(s.excluded());
  s.steal_ticks = 1;
  EXPECT_TRUE(s.excluded());
}

TEST(Sample, ADisturbanceThatALongBlockDoesNotNoticeExcludesNothing) {
  Sample s = test::some_sample(1, 0);
  s.ns = 400'000'000;
  s.steal_ticks = 0;
  s.involuntary_switches = 2;
  EXPECT_FALSE(s.excluded());
  s.involuntary_switches = 3;
  EXPECT_EQ(s.disturbance(), Disturbance::context_switch);
  s.steal_ticks = 1;
  EXPECT_EQ(s.disturbance(), Disturbance::steal);
  s.ns = 600'000'000;
  EXPECT_FALSE(s.excluded());
  s.migrated = true;
  EXPECT_EQ(s.disturbance(), Disturbance::migration);
}

}  // namespace
}  // namespace gemwright::tuner
