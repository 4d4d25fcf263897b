#include "app/model/export_plan.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <iterator>

#include "app/model/contents.h"
#include "app/model/filter.h"
#include "app/model/stale.h"
#include "app/model/write_file.h"
#include "app/version.h"
#include "tuner/header/export.h"
#include "tuner/toolchain/digest.h"

namespace gemwright::app {
namespace {

tuner::Result<double> parse_regret(const std::string& text) {
  char* end = nullptr;
  double value = std::strtod(text.c_str(), &end);
  const std::string rest = end;
  if (rest == "%") value /= 100;
  if (text.empty() || (!rest.empty() && rest != "%") || !(value >= 0 && value <= 1)) {
    return tuner::fail(fmt::format("--max-regret {}: give a percentage from 0% to 100%", text),
                       tuner::ErrorKind::usage);
  }
  return value;
}

// The studies whose rows match; an unknown field is refused.
tuner::Result<std::function<bool(const tuner::StudyRecord&)>> study_filter(const tuner::Store& store,
                                                                           const std::string& text) {
  const auto filter = parse_filter(text);
  if (!filter) return tl::unexpected(filter.error());
  const auto chosen = chosen_studies(store, *filter);
  if (!chosen) return tl::unexpected(chosen.error());
  if (chosen->empty()) {
    if (const auto r = check_studies(store, *filter, true); !r) return tl::unexpected(r.error());
  }
  std::vector<tuner::StudyId> ids;
  for (const tuner::StudyRecord& s : *chosen) ids.push_back(s.id);
  return [ids = std::move(ids)](const tuner::StudyRecord& s) {
    return std::find(ids.begin(), ids.end(), s.id) != ids.end();
  };
}

tuner::Result<tuner::ExportRequest> request_of(const tuner::Store& store, const ExportOptions& o) {
  const auto regret = parse_regret(o.max_regret);
  if (!regret) return tl::unexpected(regret.error());
  auto filter = study_filter(store, o.filter);
  if (!filter) return tl::unexpected(filter.error());
  tuner::ExportRequest request;
  request.style = o.style == "library" ? tuner::HeaderStyle::library : tuner::HeaderStyle::standalone;
  request.name_space = o.name_space;
  request.max_regret = *regret;
  request.filter = std::move(*filter);
  request.tool_version = kVersion;
  request.date = fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::time(nullptr)));
  return request;
}

// What could be in the header.
tuner::Result<std::vector<tuner::StudyRecord>> confirmed_studies(const tuner::Store& store,
                                                                 const tuner::ExportRequest& request) {
  auto studies = store.studies();
  if (!studies) return studies;
  std::erase_if(*studies, [&](const tuner::StudyRecord& s) { return !s.outcome.best_trial || !request.filter(s); });
  return studies;
}

std::vector<tuner::StudyRecord> left_out(const std::vector<tuner::StudyRecord>& studies) {
  std::vector<tuner::StudyRecord> out;
  std::copy_if(studies.begin(), studies.end(), std::back_inserter(out), cannot_ship);
  return out;
}

tuner::Error explained(const tuner::Error& error, const std::vector<tuner::StudyRecord>& studies,
                       const std::filesystem::path& database) {
  const std::string again = studies.empty() ? "" : tune_again_text(studies, find_today(studies), database);
  if (again.empty()) return error;
  // With nothing else to ship there is nothing else to say.
  return {left_out(studies).size() == studies.size() ? again : again + "; " + error.message, error.kind};
}

}  // namespace

tuner::Result<void> check_export(const ExportOptions& o) {
  if (o.style != "standalone" && o.style != "library") {
    return tuner::fail(fmt::format("--style {}: choose standalone or library", o.style), tuner::ErrorKind::usage);
  }
  if (const auto regret = parse_regret(o.max_regret); !regret) return tl::unexpected(regret.error());
  return {};
}

tuner::Result<PlannedExport> plan_header(const tuner::Store& store, const ExportOptions& options,
                                         const std::filesystem::path& database) {
  if (const auto r = check_export(options); !r) return tl::unexpected(r.error());
  const auto request = request_of(store, options);
  if (!request) return tl::unexpected(request.error());
  auto plan = tuner::plan_export(store, *request);
  const auto studies = confirmed_studies(store, *request);
  if (!studies) return tl::unexpected(studies.error());
  if (!plan) return tl::unexpected(explained(plan.error(), *studies, database));
  if (const auto left = left_out(*studies); !left.empty()) {
    plan->notes.insert(plan->notes.begin(), tune_again_text(left, find_today(left), database));
  }
  auto text = tuner::write_header(plan->spec);
  if (!text) return tl::unexpected(text.error());
  PlannedExport out{std::move(*text), plan->trials, plan->notes, {}};
  for (const std::string& name : tuner::problem_namespaces(plan->spec.problems)) {
    out.namespaces.push_back(fmt::format("{}::{}", options.name_space, name));
  }
  return out;
}

tuner::Result<void> write_export(tuner::Store& store, const std::filesystem::path& file, const PlannedExport& plan) {
  if (file.empty()) return tuner::fail("--output is empty: name the header to write", tuner::ErrorKind::usage);
  if (auto r = write_file(file, plan.text); !r) return r;
  return store.record_export(file.string(), tuner::digest_of({plan.text}), plan.trials);
}

std::string export_text(const PlannedExport& plan) {
  const std::size_t problems = plan.namespaces.size();
  return fmt::format("{} problem{}, {} bytes", problems, problems == 1 ? "" : "s", plan.text.size());
}

}  // namespace gemwright::app
