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

// Plants the faulty library in the cache that GEMWRIGHT_CACHE names. The pid of whoever hangs goes to
// GEMWRIGHT_TEST_PID.
inline void plant_faults(const Compiler& compiler) {
  const auto cache = LibraryCache::open(*LibraryCache::default_folder());
  ASSERT_TRUE(cache);
  const std::string source = tile_library_source(group_of({}, faulty_config(Fault::good)), {});
  std::string changed = source;
  const std::string head = "int run(void* context, int tile,";
  const auto at = changed.find("{\n", changed.find(head)) + 2;
  ASSERT_NE(changed.find(head), std::string::npos);
  changed.insert(at, R"cpp(
    const char* const trigger = std::getenv("GEMWRIGHT_TEST_TRIGGER");
    if (trigger == nullptr || access(trigger, F_OK) == 0) {
      switch (kSets[tile]->shape.mr) {
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
  )cpp");
  changed.insert(0, "#include <stdlib.h>\n#include <unistd.h>\n#include <cstdio>\n#include <cstdlib>\n");
  BuildQueue queue(*cache);
  const auto built = queue.wait(queue.start(compiler, changed));
  ASSERT_EQ(built.error, "");
  // Sealed twice; the outer seal counts.
  ASSERT_TRUE(cache->store(library_key(compiler, source), built.library));
}

}  // namespace gemwright::tuner
