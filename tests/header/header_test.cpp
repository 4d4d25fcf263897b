#include "tuner/header/header.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/header/samples.h"
#include "tuner/toolchain/kernel_source.h"

namespace gemwright::tuner {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

HeaderSpec wide(HeaderStyle style = HeaderStyle::library) { return samples::wide_spec("wide", style); }

TEST(Header, StandaloneNeedsNothingAndLibraryNeedsTheKernels) {
  const std::string standalone = write_header(wide(HeaderStyle::standalone)).value();
  EXPECT_FALSE(has(standalone, "#include <gemwright"));
  EXPECT_TRUE(has(standalone, "inline namespace abi_" + source_digest()));
  const std::string library = write_header(wide()).value();
  EXPECT_TRUE(has(library, "#include <gemwright/dispatch.h>"));
  EXPECT_TRUE(has(library, "GEMWRIGHT_KERNELS_DIGEST != 0x" + source_digest() + "ULL"));
  EXPECT_FALSE(has(library, "class thread_pool"));
}

// Of the kernels a header has what its modes need.
TEST(Header, HoldsNoKernelsOfModesThatItDoesNotUse) {
  const std::string f32 = write_header(wide(HeaderStyle::standalone)).value();
  EXPECT_FALSE(has(f32, "dot_plan"));
  EXPECT_FALSE(has(write_header(wide()).value(), "dot_dispatch.h"));
  HeaderSpec dot = samples::modes_spec("modes", HeaderStyle::standalone);
  EXPECT_TRUE(has(write_header(dot).value(), "struct dot_plan"));
  dot.style = HeaderStyle::library;
  EXPECT_TRUE(has(write_header(dot).value(), "#include <gemwright/dispatch.h>\n#include <gemwright/dot_dispatch.h>\n"));
  dot.problems.pop_back();  // the only one in f32
  EXPECT_TRUE(has(write_header(dot).value(), "#include <gemwright/dot_dispatch.h>\n"));
  EXPECT_FALSE(has(write_header(dot).value(), "#include <gemwright/dispatch.h>\n"));
}

TEST(Header, IsTheSameTextForTheSameSpecAndHasAnotherNamespaceForAnother) {
  EXPECT_EQ(write_header(wide()).value(), write_header(wide()).value());
  const auto id = [](const HeaderSpec& s) {
    const std::string text = write_header(s).value();
    return text.substr(text.find("inline namespace export_"), 40);
  };
  HeaderSpec other = wide();
  other.problems[0].tables[0].configs[0].blocking.kc = 96;
  EXPECT_NE(id(wide()), id(other));
}

TEST(Header, CarriesProvenanceForPeopleAndTools) {
  const std::string text = write_header(wide()).value();
  EXPECT_TRUE(has(text,
                  "1.250x onednn 2.6.3 [1.200, 1.300], error 3.00e-07, regret 0.40 % | study 3 trial 17, tied with 18 "
                  "21, noise floor 0.6 %, "
                  "10 % of the blocks excluded\n"));
  std::istringstream lines(text);
  std::string line;
  std::vector<nlohmann::json> objects;
  while (std::getline(lines, line)) {
    if (line.rfind("//@gemwright ", 0) == 0) objects.push_back(nlohmann::json::parse(line.substr(13)));
  }
  ASSERT_GE(objects.size(), 3u);
  EXPECT_EQ(objects[0].at("version"), kHeaderVersion);
  EXPECT_EQ(objects[0].at("fingerprint"), "0123abcd");
  EXPECT_EQ(objects[1].at("key"), key(wide().problems[0].problem));
  const Config config = config_from_json(objects[2].at("configs").at(1)).value();
  EXPECT_EQ(config, wide().problems[0].tables[0].configs[1]);
  EXPECT_EQ(objects[3].at("ratio_lo"), 1.2);
  EXPECT_EQ(objects[3].at("noise_floor"), 0.006);
  EXPECT_EQ(objects[3].at("excluded"), 0.1);
  EXPECT_FALSE(objects[3].contains("confidence"));
}

std::string part_of(const std::string& text, const std::string& name) {
  const auto begin = text.find("namespace " + name + " {");
  return text.substr(begin, text.find("}  // namespace " + name + "\n") - begin);
}

TEST(Header, SaysOfEachModeHowItComputesAndWhatThatCosts) {
  const std::string text = write_header(samples::modes_spec("modes", HeaderStyle::library)).value();
  EXPECT_TRUE(has(text, "//   either: gemm/f32/n40/k43/b1/nn/constant/beta0/scale+mul, computed in bf16 or u8s8\n"));
  const std::string either = part_of(text, "either");
  EXPECT_TRUE(has(either, "// Computed in bf16: A and B are rounded to bfloat16"));
  EXPECT_TRUE(has(either, "// Computed in u8s8: each row of A is quantised"));
  EXPECT_TRUE(
      has(either,
          "// Error measured 2.40e-03 at most (relative Frobenius distance to float64, outliers data), bound 0.02.\n"));
  EXPECT_TRUE(has(either, "inline constexpr const char* mode = \"bf16\";"));
  EXPECT_TRUE(has(either, "inline constexpr std::optional<double> measured_error = 0.0024;"));
  EXPECT_TRUE(has(either, "inline constexpr std::optional<double> error_bound = 0.02;"));
  EXPECT_TRUE(has(part_of(text, "q8"), "// Computed in u8s8: A and B as they are"));
  EXPECT_TRUE(has(text, "\"interface\":\"bf16\",\"max_error\":0.02,\"mode\":\"u8s8\""));
}

TEST(Header, SaysWhichTablesAreBatchInvariant) {
  HeaderSpec spec = samples::modes_spec("modes", HeaderStyle::library);
  const char* const comment = "// Batch-invariant: ";
  EXPECT_FALSE(has(write_header(spec).value(), comment));
  for (HeaderProblem& p : spec.problems) {
    for (HeaderTable& t : p.tables) t.batch_invariant = true;
  }
  const std::string text = write_header(spec).value();
  EXPECT_TRUE(has(text, comment));
  EXPECT_TRUE(has(text, "inline constexpr bool batch_invariant = true;"));
  EXPECT_FALSE(has(text, "inline constexpr bool batch_invariant = false;"));
}

TEST(Header, TakesTheElementsOfTheInterface) {
  const std::string text = write_header(samples::modes_spec("modes", HeaderStyle::library)).value();
  const std::string bf16 = part_of(text, "n51_k38_bf16");
  EXPECT_TRUE(has(bf16, "pack_weights(const bf16* w, std::int64_t ldw, layout"));
  EXPECT_TRUE(has(bf16, "pack_weights(const float* w, std::int64_t ldw, layout"));
  EXPECT_TRUE(has(bf16, "run(context& ctx, std::int64_t m, const bf16* a,"));
  EXPECT_FALSE(has(bf16, "a_scale"));
  const std::string q8 = part_of(text, "q8"), call = part_of(text, "q8_call");
  EXPECT_TRUE(has(q8, "pack_weights(const std::int8_t* w, std::int64_t ldw, const float* column_scales, layout"));
  EXPECT_TRUE(has(q8, "std::optional<float> a_scale;  // must be given"));
  EXPECT_TRUE(has(q8, "std::int32_t a_zero = 0;"));
  EXPECT_TRUE(has(q8, "ldc, const args& x) {")) << "args hold what must be given";
  EXPECT_FALSE(has(q8, "b_scale"));
  EXPECT_TRUE(has(call, "const float* b_scale = nullptr;"));
  EXPECT_TRUE(has(call, "const std::int8_t* b, std::int64_t ldb,"));
  // Who reads the head of the file sees what to write.
  HeaderSpec first = samples::modes_spec("modes", HeaderStyle::library);
  first.problems.erase(first.problems.begin(), first.problems.begin() + 3);
  EXPECT_TRUE(has(write_header(first).value(),
                  "//   auto weights = modes::q8::pack_weights(w, ldw, scales);  // once\n"
                  "//   modes::q8::args x;  x.a_scale = scale;  x.a_zero = zero;\n"));
}

TEST(Header, ARequantisedResultTakesItsScaleAndZeroPoint) {
  HeaderSpec s = samples::modes_spec("modes", HeaderStyle::library);
  const std::string text = write_header(s).value();
  const std::string part = part_of(text, "to_u8"), q8 = part_of(text, "q8");
  for (const char* line :
       {"using c_type = std::uint8_t;", "std::optional<float> c_scale;  // must be given", "std::int32_t c_zero = 0;",
        "int beta = 0;  // must be 0", "x.c_scale, x.c_zero", "C is quantised to 8 bits by c_scale and c_zero",
        "the chain being bias+relu+requant", "kernels::element::u8, kernels::chain<kernels::epilogue_op::bias"}) {
    EXPECT_TRUE(has(part, line)) << line;
    EXPECT_FALSE(has(q8, line)) << line;
  }
  EXPECT_FALSE(has(part, "epilogue_op::requant"));
  std::erase_if(s.problems, [](const HeaderProblem& p) { return p.name != "to u8"; });
  EXPECT_TRUE(has(write_header(s).value(), "x.c_scale = c_scale;  x.c_zero = c_zero;\n"));
}

TEST(Header, SaysOfACertifiedWinnerHowSureItIs) {
  HeaderSpec s = samples::small_spec("small", HeaderStyle::library);
  HeaderChoice& c = s.problems[0].tables[0].choices[0];
  c.ties.clear();
  c.confidence = 0.99;
  const std::string text = write_header(s).value();
  EXPECT_TRUE(has(text, ", certified at 99 %, noise floor 0.6 %"));
  EXPECT_TRUE(has(text, "\"confidence\":0.99"));
}

// Each problem's args have what its chain reads, and run hands it on.
TEST(Header, ArgsHoldTheOperandsOfTheChain) {
  const std::string text = write_header(wide()).value();
  const auto part = [&text](const std::string& name) { return part_of(text, name); };
  for (const char* line :
       {"const float* residual = nullptr;", "std::int64_t ld_residual = 0;", "const float* operand = nullptr;",
        "std::optional<float> scale;", "std::optional<float> clamp_lo, clamp_hi;", "stride_residual, stride_operand;",
        "x.scale, x.clamp_lo, x.clamp_hi", "the chain being bias+gelu_erf+mul+scale+add+clamp",
        "kernels::epilogue_op::gelu_erf"}) {
    EXPECT_TRUE(has(part("gated"), line)) << line;
    EXPECT_FALSE(has(part("qkv"), line)) << line;
  }
  EXPECT_TRUE(has(part("residual"), "ld_residual"));
  EXPECT_FALSE(has(part("residual"), "x.operand"));
}

TEST(Header, SaysWhereThePartsOfAPairStand) {
  const std::string text = write_header(wide()).value();
  EXPECT_TRUE(has(text, "swiglu+mul+add, computed in f32; B is [gate | up] along N, C has N / 2 columns\n"));
  const std::string glu = part_of(text, "glu"), call = part_of(text, "glu_call");
  EXPECT_TRUE(has(glu, "n = 90, k = 53, batch = 2;\ninline constexpr std::int64_t c_columns = 45;"));
  EXPECT_TRUE(has(glu, "bias = nullptr;  // n elements"));
  EXPECT_TRUE(has(glu, "residual = nullptr;  // add: m x c_columns"));
  EXPECT_TRUE(has(glu, "[gate | up]"));
  EXPECT_TRUE(has(glu, "kernels::epilogue_op::swiglu"));
  EXPECT_TRUE(has(glu, "{64, 16}}")) << "the packing format";
  EXPECT_TRUE(has(glu, "kernels::fusion::pass"));
  EXPECT_TRUE(has(glu, "beta = 0;  // must be 0"));
  EXPECT_TRUE(has(call, "bias = nullptr;  // c_columns elements"));
  const std::string plain = part_of(text, "qkv");
  EXPECT_TRUE(has(plain, "c_columns = 203;"));
  EXPECT_TRUE(has(plain, "kernels::fusion::registers"));
  for (const char* of_pairs : {"gate", "must be 0", "m x c_columns"}) EXPECT_FALSE(has(plain, of_pairs)) << of_pairs;
}

TEST(Header, AbsentFiguresAreAbsent) {
  HeaderSpec s = samples::small_spec("small", HeaderStyle::library);
  HeaderChoice& c = s.problems[0].tables[0].choices[0];
  c.ratio = c.ratio_lo = c.ratio_hi = std::nullopt;
  c.error = std::numeric_limits<double>::quiet_NaN();  // as little as none
  c.trial.reset();
  const std::string text = write_header(s).value();
  EXPECT_TRUE(has(text,
                  "{4, 1, 3, std::nullopt, true,\n     1234.5, 50.0, std::nullopt, std::nullopt, std::nullopt, "
                  "std::nullopt, 0.004}"));
  EXPECT_FALSE(has(text, " nan"));
}

TEST(Header, HostileTextStaysInComments) {
  const std::string text = write_header(samples::hostile_spec("small", HeaderStyle::library)).value();
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    const auto at = line.find("evil");
    if (at == std::string::npos) continue;
    const bool comment = line.rfind("//", 0) == 0;
    const bool literal = has(line, "inline constexpr const char* ") && std::count(line.begin(), line.end(), '"') == 2;
    const bool name = has(line, "x_include_etc_passwd_int_evil");
    EXPECT_TRUE(comment || literal || name) << line;
    EXPECT_NE(line.back(), '\\');
  }
  EXPECT_FALSE(has(text,
                   "?"
                   "?"));
  EXPECT_FALSE(has(text, "*/"));
  EXPECT_FALSE(has(text, "\x1b"));
}

