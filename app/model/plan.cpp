#include "app/model/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "app/version.h"
#include "profilers/cpu_info.h"
#include "tuner/problem/input_text.h"
#include "tuner/strategy/strategy.h"
#include "tuner/toolchain/compiler.h"
#include "tuner/toolchain/kernel_source.h"

namespace gemwright::app {

using tuner::CacheState;
using tuner::ErrorKind;
using tuner::fail;
using tuner::Result;

namespace {

// Cold means that more than this lies between two uses of the weights (DESIGN: cache state).
constexpr double kColdBytes = 200e6;
// A tuner with more threads than this is a typing error.
constexpr int kMaxThreads = 1024;

Result<void> check_built(const TuneOptions& o) {
  if (o.device != "cpu") {
    return fail(fmt::format("--device {} is not built yet: only cpu is", o.device), ErrorKind::usage);
  }
  if (o.max_error && !(*o.max_error > 0 && std::isfinite(*o.max_error))) {
    return fail("--max-error must be a positive number", ErrorKind::usage);
  }
  return {};
}

Result<std::optional<tuner::Interface>> parse_asked_interface(const std::string& text) {
  if (text.empty()) return std::optional<tuner::Interface>();
  const auto interface = tuner::parse_interface(text);
  if (!interface) return fail("--interface: " + interface.error().message, ErrorKind::usage);
  return std::optional(*interface);
}

// One of a --precision list: the interface of that name.
Result<Precision> listed_precision(std::string_view word, const std::optional<tuner::Interface>& asked) {
  if (word == "auto") return fail("--precision: auto stands alone", ErrorKind::usage);
  const auto mode = tuner::parse_compute_mode(word);  // which also knows what is planned
  if (!mode) return fail("--precision: " + mode.error().message, ErrorKind::usage);
  const auto interface = tuner::parse_interface(word);
  if (!interface) return fail("--precision: " + interface.error().message, ErrorKind::usage);
  if (asked && *asked != *interface) {
    return fail(fmt::format("--precision {} is interface and mode alike: --interface {} goes with --precision auto",
                            word, tuner::to_text(*asked)),
                ErrorKind::usage);
  }
  return Precision{*interface, false};
}

// The suite as one precision sees it: its weights have the interface's size.
tuner::Suite typed(tuner::Suite suite, const Precision& precision) {
  for (tuner::SuiteEntry& e : suite.entries) e.problem.interface = precision.interface.value_or(e.problem.interface);
  return suite;
}

Result<tuner::SuiteEntry> entry_of(const TuneOptions& o, const std::string& text) {
  const auto size = tuner::parse_gemm_size(text);
  if (!size) return fail("--gemm " + size.error().message, ErrorKind::usage);
  tuner::SuiteEntry e;
  e.problem.n = size->n;
  e.problem.k = size->k;
  e.problem.batch = o.batch;
  if (o.layout != "nn" && o.layout != "nt" && o.layout != "tn" && o.layout != "tt") {
    return fail(fmt::format("--layout {}: choose nn, nt, tn or tt", o.layout), ErrorKind::usage);
  }
  e.problem.a_layout = o.layout[0] == 'n' ? layout::row_major : layout::col_major;
  e.problem.b_layout = o.layout[1] == 'n' ? layout::row_major : layout::col_major;
  if (o.weights != "constant" && o.weights != "call") {
    return fail(fmt::format("--weights {}: choose constant or call", o.weights), ErrorKind::usage);
  }
  e.problem.constant_weights = o.weights == "constant";
  if (o.beta != 0 && o.beta != 1) return fail("--beta must be 0 or 1", ErrorKind::usage);
  e.problem.beta = o.beta;
  const auto chain = tuner::parse_epilogue(o.epilogue);
  if (!chain) return fail("--epilogue: " + chain.error().message, ErrorKind::usage);
  e.problem.chain = *chain;
  e.m = {size->m};
  if (const auto r = tuner::check_before_interface(e.problem, size->m); !r) {
    return fail("--gemm " + r.error().message, ErrorKind::usage);
  }
  return e;
}

// Several --gemm of one problem are one entry with several M: they share one packing format.
void merge(tuner::Suite& suite, tuner::SuiteEntry e) {
  for (tuner::SuiteEntry& known : suite.entries) {
    if (!(known.problem == e.problem)) continue;
    known.m.insert(known.m.end(), e.m.begin(), e.m.end());
    std::sort(known.m.begin(), known.m.end());
    known.m.erase(std::unique(known.m.begin(), known.m.end()), known.m.end());
    return;
  }
  suite.entries.push_back(std::move(e));
}

// Beside the installed binary, else where this build's sources lie; $GEMWRIGHT_PRESETS overrides both.
std::filesystem::path presets_folder() {
  const char* const chosen = std::getenv("GEMWRIGHT_PRESETS");
  if (chosen != nullptr && *chosen != '\0') return chosen;
  std::error_code ignored;
  const auto binary = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const auto installed = binary.parent_path().parent_path() / "share/gemwright/presets";
  return std::filesystem::is_directory(installed, ignored) ? installed
                                                           : std::filesystem::path(GEMWRIGHT_SOURCE_PRESETS);
}

// The cache state of one study: as asked, or by DESIGN's rule.
CacheChoice cache_of(const std::optional<CacheState>& asked, const tuner::Suite& suite, const tuner::SuiteEntry& e,
                     std::int64_t m, double l2, double l3) {
  if (!asked) return choose_cache(suite, e, m, l2, l3);
  switch (*asked) {
    case CacheState::hot:
      return {CacheState::hot, 0};
    case CacheState::rotate:
      return {CacheState::rotate, tuner::suite_weight_bytes(suite)};
    case CacheState::cold:
      break;
  }
  return {CacheState::cold, std::max(kColdBytes, 4 * l3)};
}

// Everything that the studies of one run share.
Result<tuner::StudyRequest> common_request(const TuneOptions& o, const tuner::Suite& suite, const Workplace& place) {
  tuner::StudyRequest r;
  const auto strategies = tuner::strategy_names();
  if (std::find(strategies.begin(), strategies.end(), o.strategy) == strategies.end()) {
    return fail(fmt::format("--strategy {}: choose one of {}", o.strategy, fmt::join(strategies, ", ")),
                ErrorKind::usage);
  }
  const auto protocol = tuner::measure_protocol(o.protocol);
  if (!protocol) return tl::unexpected(protocol.error());
  const auto data = tuner::parse_data_kind(o.data);
  if (!data) return fail("--data: " + data.error().message, ErrorKind::usage);
  tuner::Budget budget;
  if (!o.budget.empty()) {
    const auto b = tuner::parse_budget(o.budget);
    if (!b) return fail("--budget: " + b.error().message, ErrorKind::usage);
    budget = *b;
  }
  r.key.build = place.build;
  r.key.space_version = tuner::kSpaceVersion;
  r.key.batch_invariant = r.space.batch_invariant = o.batch_invariant;
  r.key.max_error = o.max_error;
  r.key.data = *data;
  r.attributes = {"", suite.name, 1, budget, protocol->name, o.strategy, o.seed};
  r.protocol = *protocol;
  r.space.families = profilers::families(place.cpu);
  r.space.l1d_bytes = place.cpu.l1d_bytes.value_or(r.space.l1d_bytes);
  r.space.l2_bytes = place.cpu.l2_bytes.value_or(r.space.l2_bytes);
  r.space.l3_bytes = place.cpu.l3_bytes.value_or(r.space.l3_bytes);
  r.fresh = o.fresh;
  return r;
}

}  // namespace

tuner::Device device_of(const profilers::CpuInfo& cpu, int threads) {
  tuner::Device d;
  d.fingerprint = profilers::fingerprint(cpu);
  d.name = profilers::display_name(cpu);
  d.threads = threads;
  d.properties_json = profilers::properties_json(cpu);
  return d;
}

Result<Workplace> find_workplace(const std::string& compiler) {
  Workplace w;
  w.cpu = profilers::probe_cpu();
  const auto found = tuner::find_compiler(compiler);
  if (!found) return tl::unexpected(found.error());
  w.build = tuner::build_of(*found, kVersion);
  w.presets = presets_folder() / "shapes";
  return w;
}

Result<tuner::Suite> resolve_suite(const TuneOptions& o, const std::filesystem::path& presets) {
  const int sources = (o.gemm.empty() ? 0 : 1) + (o.shapes.empty() ? 0 : 1) + (o.preset.empty() ? 0 : 1);
  if (sources != 1)
    return fail("say what to tune with one of --gemm MxNxK, --shapes FILE and --preset NAME", ErrorKind::usage);
  Result<tuner::Suite> suite = tuner::Suite{};
  if (!o.gemm.empty()) {
    suite->name = "command line";
    for (const std::string& text : o.gemm) {
      auto e = entry_of(o, text);
      if (!e) return tl::unexpected(e.error());
      merge(*suite, std::move(*e));
    }
  } else {
    suite = o.preset.empty() ? tuner::read_shapes_file(o.shapes) : tuner::read_preset(presets, o.preset);
    if (!suite) return suite;
  }
  if (!o.m.empty()) {
    const auto list = tuner::parse_m_list(o.m);
    if (!list) return fail("--m: " + list.error().message, ErrorKind::usage);
    for (tuner::SuiteEntry& e : suite->entries) e.m = *list;
  }
  for (const tuner::SuiteEntry& e : suite->entries) {
    for (const std::int64_t m : e.m) {
      if (const auto r = tuner::check_before_interface(e.problem, m); !r) return tl::unexpected(r.error());
    }
  }
  return suite;
}

CacheChoice choose_cache(const tuner::Suite& suite, const tuner::SuiteEntry& entry, std::int64_t m, double l2_bytes,
                         double l3_bytes) {
  const bool small = tuner::min_bytes(entry.problem, m) <= l2_bytes;
  if (!entry.problem.constant_weights || (suite.entries.size() == 1 && small)) return {CacheState::hot, 0};
  const double weights = tuner::suite_weight_bytes(suite);
  if (weights > l3_bytes / 2) return {CacheState::cold, std::max(kColdBytes, 4 * l3_bytes)};
  return {CacheState::rotate, weights};
}

Result<std::vector<int>> parse_threads(const std::string& text, int available) {
  if (text.empty()) return std::vector<int>{std::max(available, 1)};
  std::set<int> out;
  for (const std::string_view part : tuner::split(text, ',')) {
    const auto threads = tuner::parse_count(part);
    if (!threads || *threads < 1 || *threads > kMaxThreads) {
      return fail(fmt::format("--threads {}: give whole numbers from 1 to {}, as 1,2", text, kMaxThreads),
                  ErrorKind::usage);
    }
    out.insert(static_cast<int>(*threads));
  }
  return std::vector<int>(out.begin(), out.end());
}

Result<std::vector<Precision>> parse_precisions(const TuneOptions& o) {
  const auto asked = parse_asked_interface(o.interface);
  if (!asked) return tl::unexpected(asked.error());
  if (o.precision.empty()) return std::vector<Precision>{{*asked, false}};
  if (o.precision == "auto") {
    if (!o.max_error) return fail("--precision auto needs a bound: add --max-error E", ErrorKind::usage);
    return std::vector<Precision>{{*asked, true}};
  }
  std::vector<Precision> all;
  for (const std::string_view word : tuner::split(o.precision, ',')) {
    const auto one = listed_precision(word, *asked);
    if (!one) return tl::unexpected(one.error());
    const bool twice =
        std::any_of(all.begin(), all.end(), [&](const Precision& p) { return p.interface == one->interface; });
    if (!twice) all.push_back(*one);
  }
  return all;
}

namespace {

// The studies of one entry: every thread count and M.
Result<void> plan_entry(const tuner::StudyRequest& common, const tuner::Suite& suite, const tuner::SuiteEntry& e,
                        const std::vector<int>& threads, const std::optional<CacheState>& asked, const Workplace& place,
                        std::vector<PlannedStudy>& out) {
  for (const int t : threads) {
    const tuner::Device device = device_of(place.cpu, t);
    for (const std::int64_t m : e.m) {
      if (const auto r = tuner::check(e.problem, m); !r) return r;
      tuner::StudyRequest r = common;
      const CacheChoice cache =
          cache_of(asked, suite, e, m, static_cast<double>(r.space.l2_bytes), static_cast<double>(r.space.l3_bytes));
      r.key.problem = r.space.problem = e.problem;
      r.key.m = r.space.m = m;
      r.key.device = device;
      r.key.cache = cache.state;
      r.key.cache_bytes = r.space.cache_bytes = cache.bytes;
      r.attributes.name = e.name;
      r.attributes.weight = e.weight;
      r.space.threads = t;
      PlannedStudy planned{e, std::move(r)};
      if (t > place.cpu.allowed_cpus) {
        if (!planned.entry.note.empty()) planned.entry.note += "; ";
        planned.entry.note +=
            fmt::format("{} threads share {} CPUs: neither side's speed means much", t, place.cpu.allowed_cpus);
      }
      out.push_back(std::move(planned));
    }
  }
  return {};
}

}  // namespace

Result<std::vector<PlannedStudy>> plan_studies(const TuneOptions& o, const tuner::Suite& suite,
                                               const Workplace& place) {
  if (const auto r = check_built(o); !r) return tl::unexpected(r.error());
  const auto precisions = parse_precisions(o);
  if (!precisions) return tl::unexpected(precisions.error());
  const auto threads = parse_threads(o.threads, place.cpu.allowed_cpus);
  if (!threads) return tl::unexpected(threads.error());
  auto common = common_request(o, suite, place);
  if (!common) return tl::unexpected(common.error());
  std::optional<CacheState> asked;
  if (o.cache != "auto") {
    const auto c = tuner::parse_cache_state(o.cache);
    if (!c) return fail("--cache: " + c.error().message, ErrorKind::usage);
    asked = *c;
  }
  std::vector<PlannedStudy> out;
  for (const Precision& p : *precisions) {
    const tuner::Suite of_type = typed(suite, p);
    for (const tuner::SuiteEntry& e : of_type.entries) {
      const tuner::Interface interface = e.problem.interface;
      common->key.modes = p.every_mode ? tuner::modes_behind(interface) : std::vector{tuner::own_mode(interface)};
      common->space.modes = common->key.modes;
      if (const auto r = plan_entry(*common, of_type, e, *threads, asked, place, out); !r) {
        return tl::unexpected(r.error());
      }
    }
  }
  return out;
}

}  // namespace gemwright::app
