#include "app/model/doctor_probe.h"

#include <fmt/format.h>

#include "app/model/cpu_share.h"
#include "app/model/figures.h"
#include "db/store.h"
#include "tuner/baseline/baseline.h"
#include "tuner/toolchain/compiler.h"
#include "tuner/toolchain/library_cache.h"
#include "tuner/worker/machine_lock.h"

namespace gemwright::app {
namespace {

// Of the A/A runs: enough for some hundred pairs.
constexpr double kNoiseSeconds = 0.3;

std::vector<DoctorFinding> compilers() {
  std::vector<DoctorFinding> out;
  for (const char* name : {"g++", "clang++"}) {
    const auto found = tuner::find_compiler(name);
    out.push_back(found ? DoctorFinding{name, found->version, found->path}
                        : DoctorFinding{name, {}, found.error().message});
  }
  const auto folder = tuner::LibraryCache::default_folder();
  const auto cache = folder ? tuner::LibraryCache::open(*folder) : tl::unexpected(folder.error());
  out.push_back(cache ? DoctorFinding{"kernel cache", cache->folder().string(), ""}
                      : DoctorFinding{"kernel cache", {}, cache.error().message});
  return out;
}

std::vector<DoctorFinding> libraries() {
  const auto baseline = tuner::make_onednn();
  return {baseline ? DoctorFinding{"baseline", (*baseline)->name(), ""}
                   : DoctorFinding{"baseline", {}, baseline.error().message}};
}

tuner::Result<void> read_every_row(const std::filesystem::path& path) {
  const auto store = db::open_store(path, db::OpenMode::read_only);
  if (!store) return tl::unexpected(store.error());
  const auto all = (*store)->studies();
  if (!all) return tl::unexpected(all.error());
  for (const tuner::StudyRecord& s : *all) {
    if (const auto r = (*store)->trials(s.id); !r) return tl::unexpected(r.error());
    if (const auto r = (*store)->samples(s.id); !r) return tl::unexpected(r.error());
    if (const auto r = (*store)->counters(s.id); !r) return tl::unexpected(r.error());
    if (const auto r = (*store)->ceilings(s.id); !r) return tl::unexpected(r.error());
    if (const auto r = (*store)->events(s.id); !r) return tl::unexpected(r.error());
  }
  return {};
}

std::vector<DoctorFinding> database(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    return {{path.string(), {}, "does not exist yet: 'gemwright tune' makes it"}};
  const auto health = db::check_health(path);
  if (!health) return {{path.string(), {}, health.error().message}};
  // Whole pages may still hold rows without meaning.
  const auto read = read_every_row(path);
  return {read ? DoctorFinding{path.string(), *health, ""} : DoctorFinding{path.string(), {}, read.error().message}};
}

// Their states; none where the database cannot be read, which its health has told.
std::vector<StudyFigures> studies(const std::filesystem::path& path) {
  std::vector<StudyFigures> out;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return out;
  const auto store = db::open_store(path, db::OpenMode::read_only);
  const auto all = store ? (*store)->studies() : tl::unexpected(store.error());
  if (!all) return out;
  for (const tuner::StudyRecord& s : *all) {
    if (auto figures = study_figures(**store, s)) out.push_back(std::move(*figures));
  }
  return out;
}

std::string holder_text(const tuner::LockInfo& info) {
  std::string text = info.pid ? fmt::format("process {} measures", *info.pid) : "another process measures";
  if (!info.study.empty()) text += " " + info.study;
  return text + (info.uid ? fmt::format(" (user {})", *info.uid) : "");
}

// Noise floor and ceilings, as the machine's only measurer.
void measure(DoctorInput& in) {
  const auto path = tuner::machine_lock_path();
  in.lock = {"machine lock", {}, ""};
  auto lock = tuner::MachineLock::open(path);
  const auto taken = lock ? lock->try_take() : tl::unexpected(lock.error());
  if (!taken) {
    in.lock.reason = in.not_measured = taken.error().message;
    return;
  }
  if (!*taken) {
    const auto holder = tuner::read_machine_lock(path);
    in.lock.value = fmt::format("{}: {}", path.string(), holder ? holder_text(*holder) : "another process measures");
    in.not_measured = "another process measures on this machine, and would be disturbed";
    return;
  }
  in.lock.value = fmt::format("{}: nobody else measures", path.string());
  lock->set_study("gemwright doctor");
  lock->set_timing(true);
  in.measured = DoctorMeasurements{profilers::measure_noise(kNoiseSeconds),
                                   profilers::measure_ceilings(in.cpu, {.threads = in.cpu.allowed_cpus})};
  lock->set_timing(false);
}

// Who measures, where nothing is measured here.
void look_at_lock(DoctorInput& in, const std::string& reason) {
  const auto path = tuner::machine_lock_path();
  const auto holder = tuner::read_machine_lock(path);
  in.lock = {"machine lock", path.string() + ": " + (holder ? holder_text(*holder) : "nobody else measures"), ""};
  in.not_measured = reason;
}

}  // namespace

DoctorInput probe_doctor(const DoctorProbe& probe) {
  DoctorInput input;
  {
    // Only for as long as this is asked: compilers and databases take longer, and stay off the CPU that is measured on.
    const CpusHere all(probe.cpus);
    input.cpu = profilers::probe_cpu();
    input.allowed_cpus = allowed_cpus();
  }
  input.host = profilers::probe_host();
  input.counters = profilers::availability(profilers::counter_ladder(input.cpu));
  input.compilers = compilers();
  input.libraries = libraries();
  input.database = database(probe.database);
  input.studies = studies(probe.database);
  if (probe.measure) {
    measure(input);
  } else {
    look_at_lock(input, probe.not_measured);
  }
  return input;
}

}  // namespace gemwright::app
