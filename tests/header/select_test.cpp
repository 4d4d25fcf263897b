#include "tuner/header/select.h"

#include <gtest/gtest.h>

#include "tests/header/samples.h"

namespace gemwright::tuner {
namespace {

const SelectOptions kOptions{"kernels1", 1, {}};

StudyRecord study(StudyId id, std::int64_t m, std::int64_t updated_at) {
  StudyRecord s;
  s.id = id;
  s.key.problem = samples::problem(64, 64);
  s.key.m = m;
  s.key.device.fingerprint = "dev1";
  s.key.device.name = "some CPU";
  s.key.build = samples::gcc_build();
  s.key.build.source_digest = "kernels1";
  s.key.space_version = 1;
  s.key.modes = {ComputeMode::f32};
  s.updated_at = updated_at;
  s.outcome.best_trial = 1;
  return s;
}

bool says(const Error& e, const std::string& part) { return e.message.find(part) != std::string::npos; }

TEST(Select, TakesTheNewestConfirmedStudyOfEachCell) {
  StudyRecord unconfirmed = study(4, 1, 999);
  unconfirmed.outcome.best_trial.reset();
  const auto s =
      select_studies({study(1, 1, 10), study(2, 1, 30), study(3, 1, 20), unconfirmed, study(5, 2, 5)}, kOptions);
  ASSERT_TRUE(s) << s.error().message;
  ASSERT_EQ(s->studies.size(), 2u);
  EXPECT_EQ(s->studies[0].id, 2);
  EXPECT_EQ(s->studies[1].id, 5);
  EXPECT_TRUE(s->notes.empty());
}

TEST(Select, KeepsThreadCountsAndCompilersApart) {
  StudyRecord two = study(2, 1, 1), clang = study(3, 1, 1);
  two.key.device.threads = 2;
  clang.key.build = samples::clang_build();
  clang.key.build.source_digest = "kernels1";
  const auto s = select_studies({clang, two, study(1, 1, 1)}, kOptions);
  ASSERT_TRUE(s) << s.error().message;
  ASSERT_EQ(s->studies.size(), 3u);
  EXPECT_EQ(s->studies[2].id, 3);  // g++ with 1 and 2 threads, then clang++
}

TEST(Select, ListsSeveralDevicesAndAsksForAFilter) {
  StudyRecord other = study(2, 7, 1);
  other.key.device.fingerprint = "dev2";
  other.key.device.name = "other\nCPU";
  auto s = select_studies({study(1, 1, 1), other}, kOptions);
  ASSERT_FALSE(s);
  EXPECT_TRUE(says(s.error(), "dev1") && says(s.error(), "dev2") && says(s.error(), "--filter")) << s.error().message;
  EXPECT_FALSE(says(s.error(), "\n"));
  EXPECT_EQ(s.error().kind, ErrorKind::failed);
  SelectOptions filtered = kOptions;
  filtered.filter = [](const StudyRecord& r) { return r.key.device.fingerprint == "dev2"; };
  s = select_studies({study(1, 1, 1), other}, filtered);
  ASSERT_TRUE(s);
  EXPECT_EQ(s->studies[0].id, 2);
}

TEST(Select, ListsDifferentConditionsOfOneCell) {
  StudyRecord bounded = study(2, 1, 1), outliers = study(3, 1, 1), hot = study(4, 1, 1), invariant = study(5, 1, 1);
  bounded.key.max_error = 0.02;
  outliers.key.data = DataKind::outliers;
  hot.key.cache = CacheState::hot;
  invariant.key.batch_invariant = true;
  const std::pair<StudyRecord, const char*> cases[] = {
      {bounded, "max_error=0.02"}, {outliers, "data=outliers"}, {hot, "cache=hot"}, {invariant, "batch_invariant"}};
  for (const auto& [other, word] : cases) {
    const auto s = select_studies({study(1, 1, 1), other}, kOptions);
    ASSERT_FALSE(s) << word;
    EXPECT_TRUE(says(s.error(), word) && says(s.error(), "--filter")) << s.error().message;
  }
}

TEST(Select, NamesConditionsInTheWordsOfTheFilter) {
  StudyRecord any = study(2, 1, 1);
  any.key.modes = modes_behind(Interface::f32);
  any.key.max_error = 0.02;
  const auto s = select_studies({study(1, 1, 1), any}, kOptions);
  ASSERT_FALSE(s);
  EXPECT_TRUE(says(s.error(), "precision=auto") && says(s.error(), "precision=f32")) << s.error().message;
}

TEST(Select, NamesStudiesOfOtherKernelsAndLeavesThemOut) {
  StudyRecord old = study(2, 8, 99);
  old.key.build.source_digest = "kernels0";
  const auto some = select_studies({study(1, 1, 1), old}, kOptions);
  ASSERT_TRUE(some);
  EXPECT_EQ(some->studies.size(), 1u);
  ASSERT_EQ(some->notes.size(), 1u);
  EXPECT_NE(some->notes[0].find("study 2"), std::string::npos);
  const auto none = select_studies({old}, kOptions);
  ASSERT_FALSE(none);
  EXPECT_TRUE(says(none.error(), "tune again")) << none.error().message;
  StudyRecord space = study(3, 1, 1);
  space.key.space_version = 2;
  EXPECT_FALSE(select_studies({space}, kOptions));
}

TEST(Select, RefusesToMixBuildsOfOneCompiler) {
  StudyRecord newer = study(2, 2, 9);
  newer.key.build.digest = "b9";
  newer.key.build.compiler_version = "g++ (GCC) 13.1.0";
  const auto s = select_studies({study(1, 1, 1), newer}, kOptions);
  ASSERT_FALSE(s);
  EXPECT_TRUE(says(s.error(), "b9") && says(s.error(), "--filter")) << s.error().message;
}

TEST(Select, SaysSoWhenThereIsNothing) {
  const auto s = select_studies({}, kOptions);
  ASSERT_FALSE(s);
  EXPECT_TRUE(says(s.error(), "gemwright tune"));
}

}  // namespace
}  // namespace gemwright::tuner
