#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/worker/scratch_folder.h"
#include "tuner/toolchain/build_queue.h"
#include "tuner/toolchain/digest.h"
#include "tuner/toolchain/tile_source.h"

namespace gemwright::tuner {
namespace {

constexpr const char* kSource = "extern \"C\" int answer() { return 42; }\n";

class Toolchain : public testing::Test {
 protected:
  void SetUp() override {
    const auto found = available_compilers();
    ASSERT_FALSE(found.empty()) << "the tests need g++ or clang++";
    real_ = found[0];
  }
  LibraryCache cache() {
    auto c = LibraryCache::open(folder_.path() / "cache");
    EXPECT_TRUE(c) << (c ? "" : c.error().message);
    return *c;
  }
  // A compiler that notes each compilation in the file "log" and runs `body` for it.
  Compiler script(const std::string& body) {
    const auto path = folder_.write("cc",
                                    "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'script 1.0'; exit 0; fi\n"
                                    "echo run >> '" +
                                        (folder_.path() / "log").string() + "'\n" + body + "\n",
                                    true);
    const auto c = find_compiler(path);
    EXPECT_TRUE(c) << (c ? "" : c.error().message);
    return *c;
  }
  Compiler counted() { return script("exec '" + real_.path + "' \"$@\""); }
  std::string runs() const { return folder_.read("log"); }
  std::size_t files_in_cache() const {
    const std::filesystem::directory_iterator files(folder_.path() / "cache");
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
  }

