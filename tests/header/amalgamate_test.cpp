#include "tuner/toolchain/amalgamate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace gemwright::tuner {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

TEST(Amalgamate, PutsEachHeaderOnceBeforeTheOneThatNeedsIt) {
  const std::vector<SourceFile> files = {
      {"a.h", "#pragma once\n#include \"b.h\"\n#include \"c.h\"\nint a;\n"},
      {"b.h", "#pragma once\n#include \"c.h\"\nint b;\n"},
      {"c.h", "#pragma once\nint c;\n"},
  };
  const std::string text = amalgamate(files, {"a.h"}, "d").value();
  EXPECT_EQ(count(text, "int c;"), 1u);
  EXPECT_LT(text.find("int c;"), text.find("int b;"));
  EXPECT_LT(text.find("int b;"), text.find("int a;"));
  EXPECT_EQ(count(text, "#include"), 0u);
  EXPECT_EQ(count(text, "#pragma once"), 0u);
}

// Two texts of one digest and different entries meet in one file: what both have is guarded, each header by itself.
TEST(Amalgamate, GuardsEachHeaderButThoseOfMacrosAlone) {
  const std::vector<SourceFile> files = {
      {"x/a.h", "#pragma once\n#include \"macros.h\"\nint a;\n"},
      {"x/b.h", "#pragma once\n#include \"x/a.h\"\nint b;\n"},
      {"macros.h", "// Says why.\n#pragma once\n\n#define GEMWRIGHT_X 1\n"},
  };
  const std::string a = amalgamate(files, {"x/a.h"}, "d").value();
  const std::string both = amalgamate(files, {"x/a.h", "x/b.h"}, "d").value();
  const std::string guarded =
      "#ifndef GEMWRIGHT_KERNELS_d_x_a_h\n#define GEMWRIGHT_KERNELS_d_x_a_h\n\nint a;\n\n#endif";
  EXPECT_EQ(count(a, guarded), 1u) << a;
  EXPECT_EQ(count(both, guarded), 1u) << both;
  EXPECT_EQ(count(a, "#ifndef"), 1u);
  EXPECT_EQ(count(both, "#ifndef"), 2u);
  EXPECT_EQ(count(a, "int b;"), 0u);
  EXPECT_EQ(both, amalgamate(files, {"x/b.h"}, "d").value());
}

TEST(Amalgamate, RepeatsTextWithoutPragmaOnceInPlace) {
  const std::vector<SourceFile> files = {
      {"a.h", "#pragma once\nnamespace x {\n#include \"t.inl\"\n}\nnamespace y {\n#include \"t.inl\"\n}\n"},
      {"t.inl", "int t;\n"},
  };
  const std::string text = amalgamate(files, {"a.h"}, "d").value();
  EXPECT_NE(text.find("namespace x {\nint t;\n}"), std::string::npos);
  EXPECT_NE(text.find("namespace y {\nint t;\n}"), std::string::npos);
}

TEST(Amalgamate, HoistsSystemIncludesUnderTheirConditions) {
  const std::vector<SourceFile> files = {
      {"a.h",
       "#pragma once\nint before;\n#include <vector>\n#if defined(X)\n#include <x.h>\n#include <vector>\n#else\n"
       "#include <y.h>\n#endif\n#ifdef Y\nint kept;\n#endif\n"},
  };
  const std::string text = amalgamate(files, {"a.h"}, "d").value();
  EXPECT_LT(text.find("#include <vector>"), text.find("int before;"));
  EXPECT_EQ(count(text, "#include <vector>"), 1u);
  EXPECT_NE(text.find("#if defined(X)\n#include <x.h>\n#endif"), std::string::npos);
  EXPECT_NE(text.find("#if !(defined(X))\n#include <y.h>\n#endif"), std::string::npos);
  EXPECT_NE(text.find("#ifdef Y\nint kept;\n#endif"), std::string::npos);
}

TEST(Amalgamate, ALaterHeaderIsNotLostInAConditionOfAnEarlierOne) {
  const std::vector<SourceFile> files = {
      {"a.h", "#pragma once\n#include \"vector_unit.h\"\n#include \"macros.h\"\n"},
      {"vector_unit.h", "#pragma once\n#if defined(X)\n#include \"macros.h\"\nint unit;\n#endif\n"},
      {"macros.h", "#pragma once\nint macros;\n"},
  };
  const std::string text = amalgamate(files, {"a.h"}, "d").value();
  EXPECT_LT(text.find("int macros;"), text.find("#if defined(X)"));
}

