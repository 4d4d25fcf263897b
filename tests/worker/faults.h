// Candidates that misbehave, without any test code in the product: the worker asks the cache for the library of a group
// of tiles, and the cache's answer depends on the source alone. So a test compiles a changed source, and stores the
// result under the key of the true one.
//
// The group is avx2 tiles of one vector; the number of rows says what goes wrong when the candidate runs. With a
// trigger, it runs well until the file named by GEMWRIGHT_TEST_TRIGGER exists.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "tuner/study/measurer.h"
#include "tuner/toolchain/build_queue.h"
#include "tuner/toolchain/tile_source.h"

namespace gemwright::tuner {

enum class Fault { good = 1, crash, illegal, abort_, exit_, garbage, noise, hang };

inline Config faulty_config(Fault fault) {
  Config c;
  c.tile = {gemwright::isa::avx2, static_cast<int>(fault), 1, 1, 1, gemwright::prefetch::none};
  c.format = {8};
  c.blocking = {64, 64, 64, gemwright::loop_order::mnk, true, gemwright::a_packing::none, 1, 1, 1, 0};
  return c;
}

// From the true library of another group.
inline Config good_config() {
  Config c = faulty_config(Fault::good);
  c.tile = {gemwright::isa::scalar, 2, 4, 1, 1, gemwright::prefetch::none};
  return c;
}

inline MeasureSetup small_setup(const std::string& compiler = "g++") {
  MeasureSetup s;
  s.problem.n = 40;
  s.problem.k = 24;
  s.m = 11;
  s.cache = CacheState::hot;
  s.compiler = compiler;
  return s;
}

// Text that wraps each micro-kernel of a library: kWrong for kSet.
inline constexpr const char* kFaultyTiles = R"cpp(
  void go_wrong(int rows) {
    const char* const trigger = std::getenv("GEMWRIGHT_TEST_TRIGGER");
    if (trigger != nullptr && access(trigger, F_OK) != 0) return;
    switch (rows) {
      case 2:
        *static_cast<volatile int*>(nullptr) = 1;
        break;
      case 3:
        __asm__ volatile("ud2");
        break;
      case 4:
        std::fprintf(stderr, "first\nlast words\n");
        std::abort();
      case 5:
        std::exit(3);
      case 6:
        for (int fd = 3; fd < 64; ++fd) (void)!write(fd, "garbage\n", 8);
        break;
      case 7:
        std::printf("noise\n");
        std::fflush(stdout);
        std::fprintf(stderr, "noise\n");
        break;
      case 8: {
        std::FILE* const f = std::fopen(std::getenv("GEMWRIGHT_TEST_PID"), "w");
        std::fprintf(f, "%d\n", getpid());
        std::fclose(f);
        for (;;) pause();
      }
    }
  }
  template <const kernel_set& Real, bool Tail, int Rows>
  void wrong(const kernels::micro_args& x) {
    go_wrong(Real.shape.mr);
    (Tail ? Real.tail : Real.full)[Rows - 1](x);
  }
  template <const kernel_set& Real, bool Tail, class Rows>
  struct wrong_table;
  template <const kernel_set& Real, bool Tail, int... R>
  struct wrong_table<Real, Tail, std::integer_sequence<int, R...>> {
    static constexpr kernels::micro_kernel functions[] = {&wrong<Real, Tail, R + 1>...};
  };
  template <const kernel_set& Real>
  constexpr kernel_set wrong_set() {
    using rows = std::make_integer_sequence<int, Real.shape.mr>;
    kernel_set s = Real;
    s.full = wrong_table<Real, false, rows>::functions;
    s.tail = wrong_table<Real, true, rows>::functions;
    return s;
  }
  template <int Rows, int Unroll, int Along>
  constexpr kernel_set kWrong = wrong_set<kSet<Rows, Unroll, Along>>();
)cpp";

// Plants the faulty library in the cache that GEMWRIGHT_CACHE names. The pid of whoever hangs goes to
// GEMWRIGHT_TEST_PID.
inline void plant_faults(const Compiler& compiler) {
  const auto cache = LibraryCache::open(*LibraryCache::default_folder());
  ASSERT_TRUE(cache);
  const std::string source = tile_library_source(group_of({}, faulty_config(Fault::good)), {});
  const std::string list = "constexpr const kernel_set* kSets[] = {";
  const auto at = source.find(list);
  ASSERT_NE(at, std::string::npos);
  const auto end = source.find("};", at);
  std::string sets = source.substr(at, end - at);
  for (auto real = sets.find("&kSet<"); real != std::string::npos; real = sets.find("&kSet<")) {
    sets.replace(real, 6, "&kWrong<");
  }
  const std::string changed = "#include <stdlib.h>\n#include <unistd.h>\n#include <cstdio>\n#include <cstdlib>\n" +
                              source.substr(0, at) + kFaultyTiles + sets + source.substr(end);
  BuildQueue queue(*cache);
  const auto built = queue.wait(queue.start(compiler, changed));
  ASSERT_EQ(built.error, "");
  // Sealed twice; the outer seal counts.
  ASSERT_TRUE(cache->store(library_key(compiler, source), built.library));
}

}  // namespace gemwright::tuner
