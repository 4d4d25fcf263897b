// Why is a config fast or slow: one trial beside the best other confirmed trial of its study and beside the baseline,
// with their counters and their place under the roofs.
//
// Every sentence compares two figures that both exist and says how they came about (counted, scaled, computed). What is
// missing is said with its reason. Nothing is called a cause: the sentences say in what the configs differ.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/model/compare.h"
#include "app/model/counters.h"
#include "app/model/roofline.h"
#include "tuner/insight/annotate.h"
#include "tuner/study/measurer.h"

namespace gemwright::app {

struct ProfiledSubject {
  std::string role;  // "winner", "runner-up", "trial", "baseline"
  std::string name;  // "trial 12", "onednn 2.6.3"
  tuner::SubjectId subject = 0;
  std::optional<tuner::Trial> trial;  // absent: the baseline
  std::optional<tuner::Estimate> figure;
  std::vector<profilers::Counter> counters;
  std::optional<RooflineTrial> roofline;

  const profilers::Counter* find(std::string_view provider, std::string_view counter) const;
};

struct Profile {
  tuner::StudyRecord study;
  ProfiledSubject subject;
  std::optional<ProfiledSubject> rival, baseline;
  std::optional<tuner::SpeedRatio> over_rival;  // speed of the subject over the rival
};

// A trial, or the winner of a study; see parse_operand.
tuner::Result<Profile> profile_of(const tuner::Store& store, const Operand& operand);

// Whether counters of this study's configs can be measured by these.
tuner::Result<void> check_same_machine(const tuner::StudyRecord& study, const tuner::Device& device,
                                       const tuner::Build& build);
// Counts those subjects that have no counters, or all, and stores the counters.
tuner::Result<void> count_subjects(tuner::Store& store, tuner::Measurer& measurer, const Profile& profile, bool again);

// In what the subject differs from the rival and the baseline, as far as both have figures.
std::vector<std::string> profile_findings(const Profile& profile);
// What is missing and why.
std::vector<std::string> profile_gaps(const Profile& profile);

std::string profile_text(const Profile& profile);
std::vector<nlohmann::json> profile_rows(const Profile& profile);
nlohmann::json hot_loop_row(const tuner::Trial& trial, const tuner::HotLoop& loop, const std::string& compiler);

}  // namespace gemwright::app
