// Asks this machine, its tools and a database what `doctor` shows.
#pragma once

#include <filesystem>

#include "app/model/doctor.h"

namespace gemwright::app {

struct DoctorProbe {
  std::filesystem::path database;
  // Noise floor and ceilings too, half a second under the machine's lock; else the reason why not.
  bool measure = false;
  std::string not_measured = "was not asked for";
};
DoctorInput probe_doctor(const DoctorProbe& probe);

}  // namespace gemwright::app
