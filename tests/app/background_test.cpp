#include "app/model/background.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <vector>

namespace gemwright::app {
namespace {

// Patience of a test that waits for a thread; nothing is timed.
constexpr auto kPatience = std::chrono::seconds(60);

void finish_all(Background& background) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (background.busy() && std::chrono::steady_clock::now() < end) {
    background.finish();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  background.finish();
}

// Work that holds the thread until it is told to go on.
struct Gate {
  std::promise<void> begun, open;
  Background::Work work(std::function<void()> then = [] {}) {
    return [this, then]() -> Background::Then {
      begun.set_value();
      open.get_future().wait();
      return then;
    };
  }
};

TEST(Background, ContinuesOnTheThreadThatFinishes) {
  Background background({});
  std::thread::id worked, continued;
  background.submit("topic", [&]() -> Background::Then {
    worked = std::this_thread::get_id();
    return [&] { continued = std::this_thread::get_id(); };
  });
  finish_all(background);
  EXPECT_NE(worked, std::this_thread::get_id());
  EXPECT_EQ(continued, std::this_thread::get_id());
}

TEST(Background, OfOneTopicOnlyTheLastPieceCounts) {
  Background background({});
  std::vector<int> done;
  Gate gate;
  background.submit("topic", gate.work([&] { done.push_back(0); }));
  gate.begun.get_future().wait();
  for (const int i : {1, 2, 3}) {
    background.submit("topic", [&, i]() -> Background::Then { return [&done, i] { done.push_back(i); }; });
  }
  background.submit("another", [&]() -> Background::Then { return [&done] { done.push_back(9); }; });
  gate.open.set_value();
  finish_all(background);
  EXPECT_EQ(done, (std::vector<int>{3, 9}));
}

TEST(Background, WithoutATopicEveryPieceCountsInItsOrder) {
  Background background({});
  std::vector<int> done;
  for (const int i : {1, 2, 3}) {
    background.submit("", [&, i]() -> Background::Then { return [&done, i] { done.push_back(i); }; });
  }
  finish_all(background);
  EXPECT_EQ(done, (std::vector<int>{1, 2, 3}));
}

TEST(Background, IsBusyUntilTheAnswerIsTakenOver) {
  Background background({});
  EXPECT_FALSE(background.busy("topic"));
  Gate gate;
  background.submit("topic", gate.work());
  gate.begun.get_future().wait();
  EXPECT_TRUE(background.busy("topic"));
  EXPECT_FALSE(background.busy("another"));
  gate.open.set_value();
  finish_all(background);
  EXPECT_FALSE(background.busy("topic"));
}

TEST(Background, BeginsOnlyBetweenTimedBlocks) {
  std::atomic<bool> timed = true;
  std::atomic<int> asked = 0, began_while_timed = 0;
  Background background({[] {},
                         [&] {
                           ++asked;
                           return timed.load();
                         }});
  background.submit("topic", [&]() -> Background::Then {
    began_while_timed = timed ? 1 : 0;
    return {};
  });
  while (asked < 3) std::this_thread::yield();
  EXPECT_TRUE(background.busy());
  timed = false;
  finish_all(background);
  EXPECT_EQ(began_while_timed, 0);
}

TEST(Background, AtTheEndWaitingWorkIsDroppedOrFinished) {
  for (const bool finish_all : {false, true}) {
    int ran = 0;
    {
      // While a block is being timed no work begins.
      Background background({[] {}, [] { return true; }, finish_all});
      for (int i = 0; i < 3; ++i) {
        background.submit("", [&]() -> Background::Then {
          ++ran;
          return {};
        });
      }
    }
    EXPECT_EQ(ran, finish_all ? 3 : 0);
  }
}

TEST(AwaitGap, EndsWithTheBlockWithThePatienceAndWhenToldTo) {
  constexpr int kTold = 1'000'000'000;
  int looks = 0;
  const auto wait = [&](std::chrono::milliseconds) {
    std::this_thread::yield();
    return ++looks == kTold;
  };
  await_gap([&] { return looks < 3; }, wait);
  EXPECT_EQ(looks, 3);
  // Blocks that follow each other without a gap that is seen.
  await_gap([] { return true; }, wait, std::chrono::milliseconds(1));
  EXPECT_LT(looks, kTold);
  looks = kTold - 1;
  await_gap([] { return true; }, wait, std::chrono::hours(1));
  EXPECT_EQ(looks, kTold);
}

}  // namespace
}  // namespace gemwright::app