TEST(Header, RefusesSpecsThatCannotRun) {
  const auto refuses = [](const std::function<void(HeaderSpec&)>& spoil) {
    HeaderSpec s = samples::small_spec("small", HeaderStyle::library);
    spoil(s);
    return !write_header(s);
  };
  EXPECT_FALSE(refuses([](HeaderSpec&) {}));
  EXPECT_TRUE(refuses([](HeaderSpec& s) { s.name_space = "a b"; }));
  EXPECT_TRUE(refuses([](HeaderSpec& s) { s.problems.clear(); }));
  EXPECT_TRUE(refuses([](HeaderSpec& s) { s.problems[0].tables.clear(); }));
  EXPECT_TRUE(refuses([](HeaderSpec& s) { s.problems[0].tables.push_back(s.problems[0].tables[0]); }));
  EXPECT_TRUE(refuses([](HeaderSpec& s) { s.problems[0].problem.n = -1; }));
  const auto table = [&](const std::function<void(HeaderTable&)>& spoil) {
    return refuses([&](HeaderSpec& s) { spoil(s.problems[0].tables[0]); });
  };
  EXPECT_TRUE(table([](HeaderTable& t) { t.format.panel = 32; }));
  EXPECT_TRUE(table([](HeaderTable& t) {
    t.format.panel = 0;  // constant weights are packed
    for (Config& c : t.configs) c.format.panel = 0;
  }));
  EXPECT_TRUE(table([](HeaderTable& t) { t.configs[0].tile.mr = 1000; }));
  EXPECT_TRUE(table([](HeaderTable& t) { t.configs[0].blocking.mc = 0; }));
  EXPECT_TRUE(table([](HeaderTable& t) { t.configs[0].blocking.tk = 1 << 20; }));
  EXPECT_TRUE(table([](HeaderTable& t) { t.configs[0].blocking.order = static_cast<gemwright::loop_order>(77); }));
  EXPECT_TRUE(table([](HeaderTable& t) { t.configs[0].blocking.pack_a = gemwright::a_packing::shared; }));
  EXPECT_TRUE(table([](HeaderTable& t) { t.configs[0].blocking.pack_a = static_cast<gemwright::a_packing>(3); }));
  EXPECT_TRUE(table([](HeaderTable& t) { t.groups.clear(); }));
  EXPECT_TRUE(table([](HeaderTable& t) { t.groups[0].ranges[0].config = 99; }));
  EXPECT_TRUE(table([](HeaderTable& t) { std::swap(t.groups[0], t.groups[1]); }));
  EXPECT_TRUE(table([](HeaderTable& t) { std::swap(t.groups[0].ranges[0], t.groups[0].ranges[1]); }));
  EXPECT_TRUE(table([](HeaderTable& t) { t.choices[0].config = 99; }));
}

