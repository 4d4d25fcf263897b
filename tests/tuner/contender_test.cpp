// Who of a field is confirmed.
#include "tuner/study/contender.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gemwright::tuner {
namespace {

struct Entry {
  int panel = 0;
  double cost = 0;
};

// Subjects are numbered from 1, best first.
std::vector<std::unique_ptr<Contender>> field_of(const std::vector<Entry>& entries) {
  std::vector<std::unique_ptr<Contender>> field;
  for (const Entry& e : entries) {
    auto c = std::make_unique<Contender>();
    c->trial.config.format.panel = e.panel;
    c->subject = static_cast<SubjectId>(field.size() + 1);
    c->cost = e.cost;
    field.push_back(std::move(c));
  }
  return field;
}

std::vector<SubjectId> finalists(const std::vector<Entry>& entries, const FinalSize& size,
                                 const FormatWishes& formats = {}) {
  const auto field = field_of(entries);
  std::vector<EntrantId> racing;
  for (const auto& c : field) racing.push_back(c->subject);
  std::vector<SubjectId> chosen;
  for (const Contender* c : choose_finalists(field, racing, size, formats)) chosen.push_back(c->subject);
  return chosen;
}

PackingFormat f32_panels(int width) { return {ComputeMode::f32, width, 0}; }
FormatWishes wanted(int width) { return {f32_panels(width), {}}; }

TEST(Finalists, AreTheBestAndTheNearestOfOtherFormats) {
  const std::vector<Entry> field = {{16, 0}, {16, 0.01}, {16, 0.02}, {32, 0.03}, {64, 0.04}, {48, 0.05}, {8, 1}};
  EXPECT_EQ(finalists(field, {2, 2}), (std::vector<SubjectId>{1, 2, 4, 5}));
  EXPECT_EQ(finalists(field, {2, 1}), (std::vector<SubjectId>{1, 2, 4}));
}

TEST(Finalists, AWantedFormatComesFirstHoweverFarBehind) {
  const std::vector<Entry> field = {{16, 0}, {16, 0.01}, {32, 0.03}, {8, 2}};
  EXPECT_EQ(finalists(field, {2, 1}, wanted(8)), (std::vector<SubjectId>{1, 2, 4}));
  EXPECT_EQ(finalists(field, {2, 2}, wanted(8)), (std::vector<SubjectId>{1, 2, 4, 3}));
  EXPECT_EQ(finalists(field, {2, 1}, wanted(16)), (std::vector<SubjectId>{1, 2, 3}));
}

TEST(Finalists, ALikelyFormatComesBeforeOthersWhereItIsClose) {
  const std::vector<Entry> field = {{16, 0}, {16, 0.01}, {32, 0.03}, {8, 0.05}, {24, 2}};
  EXPECT_EQ(finalists(field, {2, 1}, {{}, f32_panels(8)}), (std::vector<SubjectId>{1, 2, 4}));
  EXPECT_EQ(finalists(field, {2, 1}, {{}, f32_panels(24)}), (std::vector<SubjectId>{1, 2, 3}));
  EXPECT_EQ(finalists(field, {2, 2}, {f32_panels(24), f32_panels(8)}), (std::vector<SubjectId>{1, 2, 5, 4}));
}

TEST(Finalists, ASmallFinalLeavesOtherFormatsOutWhereTheLikelyOneIsThere) {
  const std::vector<Entry> field = {{16, 0}, {16, 0.01}, {32, 0.03}, {8, 0.05}};
  EXPECT_EQ(finalists(field, {2, 1}, {{}, f32_panels(16)}), (std::vector<SubjectId>{1, 2}));
  EXPECT_EQ(finalists(field, {2, 2}, {{}, f32_panels(16)}), (std::vector<SubjectId>{1, 2, 3, 4}));
}

TEST(Finalists, AFormatThatIsFarBehindIsNotConfirmed) {
  EXPECT_EQ(finalists({{16, 0}, {32, 2 * std::log(kRaceFactor)}}, {1, 2}), (std::vector<SubjectId>{1}));
}

}  // namespace
}  // namespace gemwright::tuner
