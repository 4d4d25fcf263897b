// The computed counters of one config of a study: its shape, its loop nest and the caches of its device, put into the
// traffic model (profilers/counters/traffic_model.h). A cache size that the device does not tell leaves its level
// without a figure.
#pragma once

#include <vector>

#include "tuner/study/records.h"

namespace gemwright::tuner {

// Words of packed A a group of K: two where a family widens the elements before it multiplies them.
int packed_words(ComputeMode mode, gemwright::isa family);

std::vector<profilers::Counter> traffic_of(const StudyKey& key, const Config& config);

}  // namespace gemwright::tuner
