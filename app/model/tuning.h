// Runs planned studies one after the other over one store and one measurer.
#pragma once

#include <functional>
#include <vector>

#include "app/model/figures.h"
#include "app/model/plan.h"
#include "tuner/study/engine.h"

namespace gemwright::app {

struct TuningHooks {
  std::function<double()> now;
  std::function<bool()> stop;
  std::function<void(double)> sleep;  // seconds; while a study is paused
  std::function<void(const PlannedStudy&, std::size_t index, std::size_t count)> begin;
  std::function<void(const tuner::StudyProgress&)> progress;
  std::function<void(const StudyFigures&, bool reused)> done;
  std::function<void(const PlannedStudy&, const tuner::Error&)> failed;  // nothing valid: the next study goes on
};

// Weights are packed once for all M of a problem, so after its studies those that lose by the format that serves the
// problem best, or did not measure it, are followed up in that format (tuner/header/dispatch.h chooses it). The error
// of the first study that cannot go on; ErrorKind::nothing_valid at the end when some study found nothing.
tuner::Result<void> run_studies(tuner::Store& store, tuner::Measurer& measurer, std::vector<PlannedStudy>& studies,
                                const TuningHooks& hooks);

// What a person should know before these run: notes of the suite's rows, the cache state chosen.
std::vector<std::string> notes(const std::vector<PlannedStudy>& studies);

// "qkv M=8 N=6144 K=4096, 2 threads, cold"
std::string title(const PlannedStudy& study);

}  // namespace gemwright::app
