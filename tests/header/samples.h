// Hand-made specs of headers: no tuning needed. The problems are small and odd-sized, so that tails are run.
#pragma once

#include <string>
#include <vector>

#include "tuner/header/header.h"

namespace gemwright::tuner::samples {

inline Config config(gemwright::isa family, int mr, int nv, int panel, gemwright::blocking b) {
  Config c;
  c.tile = {family, mr, nv, 1, 1, gemwright::prefetch::none};
  c.format.panel = panel;
  c.blocking = b;
  return c;
}

inline gemwright::blocking blocking(std::int64_t mc, std::int64_t nc, std::int64_t kc, int tm = 1, int tn = 1,
                                    int tk = 1, gemwright::a_packing pack_a = gemwright::a_packing::none) {
  return {mc, nc, kc, gemwright::loop_order::nkm, true, pack_a, tm, tn, tk, 0};
}

inline Build gcc_build() {
  return {
      "b1", "0.1.0", "g++", "g++ (Debian 12.2.0-14) 12.2.0", "-O2 -std=c++17", "",
  };
}
inline Build clang_build() { return {"b2", "0.1.0", "clang++", "Debian clang version 14.0.6", "-O2 -std=c++17", ""}; }

inline HeaderChoice choice(std::int64_t m, int threads, std::size_t config) {
  HeaderChoice c;
  c.m = m;
  c.threads = threads;
  c.config = config;
  c.study = 3;
  c.trial = 17;
  c.confirmed = true;
  c.ns_per_call = 1234.5;
  c.gflops = 50;
  c.error = 3e-7;
  c.ratio = 1.25;
  c.ratio_lo = 1.2;
  c.ratio_hi = 1.3;
  c.regret = 0.004;
  c.ties = {18, 21};
  c.noise_floor = 0.006;
  c.excluded = 0.1;
  return c;
}

inline Problem problem(std::int64_t n, std::int64_t k) {
  Problem p;
  p.n = n;
  p.k = k;
  return p;
}

// A table with 1 and 2 threads: M up to 4 on a small tile, larger M on the others.
inline HeaderTable table(const Build& build, int panel) {
  using gemwright::isa;
  HeaderTable t;
  t.build = build;
  t.format.panel = panel;
  t.configs = {config(isa::avx512f, 4, 1, panel, blocking(4, 256, 512)),
               config(isa::avx2, 6, 2, panel, blocking(24, 64, 40, 1, 1, 1, gemwright::a_packing::job)),
               config(isa::avx512f, 8, 2, panel, blocking(16, 64, 512, 1, 1, 2)),
               config(isa::avx512f, 8, 2, panel, blocking(64, 256, 30, 2, 1, 1))};
  t.groups = {{1, {{4, 0}, {32, 1}}}, {2, {{4, 0}, {16, 2}, {64, 3}}}};
  t.choices = {choice(4, 1, 0), choice(32, 1, 1), choice(4, 2, 0), choice(16, 2, 2), choice(64, 2, 3)};
  t.baseline = "onednn 2.6.3";
  return t;
}

// Tiles that span two panels, beside one that fills its own.
inline HeaderTable spanning_table(const Build& build) {
  HeaderTable t = table(build, 16);
  t.configs[1].tile.mr = 2;
  t.configs[1].tile.nv = 4;
  for (Config& c : t.configs) settle_panels(c);
  return t;
}

// One column or few: vectors along K, on panels of one column.
inline HeaderTable along_table(const Build& build) {
  using gemwright::isa;
  HeaderTable t = table(build, 1);
  t.configs = {config(isa::avx512f, 1, 1, 1, blocking(4, 256, 512)), config(isa::avx2, 5, 1, 1, blocking(20, 1, 64)),
               config(isa::avx512f, 8, 1, 1, blocking(16, 64, 512, 2, 1, 1)),
               config(isa::avx512f, 13, 1, 1, blocking(64, 256, 512, 1, 1, 2)),
               config(isa::avx512f, 5, 3, 1, blocking(64, 256, 512))};
  for (Config& c : t.configs) c.tile.along_k = true;
  t.configs[0].tile.ka = t.configs[0].tile.ku = 4;
  t.configs[2].tile.ku = 2;
  return t;
}

// B per call as it lies in memory: nothing is packed.
inline HeaderTable unpacked_table(const Build& build) {
  HeaderTable t;
  t.build = build;
  t.configs = {config(gemwright::isa::avx512f, 6, 3, 0, blocking(12, 96, 32)),
               config(gemwright::isa::avx2, 4, 2, 0, blocking(16, 64, 64, 1, 2, 1))};
  t.groups = {{1, {{16, 0}}}, {2, {{16, 1}}}};
  t.choices = {choice(16, 1, 0), choice(16, 2, 1)};
  return t;
}

// Constant weights of a pair of products: columns take turns, on tiles that hold both halves and on ones that do not.
inline HeaderTable pair_table(const Build& build) {
  HeaderTable t = table(build, 64);
  t.format.pair = 16;
  t.configs[0].tile.nv = 2;
  t.configs[3].blocking.kc = 512;
  t.configs[3].blocking.chain_at = gemwright::fusion::pass;
  for (Config& c : t.configs) c.format = t.format;
  return t;
}

inline HeaderSpec spec(std::string name_space, HeaderStyle style) {
  HeaderSpec s;
  s.style = style;
  s.name_space = std::move(name_space);
  s.tool_version = "0.1.0";
  s.date = "2026-03-01";
  s.device.fingerprint = "0123abcd";
  s.device.name = "hand-made";
  return s;
}

// Constant weights without and with chains, a transposed B, a batch, B per call with beta; pairs of products.
inline HeaderSpec wide_spec(std::string name_space, HeaderStyle style) {
  HeaderSpec s = spec(std::move(name_space), style);
  s.problems.push_back({"qkv", problem(203, 97), {table(gcc_build(), 32), table(clang_build(), 64)}});
  Problem chain = problem(130, 64);
  chain.b_layout = gemwright::layout::col_major;
  chain.chain = {EpilogueOp::bias, EpilogueOp::relu};
  s.problems.push_back({"ffn up", chain, {table(gcc_build(), 64)}});
  Problem batch = problem(48, 33);
  batch.batch = 3;
  s.problems.push_back({"batched", batch, {table(clang_build(), 32)}});
  Problem gated = problem(70, 41);
  gated.batch = 2;
  gated.chain = {EpilogueOp::bias,  EpilogueOp::gelu_erf, EpilogueOp::mul,
                 EpilogueOp::scale, EpilogueOp::add,      EpilogueOp::clamp};
  s.problems.push_back({"gated", gated, {table(gcc_build(), 96)}});
  Problem residual = problem(51, 38);
  residual.chain = {EpilogueOp::add, EpilogueOp::clamp};
  s.problems.push_back({"residual", residual, {spanning_table(gcc_build())}});
  Problem call = problem(77, 50);
  call.constant_weights = false;
  call.beta = 1;
  s.problems.push_back({"", call, {unpacked_table(gcc_build())}});
  Problem glu = problem(90, 53);
  glu.batch = 2;
  glu.chain = {EpilogueOp::bias, EpilogueOp::swiglu, EpilogueOp::mul, EpilogueOp::add};
  s.problems.push_back({"glu", glu, {pair_table(gcc_build()), table(clang_build(), 32)}});
  Problem glu_call = problem(78, 45);
  glu_call.constant_weights = false;
  glu_call.chain = {EpilogueOp::geglu, EpilogueOp::bias};
  Problem glu_plain = problem(92, 35);
  glu_plain.chain = {EpilogueOp::bias, EpilogueOp::swiglu, EpilogueOp::mul};
  s.problems.push_back({"glu plain", glu_plain, {pair_table(gcc_build())}});
  s.problems.push_back({"glu call", glu_call, {unpacked_table(gcc_build())}});
  Problem head = problem(1, 277);
  head.chain = {EpilogueOp::bias, EpilogueOp::relu};
  s.problems.push_back({"head", head, {along_table(gcc_build())}});
  Problem heads = problem(3, 45);
  heads.b_layout = gemwright::layout::col_major;
  heads.constant_weights = false;
  heads.beta = 1;
  s.problems.push_back({"heads", heads, {along_table(clang_build())}});
  return s;
}

// Short elements: two tiles, with 2 threads also packing A together.
inline HeaderTable dot_table(const Build& build, ComputeMode mode, int panel) {
  using gemwright::isa;
  const bool integers = mode == ComputeMode::u8s8;
  HeaderTable t;
  t.build = build;
  t.mode = mode;
  t.format.panel = panel;
  t.configs = {config(integers ? isa::avx512_vnni : isa::avx512_bf16, 3, 1, panel, blocking(4, 256, 512)),
               config(integers ? isa::avx_vnni : isa::avx512f, 4, integers ? 2 : 1, panel, blocking(24, 16, 20)),
               config(isa::avx2, 2, 2, panel, blocking(8, 64, 512, 1, 2, 1, gemwright::a_packing::shared))};
  for (Config& c : t.configs) {
    c.mode = mode;
    c.blocking.order = gemwright::loop_order::mnk;
    if (c.blocking.pack_a == gemwright::a_packing::none) c.blocking.pack_a = gemwright::a_packing::job;
  }
  t.groups = {{1, {{4, 0}, {32, 1}}}, {2, {{4, 0}, {32, 2}}}};
  t.choices = {choice(4, 1, 0), choice(32, 1, 1), choice(4, 2, 0), choice(32, 2, 2)};
  for (HeaderChoice& c : t.choices) c.error = integers ? 1.1e-2 : 2.3e-3;
  t.choices[2].error = integers ? 1.3e-2 : 2.4e-3;
  t.data = DataKind::outliers;
  t.max_error = 0.02;
  return t;
}

// The same of a pair of products whose halves stand one behind the other: their sums wait for all jobs.
inline HeaderTable dot_apart_table(const Build& build, ComputeMode mode, int panel) {
  HeaderTable t = dot_table(build, mode, panel);
  for (Config& c : t.configs) c.blocking.pack_a = gemwright::a_packing::shared;
  return t;
}

// The same of a pair of products: every tile holds both halves.
inline HeaderTable dot_pair_table(const Build& build, ComputeMode mode) {
  using gemwright::isa;
  HeaderTable t = dot_table(build, mode, 64);
  t.format.pair = 16;
  t.configs[0].tile.nv = t.configs[1].tile.nv = 2;
  t.configs[1].tile.family = mode == ComputeMode::u8s8 ? isa::avx512_vnni : isa::avx512f;
  t.configs[2].tile = {isa::avx2, 1, 4, 1, 1, gemwright::prefetch::none};
  for (Config& c : t.configs) c.format = t.format;
  return t;
}

inline Problem problem(Interface interface, std::int64_t n, std::int64_t k) {
  Problem p = problem(n, k);
  p.interface = interface;
  return p;
}

// Every interface in every mode that can stand behind it; one problem in another mode for each compiler.
inline HeaderSpec modes_spec(std::string name_space, HeaderStyle style) {
  constexpr ComputeMode bf16 = ComputeMode::bf16, u8s8 = ComputeMode::u8s8;
  HeaderSpec s = spec(std::move(name_space), style);
  s.problems.push_back({"", problem(Interface::bf16, 51, 38), {dot_table(gcc_build(), bf16, 32)}});
  Problem mlp = problem(Interface::bf16, 70, 41);
  mlp.batch = 2;
  mlp.chain = {EpilogueOp::bias, EpilogueOp::relu, EpilogueOp::add};
  s.problems.push_back({"mlp", mlp, {dot_table(gcc_build(), bf16, 64)}});
  Problem bf16_call = problem(Interface::bf16, 33, 29);
  bf16_call.constant_weights = false;
  bf16_call.beta = 1;
  s.problems.push_back({"bf16 call", bf16_call, {dot_table(clang_build(), bf16, 32)}});
  Problem q8 = problem(Interface::u8s8, 45, 67);
  q8.b_layout = gemwright::layout::col_major;
  q8.chain = {EpilogueOp::bias};
  s.problems.push_back({"q8", q8, {dot_table(gcc_build(), u8s8, 32)}});
  Problem q8_call = problem(Interface::u8s8, 37, 26);
  q8_call.constant_weights = false;
  q8_call.batch = 2;
  s.problems.push_back({"q8 call", q8_call, {dot_table(gcc_build(), u8s8, 16)}});
  Problem either = problem(40, 43);
  either.chain = {EpilogueOp::scale, EpilogueOp::mul};
  s.problems.push_back({"either", either, {dot_table(gcc_build(), bf16, 32), dot_table(clang_build(), u8s8, 48)}});
  s.problems.push_back({"bf16 in u8s8", problem(Interface::bf16, 39, 71), {dot_table(gcc_build(), u8s8, 32)}});
  Problem bf16_glu = problem(Interface::bf16, 86, 37);
  bf16_glu.chain = {EpilogueOp::bias, EpilogueOp::swiglu, EpilogueOp::mul};
  s.problems.push_back({"bf16 glu", bf16_glu, {dot_pair_table(gcc_build(), bf16)}});
  s.problems.push_back({"bf16 glu apart", bf16_glu, {dot_apart_table(gcc_build(), bf16, 32)}});
  Problem q8_glu = problem(Interface::u8s8, 54, 41);
  q8_glu.constant_weights = false;
  q8_glu.chain = {EpilogueOp::geglu, EpilogueOp::add};
  s.problems.push_back({"q8 glu", q8_glu, {dot_pair_table(gcc_build(), u8s8)}});
  Problem to_u8 = problem(Interface::u8s8, 50, 61);
  to_u8.chain = {EpilogueOp::bias, EpilogueOp::relu, EpilogueOp::requant};
  s.problems.push_back({"to u8", to_u8, {dot_table(gcc_build(), u8s8, 32)}});
  Problem glu_to_u8 = problem(Interface::u8s8, 58, 47);
  glu_to_u8.batch = 2;
  glu_to_u8.constant_weights = false;
  glu_to_u8.chain = {EpilogueOp::swiglu, EpilogueOp::requant};
  s.problems.push_back({"glu to u8", glu_to_u8, {dot_pair_table(gcc_build(), u8s8)}});
  Problem f32_call = problem(39, 31);
  f32_call.constant_weights = false;
  s.problems.push_back({"f32 call", f32_call, {dot_table(gcc_build(), u8s8, 32)}});
  s.problems.push_back({"plain", problem(64, 48), {table(gcc_build(), 32)}});
  return s;
}

inline HeaderSpec small_spec(std::string name_space, HeaderStyle style) {
  HeaderSpec s = spec(std::move(name_space), style);
  s.problems.push_back({"qkv", problem(203, 97), {table(gcc_build(), 96)}});
  s.problems.push_back({"q8", problem(Interface::u8s8, 45, 67), {dot_table(gcc_build(), ComputeMode::u8s8, 32)}});
  return s;
}

// Every text that a database could hold tries to become code.
inline HeaderSpec hostile_spec(std::string name_space, HeaderStyle style) {
  HeaderSpec s = small_spec(std::move(name_space), style);
  const std::string evil =
      "x\n#include \"/etc/passwd\"\n*/ int evil; /* \\\n?"
      "?/\n\" ); evil( \"\r\x1b[31m\\";
  s.device.name = s.device.fingerprint = s.device.kind = s.tool_version = s.date = evil;
  s.problems[0].name = evil;
  HeaderTable& t = s.problems[0].tables[0];
  t.build = {evil, evil, evil, "g++ 12.2.0 " + evil, evil, evil};
  t.baseline = evil;
  // As namespaces these are keywords, macros or names of the header itself.
  for (const char* name : {"class", "linux", "std", "kernels", "context", "_Reserved", "1st", "a__b"}) {
    HeaderProblem p = s.problems[0];
    p.name = name;
    p.problem.k = static_cast<std::int64_t>(32 + s.problems.size());
    s.problems.push_back(p);
  }
  return s;
}

}  // namespace gemwright::tuner::samples
