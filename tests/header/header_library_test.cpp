// The library that the worker makes of an exported header: each interface through the C functions. Operands are small
// integers, so that results are exact.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>

#include "tests/header/samples.h"
#include "tuner/toolchain/compiler.h"
#include "tuner/toolchain/header_source.h"
#include "tuner/toolchain/process.h"
#include "tuner/toolchain/tile_library.h"
#include "tuner/worker/session.h"

namespace gemwright::tuner {
namespace {

constexpr std::int64_t kRows = 5;

struct Close {
  void operator()(void* handle) const { dlclose(handle); }
};

// One problem of samples::modes_spec, or wide_spec, as a loaded library.
class Library {
 public:
  explicit Library(const std::string& name, bool wide = false) {
    HeaderSpec s = wide ? samples::wide_spec("modes", HeaderStyle::standalone)
                        : samples::modes_spec("modes", HeaderStyle::standalone);
    const auto names = problem_namespaces(s.problems);
    const auto at = std::find(names.begin(), names.end(), name) - names.begin();
    s.problems = {s.problems.at(static_cast<std::size_t>(at))};
    problem_ = s.problems[0].problem;
    build(header_library_source(write_header(s).value(), "modes::" + name).value(), name);
  }

  ~Library() { std::filesystem::remove(path_); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  const HeaderLibraryApi* api() const { return api_; }
  const Problem& problem() const { return problem_; }
  const std::string& path() const { return path_; }

 private:
  void build(const std::string& source, const std::string& name) {
    const std::filesystem::path base = std::filesystem::path(testing::TempDir()) / ("header_library_" + name);
    std::ofstream(base.string() + ".cpp") << source;
    const auto compilers = available_compilers();
    ASSERT_FALSE(compilers.empty());
    auto compiler = Process::start({compilers.front().path, "-std=c++17", "-O0", "-shared", "-fPIC", "-pthread", "-o",
                                    base.string() + ".so", base.string() + ".cpp"},
                                   {});
    ASSERT_TRUE(compiler) << compiler.error().message;
    ASSERT_TRUE(compiler->wait(std::chrono::minutes(4)));
    ASSERT_TRUE(compiler->status()->success()) << compiler->err();
    path_ = base.string() + ".so";
    handle_.reset(dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL));
    ASSERT_TRUE(handle_) << dlerror();
    using Entry = const HeaderLibraryApi* (*)();
    api_ = reinterpret_cast<Entry>(dlsym(handle_.get(), kHeaderLibrarySymbol))();
    std::filesystem::remove(base.string() + ".cpp");
  }

