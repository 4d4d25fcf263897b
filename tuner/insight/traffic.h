// The computed counters of one config of a study: its shape, its loop nest and the caches of its device, put into the
// traffic model (profilers/counters/traffic_model.h). A cache size that the device does not tell leaves its level
// without a figure, and so does a dot mode each level: its loop nest is not modelled yet.
#pragma once

#include <vector>

#include "tuner/study/records.h"

namespace gemwright::tuner {

std::vector<profilers::Counter> traffic_of(const StudyKey& key, const Config& config);

}  // namespace gemwright::tuner
