// Runs one study: opens or continues it in the store, proposes, verifies, screens, races, confirms, and records every
// step.
//
// The engine asks the state machines of measure/race.h what to time, the measurer measures and the store keeps. Each
// block is stored before the next begins, so whatever kills the process, the same request goes on from the last block.
// Failed candidates are rows like others. Events that other processes write into the store (study/steer.h) are read
// between blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tuner/space/space.h"
#include "tuner/study/measure_protocol.h"
#include "tuner/study/measurer.h"
#include "tuner/study/store.h"

namespace gemwright::tuner {

struct StudyRequest {
  StudyKey key;
  StudyAttributes attributes;
  MeasureProtocol protocol;
  SpaceInput space;
  std::vector<Config> known_good;  // winners of similar studies: half of each batch, until all are tried
  // Of the studies of the same problem so far: some seeds of it are tried early, and its best is confirmed too where it
  // is close, so that what the format costs this M is known.
  std::optional<PackingFormat> likely_format;
  bool fresh = false;
  // Goes on with a study that may be finished, for this much more; `space` may be narrower than before.
  std::optional<Budget> follow_up;
};

struct StudyProgress {
  StudyId study = 0;
  std::string phase;                    // "setup", "search", "race", "confirm", "count", "done"; "paused" in between
  std::int64_t trials = 0, failed = 0;  // of this study so far
  std::optional<double> best_gflops, baseline_gflops, best_ratio;  // not confirmed before "done"
  double spent_seconds = 0, budget_seconds = 0;
};

struct EngineHooks {
  std::function<double()> now;                         // monotonic seconds
  std::function<void(const StudyProgress&)> progress;  // called between blocks only
  std::function<bool()> stop;                          // true: save and end with ErrorKind::interrupted
  std::function<void(double)> sleep;                   // seconds; called while the study is paused
};

struct StudyResult {
  StudyRecord record;
  bool reused = false;  // it was finished before and the budget is no larger
};

// ErrorKind::nothing_valid when no candidate passed.
Result<StudyResult> run_study(Store& store, Measurer& measurer, const StudyRequest& request, const EngineHooks& hooks);

// Winners of other studies that fit this one: the same problem first (other M, nearest first), then problems of the
// same kind. Canonical and valid in `space`, without repeats.
Result<std::vector<Config>> known_good_configs(const Store& store, const StudyKey& key, const SpaceInput& space,
                                               std::size_t most);

}  // namespace gemwright::tuner
