#include "app/model/stale.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "profilers/cpu_info.h"
#include "tuner/problem/input_text.h"
#include "tuner/space/space.h"
#include "tuner/toolchain/kernel_source.h"

namespace gemwright::app {
namespace {

using tuner::StudyRecord;

// More would bury what follows.
constexpr std::size_t kMaxCommands = 2, kMaxStudies = 8;

// The form that asks for one study, without its sizes.
TuneForm form_of(const StudyRecord& s, const Today& today) {
  const tuner::StudyKey& k = s.key;
  TuneForm f;
  f.sizes.clear();
  const auto& presets = today.presets;
  if (std::find(presets.begin(), presets.end(), s.attributes.suite) != presets.end()) {
    f.source = TuneSource::preset;
    f.preset = s.attributes.suite;
  } else {
    f.layout = tuner::layout_text(k.problem);
    f.weights = k.problem.constant_weights ? "constant" : "call";
    f.batch = std::to_string(k.problem.batch);
    f.beta = k.problem.beta != 0;
    f.epilogue = tuner::epilogue_text(k.problem.chain);
  }
  f.interface = tuner::to_text(k.problem.interface);
  f.precision = k.modes.size() == 1 ? std::string(tuner::to_text(k.modes.front())) : "auto";
  if (f.precision == f.interface) f.interface = TuneForm().interface;  // the precision alone says it
  if (k.max_error) f.max_error = fmt::format("{}", *k.max_error);
  f.batch_invariant = k.batch_invariant;
  f.data = tuner::to_text(k.data);
  f.threads = std::to_string(k.device.threads);
  f.compiler = tuner::printable(k.build.compiler);
  f.cache = tuner::to_text(k.cache);
  f.protocol = tuner::printable(s.attributes.protocol);
  f.strategy = tuner::printable(s.attributes.strategy);
  f.seed = std::to_string(s.attributes.seed);
  const tuner::Budget& b = s.attributes.budget;
  if (b.seconds || b.trials) f.budget = tuner::to_text(b);
  return f;
}

std::string studies_text(const std::vector<tuner::StudyId>& ids) {
  const std::size_t shown = std::min(ids.size(), kMaxStudies);
  const std::vector<tuner::StudyId> first(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(shown));
  const std::string more = ids.size() > shown ? fmt::format(" and {} more", ids.size() - shown) : "";
  return fmt::format("{} {}{} {}", ids.size() == 1 ? "study" : "studies", fmt::join(first, ", "), more,
                     ids.size() == 1 ? "was" : "were");
}

}  // namespace

Today find_today(const std::vector<StudyRecord>& studies) {
  Today t;
  t.fingerprint = profilers::fingerprint(profilers::probe_cpu());
  std::set<std::string> compilers;
  // A database may name anything: nothing else is run.
  for (const StudyRecord& s : studies) {
    const std::string& name = s.key.build.compiler;
    if (name == "g++" || name == "clang++") compilers.insert(name);
  }
  for (const std::string& compiler : compilers) {
    const auto place = find_workplace(compiler);
    if (!place) continue;
    t.builds[compiler] = place->build.digest;
    if (t.presets.empty()) t.presets = tuner::preset_names(place->presets);
  }
  return t;
}

bool cannot_ship(const StudyRecord& s) {
  return s.key.build.source_digest != tuner::source_digest() || s.key.space_version != tuner::kSpaceVersion;
}

std::optional<std::string> change_since(const StudyRecord& s, const Today& t) {
  if (s.key.build.source_digest != tuner::source_digest()) return "with other kernels";
  if (s.key.space_version != tuner::kSpaceVersion) return "over another search space";
  if (s.key.device.kind == "cpu" && s.key.device.fingerprint != t.fingerprint) return "on another machine";
  const auto build = t.builds.find(s.key.build.compiler);
  if (build != t.builds.end() && build->second != s.key.build.digest) return "with another compiler";
  return std::nullopt;
}

std::vector<std::string> tune_again_commands(const std::vector<StudyRecord>& studies, const Today& today,
                                             const std::filesystem::path& database) {
  struct Command {
    TuneForm form;
    std::set<std::int64_t> m;  // of a preset
    std::set<std::string> sizes;
  };
  std::vector<Command> commands;
  for (const StudyRecord& s : studies) {
    TuneForm form = form_of(s, today);
    auto same = std::find_if(commands.begin(), commands.end(), [&](const Command& c) { return c.form == form; });
    if (same == commands.end()) same = commands.insert(same, {std::move(form), {}, {}});
    if (same->form.source == TuneSource::preset) {
      same->m.insert(s.key.m);
    } else {
      same->sizes.insert(fmt::format("{}x{}x{}", s.key.m, s.key.problem.n, s.key.problem.k));
    }
  }
  std::vector<std::string> out;
  for (Command& c : commands) {
    c.form.m = fmt::format("{}", fmt::join(c.m, ","));
    c.form.sizes = fmt::format("{}", fmt::join(c.sizes, " "));
    const std::string text = command_text(c.form, database.string());
    out.push_back(database.empty() ? text.substr(0, text.rfind(" --db ")) : text);
  }
  return out;
}

std::string tune_again_text(const std::vector<StudyRecord>& studies, const Today& today,
                            const std::filesystem::path& database) {
  std::map<std::string, std::vector<tuner::StudyId>> by_change;
  std::vector<StudyRecord> changed;
  for (const StudyRecord& s : studies) {
    const auto change = change_since(s, today);
    if (!change) continue;
    by_change[*change].push_back(s.id);
    changed.push_back(s);
  }
  if (changed.empty()) return "";
  auto commands = tune_again_commands(changed, today, database);
  const std::size_t more = commands.size() - std::min(commands.size(), kMaxCommands);
  commands.resize(commands.size() - more);
  std::vector<std::string> reasons;
  for (const auto& [change, ids] : by_change) reasons.push_back(fmt::format("{} tuned {}", studies_text(ids), change));
  return fmt::format("tune again with '{}'{}: {}", fmt::join(commands, "' and '"),
                     more > 0 ? fmt::format(" and {} more such commands", more) : "", fmt::join(reasons, "; "));
}

}  // namespace gemwright::app
