// The models of the views over many trials: Pareto, importance, heat map, parallel coordinates, and the loader of the
// Kernel view.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "app/model/heatmap.h"
#include "app/model/importance.h"
#include "app/model/kernel.h"
#include "app/model/parallel.h"
#include "app/model/pareto.h"
#include "tests/app/scripted_study.h"

namespace gemwright::app {
namespace {

using tuner::Param;
using tuner::TrialState;

struct Row {
  int mr;
  int ku;
  std::optional<double> gflops, error;
  TrialState state = TrialState::ok;
  tuner::ComputeMode mode = tuner::ComputeMode::f32;
};

StudySnapshot study(const std::vector<Row>& rows, std::optional<double> bound = {}) {
  StudySnapshot s;
  s.figures.study.key = scripted_key();
  s.figures.study.key.max_error = bound;
  for (const Row& r : rows) {
    tuner::Trial t;
    t.id = static_cast<tuner::TrialId>(s.trials.size()) + 1;
    t.config = scripted_config(r.mr);
    t.config.tile.ku = r.ku;
    t.config.mode = r.mode;
    t.state = r.state;
    t.error_fro = r.error;
    s.trials.push_back(t);
    s.estimates.emplace_back();
    s.columns.state.push_back(r.state);
    s.columns.gflops.push_back(r.gflops);
    s.columns.ratio.emplace_back();
    s.columns.error.push_back(r.error);
  }
  return s;
}

TrialSet all(const StudySnapshot& s) { return TrialSet(s.trials.size(), true); }

TEST(ParetoView, ShowsTimedTrialsOverTheBoundAndCountsThoseWithoutFigures) {
  const auto s = study({{1, 1, 100, 3e-7},
                        {2, 1, 90, 4e-7, TrialState::pruned},
                        {4, 1, 300, 4e-3, TrialState::ok, tuner::ComputeMode::bf16},
                        {4, 2, 500, 3e-2, TrialState::constraint, tuner::ComputeMode::u8s8},
                        {4, 4, {}, 3e-2, TrialState::constraint},
                        {2, 2, 900, 0.5, TrialState::correctness},
                        {3, 1, {}, {}, TrialState::crashed}},
                       2e-2);
  const Pareto p = pareto(s, all(s));
  ASSERT_EQ(p.points.size(), 4u);
  EXPECT_EQ(p.front, (std::vector<std::size_t>{0, 2, 3}));
  EXPECT_FALSE(p.points[1].on_front);
  EXPECT_FALSE(p.points[2].over_bound);
  EXPECT_TRUE(p.points[3].over_bound);
  EXPECT_EQ(p.without, 3u);
  const auto row = pareto_row(s, p.points[3]);
  EXPECT_EQ(row["type"], "pareto");
  EXPECT_EQ(row["mode"], "u8s8");
  EXPECT_EQ(row["state"], "constraint");
  EXPECT_EQ(row["on_front"], true);
  EXPECT_EQ(row["max_error"], 2e-2);
  EXPECT_TRUE(row["ratio"].is_null());
  EXPECT_EQ(row["config"]["mode"], "u8s8");
  const std::string text = pareto_text(s, p);
  EXPECT_NE(text.find("front of 3 of 4 trials, error bound 2.00e-02, 1 over the bound; 3 without"), std::string::npos);
  EXPECT_NE(text.find("over"), std::string::npos);
}

TEST(ParetoView, AModeThatIsDominatedStandsBelowTheFront) {
  const auto s = study({{1, 1, 300, 4e-3, TrialState::ok, tuner::ComputeMode::bf16},
                        {2, 1, 200, 7.22e-2, TrialState::constraint, tuner::ComputeMode::u8s8},
                        {4, 1, 100, 7.22e-2, TrialState::constraint, tuner::ComputeMode::u8s8}},
                       2e-2);
  const Pareto p = pareto(s, all(s));
  EXPECT_EQ(p.front, (std::vector<std::size_t>{0}));
  const std::string text = pareto_text(s, p);
  const auto at = text.find("7.22e-02");
  ASSERT_NE(at, std::string::npos) << "what 8 bits cost is to be seen";
  EXPECT_EQ(text.find("7.22e-02", at + 1), std::string::npos) << "the fastest of a mode alone";
  EXPECT_NE(text.find("dominated"), std::string::npos);
}

TEST(ParetoView, TheFrontIsMadeOfConfirmedFiguresAndSaysSoWhereThereAreNone) {
  auto s = study({{1, 1, 900, 3e-7}, {2, 1, 300, 3e-7}, {4, 1, 200, 3e-7}});
  for (auto& e : s.estimates) e.emplace().phase = tuner::Phase::screen;
  const Pareto searched = pareto(s, all(s));
  EXPECT_EQ(searched.front, (std::vector<std::size_t>{0}));
  EXPECT_EQ(pareto_line(s, searched),
            "front of 1 of 3 trials; nothing of f32 is confirmed: speeds of the search, few blocks each");
  s.estimates[1]->phase = s.estimates[2]->phase = tuner::Phase::confirm;
  const Pareto confirmed = pareto(s, all(s));
  EXPECT_EQ(confirmed.front, (std::vector<std::size_t>{1}));
  EXPECT_EQ(pareto_line(s, confirmed), "front of 1 of 2 confirmed trials (1 more only searched)");
  EXPECT_EQ(pareto_row(s, confirmed.points[0])["counts"], false);
}

TEST(ParetoView, AModeWithoutAConfirmedTrialCountsByItsSpeedAndNotByADisturbedRatio) {
  auto s = study({{1, 1, 100, 3e-7}, {2, 1, 300, 4e-3, TrialState::ok, tuner::ComputeMode::bf16}});
  s.figures.study.baseline = "onednn";
  s.baseline.emplace().gflops = 200;
  s.columns.ratio = {2.5, 1.5};  // a baseline block beside the first was disturbed
  s.estimates[0].emplace().phase = tuner::Phase::screen;
  s.estimates[1].emplace().phase = tuner::Phase::confirm;
  const Pareto p = pareto(s, all(s));
  EXPECT_EQ(p.front, (std::vector<std::size_t>{0, 1}));
  EXPECT_DOUBLE_EQ(p.points[0].speed, 0.5);
  EXPECT_DOUBLE_EQ(p.points[1].speed, 1.5);
  EXPECT_NE(pareto_line(s, p).find("nothing of f32 is confirmed"), std::string::npos);
}

TEST(ParetoView, AFilterLeavesTheFrontToTheRest) {
  const auto s = study({{1, 1, 100, 3e-7}, {2, 1, 300, 3e-7}});
  const Pareto p = pareto(s, {true, false});
  ASSERT_EQ(p.points.size(), 1u);
  EXPECT_TRUE(p.points[0].on_front);
}

std::vector<Row> many() {
  std::vector<Row> rows;
  for (int i = 0; i < 40; ++i) rows.push_back({1 + i % 4, 1 << (i / 4 % 2), 100.0 * (1 + i % 4) + i / 10.0, 3e-7});
  return rows;
}

TEST(ImportanceView, RestsOnCorrectTrialsWithASpeed) {
  auto rows = many();
  rows.push_back({9, 1, 9000, 3e-7, TrialState::correctness});
  rows.push_back({9, 1, {}, {}, TrialState::crashed});
  const auto s = study(rows);
  const auto i = importance_of(s, all(s));
  EXPECT_EQ(i.trials, 40u);
  ASSERT_FALSE(i.parameters.empty());
  EXPECT_EQ(i.parameters.front().param, Param::mr);
  const auto lines = importance_rows(s, i);
  EXPECT_EQ(lines.size(), i.parameters.size());
  EXPECT_EQ(lines[0]["parameter"], "mr");
  EXPECT_NE(importance_text(s, i).find("the best 5 of 40 trials"), std::string::npos);
  const auto few = importance_of(s, TrialSet(s.trials.size(), false));
  const auto line = importance_rows(s, few);
  ASSERT_EQ(line.size(), 1u);
  EXPECT_TRUE(line[0]["importance"].is_null());
  EXPECT_FALSE(line[0]["reason"].is_null());
}

TEST(ImportanceView, TheEffectOfEachValueIsItsBestItsMedianAndItsPlaceAmongTheTop) {
  const auto s = study(many());
  const auto effects = value_effects(s, all(s), Param::mr);
  ASSERT_EQ(effects.size(), 4u);
  EXPECT_EQ(effects[3].value, 4);
  EXPECT_EQ(effects[3].trials, 10u);
  EXPECT_EQ(effects[3].top, 5u);
  EXPECT_EQ(effects[0].top, 0u);
  EXPECT_DOUBLE_EQ(effects[3].best, 403.9);
  EXPECT_DOUBLE_EQ(effects[0].median, (101.6 + 102.0) / 2);
}

TEST(HeatMapView, ACellTellsValueFailureAndNotTriedApart) {
  const auto s =
      study({{1, 1, 100, {}}, {1, 1, 140, {}}, {1, 1, 120, {}}, {2, 2, {}, {}, TrialState::crashed}, {2, 1, 90, {}}});
  const auto map = heat_map(s, all(s), Param::mr, Param::ku, Reduction::best);
  ASSERT_TRUE(map);
  EXPECT_EQ(map->x.values, (std::vector<std::int64_t>{1, 2}));
  EXPECT_DOUBLE_EQ(*map->at(0, 0).gflops, 140);
  EXPECT_EQ(map->at(0, 0).tried, 3u);
  EXPECT_EQ(map->at(0, 0).fastest, 1u);
  EXPECT_FALSE(map->at(1, 1).gflops);
  EXPECT_EQ(map->at(1, 1).tried, 1u);
  EXPECT_EQ(map->at(0, 1).tried, 0u);
  EXPECT_DOUBLE_EQ(map->share(140), 1);
  EXPECT_DOUBLE_EQ(map->share(90), 0);
  EXPECT_DOUBLE_EQ(*heat_map(s, all(s), Param::mr, Param::ku, Reduction::median)->at(0, 0).gflops, 120);
  EXPECT_FALSE(heat_map(s, all(s), Param::mr, Param::kc, Reduction::best));
  EXPECT_EQ(heatmap_rows(s, *map, Reduction::best).size(), 3u);
  EXPECT_NE(heatmap_text(s, *map, Reduction::best).find("no speed"), std::string::npos);
  EXPECT_TRUE(map->timed);
}

TEST(HeatMapView, StartsWithTheTwoMostImportantParameters) {
  const auto s = study(many());
  EXPECT_EQ(default_axes(s, all(s)), std::pair(Param::mr, Param::ku));
  const auto few = study({{1, 1, 100, {}}, {2, 1, 100, {}}});
  EXPECT_FALSE(default_axes(few, all(few)));
}

TEST(ParallelView, ValuesStandEvenlyAndTheFastestLineComesLast) {
  const auto s = study({{4, 4, 300, {}}, {1, 1, 100, {}}, {2, 1, 200, {}}, {3, 1, {}, {}, TrialState::crashed}});
  const ParallelPlot p = parallel_plot(s, all(s));
  ASSERT_EQ(p.axes.size(), 3u);
  EXPECT_EQ(p.axes[0].name(), "mr");
  EXPECT_EQ(p.axes[2].name(), "GFLOP/s");
  EXPECT_EQ(p.trials, (std::vector<std::size_t>{1, 2, 0}));
  EXPECT_EQ(p.without, 1u);
  EXPECT_FLOAT_EQ(p.line(1)[0], 0.5F);  // mr 2 of 1, 2, 4
  EXPECT_FLOAT_EQ(p.line(1)[1], 0);
  EXPECT_FLOAT_EQ(p.line(1)[2], 0.5F);
  EXPECT_EQ(nearest_line(p, all(s), 1.0, 0.98, 0.1), 2u);
  EXPECT_FALSE(nearest_line(p, all(s), 1.5, 0.6, 0.01));
  EXPECT_FALSE(nearest_line(p, all(s), -1, 0.5, 1));
}

TEST(ParallelView, LabelsOfAnAxisNeverMeetAndItsEndsHaveTheirs) {
  for (std::size_t count = 2; count < 60; ++count) {
    for (const double room : {0.05, 0.3, 0.9, 1.1, 1.2, 1.3, 8.0}) {
      if (room * static_cast<double>(count - 1) < 1.2) continue;  // no axis is so short
      const auto labelled = labelled_values(count, room);
      ASSERT_GE(labelled.size(), 2u);
      EXPECT_EQ(labelled.front(), 0u);
      EXPECT_EQ(labelled.back(), count - 1);
      for (std::size_t i = 1; i < labelled.size(); ++i) {
        EXPECT_GT(room * static_cast<double>(labelled[i] - labelled[i - 1]), 1) << count << " at " << room;
      }
    }
  }
  EXPECT_EQ(labelled_values(4, 3), (std::vector<std::size_t>{0, 1, 2, 3}));
}

TEST(ParallelView, NamesOfAxesStandInAsManyRowsAsTheyNeedNotToMeet) {
  EXPECT_EQ(rows_apart({{0, 9}, {10, 19}, {20, 29}}, 1), (std::vector<std::size_t>{0, 0, 0}));
  EXPECT_EQ(rows_apart({{0, 9}, {9.5f, 19}, {20, 29}}, 1), (std::vector<std::size_t>{0, 1, 0}));
  // The last one is as wide as all.
  EXPECT_EQ(rows_apart({{0, 12}, {10, 22}, {0, 30}}, 1), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_TRUE(rows_apart({}, 1).empty());
}

TEST(ParallelView, BrushesBecomeAFilterThatChoosesWhatTheyHold) {
  auto s = study({{1, 1, 100, {}}, {2, 1, 200, {}}, {4, 2, 300, {}}});
  s.trials[0].config.blocking.order = gemwright::loop_order::mnk;
  s.trials[1].config.blocking.order = gemwright::loop_order::kmn;
  const ParallelPlot p = parallel_plot(s, all(s));
  std::vector<std::optional<Brush>> b(p.axes.size());
  ASSERT_EQ(p.axes.size(), 4u);
  EXPECT_EQ(brush_filter(p, b), "");
  b[0] = Brush{0.4, 1};
  EXPECT_EQ(brush_filter(p, b), "mr>=2 and mr<=4");
  b[0] = Brush{0, 0.2};
  EXPECT_EQ(brush_filter(p, b), "mr=1");
  b[0] = Brush{0.1, 0.2};  // between two values
  EXPECT_EQ(brush_filter(p, b), "");
  b[2] = Brush{0, 0.6};
  b[3] = Brush{0.5, 1};
  const std::string text = brush_filter(p, b);
  EXPECT_EQ(text, "order!=kmn and gflops>=200.000");
  const auto filter = parse_filter(text);
  ASSERT_TRUE(filter);
  EXPECT_TRUE(check_fields(*filter, s.row(0)));
}

TEST(ParallelView, BrushesHoldTheSameValuesWhenTrialsAreAdded) {
  const auto before = study({{1, 1, 100, {}}, {2, 1, 200, {}}, {4, 2, 300, {}}});
  const auto after =
      study({{1, 1, 100, {}}, {2, 1, 200, {}}, {4, 2, 300, {}}, {3, 2, 50, {}}, {6, 4, 500, {}}, {8, 4, 150, {}}});
  const ParallelPlot p = parallel_plot(before, all(before)), q = parallel_plot(after, all(after));
  ASSERT_EQ(p.axes.size(), q.axes.size());
  std::vector<std::optional<Brush>> b{Brush{0.4, 1}, std::nullopt, Brush{0.5, 1}};
  EXPECT_EQ(brush_filter(p, b), "mr>=2 and mr<=4 and gflops>=200.000");
  EXPECT_EQ(brush_filter(q, carried_brushes(p, b, q)), "mr>=2 and mr<=4 and gflops>=200.000");
  // An axis that is new has none, one that is gone takes its brush along.
  auto other = study({{1, 1, 100, {}}, {1, 2, 200, {}}, {1, 4, 300, {}}});
  const ParallelPlot r = parallel_plot(other, all(other));
  const auto carried = carried_brushes(p, b, r);
  ASSERT_EQ(carried.size(), 2u);
  EXPECT_FALSE(carried[0]);
  EXPECT_TRUE(carried[1]);
  EXPECT_FALSE(same_axis(p.axes[0], r));
  EXPECT_EQ(same_axis(p.axes[2], r), 1u);
}

TEST(ParallelView, TheDensityHoldsEveryLineInEachColumn) {
  const auto s = study(many());
  const ParallelPlot p = parallel_plot(s, all(s));
  const LineDensity d = line_density(p, all(s), 8, 64);
  ASSERT_EQ(d.columns, 8 * (p.axes.size() - 1));
  for (std::size_t c = 0; c < d.columns; ++c) {
    std::size_t lines = 0;
    for (std::size_t r = 0; r < d.rows; ++r) lines += d.cells[r * d.columns + c].lines;
    EXPECT_GE(lines, 40u);  // a steep line takes several rows
  }
  // From the top of the first axis to the bottom of the next a line has no gap.
  const auto two = study({{1, 4, 100, {}}, {4, 1, 200, {}}});
  const LineDensity steep = line_density(parallel_plot(two, all(two)), all(two), 8, 64);
  for (std::size_t r = 0; r < steep.rows; ++r) {
    const auto row = steep.cells.begin() + static_cast<std::ptrdiff_t>(r * steep.columns);
    EXPECT_TRUE(std::any_of(row, row + 8, [](const DensityCell& x) { return x.lines > 0; })) << r;
  }
  EXPECT_GT(d.most, 1u);
  EXPECT_TRUE(line_density({}, {}, 8, 64).cells.empty());
}

TEST(KernelView, TilesOfEveryModeHaveAHotLoop) {
  tuner::StudyRecord study;
  study.key = scripted_key();
  study.key.build.compiler = "g++";
  for (const auto mode : {tuner::ComputeMode::bf16, tuner::ComputeMode::u8s8}) {
    tuner::Config c = scripted_config(4);
    c.mode = mode;
    const auto code = kernel_code(study, c);
    ASSERT_TRUE(code) << tuner::to_text(mode) << ": " << code.error().message;
    EXPECT_FALSE(code->loop.lines.empty());
  }
}

TEST(KernelView, TheLoaderCompilesEachTileOnceNeverWaitsAndNotWhileABlockIsTimed) {
  std::atomic<int> compiled{0};
  std::atomic<bool> timed{true};
  const auto compile = [&](const tuner::StudyRecord&, const tuner::Config& c) -> KernelLoader::Answer {
    ++compiled;
    KernelCode code;
    code.tile = tuner::tile_name(c.tile);
    return code;
  };
  KernelLoader loader(compile, [&] { return timed.load(); });
  tuner::StudyRecord study;
  study.key = scripted_key();
  EXPECT_EQ(loader.find(study, scripted_config(4)), nullptr);
  EXPECT_EQ(loader.find(study, scripted_config(2)), nullptr);  // the other one is not done
  EXPECT_TRUE(loader.busy());
  EXPECT_EQ(compiled, 0);
  timed = false;
  const auto wait = [&](const tuner::Config& c) {
    for (int i = 0; i < 5000; ++i) {
      if (const auto answer = loader.find(study, c)) return answer;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return std::shared_ptr<const KernelLoader::Answer>();
  };
  const auto four = wait(scripted_config(4)), two = wait(scripted_config(2));
  ASSERT_TRUE(four && two);
  EXPECT_EQ((*four)->tile, "avx2_4x1_u1_a1_none");
  tuner::Config same_tile = scripted_config(4);
  same_tile.blocking.kc = 128;
  EXPECT_EQ(loader.find(study, same_tile), four);
  EXPECT_EQ(compiled, 2);
}

TEST(ChosenTrials, AreThoseOfTheStoreThatMatchAndAnUnknownFieldIsRefused) {
  const ScriptedStudy s = scripted_study();
  const auto chosen = chosen_trials(*s.store, *parse_filter("mr>=2"));
  ASSERT_TRUE(chosen);
  ASSERT_EQ(chosen->size(), 1u);
  EXPECT_EQ(chosen->front().shown, (TrialSet{false, true, true}));
  EXPECT_TRUE(chosen_trials(*s.store, *parse_filter("mr>=100"))->empty());
  EXPECT_FALSE(chosen_trials(*s.store, *parse_filter("speed>1")));
  EXPECT_TRUE(parse_param("prefetch_rows"));
  EXPECT_FALSE(parse_param("speed"));
}

}  // namespace
}  // namespace gemwright::app