TEST(Header, RefusesPairsAndPlacesOfTheChainThatCannotBe) {
  using gemwright::fusion;
  const auto refuses = [](HeaderSpec s, const char* name, const std::function<void(HeaderProblem&)>& spoil) {
    const auto at = std::find_if(s.problems.begin(), s.problems.end(), [&](const auto& p) { return p.name == name; });
    s.problems = {HeaderProblem(*at)};
    spoil(s.problems[0]);
    return !write_header(s);
  };
  const auto all = [](HeaderProblem& p, const std::function<void(Config&)>& spoil) {
    HeaderTable& t = p.tables[0];
    for (Config& c : t.configs) spoil(c);
    t.format = t.configs[0].format;
  };
  const HeaderSpec f32 = wide(), modes = samples::modes_spec("modes", HeaderStyle::library);
  EXPECT_FALSE(refuses(f32, "glu", [](HeaderProblem&) {}));
  EXPECT_FALSE(refuses(f32, "glu", [&](HeaderProblem& p) { all(p, [](Config& c) { c.format.pair = 0; }); }));
  EXPECT_TRUE(refuses(f32, "glu", [&](HeaderProblem& p) { all(p, [](Config& c) { c.format.pair = 24; }); }));
  EXPECT_TRUE(refuses(f32, "glu", [&](HeaderProblem& p) { all(p, [](Config& c) { c.format.pair = -16; }); }));
  EXPECT_TRUE(refuses(f32, "glu", [](HeaderProblem& p) { p.problem.n = 91; }));
  EXPECT_TRUE(refuses(f32, "glu", [](HeaderProblem& p) { p.problem.beta = 1; }));
  EXPECT_TRUE(refuses(f32, "glu", [](HeaderProblem& p) { p.problem.chain.clear(); })) << "nothing takes turns";
  EXPECT_TRUE(refuses(f32, "qkv", [](HeaderProblem& p) {
    p.tables[0].configs[0].blocking.chain_at = static_cast<fusion>(gemwright::fusion_count);
  }));
  EXPECT_FALSE(refuses(modes, "bf16 glu", [](HeaderProblem&) {}));
  EXPECT_TRUE(refuses(modes, "bf16 glu", [&](HeaderProblem& p) { all(p, [](Config& c) { c.format.pair = 0; }); }))
      << "each job packs A for itself";
  EXPECT_FALSE(refuses(modes, "bf16 glu apart", [](HeaderProblem&) {}));
  EXPECT_TRUE(refuses(modes, "bf16 glu", [](HeaderProblem& p) { p.tables[0].configs[0].tile.nv = 1; }));
  const auto pass = [](HeaderProblem& p) { p.tables[0].configs[0].blocking.chain_at = fusion::pass; };
  EXPECT_TRUE(refuses(modes, "bf16 glu", pass)) << "each job packs A for itself";
  EXPECT_FALSE(refuses(modes, "bf16 glu apart", pass));
}

