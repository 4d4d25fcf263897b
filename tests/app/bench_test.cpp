#include "app/model/bench.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/app/scripted_study.h"

namespace gemwright::app {
namespace {

// Subjects take what is scripted: the header and each baseline a fixed time of a call.
class BenchMachine final : public tuner::Measurer {
 public:
  std::vector<tuner::FurtherBaseline> further;
  std::string fatal;     // whoever prepares this library ends
  bool fails = false;    // whoever prepares anything does
  bool refuses = false;  // an answer that nothing is wrong with
  std::optional<tuner::ErrorKind> no_ceilings;
  std::map<int, double> call_ns{{1, 4e3}, {10, 2e3}};  // by handle: oneDNN, the header
  int failing = 0;                                     // the handle whose blocks fail
  std::optional<tuner::MeasureSetup> asked;
  std::map<int, std::int64_t> blocks;

  tuner::Result<tuner::SetupReply> setup(const tuner::MeasureSetup& s) override {
    asked = s;
    const auto asks_for = [&](const std::string& name) {
      return std::find(s.further.begin(), s.further.end(), name) != s.further.end();
    };
    if (refuses) return tuner::fail("no library");
    if (fails || asks_for(fatal)) return tuner::fail("the worker failed: signal 11", tuner::ErrorKind::worker_lost);
    if (!fatal.empty()) return tuner::SetupReply{"onednn 1.0", "", 1, 2, {s.further.size(), {"mine 2.0", "", 3}}};
    return tuner::SetupReply{"onednn 1.0", "", 1, 2, further};
  }
  tuner::Result<void> prefetch_code(const std::vector<tuner::Config>&) override { return {}; }
  tuner::Result<tuner::Admission> admit(const tuner::Config&) override { return tuner::fail("not scripted"); }
  tuner::Result<tuner::Admission> admit_header(const std::string&, const std::string&) override {
    tuner::Admission a;
    a.handle = 10;
    a.error_fro = 1e-7;
    return a;
  }
  tuner::Result<tuner::Block> block(int handle, std::int64_t calls) override {
    tuner::Block b;
    ++blocks[handle];
    if (handle == failing) {
      b.state = tuner::TrialState::runtime;
      b.reason = "status 7";
      return b;
    }
    b.calls = calls;
    b.ns = std::llround(static_cast<double>(calls) * call_ns.at(handle));
    return b;
  }
  tuner::Result<std::vector<profilers::Counter>> count(int, std::int64_t) override { return tuner::fail("no"); }
  tuner::Result<std::vector<profilers::Ceiling>> ceilings() override {
    if (no_ceilings) return tuner::fail("no ceilings", *no_ceilings);
    const bool behind = blocks[10] > 0;
    return std::vector<profilers::Ceiling>{{"fma.avx2.f32", 1, "GFLOP/s", behind ? 60.0 : 40.0, "", 0, {}}};
  }
  tuner::Result<void> drop(int) override { return {}; }
};

PlannedStudy planned() {
  PlannedStudy s;
  s.request.key = scripted_key();
  s.request.protocol = *tuner::measure_protocol("quick");
  return s;
}

TuningHooks hooks() {
  TuningHooks h;
  h.now = [] { return 0.0; };
  return h;
}

BenchRow row_of(BenchMachine& machine, const std::vector<std::string>& against) {
  auto row = bench_row(machine, planned(), {"text", "tuned::x"}, against, {}, hooks());
  EXPECT_TRUE(row) << (row ? "" : row.error().message);
  return row ? std::move(*row) : BenchRow{};
}

TEST(Against, IsAListOfKnownNamesEachOnce) {
  EXPECT_EQ(parse_against("onednn").value(), std::vector<std::string>{"onednn"});
  const std::vector<std::string> several{"openblas", "blas:/x/lib a.so", "onednn"};
  EXPECT_EQ(parse_against("openblas,blas:/x/lib a.so,onednn").value(), several);
  for (const char* const bad : {"", ",", "onednn,", "eigen", "onednn,onednn", "blas:",
                                "blas:a,blas:b,blas:c,blas:d,"
                                "blas:e,blas:f,blas:g,blas:h,blas:i"}) {
    const auto r = parse_against(bad);
    ASSERT_FALSE(r) << bad;
    EXPECT_EQ(r.error().kind, tuner::ErrorKind::usage) << bad;
  }
}

TEST(Against, LibrariesAreOpenedBeforeAnythingIsTuned) {
  BenchMachine machine;
  EXPECT_TRUE(check_against(machine, {"onednn"}, "g++").value().empty());
  EXPECT_FALSE(machine.asked);
  machine.further = {{"", "not installed", 0}, {"blas:x", "", 3}};
  const auto absent = check_against(machine, {"openblas", "onednn", "blas:x"}, "g++");
  ASSERT_TRUE(absent);
  EXPECT_EQ(*absent, std::vector<std::string>{"openblas is absent: not installed"});
  EXPECT_EQ(machine.asked->further, (std::vector<std::string>{"openblas", "blas:x"}));
}

TEST(BenchRow, HasARatioOverEachBaselineAndKnowsTheFastest) {
  BenchMachine machine;
  machine.further = {{"openblas 2.0", "", 3}, {"", "no fused chain", 0}};
  machine.call_ns[3] = 3e3;
  const BenchRow row = row_of(machine, {"openblas", "libxsmm", "onednn"});
  EXPECT_EQ(row.failure, "");
  ASSERT_EQ(row.rivals.size(), 3u);
  EXPECT_NEAR(row.rivals[0].ratio.value(), 1.5, 1e-6);
  EXPECT_FALSE(row.rivals[1].ratio);
  EXPECT_NEAR(row.rivals[2].ratio.value(), 2.0, 1e-6);
  EXPECT_EQ(row.rivals[2].name, "onednn 1.0");
  ASSERT_NE(row.fastest(), nullptr);
  EXPECT_EQ(row.fastest()->asked, "openblas");
  const auto& k = row.study.request.key;
  EXPECT_NEAR(row.gbytes_per_s.value(), tuner::min_bytes(k.problem, k.m) / 2e3, 1e-6);
  EXPECT_EQ(machine.blocks.at(3), machine.blocks.at(10));
}

TEST(BenchRow, ABaselineThatFailsIsLeftOutAndTheRowStands) {
  BenchMachine machine;
  machine.further = {{"openblas 2.0", "", 3}};
  machine.failing = 3;
  const BenchRow row = row_of(machine, {"onednn", "openblas"});
  EXPECT_EQ(row.failure, "");
  EXPECT_TRUE(row.rivals[0].ratio);
  EXPECT_FALSE(row.rivals[1].ratio);
  EXPECT_EQ(row.rivals[1].name, "");
  EXPECT_EQ(row.rivals[1].reason, "status 7");
  EXPECT_EQ(machine.blocks.at(3), 1);
  machine.failing = 10;
  machine.call_ns[3] = 3e3;
  EXPECT_EQ(row_of(machine, {"onednn", "openblas"}).failure, "status 7");
}

// Whatever place it has among the others.
TEST(BenchRow, ALibraryThatEndsTheWorkerIsAbsentWithTheReasonAndTheOthersAreTimed) {
  for (const std::vector<std::string>& against :
       {std::vector<std::string>{"blas:bad", "blas:good", "onednn"}, {"onednn", "blas:good", "blas:bad"}}) {
    BenchMachine machine;
    machine.fatal = "blas:bad";
    machine.call_ns[3] = 3e3;
    const BenchRow row = row_of(machine, against);
    ASSERT_EQ(row.rivals.size(), 3u);
    for (const BenchRival& r : row.rivals) {
      EXPECT_EQ(r.ratio.has_value(), r.asked != "blas:bad") << r.asked;
      EXPECT_EQ(r.reason, r.asked == "blas:bad" ? "the worker failed: signal 11" : "");
    }
    EXPECT_EQ(check_against(machine, against, "g++").value(),
              std::vector<std::string>{"blas:bad is absent: the worker failed: signal 11"});
  }
}

TEST(Against, AFileThatIsNoLibraryIsAnErrorNotAnAbsence) {
  BenchMachine machine;
  machine.refuses = true;
  EXPECT_FALSE(check_against(machine, {"onednn", "blas:x"}, "g++"));
}

TEST(BenchRow, AWorkerThatEndsWithoutLibrariesTooIsAFailure) {
  BenchMachine machine;
  machine.fails = true;
  for (const char* const against : {"onednn", "blas:good"}) {
    const auto row = bench_row(machine, planned(), {"text", "tuned::x"}, {against}, {}, hooks());
    ASSERT_FALSE(row);
    EXPECT_EQ(row.error().message, "the worker failed: signal 11");
  }
}

TEST(BenchRow, TheCeilingIsTheOneThatBindsItsStudyAsFastAsAroundItsRounds) {
  BenchMachine machine;
  BenchRow row = row_of(machine, {"onednn"});
  const auto s = scripted_study();
  StudyFigures figures;
  figures.study = s.record;
  add_ceiling(row, figures);
  EXPECT_FALSE(row.share);
  figures.trial = s.winner;
  add_ceiling(row, figures);
  EXPECT_EQ(row.ceiling, "fma.avx2.f32");
  EXPECT_DOUBLE_EQ(row.share.value(), *row.gflops / 50);
}

TEST(BenchRow, NeedsNoCeilingsButEndsWhereTheyAreInterrupted) {
  BenchMachine machine;
  machine.no_ceilings = tuner::ErrorKind::failed;
  const BenchRow row = row_of(machine, {"onednn"});
  EXPECT_TRUE(row.gflops);
  EXPECT_TRUE(row.ceilings.empty());
  machine.no_ceilings = tuner::ErrorKind::interrupted;
  EXPECT_FALSE(bench_row(machine, planned(), {"text", "tuned::x"}, {"onednn"}, {}, hooks()));
}

TEST(BenchJson, IsOneObjectForEachBaselineWithNullForWhatIsMissing) {
  BenchMachine machine;
  machine.further = {{"", "not installed", 0}};
  const auto lines = bench_json(row_of(machine, {"onednn", "openblas"}));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["against"], "onednn 1.0");
  EXPECT_EQ(lines[0]["asked"], "onednn");
  EXPECT_EQ(lines[0]["best_baseline"], true);
  EXPECT_TRUE(lines[0]["absent"].is_null());
  EXPECT_TRUE(lines[0]["ceiling_share"].is_null());
  EXPECT_TRUE(lines[1]["against"].is_null());
  EXPECT_EQ(lines[1]["absent"], "not installed");
  for (const char* const missing : {"ratio", "ratio_lo", "ratio_hi", "baseline_gflops"}) {
    EXPECT_TRUE(lines[1][missing].is_null()) << missing;
    EXPECT_TRUE(lines[0][missing].is_number()) << missing;
  }
  EXPECT_EQ(lines[1]["best_baseline"], false);
}

TEST(BenchTable, NamesLibrariesByTheirFileAndGivesEachReasonOnce) {
  BenchMachine machine;
  machine.further = {{"", "no fused chain", 0}};
  const BenchRow row = row_of(machine, {"onednn", "blas:/opt/x/libfast.so"});
  const std::string text = bench_table({row, row});
  EXPECT_NE(text.find(" libfast.so "), std::string::npos) << text;
  EXPECT_NE(text.find("libfast.so is absent in 2 rows: no fused chain\n"), std::string::npos) << text;
  EXPECT_EQ(bench_table({}), "");
}

BenchRow rated(int threads, tuner::ComputeMode mode, std::optional<double> first, std::optional<double> second) {
  BenchRow row;
  row.study = planned();
  row.study.request.key.device.threads = threads;
  row.study.request.key.modes = {mode};
  row.study.request.key.problem.interface =
      mode == tuner::ComputeMode::f32 ? tuner::Interface::f32 : tuner::Interface::bf16;
  for (const auto& [asked, ratio] : {std::pair{"onednn", first}, {"openblas", second}}) {
    BenchRival r;
    r.asked = asked;
    r.ratio = ratio;
    if (ratio) r.gflops = 10 / *ratio;
    row.rivals.push_back(r);
  }
  return row;
}

TEST(BenchSummaries, ArePooledByThreadsAndByPrecisionOverTheBestAndOverEach) {
  using tuner::ComputeMode;
  const auto all = bench_summaries({rated(1, ComputeMode::f32, 2.0, 0.5), rated(1, ComputeMode::bf16, 2.0, {}),
                                    rated(2, ComputeMode::f32, {}, {}), rated(2, ComputeMode::f32, 1.5, 3.0)});
  const auto find = [&](int threads, const std::string& against, const std::string& precision) {
    for (const BenchSummary& s : all) {
      if (s.threads == threads && s.against == against && s.precision == precision) return s;
    }
    ADD_FAILURE() << threads << against << precision;
    return BenchSummary{};
  };
  EXPECT_EQ(all.front().against, "best");
  const BenchSummary best = find(1, "best", "");
  EXPECT_EQ(best.rows, 2u);
  EXPECT_DOUBLE_EQ(best.geomean, 1.0);
  EXPECT_DOUBLE_EQ(best.worst, 0.5);
  EXPECT_DOUBLE_EQ(best.best, 2.0);
  EXPECT_DOUBLE_EQ(best.slower, 0.5);
  EXPECT_DOUBLE_EQ(find(1, "onednn", "").geomean, 2.0);
  EXPECT_EQ(find(1, "openblas", "").rows, 1u);
  EXPECT_DOUBLE_EQ(find(1, "best", "bf16").geomean, 2.0);
  EXPECT_DOUBLE_EQ(find(2, "best", "").geomean, 1.5);
  EXPECT_EQ(find(2, "best", "").rows, 1u);
  EXPECT_TRUE(summary_json(best)["precision"].is_null());
  EXPECT_NE(summary_text(best).find("over the best baseline"), std::string::npos);
}

TEST(BenchSummaries, OfOneBaselineNameIt) {
  BenchRow row = rated(1, tuner::ComputeMode::f32, 0.5, {});
  row.rivals.pop_back();
  const auto all = bench_summaries({row});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].against, "onednn");
  EXPECT_EQ(all[0].precision, "");
}

}  // namespace
}  // namespace gemwright::app
