#include "app/model/tune_form.h"

#include <gtest/gtest.h>

namespace gemwright::app {
namespace {

// What the form is checked against; the compiler is not asked.
Workplace place() {
  Workplace w;
  w.cpu = profilers::probe_cpu();
  w.build = {"build", "0.1", "g++", "g++ 12", "-O2", "source"};
  w.presets = GEMWRIGHT_PRESET_SHAPES;
  return w;
}

TEST(TuneForm, TheDefaultsAreOneStudyOfTenSeconds) {
  const auto p = preview(TuneForm(), place());
  ASSERT_TRUE(p) << p.error().sentence;
  EXPECT_EQ(p->titles.size(), 1u);
  EXPECT_EQ(p->seconds, 10);
  EXPECT_EQ(preview_text(*p), "1 study, about 10 s");
}

TEST(TuneForm, TakesSeveralSizesHoweverTheyAreSeparated) {
  TuneForm f;
  f.sizes = " 8x64x64, 1x64x64;2x64x64\n4x64x64 ";
  EXPECT_EQ(options_of(f)->gemm, (std::vector<std::string>{"8x64x64", "1x64x64", "2x64x64", "4x64x64"}));
  EXPECT_EQ(preview(f, place())->titles.size(), 4u);
}

TEST(TuneForm, APresetWithItsMAndBudgetTellsHowLongItTakes) {
  TuneForm f;
  f.source = TuneSource::preset;
  f.preset = "qwen3-0.6b";
  f.m = "1,8";
  f.budget = "30s";
  const auto p = preview(f, place());
  ASSERT_TRUE(p) << p.error().sentence;
  EXPECT_GT(p->titles.size(), 2u);
  EXPECT_EQ(p->seconds, 30.0 * static_cast<double>(p->titles.size()));
}

TEST(TuneForm, ABudgetOfConfigsTakesNoStatedTime) {
  TuneForm f;
  f.budget = "40";
  const auto p = preview(f, place());
  ASSERT_TRUE(p);
  EXPECT_EQ(p->seconds, 0);
  EXPECT_EQ(p->counted, 1u);
}

struct Wrong {
  const char* field;
  void (*spoil)(TuneForm&);
};
void PrintTo(const Wrong& w, std::ostream* os) { *os << w.field; }

class WrongField : public testing::TestWithParam<Wrong> {};

TEST_P(WrongField, IsNamedWithASentence) {
  TuneForm f;
  GetParam().spoil(f);
  const auto p = preview(f, place());
  ASSERT_FALSE(p);
  EXPECT_EQ(p.error().field, GetParam().field) << p.error().sentence;
  EXPECT_FALSE(p.error().sentence.empty());
  EXPECT_FALSE(p.error().sentence.starts_with("--"));
}

INSTANTIATE_TEST_SUITE_P(Each, WrongField,
                         testing::Values(Wrong{"gemm", [](TuneForm& f) { f.sizes = "8x64"; }},
                                         Wrong{"gemm", [](TuneForm& f) { f.sizes = "  "; }},
                                         Wrong{"preset", [](TuneForm& f) { f.source = TuneSource::preset; }},
                                         Wrong{"preset",
                                               [](TuneForm& f) {
                                                 f.source = TuneSource::preset;
                                                 f.preset = "../etc";
                                               }},
                                         Wrong{"shapes",
                                               [](TuneForm& f) {
                                                 f.source = TuneSource::file;
                                                 f.file = "/nowhere/shapes.csv";
                                               }},
                                         Wrong{"m", [](TuneForm& f) { f.m = "1,x"; }},
                                         Wrong{"epilogue", [](TuneForm& f) { f.epilogue = "bias+tea"; }},
                                         Wrong{"threads", [](TuneForm& f) { f.threads = "-1"; }},
                                         Wrong{"budget", [](TuneForm& f) { f.budget = "soon"; }},
                                         Wrong{"max-error", [](TuneForm& f) { f.max_error = "small"; }},
                                         Wrong{"precision", [](TuneForm& f) { f.precision = "auto"; }},
                                         Wrong{"seed", [](TuneForm& f) { f.seed = "-1"; }},
                                         Wrong{"batch", [](TuneForm& f) { f.batch = "two"; }}));

TEST(TuneForm, AsACommandLineItNamesWhatDiffersFromTheDefaults) {
  TuneForm f;
  f.sizes = "8x64x64 1x64x64";
  f.threads = "1,2";
  f.budget = "30s";
  f.fresh = true;
  EXPECT_EQ(command_text(f, "a b.db"),
            "gemwright tune --gemm 8x64x64 --gemm 1x64x64 --threads 1,2 --budget 30s --fresh --db 'a b.db'");
}

TEST(TuneForm, TheExampleIsShortAndSmall) {
  const auto p = preview(example_form(), place());
  ASSERT_TRUE(p) << p.error().sentence;
  EXPECT_EQ(p->titles.size(), 2u);
  EXPECT_LE(p->seconds, 30);
  EXPECT_NE(example_sentence("tuned.db").find("tuned.db"), std::string::npos);
}

}  // namespace
}  // namespace gemwright::app
