// The runner of a tuning job of the window: the plan, the store and the worker as `gemwright tune` uses them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/model/tuning_queue.h"

namespace gemwright::app {

// The command line tool, which is the worker: beside this program, else where a build folder has it.
tuner::Result<std::filesystem::path> find_gemwright();

// On the calling thread, which gets these CPUs back first: the worker inherits them.
tuner::Result<void> tune_here(const TuningJob& job, const TuningSink& sink, const std::vector<int>& cpus);

}  // namespace gemwright::app