  std::unique_ptr<void, Close> handle_;
  const HeaderLibraryApi* api_ = nullptr;
  Problem problem_;
  std::string path_;
};

// What `gemwright verify` asks: every element at full size against a trusted result.
void expect_verified(const Library& library) {
  Session session;
  MeasureSetup setup;
  setup.problem = library.problem();
  setup.m = kRows;
  setup.threads = 2;
  const auto ready = session.setup(setup);
  ASSERT_TRUE(ready) << ready.error().message;
  const auto admitted = session.admit_header(library.path(), true);
  ASSERT_TRUE(admitted) << admitted.error().message;
  EXPECT_EQ(admitted->state, TrialState::ok) << admitted->reason;
}

// The i-th of some small integers.
int small(std::int64_t i) { return static_cast<int>(i * 7 % 5) - 2; }

TEST(HeaderLibrary, RunsVectorsAlongK) {
  for (const char* name : {"head", "heads"}) {
    const Library library(name, true);
    ASSERT_NE(library.api(), nullptr);
    expect_verified(library);
  }
}

TEST(HeaderLibrary, RunsBf16) {
  const Library library("n51_k38_bf16");
  ASSERT_NE(library.api(), nullptr);
  const HeaderLibraryApi& api = *library.api();
  constexpr std::int64_t n = 51, k = 38;
  std::vector<gemwright::bf16> a, b, c(kRows * n);
  for (std::int64_t i = 0; i < kRows * k; ++i) a.push_back(gemwright::to_bf16(static_cast<float>(small(i) % 2)));
  for (std::int64_t i = 0; i < k * n; ++i) b.push_back(gemwright::to_bf16(static_cast<float>(small(i))));
  void* const context = api.make_context(2);
  void* const packed = api.pack(b.data(), n, nullptr);
  ASSERT_TRUE(context != nullptr && packed != nullptr);
  const ChainOperands none{};
  ASSERT_EQ(api.run(context, kRows, a.data(), k, packed, nullptr, 0, c.data(), n, &none), 0);
  for (std::int64_t at = 0; at < kRows * n; ++at) {
    int sum = 0;
    for (std::int64_t i = 0; i < k; ++i) sum += small(at / n * k + i) % 2 * small(i * n + at % n);
    EXPECT_EQ(gemwright::to_float(c[static_cast<std::size_t>(at)]), static_cast<float>(sum));
  }
  api.free_packed(packed);
  api.free_context(context);
}

// silu of the gate times up and a factor, with a C half as wide as B.
template <class T, class From, class To>
void expect_pair(const HeaderLibraryApi& api, std::int64_t n, std::int64_t k, double tolerance, const From& from,
                 const To& to) {
  const std::int64_t half = n / 2;
  std::vector<T> a, b, c(static_cast<std::size_t>(kRows * half));
  std::vector<float> bias, factor;
  for (std::int64_t i = 0; i < kRows * k; ++i) a.push_back(from(static_cast<float>(small(i) % 2)));
  for (std::int64_t i = 0; i < k * n; ++i) b.push_back(from(static_cast<float>(small(i + i / n)) / 8));
  for (std::int64_t i = 0; i < n; ++i) bias.push_back(static_cast<float>(i % 9) / 4);
  for (std::int64_t i = 0; i < kRows * half; ++i) factor.push_back(static_cast<float>(i % 3 + 1));
  void* const context = api.make_context(2);
  void* const packed = api.pack(b.data(), n, nullptr);
  ASSERT_TRUE(context != nullptr && packed != nullptr);
  ChainOperands chain{};
  chain.bias = bias.data();
  chain.operand = factor.data();
  ASSERT_EQ(api.run(context, kRows, a.data(), k, packed, nullptr, 0, c.data(), half, &chain), 0);
  const auto product = [&](std::int64_t row, std::int64_t col) {
    double sum = static_cast<double>(bias[static_cast<std::size_t>(col)]);
    for (std::int64_t i = 0; i < k; ++i) {
      sum += static_cast<double>(to(a[static_cast<std::size_t>(row * k + i)])) *
             static_cast<double>(to(b[static_cast<std::size_t>(i * n + col)]));
    }
    return sum;
  };
  for (std::int64_t at = 0; at < kRows * half; ++at) {
    const double gate = product(at / half, at % half), up = product(at / half, half + at % half);
    const double right = gate / (1 + std::exp(-gate)) * up * static_cast<double>(factor[static_cast<std::size_t>(at)]);
    EXPECT_NEAR(static_cast<double>(to(c[static_cast<std::size_t>(at)])), right, tolerance * (1 + std::abs(right)))
        << at;
  }
  api.free_packed(packed);
  api.free_context(context);
}

TEST(HeaderLibrary, RunsPairsOfBf16) {
  const Library library("bf16_glu");
  ASSERT_NE(library.api(), nullptr);
  expect_pair<gemwright::bf16>(
      *library.api(), 86, 37, 0x1p-8, [](float v) { return gemwright::to_bf16(v); },
      [](gemwright::bf16 v) { return gemwright::to_float(v); });
  expect_verified(library);
}

TEST(HeaderLibrary, RunsPairsOfBf16WhoseHalvesStandOneBehindTheOther) {
  const Library library("bf16_glu_apart");
  ASSERT_NE(library.api(), nullptr);
  expect_pair<gemwright::bf16>(
      *library.api(), 86, 37, 0x1p-8, [](float v) { return gemwright::to_bf16(v); },
      [](gemwright::bf16 v) { return gemwright::to_float(v); });
  expect_verified(library);
}

TEST(HeaderLibrary, RunsPairsOfF32) {
  const Library library("glu_plain", true);
  ASSERT_NE(library.api(), nullptr);
  expect_pair<float>(
      *library.api(), 92, 35, 1e-5, [](float v) { return v; }, [](float v) { return v; });
  expect_verified(library);
}

// 4 * (a - 100) times 2 or 0.5 * b.
struct Integers {
  std::int64_t n, k, batch;
  std::vector<std::uint8_t> a;
  std::vector<std::int8_t> b;
  std::vector<float> b_scale, bias, c;
  ChainOperands chain{};

