// What fusing the chain gained in each study that has one: a call of the winner beside its product without the chain
// and beside the two as separate passes, as the study timed them side by side; and the best trial of each place where
// the chain can run.
#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/model/filter.h"
#include "tuner/study/store.h"

namespace gemwright::app {

struct FusionView {
  tuner::StudyRecord study;
  tuner::TrialId winner = 0;
  gemwright::fusion place = gemwright::fusion::registers;                  // the winner's
  bool has_choice = true;                                                  // whether its chain could run elsewhere
  std::optional<double> whole_ns, product_ns, separate_ns;                 // of one call
  std::array<std::optional<double>, gemwright::fusion_count> best_gflops;  // by place, over all trials

  // Times faster than two passes; absent where the winner takes two.
  std::optional<double> gain() const;
  // Of the time of a separate pass, the share that the winner does not spend: below 0 where fusing loses, absent where
  // the pass is lost in the study's noise.
  std::optional<double> hidden() const;
  std::string note() const;  // why a figure is missing
};

// Studies with a chain and a winner whose rows match the filter.
tuner::Result<std::vector<FusionView>> fusion_views(const tuner::Store& store, const Filter& filter);
std::string fusion_table(const std::vector<FusionView>& views);
nlohmann::json fusion_row(const FusionView& view);

}  // namespace gemwright::app