  ScratchFolder folder_;
  Compiler real_;
};

TEST_F(Toolchain, MissingCompilerIsNamedWithWhatToDo) {
  const auto c = find_compiler("no-such-c++");
  ASSERT_FALSE(c);
  EXPECT_EQ(c.error().message, "no compiler named no-such-c++ on PATH: install it or pass --compiler");
  EXPECT_FALSE(find_compiler("/no/such/c++"));
  EXPECT_FALSE(find_compiler(""));
  EXPECT_FALSE(find_compiler(std::string("g++\0x", 5)));
}

TEST_F(Toolchain, ProgramThatIsNoCompilerIsRefused) {
  EXPECT_FALSE(find_compiler("false"));
  EXPECT_FALSE(find_compiler(folder_.write("silent", "#!/bin/sh\n", true)));
}

TEST_F(Toolchain, VersionIsTheFirstLine) {
  const Compiler c = script("exit 1");
  EXPECT_EQ(c.version, "script 1.0");
  EXPECT_FALSE(real_.version.empty());
}

TEST_F(Toolchain, BuildDigestTellsCompilersApart) {
  const Build one = build_of(real_, "1");
  EXPECT_EQ(one.digest, build_of(real_, "2").digest)
      << "what a version changes in code, the digest of the sources tells";
  EXPECT_NE(one.digest, build_of(script("exit 1"), "1").digest);
  EXPECT_EQ(one.flags, "-std=c++17 -O2 -fPIC -shared -pthread");
}

TEST_F(Toolchain, SecondBuildComesFromTheCache) {
  const Compiler c = counted();
  {
    BuildQueue queue(cache());
    const auto first = queue.wait(queue.start(c, kSource));
    ASSERT_EQ(first.error, "");
    EXPECT_TRUE(first.compile_ns);
    EXPECT_FALSE(queue.wait(queue.start(c, kSource)).compile_ns) << "one compilation is reported once";
  }
  BuildQueue other(cache());
  const auto again = other.wait(other.start(c, kSource));
  EXPECT_EQ(again.error, "");
  EXPECT_FALSE(again.compile_ns);
  EXPECT_EQ(runs(), "run\n");
  EXPECT_EQ(files_in_cache(), 1u) << "work in progress is removed";
}

TEST_F(Toolchain, OtherSourceAndOtherCompilerAreOtherLibraries) {
  EXPECT_NE(library_key(real_, kSource), library_key(real_, "int x;"));
  EXPECT_NE(library_key(real_, kSource), library_key(script("exit 1"), kSource));
}

TEST_F(Toolchain, DamagedLibrariesAreBuiltAgain) {
  const Compiler c = counted();
  const std::string key = library_key(c, kSource);
  const auto path = cache().library_path(key);
  const auto build = [&] {
    BuildQueue queue(cache());
    return queue.wait(queue.start(c, kSource)).error;
  };
  ASSERT_EQ(build(), "");
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  EXPECT_FALSE(cache().valid(key));
  ASSERT_EQ(build(), "");
  std::fstream(path, std::ios::in | std::ios::out).seekp(100) << "damage";
  EXPECT_FALSE(cache().valid(key));
  ASSERT_EQ(build(), "");
  std::ofstream(path, std::ios::trunc);
  ASSERT_EQ(build(), "");
  EXPECT_TRUE(cache().valid(key));
  EXPECT_EQ(runs(), "run\nrun\nrun\nrun\n");
}

TEST_F(Toolchain, FirstErrorIsTheReasonAndIsNotTriedAgain) {
  BuildQueue queue(cache());
  const Compiler c = script("echo '/a/b/x.cpp:1:2: error: no luck' >&2; echo 'more: error: 2' >&2; exit 1");
  const auto key = queue.start(c, kSource);
  const auto r = queue.wait(key);
  EXPECT_EQ(r.library, "");
  EXPECT_NE(r.error.find("x.cpp:1:2: error: no luck"), std::string::npos) << r.error;
  EXPECT_EQ(queue.wait(queue.start(c, kSource)).error, r.error);
  EXPECT_EQ(runs(), "run\n");
}

TEST_F(Toolchain, RealErrorIsReported) {
  BuildQueue queue(cache());
  const auto r = queue.wait(queue.start(real_, "int f( {\n"));
  EXPECT_NE(r.error.find("error:"), std::string::npos) << r.error;
  EXPECT_EQ(files_in_cache(), 0u);
}

TEST_F(Toolchain, CompilerThatDiesIsReported) {
  BuildQueue queue(cache());
  const auto r = queue.wait(queue.start(script("kill -KILL $$"), kSource));
  EXPECT_NE(r.error.find("signal 9"), std::string::npos) << r.error;
}

TEST_F(Toolchain, CompilerThatSucceedsWithoutOutputIsReported) {
  BuildQueue queue(cache());
  EXPECT_NE(queue.wait(queue.start(script("exit 0"), kSource)).error, "");
}

TEST_F(Toolchain, CompilerThatDoesNotEndIsKilled) {
  BuildQueue queue(cache(), std::chrono::seconds(1));
  const auto r = queue.wait(queue.start(script("exec sleep 1000"), kSource));
  EXPECT_NE(r.error.find("did not end"), std::string::npos) << r.error;
}

TEST_F(Toolchain, PausedQueueStopsCompilersAndStartsNone) {
  BuildQueue queue(cache());
  const std::string pid_file = (folder_.path() / "pid").string();
  const Compiler c = script("echo $$ > '" + pid_file + "'; exec sleep 1000");
  queue.start(c, kSource);
  while (folder_.read("pid").find('\n') == std::string::npos) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const std::string stat = "/proc/" + std::to_string(std::stoi(folder_.read("pid"))) + "/stat";
  const auto state = [&] {
    std::ifstream in(stat);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    return text.empty() ? '?' : text[text.rfind(')') + 2];
  };
  queue.pause();
  for (int i = 0; i < 6000 && state() != 'T'; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(state(), 'T');
  const auto second = queue.start(real_, kSource);
  queue.advance();
  EXPECT_FALSE(queue.result(second));
  EXPECT_FALSE(cache().valid(second));
  queue.resume();
  for (int i = 0; i < 6000 && state() == 'T'; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_NE(state(), 'T');
}

class PrecompiledHeaders : public Toolchain {
 protected:
  // A compiler that notes its arguments, and runs `body` before the real one.
  Compiler noting(const std::string& body = "") {
    return script("echo \"$@\" >> '" + (folder_.path() / "arguments").string() + "'\n" + body + "\nexec '" +
                  real_.path + "' \"$@\"");
  }
  static BuildResult build(BuildQueue& queue, const Compiler& c, const std::string& source,
                           const std::string& prefix = kPrefix) {
    auto r = queue.wait(queue.start(c, source, prefix));
    while (!queue.idle()) {  // the headers may take longer than the library
      queue.advance();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return r;
  }
  int runs_with(const std::string& argument) const {
    std::istringstream lines(folder_.read("arguments"));
    int count = 0;
    for (std::string line; std::getline(lines, line);) count += line.find(argument) != std::string::npos ? 1 : 0;
    return count;
  }

  static constexpr const char* kPrefix = "#include <cstdint>\n";
  static constexpr const char* kOther = "#include <cstdint>\nextern \"C\" std::int32_t other() { return 1; }\n";
};

TEST_F(PrecompiledHeaders, AreMadeOnceAndUsedByEveryLibraryAfterThat) {
  const Compiler c = noting();
  {
    BuildQueue queue(cache());
    ASSERT_EQ(build(queue, c, kSource).error, "");
    ASSERT_EQ(build(queue, c, kOther).error, "");
  }
  EXPECT_EQ(runs_with("c++-header"), 1);
  const int used = runs_with("-include ");
  EXPECT_GE(used, 1);
  BuildQueue later(cache());
  ASSERT_EQ(build(later, c, "int third;\n").error, "");
  EXPECT_EQ(runs_with("c++-header"), 1);
  EXPECT_EQ(runs_with("-include "), used + 1);
  EXPECT_EQ(files_in_cache(), 5u) << "three libraries, the headers' text, and what was made of it";
}

TEST_F(PrecompiledHeaders, AreGivenUpWhereACompilationFailsWithThem) {
  const Compiler c = noting("case \"$*\" in *-include*) exit 1;; esac");
  BuildQueue queue(cache());
  ASSERT_EQ(build(queue, c, kSource).error, "");
  EXPECT_TRUE(cache().has_prefix(library_key(c, kPrefix)));
  EXPECT_EQ(build(queue, c, kOther).error, "");
  EXPECT_FALSE(cache().has_prefix(library_key(c, kPrefix)));
  EXPECT_EQ(build(queue, c, "int third;\n").error, "");
  EXPECT_EQ(runs_with("-include "), 1);
}

TEST_F(PrecompiledHeaders, ThatAreDamagedOrCannotBeMadeCostNoLibrary) {
  const Compiler c = noting();
  {
    BuildQueue queue(cache());
    ASSERT_EQ(build(queue, c, kSource).error, "");
  }
  const std::string key = library_key(c, kPrefix);
  ASSERT_TRUE(cache().has_prefix(key));
  std::filesystem::resize_file(cache().prefix_path(key).string() + ".gch", 5000);
  BuildQueue queue(cache());
  EXPECT_EQ(build(queue, c, kOther).error, "");
  EXPECT_FALSE(cache().has_prefix(key)) << "it is made anew by the next process";
  EXPECT_EQ(build(queue, c, "int third;\n", "#include <no/such/header>\n").error, "");
}

TEST_F(PrecompiledHeaders, AreKeptWhereTheLibraryIsWrongItself) {
  const Compiler c = noting();
  BuildQueue queue(cache());
  ASSERT_EQ(build(queue, c, kSource).error, "");
  EXPECT_NE(build(queue, c, "int f( {\n").error.find("error:"), std::string::npos);
  EXPECT_TRUE(cache().has_prefix(library_key(c, kPrefix)));
  EXPECT_EQ(runs_with("-include "), 1);
  EXPECT_EQ(build(queue, c, kOther).error, "");
  EXPECT_EQ(runs_with("-include "), 2);
}

TEST_F(PrecompiledHeaders, AreWhatARealLibraryOfTilesBeginsWith) {
  for (const Compiler& c : available_compilers()) {
    BuildQueue queue(cache());
    Config config;
    config.tile = {gemwright::isa::scalar, 1, 1, 1, 1, gemwright::prefetch::none};
    EXPECT_EQ(build(queue, c, "int first;\n", tile_prefix()).error, "");
    ASSERT_TRUE(cache().has_prefix(library_key(c, tile_prefix()))) << c.name;
    EXPECT_EQ(build(queue, c, tile_library_source(group_of({}, config), {}), tile_prefix()).error, "") << c.name;
    EXPECT_TRUE(cache().has_prefix(library_key(c, tile_prefix()))) << c.name << " did not take them";
  }
}

TEST_F(Toolchain, ACompilerThatIsKilledLeavesNothingBehind) {
  const std::string started = (folder_.path() / "started").string();
  const Compiler c = script("echo half > \"$TMPDIR/half.s\"; echo yes > '" + started + "'; exec sleep 1000");
  {
    BuildQueue queue(cache());
    queue.start(c, kSource);
    while (folder_.read("started").empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(files_in_cache(), 0u);
}

TEST_F(Toolchain, UnusableCacheFoldersAreASentence) {
  const auto file = folder_.write("file", "");
  EXPECT_FALSE(LibraryCache::open(file));
  EXPECT_FALSE(LibraryCache::open(file + "/below"));
  const auto open_to_all = folder_.path() / "open";
  std::filesystem::create_directory(open_to_all);
  std::filesystem::permissions(open_to_all, std::filesystem::perms::all);
  const auto refused = LibraryCache::open(open_to_all);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("GEMWRIGHT_CACHE"), std::string::npos);
}

TEST(Digest, TellsWhereOnePartEnds) {
  EXPECT_NE(digest_of({"ab", "c"}), digest_of({"a", "bc"}));
  EXPECT_EQ(digest_of({"ab"}).size(), 32u);
}

TEST(FirstError, LeavesOutTheFolderAndOtherLines) {
  EXPECT_EQ(first_error("In file included from /x/y.h:1,\n/tmp/a/b.cpp:3:1: error: bad\nerror: worse"),
            "b.cpp:3:1: error: bad");
  EXPECT_EQ(first_error("cc: fatal error: no input/output\n"), "cc: fatal error: no input/output");
  EXPECT_EQ(first_error("all is well\n"), "");
}

}  // namespace
}  // namespace gemwright::tuner
