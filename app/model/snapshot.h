// What the views read: every study of the open databases with its trials as columns and their figures, at one moment.
//
// A snapshot never changes; a newer one is another object that shares what stayed the same, so that reading needs no
// lock and refreshing a large database costs what its running studies cost.
//
// Figures are those of `show trials`: confirmed, else from the race, else from screening.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/model/figures.h"
#include "app/model/file_stamp.h"
#include "app/model/roofline.h"
#include "app/model/selection.h"
#include "tuner/study/store.h"

namespace gemwright::app {

// One entry a trial, in the order of proposal.
struct TrialColumns {
  std::vector<tuner::TrialState> state;
  std::vector<std::optional<double>> gflops, ratio, error;
};

// One anchor call beside the candidates: what the machine itself did in that round.
struct RoundNoise {
  std::int64_t round = 0;
  double anchor = 1;  // its time over the median of the phase; above 1 the machine was slower
  tuner::Phase phase = tuner::Phase::screen;
  tuner::Disturbance disturbance = tuner::Disturbance::none;  // of any block of the round
};

struct StudySnapshot {
  StudyRef ref;
  StudyFigures figures;
  std::vector<tuner::Trial> trials;  // by seq
  std::vector<std::optional<tuner::Estimate>> estimates;
  TrialColumns columns;
  std::optional<tuner::Estimate> baseline;  // confirmed, or as the search has timed it so far
  std::vector<RoundNoise> noise;            // by round
  RooflineStudy roofline;                   // its trials by their order here, those with a figure
  std::vector<tuner::StudyEvent> events;

  const tuner::StudyRecord& record() const { return figures.study; }
  std::optional<std::size_t> find(tuner::TrialId trial) const;
  // As `show trials --json` prints it, and as filters see it.
  nlohmann::json row(std::size_t trial) const { return trial_row(figures, trials[trial], estimates[trial]); }
};

struct DatabaseSnapshot {
  std::filesystem::path path;
  bool loaded = false;  // false with an empty error: not read yet
  std::string error;    // why the last reading failed; the studies are those of the one before
  std::vector<std::shared_ptr<const StudySnapshot>> studies;  // by id
  bool closed = false;  // was open before: holds nothing and keeps its place, so that others keep theirs
  bool absent = false;  // there is no such file yet: `error` says how it comes to be
  // What was read; a snapshot of another one at the same path has none of its studies.
  std::optional<FileIdentity> file = {};
};

struct Snapshot {
  std::vector<DatabaseSnapshot> databases;

  const StudySnapshot* find(const std::optional<StudyRef>& study) const;
  bool loading() const;
  std::size_t studies() const;
};

tuner::Result<StudySnapshot> study_snapshot(const tuner::Store& store, const tuner::StudyRecord& record, int database);

// Reads again what changed since `previous`: studies that are new, were touched, or are running.
DatabaseSnapshot refreshed(const tuner::Store& store, const DatabaseSnapshot& previous, int database);

}  // namespace gemwright::app