TEST(Header, RefusesModesThatCannotRun) {
  const auto refuses = [](const std::function<void(HeaderProblem&)>& spoil) {
    HeaderSpec s = samples::modes_spec("modes", HeaderStyle::library);
    s.problems.erase(s.problems.begin() + 1, s.problems.end());
    spoil(s.problems[0]);
    return !write_header(s);
  };
  EXPECT_FALSE(refuses([](HeaderProblem&) {}));
  EXPECT_TRUE(refuses([](HeaderProblem& p) { p.problem.interface = Interface::u8s8; }));
  EXPECT_TRUE(refuses([](HeaderProblem& p) { p.tables[0].mode = ComputeMode::u8s8; }));
  EXPECT_TRUE(refuses([](HeaderProblem& p) { p.tables[0].configs[0].mode = ComputeMode::f32; }));
  EXPECT_TRUE(refuses([](HeaderProblem& p) { p.tables[0].configs[0].blocking.order = gemwright::loop_order::nkm; }));
  EXPECT_TRUE(refuses([](HeaderProblem& p) { p.tables[0].configs[0].blocking.tk = 2; }));
  EXPECT_TRUE(refuses([](HeaderProblem& p) { p.tables[0].configs[1].blocking.pack_a = gemwright::a_packing::none; }));
  EXPECT_TRUE(refuses([](HeaderProblem& p) {
    p.problem.constant_weights = false;  // packed per call all the same
    p.tables[0].format.panel = 0;
    for (Config& c : p.tables[0].configs) c.format.panel = 0;
  }));
  EXPECT_TRUE(refuses([](HeaderProblem& p) {
    p.tables[0] = samples::dot_table(samples::gcc_build(), ComputeMode::u8s8, 32);
    p.problem.k = gemwright::max_u8s8_depth + 1;
  }));
}

