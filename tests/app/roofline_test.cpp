#include "app/model/roofline.h"

#include "tests/app/scripted_study.h"

namespace gemwright::app {
namespace {

profilers::Ceiling ceiling(std::string name, double value) {
  profilers::Ceiling c;
  c.unit = name.substr(0, 4) == "read" ? "GB/s" : "GFLOP/s";
  c.name = std::move(name);
  c.value = value;
  c.spread = 0.01;
  return c;
}

ScriptedStudy with_ceilings() {
  ScriptedStudy s = scripted_study();
  profilers::Ceiling missing = ceiling("read.l3", 1);
  missing.value.reset();
  missing.reason = "the size of the L3 is not known";
  EXPECT_TRUE(s.store->add_ceilings(s.record.id, {ceiling("fma.avx2.f32", 10), ceiling("read.l2", 100), missing}));
  EXPECT_TRUE(s.store->add_ceilings(s.record.id, {ceiling("fma.avx2.f32", 20)}));
  return s;
}

TEST(Roofline, PutsEachTrialUnderTheNewestCeilingsFastestFirst) {
  const auto s = with_ceilings();
  const auto view = roofline_view(*s.store, {});
  ASSERT_TRUE(view) << view.error().message;
  ASSERT_EQ(view->size(), 1u);
  ASSERT_EQ(view->front().trials.size(), 3u);
  EXPECT_EQ(view->front().ceilings.size(), 3u);
  const RooflineTrial& best = view->front().trials.front();
  EXPECT_EQ(best.trial.id, s.winner.id);
  EXPECT_EQ(best.point.binding_name, "fma.avx2.f32");
  EXPECT_NEAR(*best.point.share, 2.0 * 8 * 64 * 64 / 4e3 / 20, 1e-9);
  EXPECT_TRUE(best.point.intensity);
  EXPECT_EQ(view->front().trials.back().phase, tuner::Phase::screen);
}

TEST(Roofline, RowsAreTrialsAndCeilingsAndAMissingCeilingIsNull) {
  const auto s = with_ceilings();
  const auto rows = roofline_rows(*roofline_view(*s.store, {}));
  ASSERT_EQ(rows.size(), 6u);
  EXPECT_EQ(rows[0]["type"], "roofline");
  EXPECT_EQ(rows[0]["intensity_status"], "computed");
  EXPECT_EQ(rows[3]["type"], "ceiling");
  EXPECT_EQ(rows[3]["value"], 20.0);
  EXPECT_EQ(rows[5]["name"], "read.l3");
  EXPECT_TRUE(rows[5]["value"].is_null());
  EXPECT_TRUE(rows[5]["spread"].is_null());
}

TEST(Roofline, WithoutCeilingsAPointHasNoRoof) {
  const auto s = scripted_study();
  const auto view = roofline_view(*s.store, {});
  ASSERT_TRUE(view);
  const auto row = roofline_rows(*view).front();
  for (const char* field : {"compute_roof", "memory_roof", "binding_roof", "binding_name", "share"}) {
    EXPECT_TRUE(row[field].is_null()) << field;
  }
  EXPECT_NE(roofline_text(*view).find("no ceilings were measured"), std::string::npos);
}

TEST(Roofline, TheFilterChoosesTrialsAndRefusesUnknownFields) {
  const auto s = with_ceilings();
  const auto some = roofline_view(*s.store, *parse_filter("phase=confirm and mr=4"));
  ASSERT_TRUE(some);
  EXPECT_EQ(some->front().trials.size(), 1u);
  EXPECT_TRUE(roofline_view(*s.store, *parse_filter("m=999"))->empty());
  EXPECT_FALSE(roofline_view(*s.store, *parse_filter("wings=2")));
}

}  // namespace
}  // namespace gemwright::app
