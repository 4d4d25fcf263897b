#include "tuner/header/header.h"

#include <fmt/format.h>
#include <gemwright/loop_nest.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cmath>

#include "tuner/header/code.h"
#include "tuner/header/compiler.h"
#include "tuner/header/provenance.h"
#include "tuner/header/text.h"
#include "tuner/space/limits.h"
#include "tuner/toolchain/kernel_source.h"

namespace gemwright::tuner {
namespace {

// Stands for the digest of the text until the text is known. Only comments of the code can hold text from outside,
// where a replacement does no harm.
constexpr std::string_view kIdMark = "@export_id@";

// Whether the columns of a pair of products stand in the panels in an order that the tile can combine them from.
bool pair_fits(const Config& c, const Problem& p) {
  if (!has_pair(p)) return c.format.pair == 0;
  const bool turns = gemwright::packs_pairs(c.format, p.n);
  if (c.format.pair == 0 || c.mode == ComputeMode::f32) return c.format.pair == 0 || turns;
  return turns && gemwright::tile_holds_pairs(c.tile, c.format);
}

// Why a config cannot be in this table; empty when it can.
std::string wrong_with(const Config& c, const HeaderTable& table, const Problem& p) {
  const auto& b = c.blocking;
  if (c.mode != table.mode) return "has another compute mode than its table";
  if (!(c.format == table.format)) return "has another packing format than its table";
  if (auto why = violated(c.mode, c.tile)) return "has no valid tile: " + *why;
  const bool dot = table.mode != ComputeMode::f32;
  const bool unpacked = !p.constant_weights && p.b_layout == gemwright::layout::row_major && !dot;
  if (c.format.panel < 0 || c.format.panel > kMaxPanel || (c.format.panel == 0 && !unpacked) ||
      !gemwright::fits_panels(c.tile, c.format) || (c.tile.panels > 1 && !may_span(p, c.mode))) {
    return fmt::format("has a packing panel of {} columns, which does not fit its tile or its problem", c.format.panel);
  }
  if (!gemwright::fits_along_k(c.tile, c.format, b, p.a_layout)) {
    return "has vectors along K, but no panels of one column or no row-major A that is read where it lies";
  }
  if (!pair_fits(c, p)) return "has columns that take turns in another way than its problem and its tile need";
  const auto size = [](std::int64_t v) { return v >= 1 && v <= kMaxSize; };
  const auto slices = [](int v) { return v >= 1 && v <= kMaxGridThreads; };
  const bool grid = slices(b.tm) && slices(b.tn) && slices(b.tk) && std::int64_t{b.tm} * b.tn * b.tk <= kMaxGridThreads;
  const bool order = static_cast<int>(b.order) < gemwright::loop_order_count;
  const bool place = static_cast<int>(b.chain_at) < gemwright::fusion_count;
  if (!size(b.mc) || !size(b.nc) || !size(b.kc) || !grid || !order || !place || b.prefetch_rows < 0 ||
      b.prefetch_rows > kMaxPrefetchRows) {
    return "has a blocking out of range";
  }
  if (dot && (b.order != gemwright::loop_order::mnk || (b.pack_a == gemwright::a_packing::job && sums_wait(p, c)))) {
    return "has a loop order that its compute mode does not have, or sums that wait for all jobs while each packs A "
           "for itself";
  }
  if (b.chain_at != gemwright::fusion::registers && !may_choose_fusion(p, c)) {
    return "has its chain in a place where it cannot run";
  }
  if (!packs_a_as_it_can(p, c)) return "packs A in a way that its tile or its problem does not allow";
  return "";
}

Result<void> check_groups(const HeaderTable& t, const std::string& where) {
  if (t.groups.empty()) return fail(where + ": there is no thread count to export");
  for (std::size_t i = 0; i < t.groups.size(); ++i) {
    const DispatchGroup& g = t.groups[i];
    const bool threads = g.threads >= 1 && g.threads <= kMaxGridThreads;
    if (!threads || (i > 0 && g.threads <= t.groups[i - 1].threads) || g.ranges.empty()) {
      return fail(where + ": its thread counts are not ascending or one has no ranges");
    }
    for (std::size_t j = 0; j < g.ranges.size(); ++j) {
      const DispatchRange& r = g.ranges[j];
      if (r.max_m < 1 || r.max_m > kMaxSize || (j > 0 && r.max_m <= g.ranges[j - 1].max_m) ||
          r.config >= t.configs.size()) {
        return fail(where + ": its ranges of M are not ascending or name no config");
      }
    }
  }
  return {};
}

Result<void> check_table(const HeaderTable& t, const Problem& p, const std::string& where) {
  if (auto r = check_groups(t, where); !r) return r;
  const auto modes = modes_behind(p.interface);
  if (std::find(modes.begin(), modes.end(), t.mode) == modes.end()) {
    return fail(fmt::format("{}: {} cannot compute this interface", where, to_text(t.mode)));
  }
  if (t.mode == ComputeMode::u8s8 && p.k > gemwright::max_u8s8_depth) {
    return fail(fmt::format("{}: u8s8 sums at most {} products", where, gemwright::max_u8s8_depth));
  }
  for (const Config& c : t.configs) {
    if (const std::string why = wrong_with(c, t, p); !why.empty())
      return fail(fmt::format("{}: config {}", where, why));
  }
  for (const HeaderChoice& c : t.choices) {
    if (c.config >= t.configs.size()) return fail(where + ": a choice names no config");
  }
  return {};
}

Result<void> check(const HeaderSpec& spec) {
  if (auto ns = parse_namespace(spec.name_space); !ns) return tl::unexpected(ns.error());
  if (spec.problems.empty()) return fail("there is no problem to export");
  if (!std::isfinite(spec.max_regret) || spec.max_regret < 0) return fail("the regret bound must not be negative");
  for (const HeaderProblem& p : spec.problems) {
    if (auto r = check(p.problem, 1); !r) return tl::unexpected(r.error());
    const std::string where = key(p.problem);
    if (p.tables.empty()) return fail(where + ": nothing was tuned");
    std::vector<CompilerFamily> families;
    for (const HeaderTable& t : p.tables) {
      if (auto r = check_table(t, p.problem, where); !r) return r;
      const CompilerFamily f = compiler_id(t.build).family;
      if (std::count(families.begin(), families.end(), f) > 0) {
        return fail(fmt::format("{}: two tables are for {}", where, to_text(f)));
      }
      families.push_back(f);
    }
  }
  return {};
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
    text.replace(at, what.size(), by);
  }
  return text;
}

}  // namespace

const char* to_text(HeaderStyle s) { return s == HeaderStyle::standalone ? "standalone" : "library"; }

Result<std::string> write_header(const HeaderSpec& spec) {
  if (auto r = check(spec); !r) return tl::unexpected(r.error());
  const std::vector<std::string> names = problem_namespaces(spec.problems);
  const std::string comment = provenance_comment(spec, names);
  const std::string code = header_code(spec, names, std::string(kIdMark));
  const std::string id = fmt::format("{:016x}", XXH3_64bits((comment + code).data(), comment.size() + code.size()));
  return comment + replaced(code, kIdMark, id);
}

}  // namespace gemwright::tuner