TEST(ProblemNamespaces, SaysWhatDiffersWhereNamesAreEqual) {
  Problem base = samples::problem(64, 32);
  Problem chain = base, call = base, sizes = base;
  chain.chain = {EpilogueOp::bias};
  call.constant_weights = false;
  sizes.n = 128;
  const Problem bf16 = samples::problem(Interface::bf16, 64, 32), u8s8 = samples::problem(Interface::u8s8, 64, 32);
  using Names = std::vector<std::string>;
  EXPECT_EQ(problem_namespaces({{"qkv", base, {}}, {"mlp", chain, {}}}), (Names{"qkv", "mlp"}));
  EXPECT_EQ(problem_namespaces({{"qkv", base, {}}, {"qkv", chain, {}}}), (Names{"qkv_plain", "qkv_bias"}));
  EXPECT_EQ(problem_namespaces({{"", base, {}}, {"", call, {}}}), (Names{"n64_k32_f32_constant", "n64_k32_f32_call"}));
  EXPECT_EQ(problem_namespaces({{"q", base, {}}, {"q", sizes, {}}}), (Names{"q_n64", "q_n128"}));
  EXPECT_EQ(problem_namespaces({{"q", base, {}}, {"q", bf16, {}}, {"q", u8s8, {}}}),
            (Names{"q_f32", "q_bf16", "q_u8s8"}));
  EXPECT_EQ(problem_namespaces({{"", bf16, {}}, {"", u8s8, {}}}), (Names{"n64_k32_bf16", "n64_k32_u8s8"}));
  // Somebody chose the suffixed name already.
  EXPECT_EQ(problem_namespaces({{"q_n64", chain, {}}, {"q", base, {}}, {"q", sizes, {}}}),
            (Names{"q_n64", "q_n64_2", "q_n128"}));
}

}  // namespace
}  // namespace gemwright::tuner
