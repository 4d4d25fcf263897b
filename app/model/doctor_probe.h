// Asks this machine, its tools and a database what `doctor` shows.
#pragma once

#include <filesystem>
#include <vector>

#include "app/model/doctor.h"

namespace gemwright::app {

struct DoctorProbe {
  std::filesystem::path database;
  // Noise floor and ceilings too, half a second under the machine's lock; else the reason why not.
  bool measure = false;
  std::string not_measured = "was not asked for";
  // What the process may use, where this thread leaves some of them alone; empty: what this thread may use.
  std::vector<int> cpus = {};
};
DoctorInput probe_doctor(const DoctorProbe& probe);

}  // namespace gemwright::app
