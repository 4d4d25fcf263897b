// What `gemwright steer` and the window's buttons may ask of a study: checked against the store before it is written as
// an event, and told in one sentence. The events themselves are those of tuner/study/steer.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/study/store.h"

namespace gemwright::app {

struct SteerRequest {
  tuner::StudyId study = 0;
  tuner::EventKind kind = tuner::EventKind::pause;
  std::string argument;
};

// The words of the command line; an absent argument is empty.
tuner::Result<SteerRequest> parse_steer(std::string_view study, std::string_view action, std::string_view argument);

// A study as it was shown: by its number alone another file's study would be taken for it.
struct ShownStudy {
  tuner::StudyId id = 0;
  std::optional<std::int64_t> created_at;  // absent: it is known by its number alone
};
// Refuses a study that is not in this store any more.
tuner::Result<void> check_shown(const tuner::Store& store, const ShownStudy& study, const std::string& database);

struct SteerPlan {
  bool write = true;     // false: the study is in that state already
  std::string sentence;  // what will happen
};
// Refuses what the study cannot do: it does not exist, the trial is another's, the extension is of the other kind than
// its budget, or there is nothing to pause or stop. `starting`: it was told to go on, which the store does not know
// yet.
tuner::Result<SteerPlan> plan_steer(const tuner::Store& store, const SteerRequest& request, bool starting = false);

// Whether its events leave a study paused.
bool paused(const std::vector<tuner::StudyEvent>& events);
// What they leave pinned and vetoed: "mr=8 only, not nv=4"; empty where nothing is.
std::string restrictions_text(const std::vector<tuner::StudyEvent>& events);

}  // namespace gemwright::app
