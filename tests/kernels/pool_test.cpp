// The thread pool and the other ways to run jobs: every job once, in any order, back to back, after parking, and at
// once from several contexts. Runs under ThreadSanitizer too.
#include <gemwright/gemm.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace gemwright::test {
namespace {

// Counts in plain memory how often each job ran: a job that ran twice at once would be a data race.
struct Counter {
  explicit Counter(int jobs) : counts(static_cast<std::size_t>(jobs)) {}
  static void task(void* self, int job) { ++static_cast<Counter*>(self)->counts[static_cast<std::size_t>(job)]; }
  bool all(int times) const {
    for (const int c : counts) {
      if (c != times) return false;
    }
    return true;
  }
  std::vector<int> counts;
};

TEST(Pool, RunsEachJobOnceWhateverTheNumbersOfJobsAndThreads) {
  for (int threads = 1; threads <= 4; ++threads) {
    thread_pool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (int jobs = 0; jobs <= 9; ++jobs) {
      Counter c(jobs);
      pool.run(jobs, Counter::task, &c);
      EXPECT_TRUE(c.all(1)) << threads << " threads, " << jobs << " jobs";
    }
  }
}

TEST(Pool, LessThanOneThreadIsTheCaller) {
  for (const int threads : {0, -3}) {
    thread_pool pool(threads);
    Counter c(3);
    pool.run(3, Counter::task, &c);
    EXPECT_EQ(pool.threads(), 1);
    EXPECT_TRUE(c.all(1));
  }
}

TEST(Pool, ManyRunsBackToBackSeeEachOthersWrites) {
  constexpr int kRuns = 5000;
  thread_pool pool(2);
  Counter c(5);
  for (int i = 0; i < kRuns; ++i) pool.run(5, Counter::task, &c);
  EXPECT_TRUE(c.all(kRuns));
}

TEST(Pool, MoreThreadsThanCoresStillFinish) {
  constexpr int kRuns = 200;
  thread_pool pool(6);
  Counter c(11);
  for (int i = 0; i < kRuns; ++i) pool.run(11, Counter::task, &c);
  EXPECT_TRUE(c.all(kRuns));
}

TEST(Pool, WakesUpAfterParking) {
  constexpr int kRuns = 500;
  thread_pool pool(3);
  Counter c(4);
  pool.park();  // before the first run
  for (int i = 0; i < kRuns; ++i) {
    pool.run(4, Counter::task, &c);
    pool.park();
    if (i % 7 == 0) pool.park();  // twice is once
  }
  EXPECT_TRUE(c.all(kRuns));
}

TEST(Pool, WakesUpAfterItFellAsleepByItself) {
  thread_pool pool(3);
  Counter c(4);
  for (int i = 0; i < 10; ++i) {
    pool.run(4, Counter::task, &c);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // longer than the workers spin
  }
  EXPECT_TRUE(c.all(10));
}

TEST(Pool, ParkingWithoutWorkersReturns) {
  thread_pool pool(1);
  pool.park();
  Counter c(2);
  pool.run(2, Counter::task, &c);
  EXPECT_TRUE(c.all(1));
}

TEST(Pool, EndsWhetherItsWorkersStartSpinOrSleep) {
  for (int i = 0; i < 100; ++i) {
    { thread_pool unused(3); }
    {
      thread_pool spinning(3);
      Counter c(3);
      spinning.run(3, Counter::task, &c);
    }
    {
      thread_pool asleep(3);
      asleep.park();
    }
  }
}

// A small product that fills c with k for a thread of its own.
struct Product {
  static constexpr std::int64_t kM = 9, kN = 17, kK = 6;
  std::vector<float> a = std::vector<float>(kM * kK, 1.0F), b = std::vector<float>(kK * kN, 1.0F),
                     c = std::vector<float>(kM * kN);
  kernel_set kernels = compiled_tile<isa::scalar, 2, 4, 1, 1, prefetch::none, chain<>>();
  plan how{&kernels, {4}, {4, 8, 3, loop_order::mkn, true, a_packing::job, 2, 2, 2, 0}};

  scratch_size scratch() const { return scratch_for(kernels.shape, how.format, how.block, kN, kK, 1, false); }
  bool run(context& ctx) {
    c.assign(c.size(), -1.0F);
    gemm_call x;
    x.m = kM;
    x.n = kN;
    x.k = kK;
    x.a = a.data();
    x.lda = kK;
    x.b = b.data();
    x.ldb = kN;
    x.c = c.data();
    x.ldc = kN;
    if (run_gemm(x, how, ctx) != status::ok) return false;
    for (const float v : c) {
      if (v != static_cast<float>(kK)) return false;
    }
    return true;
  }
};

TEST(Context, SeveralThreadsEachWithItsOwnRunAtOnce) {
  std::atomic<int> right{0};
  constexpr int kRuns = 100;
  std::vector<std::thread> users;
  for (int u = 0; u < 2; ++u) {
    users.emplace_back([&] {
      Product p;
      context ctx(2, p.scratch());
      for (int i = 0; i < kRuns; ++i) right += p.run(ctx) ? 1 : 0;
    });
  }
  for (std::thread& t : users) t.join();
  EXPECT_EQ(right, 2 * kRuns);
}

TEST(Context, AGridLargerThanThePoolStillCoversEverything) {
  Product p;
  p.how.block.tm = 5;
  p.how.block.tn = 3;
  for (const int threads : {1, 2, 3}) {
    context ctx(threads, p.scratch());
    EXPECT_EQ(ctx.threads(), threads);
    EXPECT_TRUE(p.run(ctx));
    ctx.park();
    EXPECT_TRUE(p.run(ctx));
  }
}

void run_backwards(void* self, int jobs, void (*task)(void*, int), void* argument) {
  ++*static_cast<int*>(self);
  for (int j = jobs - 1; j >= 0; --j) task(argument, j);
}

TEST(Context, AnExecutorMayRunItsJobsBackwardsOnOneThread) {
  Product p;
  int phases = 0;
  context ctx(executor{&phases, 7, run_backwards}, p.scratch());
  EXPECT_EQ(ctx.threads(), 7);
  EXPECT_TRUE(p.run(ctx));
  // Packing of B; then a product and a sum for each of the three chunks of rows.
  EXPECT_EQ(phases, 7);
}

TEST(Context, MayMoveToAnotherThread) {
  Product p;
  context made_here(2, p.scratch());
  EXPECT_TRUE(p.run(made_here));
  bool right = false;
  std::thread user([&, moved = std::move(made_here)]() mutable { right = p.run(moved); });
  user.join();
  EXPECT_TRUE(right);
}

}  // namespace
}  // namespace gemwright::test
