#include "app/model/live_study.h"

#include <algorithm>
#include <cmath>

#include "db/store.h"
#include "profilers/cpu_info.h"

namespace gemwright::app {
namespace {

// Blocks of a trial, each beside one of the baseline and one of the anchor.
constexpr std::int64_t kRounds = 3, kSubjects = 3;

tuner::StudyKey live_key() {
  const profilers::CpuInfo cpu = profilers::probe_cpu();
  tuner::StudyKey key;
  key.problem.n = key.problem.k = 4096;
  key.m = 8;
  key.device = {profilers::fingerprint(cpu), "cpu", profilers::display_name(cpu), 1, "{}"};
  key.build = {"none", GEMWRIGHT_VERSION, "none", "", "", ""};
  key.space_version = 1;
  key.modes = {tuner::ComputeMode::f32};
  return key;
}

tuner::Config config_of(std::int64_t trial) {
  tuner::Config c;
  c.tile = {gemwright::isa::avx2, static_cast<int>(1 + trial % 4), 1, 1, 1, gemwright::prefetch::none};
  c.format.panel = 8;
  c.blocking = {64 + trial,
                64 << trial % 3,
                64 << trial % 5,
                gemwright::loop_order::nkm,
                true,
                gemwright::a_packing::none,
                1,
                1,
                1,
                0};
  return c;
}

}  // namespace

tuner::Result<LiveStudy> LiveStudy::begin(const std::filesystem::path& database) {
  auto store = db::open_store(database, db::OpenMode::read_write);
  if (!store) return tl::unexpected(store.error());
  LiveStudy out(std::move(*store));
  tuner::StudyAttributes attributes;
  attributes.name = "window";
  attributes.strategy = attributes.protocol = "none";
  const auto study = out.store_->open_study(live_key(), attributes, false);
  if (!study) return tl::unexpected(study.error());
  out.study_ = study->id;
  if (const auto ok = out.store_->set_baseline(out.study_, "baseline", ""); !ok) return tl::unexpected(ok.error());
  const auto baseline = out.store_->add_subject(out.study_, tuner::SubjectKind::baseline, {}, "baseline");
  const auto anchor = out.store_->add_subject(out.study_, tuner::SubjectKind::anchor, {}, "anchor");
  if (!baseline) return tl::unexpected(baseline.error());
  if (!anchor) return tl::unexpected(anchor.error());
  out.baseline_ = baseline->id;
  out.anchor_ = anchor->id;
  return out;
}

tuner::Result<void> LiveStudy::add_trial() {
  auto trial = store_->add_trial(study_, config_of(trials_++), "random");
  if (!trial) return tl::unexpected(trial.error());
  trial->state = tuner::TrialState::ok;
  trial->error_fro = 3e-7;
  if (const auto ok = store_->update_trial(*trial); !ok) return ok;
  const auto subject = store_->add_subject(study_, tuner::SubjectKind::trial, trial->id, "");
  if (!subject) return tl::unexpected(subject.error());
  trial_ = subject->id;
  rows_ += 2;
  return {};
}

tuner::Result<void> LiveStudy::add_block(double seconds) {
  if (blocks_ % (kRounds * kSubjects) == 0) {
    if (const auto ok = add_trial(); !ok) return ok;
  }
  const std::int64_t which = blocks_ % kSubjects;
  tuner::Sample s;
  s.subject = which == 0 ? baseline_ : (which == 1 ? anchor_ : trial_);
  s.round = blocks_ / kSubjects;
  s.position = static_cast<int>(which);
  s.calls = 1;
  s.ns = std::llround(std::max(seconds, 1e-9) * 1e9);
  ++blocks_;
  ++rows_;
  return store_->add_sample(s);
}

}  // namespace gemwright::app
