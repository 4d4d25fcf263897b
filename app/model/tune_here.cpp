#include "app/model/tune_here.h"

#include <fmt/format.h>

#include <chrono>
#include <set>
#include <thread>

#include "app/model/continuation.h"
#include "app/model/cpu_share.h"
#include "app/model/file_stamp.h"
#include "app/model/steer.h"
#include "app/model/tuning.h"
#include "db/store.h"
#include "tuner/worker/client.h"

namespace gemwright::app {
namespace {

std::string done_text(const StudyFigures& f, bool reused) {
  const tuner::StudyRecord& s = f.study;
  std::string text = fmt::format("{} M={} N={} K={}: ", s.attributes.name.empty() ? "gemm" : s.attributes.name, s.key.m,
                                 s.key.problem.n, s.key.problem.k);
  text += f.best ? number_text(f.best->gflops, 1) + " GFLOP/s" : "no figure";
  if (f.best && f.best->ratio) text += fmt::format(" = {:.2f}x {}", *f.best->ratio, s.baseline);
  return text + fmt::format(", {}, study {}{}", s.outcome.verdict, s.id, reused ? " (known before)" : "");
}

TuningHooks hooks_of(const TuningSink& sink) {
  TuningHooks hooks;
  hooks.now = [] { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); };
  hooks.stop = sink.stop;
  hooks.sleep = [](double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); };
  hooks.begin = [&sink](const PlannedStudy& s, std::size_t i, std::size_t n) { sink.begin(title(s), i, n); };
  hooks.progress = sink.progress;
  hooks.failed = [&sink](const PlannedStudy& s, const tuner::Error& e) {
    sink.failed(fmt::format("{}: {}", title(s), e.message));
  };
  auto said = std::make_shared<std::set<std::string>>();
  hooks.done = [&sink, said](const StudyFigures& f, bool reused) {
    const std::string& why = f.study.baseline_reason;
    if (f.study.baseline.empty() && said->insert(why).second) sink.note("no baseline: " + why);
    sink.done(done_text(f, reused));
  };
  return hooks;
}

tuner::Result<std::vector<PlannedStudy>> planned(const TuningJob& job, const tuner::Store& store) {
  if (!job.study) {
    const auto place = find_workplace(job.options.compiler);
    if (!place) return tl::unexpected(place.error());
    const auto suite = resolve_suite(job.options, place->presets);
    if (!suite) return tl::unexpected(suite.error());
    return plan_studies(job.options, *suite, *place);
  }
  if (const auto shown = check_shown(store, {*job.study, job.created_at}, job.database.string()); !shown) {
    return tl::unexpected(shown.error());
  }
  const auto studies = store.studies();
  if (!studies) return tl::unexpected(studies.error());
  const auto chosen = study_to_continue(*studies, *job.study);
  if (!chosen) return tl::unexpected(chosen.error());
  const auto place = find_workplace(chosen->key.build.compiler);
  if (!place) return tl::unexpected(place.error());
  auto study = continuation(*chosen, *place);
  if (!study) return tl::unexpected(study.error());
  return std::vector{std::move(*study)};
}

}  // namespace

tuner::Result<std::filesystem::path> find_gemwright() {
  std::error_code ignored;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const auto& file : {folder / "gemwright", folder.parent_path() / "cli" / "gemwright"}) {
    if (std::filesystem::is_regular_file(file, ignored)) return file;
  }
  return tuner::fail(fmt::format("gemwright, which measures for the window, is not in {}", folder.string()));
}

tuner::Result<void> tune_here(const TuningJob& job, const TuningSink& sink, const std::vector<int>& cpus) {
  const CpusHere all(cpus);
  const auto gemwright = find_gemwright();
  if (!gemwright) return tl::unexpected(gemwright.error());
  if (job.study && !file_identity(job.database)) {
    return tuner::fail(fmt::format("{} is gone: study {} cannot go on", job.database.string(), *job.study));
  }
  const auto store = db::open_store(job.database, db::OpenMode::read_write);
  if (!store) return tl::unexpected(store.error());
  auto studies = planned(job, **store);
  if (!studies) return tl::unexpected(studies.error());
  const auto worker = tuner::WorkerClient::start({gemwright->string(), "worker"}, {sink.notice, sink.stop});
  if (!worker) return tl::unexpected(worker.error());
  for (const std::string& note : notes(*studies)) sink.note(note);
  return run_studies(**store, **worker, *studies, hooks_of(sink));
}

}  // namespace gemwright::app
