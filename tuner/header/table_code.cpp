#include "tuner/header/table_code.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "tuner/header/code_text.h"
#include "tuner/header/compiler.h"
#include "tuner/header/provenance.h"
#include "tuner/header/text.h"
#include "tuner/problem/kernel_text.h"

namespace gemwright::tuner {
namespace {

template <class T>
std::string optional_integer(const std::optional<T>& value) {
  return value ? fmt::format("{}", *value) : "std::nullopt";
}

// The kernels are a namespace of that name in a header.
std::string element_name(gemwright::element e) { return kernel_element(e, "kernels"); }

std::string tile_variable(const gemwright::tile& t) { return "tile_" + tile_name(t); }

bool is_dot(const HeaderTable& t) { return t.mode != ComputeMode::f32; }
// Types of dot plans have the names of those of f32 plans behind "dot_".
const char* dot_prefix(const HeaderTable& t) { return is_dot(t) ? "dot_" : ""; }

std::string mode_name(ComputeMode m) { return fmt::format("kernels::compute_mode::{}", to_text(m)); }

std::string tile_code(const std::string& name, const gemwright::tile& t, const HeaderTable& table, const Problem& p) {
  return fmt::format(
      "inline constexpr kernels::{}kernel_set {} =\n    kernels::compiled_{}tile<{}kernels::isa::{}, {}, {}, {}, {}, "
      "kernels::prefetch::{}, {}{}{}>();\n",
      dot_prefix(table), name, dot_prefix(table), is_dot(table) ? mode_name(table.mode) + ", " : "",
      gemwright::isa_name(t.family), t.mr, t.nv, t.ku, t.ka, gemwright::prefetch_name(t.hint),
      is_dot(table) ? element_name(c_element(p)) + ", " : "", kernel_chain(p.chain, "kernels"),
      kernel_columns(table.mode, t.along_k, t.panels));
}

std::string plan_code(std::size_t i, const Config& c, const HeaderTable& table) {
  const auto& b = c.blocking;
  return fmt::format(
      "inline constexpr kernels::{}plan plan_{}{{\n    &{}, shape.format,\n    {{{}, {}, {}, kernels::loop_order::{}, "
      "{}, kernels::a_packing::{}, {}, {}, {}, {}, kernels::fusion::{}}}}};\n",
      dot_prefix(table), i, tile_variable(c.tile), b.mc, b.nc, b.kc, gemwright::loop_order_name(b.order),
      bool_name(b.rows_inside), gemwright::a_packing_name(b.pack_a), b.tm, b.tn, b.tk, b.prefetch_rows,
      gemwright::fusion_name(b.chain_at));
}

// Portable code on the packing format of the table, one column slice a thread. Small blocks that fit any cache; its
// speed was not tuned.
std::string fallback_code(const HeaderTable& t, const Problem& p) {
  const int nv = t.format.panel % 4 == 0 ? 4 : t.format.panel % 2 == 0 ? 2 : 1;
  gemwright::tile tile{gemwright::isa::scalar, 4, nv, 1, 1, gemwright::prefetch::none};
  // Halves of short elements that take turns meet in a tile; a row of it is as much as the others hold in four.
  if (is_dot(t) && t.format.pair > 0) {
    tile.mr = 1;
    tile.nv = 2 * t.format.pair;
  }
  // Those that stand one behind the other wait for all jobs.
  const bool waits = has_pair(p) && t.format.pair == 0;
  const char* const packing = !is_dot(t) ? "none" : waits ? "shared" : "job";
  std::string out = tile_code("portable_tile", tile, t, p);
  for (const DispatchGroup& g : t.groups) {
    out += fmt::format(
        "inline constexpr kernels::{}plan portable_{}{{\n    &portable_tile, shape.format, {{64, 128, 256, "
        "kernels::loop_order::{}, true, kernels::a_packing::{}, 1, {}, 1, 0}}}};\n",
        dot_prefix(t), g.threads, is_dot(t) ? "mnk" : "nkm", packing, g.threads);
  }
  return out;
}

std::string tuned_ranges(const HeaderTable& t, const Problem& p) {
  std::string out;
  std::vector<gemwright::tile> tiles;
  for (const Config& c : t.configs) {
    if (std::find(tiles.begin(), tiles.end(), c.tile) != tiles.end()) continue;
    tiles.push_back(c.tile);
    out += tile_code(tile_variable(c.tile), c.tile, t, p);
  }
  for (std::size_t i = 0; i < t.configs.size(); ++i) out += plan_code(i, t.configs[i], t);
  for (const DispatchGroup& g : t.groups) {
    out += fmt::format("inline constexpr kernels::{}m_range ranges_{}[] = {{", dot_prefix(t), g.threads);
    for (std::size_t i = 0; i < g.ranges.size(); ++i) {
      out += fmt::format("{}{{{}, &plan_{}, kernels::whole_rows(shape, plan_{})}}", i == 0 ? "" : ",\n    ",
                         g.ranges[i].max_m, g.ranges[i].config, g.ranges[i].config);
    }
    out += "};\n";
  }
  return out;
}

std::string portable_ranges(const HeaderTable& t) {
  std::string out;
  for (const DispatchGroup& g : t.groups) {
    out += fmt::format("inline constexpr kernels::{2}m_range ranges_{0}[] = {{{{{1}, &portable_{0}}}}};\n", g.threads,
                       g.ranges.back().max_m, dot_prefix(t));
  }
  return out;
}

std::string groups_code(const HeaderTable& t) {
  std::string out = fmt::format("inline constexpr kernels::{}thread_group groups[] = {{\n", dot_prefix(t));
  for (const DispatchGroup& g : t.groups) {
    out += fmt::format(
        "    {{{0}, ranges_{0}, static_cast<int>(sizeof(ranges_{0}) / sizeof(ranges_{0}[0])), &portable_{0}}},\n",
        g.threads);
  }
  return out + fmt::format("}};\ninline constexpr kernels::{}dispatch_table table{{&shape, groups, {}}};\n",
                           dot_prefix(t), t.groups.size());
}

std::string choices_code(const HeaderTable& t) {
  if (t.choices.empty()) return "";
  std::string out = "inline constexpr measured_choice choices[] = {\n";
  for (const HeaderChoice& c : t.choices) {
    out += fmt::format("    {{{}, {}, {}, {}, {},\n     {}, {}, {}, {}, {}, {}, {}}},\n", c.m, c.threads, c.study,
                       optional_integer(c.trial), bool_name(c.confirmed), optional_double(c.ns_per_call),
                       optional_double(c.gflops), optional_double(c.error), optional_double(c.ratio),
                       optional_double(c.ratio_lo), optional_double(c.ratio_hi), optional_double(c.regret));
  }
  return out + "};\n";
}

std::string tuned_flag(const CompilerId& id) {
  if (!id.major) return "inline constexpr bool tuned_for_this_compiler = false;  // its version is not known\n";
  const bool clang = id.family == CompilerFamily::clang;
  return fmt::format(
      "#if {}defined(__clang__) && {} == {}\ninline constexpr bool tuned_for_this_compiler = true;\n#else\n"
      "inline constexpr bool tuned_for_this_compiler = false;\n#endif\n",
      clang ? "" : "!", clang ? "__clang_major__" : "__GNUC__", *id.major);
}

// kernels::chain_reads.
std::string reads_code(const Problem& p) {
  return fmt::format("{{{}, {}, {}, {}, {}, {}}}", reads(p, EpilogueOp::bias), reads(p, EpilogueOp::add),
                     reads(p, EpilogueOp::mul), reads(p, EpilogueOp::scale), reads(p, EpilogueOp::clamp),
                     bool_name(has_pair(p)));
}

std::string shape_code(const HeaderTable& t, const Problem& p) {
  const std::string shape =
      fmt::format("{{{}, {}, {}, {}, {}, {}, {}, {{{}, {}}}}}", p.n, p.k, p.batch, layout_name(p.a_layout),
                  layout_name(p.b_layout), bool_name(p.constant_weights), reads_code(p), t.format.panel, t.format.pair);
  if (!is_dot(t)) return fmt::format("inline constexpr kernels::problem_shape shape{};\n", shape);
  return fmt::format("inline constexpr kernels::dot_problem_shape shape{{\n    {}, {},\n    {}, {}, {}}};\n", shape,
                     mode_name(t.mode), element_name(a_element(p.interface)), element_name(b_element(p.interface)),
                     element_name(c_element(p)));
}

// How the product is computed, and what that costs.
std::string accuracy_code(const HeaderTable& t) {
  return fmt::format(
      "inline constexpr const char* mode = \"{}\";\n"
      "// The largest error of the choices and the bound they were tuned under (relative Frobenius distance to "
      "float64),\n// and the data that it was measured with.\n"
      "inline constexpr std::optional<double> measured_error = {};\n"
      "inline constexpr std::optional<double> error_bound = {};\n"
      "inline constexpr const char* data = \"{}\";\n"
      "// Whether a row of C has the same bits whatever M and the number of threads are.\n"
      "inline constexpr bool batch_invariant = {};\n",
      to_text(t.mode), optional_double(largest_error(t)), optional_double(t.max_error), to_text(t.data),
      bool_name(t.batch_invariant));
}

std::string table_code(const HeaderTable& t, const Problem& p) {
  std::string out = table_comment(t, p) + tuned_flag(compiler_id(t.build));
  out += fmt::format("inline constexpr const char* compiler = {};\ninline constexpr const char* compiler_flags = {};\n",
                     string_literal(t.build.compiler_version), string_literal(t.build.flags));
  out += fmt::format("inline constexpr const char* baseline = {};{}\n", string_literal(t.baseline),
                     t.baseline.empty() ? "  // none" : "");
  out += accuracy_code(t) + choices_code(t);
  out += fmt::format("using packed_weights = kernels::packed_{}weights;\n", dot_prefix(t));
  out += shape_code(t, p) + fallback_code(t, p);
  out += "#if defined(__x86_64__)\n" + tuned_ranges(t, p) + "#else\n" + portable_ranges(t) + "#endif\n";
  return out + groups_code(t);
}

}  // namespace

std::string tables_code(const HeaderProblem& p) {
  if (p.tables.size() == 1) return table_code(p.tables[0], p.problem);
  const bool first = compiler_id(p.tables[0].build).family == CompilerFamily::clang;
  return "#if defined(__clang__)\n" + table_code(p.tables[first ? 0 : 1], p.problem) + "#else\n" +
         table_code(p.tables[first ? 1 : 0], p.problem) + "#endif\n";
}

}  // namespace gemwright::tuner