  Integers(std::int64_t columns, std::int64_t depth, std::int64_t items) : n(columns), k(depth), batch(items) {
    for (std::int64_t i = 0; i < batch * kRows * k; ++i) a.push_back(static_cast<std::uint8_t>(100 + small(i)));
    for (std::int64_t i = 0; i < batch * k * n; ++i) b.push_back(static_cast<std::int8_t>(small(i)));
    for (std::int64_t i = 0; i < batch * n; ++i) b_scale.push_back(i % 2 == 0 ? 2.0F : 0.5F);
    for (std::int64_t i = 0; i < n; ++i) bias.push_back(static_cast<float>(i));
    c.resize(static_cast<std::size_t>(batch * kRows * n));
    chain.a_scale = 4;
    chain.a_zero = 100;
  }
  // Of a dense B, row-major or its transpose.
  float right(std::int64_t at, bool transposed, bool biased) const {
    const std::int64_t item = at / (kRows * n), row = at / n, col = at % n;
    int sum = 0;
    for (std::int64_t i = 0; i < k; ++i) {
      sum += small(row * k + i) * small(item * k * n + (transposed ? col * k + i : i * n + col));
    }
    return static_cast<float>(sum) * 4 * b_scale[static_cast<std::size_t>(item * n + col)] +
           (biased ? static_cast<float>(col) : 0.0F);
  }
};

TEST(HeaderLibrary, RunsIntegersWithConstantWeights) {
  const Library library("q8");
  ASSERT_NE(library.api(), nullptr);
  const HeaderLibraryApi& api = *library.api();
  Integers x(45, 67, 1);
  void* const context = api.make_context(1);
  void* const packed = api.pack(x.b.data(), x.k, x.b_scale.data());
  ASSERT_TRUE(context != nullptr && packed != nullptr);
  x.chain.bias = x.bias.data();
  ASSERT_EQ(api.run(context, kRows, x.a.data(), x.k, packed, nullptr, 0, x.c.data(), x.n, &x.chain), 0);
  for (std::size_t at = 0; at < x.c.size(); ++at) {
    EXPECT_EQ(x.c[at], x.right(static_cast<std::int64_t>(at), true, true)) << at;
  }
  api.free_packed(packed);
  api.free_context(context);
}

TEST(HeaderLibrary, RunsARequantisedResult) {
  const Library library("to_u8");
  ASSERT_NE(library.api(), nullptr);
  const HeaderLibraryApi& api = *library.api();
  Integers x(50, 61, 1);
  void* const context = api.make_context(1);
  void* const packed = api.pack(x.b.data(), x.n, x.b_scale.data());
  ASSERT_TRUE(context != nullptr && packed != nullptr);
  x.chain.bias = x.bias.data();
  x.chain.c_scale = 2;  // halves stay exact
  x.chain.c_zero = 30;
  std::vector<std::uint8_t> c(static_cast<std::size_t>(kRows * x.n));
  ASSERT_EQ(api.run(context, kRows, x.a.data(), x.k, packed, nullptr, 0, c.data(), x.n, &x.chain), 0);
  for (std::size_t at = 0; at < c.size(); ++at) {
    const float v = std::max(0.0F, x.right(static_cast<std::int64_t>(at), false, true));
    EXPECT_EQ(c[at], std::min(255.0F, std::nearbyint(v / 2) + 30)) << at;
  }
  x.chain.c_scale = 0;
  EXPECT_NE(api.run(context, kRows, x.a.data(), x.k, packed, nullptr, 0, c.data(), x.n, &x.chain), 0);
  api.free_packed(packed);
  api.free_context(context);
  expect_verified(library);
}

TEST(HeaderLibrary, RunsIntegersWithWeightsOfTheCall) {
  const Library library("q8_call");
  ASSERT_NE(library.api(), nullptr);
  const HeaderLibraryApi& api = *library.api();
  Integers x(37, 26, 2);
  EXPECT_EQ(api.pack(x.b.data(), x.n, x.b_scale.data()), nullptr);
  void* const context = api.make_context(2);
  ASSERT_NE(context, nullptr);
  x.chain.b_scale = x.b_scale.data();
  ASSERT_EQ(api.run(context, kRows, x.a.data(), x.k, nullptr, x.b.data(), x.n, x.c.data(), x.n, &x.chain), 0);
  for (std::size_t at = 0; at < x.c.size(); ++at) {
    EXPECT_EQ(x.c[at], x.right(static_cast<std::int64_t>(at), false, false)) << at;
  }
  api.free_context(context);
}

}  // namespace
}  // namespace gemwright::tuner
