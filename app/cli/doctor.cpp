// gemwright doctor
#include "app/model/doctor.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "app/cli/commands.h"
#include "app/cli/common.h"
#include "db/store.h"
#include "tuner/baseline/baseline.h"
#include "tuner/toolchain/compiler.h"
#include "tuner/toolchain/library_cache.h"

namespace gemwright::app {
namespace {

struct Options {
  std::string db;
  bool json = false;
};

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

std::vector<DoctorFinding> database(const std::string& option) {
  const auto path = database_path(option);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    return {{path.string(), {}, "does not exist yet: 'gemwright tune' makes it"}};
  const auto health = db::check_health(path);
  return {health ? DoctorFinding{path.string(), *health, ""}
                 : DoctorFinding{path.string(), {}, health.error().message}};
}

int run(const Options& o) {
  const DoctorInput input{profilers::probe_cpu(), profilers::probe_host(), compilers(), libraries(), database(o.db)};
  const auto lines = doctor(input);
  fmt::print("{}", o.json ? doctor_json(lines) : doctor_table(lines));
  return kDone;
}

}  // namespace

Runner add_doctor(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("--db", o->db, "Database whose health is checked (default: $GEMWRIGHT_DB or gemwright.db)");
  app.add_flag("--json", o->json, "JSON lines on standard output");
  return [o] { return run(*o); };
}

}  // namespace gemwright::app