TEST(Amalgamate, RestoresMacrosOfTheProgram) {
  const std::vector<SourceFile> files = {
      {"a.h", "#pragma once\n#define GEMWRIGHT_X 1\n#define OTHER 2\nint gemwright_abi, not_gemwright_abi;\n"}};
  const std::string text = amalgamate(files, {"a.h"}, "d").value();
  EXPECT_LT(text.find("#pragma push_macro(\"GEMWRIGHT_X\")"), text.find("#define GEMWRIGHT_X 1"));
  EXPECT_GT(text.find("#pragma pop_macro(\"GEMWRIGHT_X\")"), text.find("#define GEMWRIGHT_X 1"));
  EXPECT_EQ(count(text, "push_macro"), 1u);
  EXPECT_NE(text.find("int abi_d, not_gemwright_abi;"), std::string::npos);
  EXPECT_NE(text.find("#ifndef GEMWRIGHT_KERNELS_d_a_h\n"), std::string::npos);
}

TEST(Amalgamate, RefusesMissingFilesAndCircles) {
  EXPECT_FALSE(amalgamate({{"a.h", "#include \"gone.h\"\n"}}, {"a.h"}, "d"));
  EXPECT_FALSE(amalgamate({}, {"a.h"}, "d"));
  const std::vector<SourceFile> circle = {{"a.h", "#pragma once\n#include \"b.h\"\n"},
                                          {"b.h", "#pragma once\n#include \"a.h\"\n"}};
  EXPECT_FALSE(amalgamate(circle, {"a.h"}, "d"));
  EXPECT_FALSE(
      amalgamate({{"a.h", "#pragma once\n#include \"t.inl\"\n"}, {"t.inl", "#include \"t.inl\"\n"}}, {"a.h"}, "d"));
}

TEST(KernelSource, EmbedsEveryKernelHeaderAsItIs) {
  std::set<std::string> embedded;
  for (const SourceFile& f : kernel_headers()) {
    embedded.insert(std::string(f.path));
    std::ifstream file(std::string(GEMWRIGHT_KERNELS_ROOT "/") + std::string(f.path), std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    EXPECT_EQ(text.str(), f.text) << f.path;
  }
  std::set<std::string> present;
  const std::filesystem::path root = GEMWRIGHT_KERNELS_ROOT;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "gemwright")) {
    if (entry.is_regular_file()) present.insert(std::filesystem::relative(entry.path(), root).string());
  }
  EXPECT_EQ(embedded, present);
}

TEST(KernelSource, HoldsWhatTheKindsOfPlansNeed) {
  const std::string f32 = amalgamated_kernels(), dot = amalgamated_kernels(false, true);
  EXPECT_EQ(count(f32, "namespace scalar_kernels {"), 1u);
  EXPECT_EQ(count(f32, "struct dot_plan {") + count(f32, "dot_kernel_set"), 0u);
  EXPECT_EQ(count(dot, "struct dot_plan {"), 1u);
  EXPECT_EQ(count(amalgamated_kernels(true, true), "struct dot_plan {"), 1u);
  for (const bool of_dot : {false, true}) {
    const std::string tiles = amalgamated_tiles(of_dot);
    EXPECT_EQ(count(tiles, "struct kernel_set {"), 1u);
    EXPECT_EQ(count(tiles, "struct dot_kernel_set {"), of_dot ? 1u : 0u);
    EXPECT_EQ(count(tiles, "class loop_nest {"), 0u);
  }
}

TEST(KernelSource, AmalgamatesToTextWithoutIncludesOfItsOwn) {
  const std::string text = amalgamated_kernels(true, true);
  EXPECT_EQ(count(text, "#include \""), 0u);
  EXPECT_EQ(count(text, "gemwright_abi"), 0u);
  EXPECT_NE(text.find("inline namespace abi_" + source_digest()), std::string::npos);
  EXPECT_EQ(source_digest().size(), 16u);
  EXPECT_EQ(source_digest().find_first_not_of("0123456789abcdef"), std::string::npos);
  // On another processor this header would not be there.
  EXPECT_EQ(count(text, "#include <immintrin.h>"), 1u);
  EXPECT_LT(text.find("#if defined(__x86_64__)"), text.find("#include <immintrin.h>"));
}

}  // namespace
}  // namespace gemwright::tuner
