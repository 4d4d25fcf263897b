// What this machine, its tools and the database offer to a measurement, line by line, and what is missing with the
// reason. A pure text model: the caller probes, this arranges and prints.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/model/rows.h"
#include "profilers/ceilings.h"
#include "profilers/counters/ladder.h"
#include "profilers/cpu_info.h"
#include "profilers/host.h"
#include "profilers/noise.h"

namespace gemwright::app {

// One line. Either a value or the reason why there is none; a value may carry a remark as its reason, such as a
// warning.
struct DoctorLine {
  std::string section, name;
  std::optional<std::string> value;
  std::string reason;

  bool operator==(const DoctorLine&) const = default;
};

// Something that only the caller can know: a compiler, a library, the health of a database.
struct DoctorFinding {
  std::string name;                  // "g++", "oneDNN", "gemwright.db"
  std::optional<std::string> value;  // version or state
  std::string reason;
};

// What had to be measured to be told.
struct DoctorMeasurements {
  profilers::NoiseProbe noise;
  std::vector<profilers::Ceiling> ceilings;
};

struct DoctorInput {
  profilers::CpuInfo cpu;
  profilers::HostInfo host;
  std::vector<int> allowed_cpus;  // their numbers, ascending; empty where the system does not tell
  DoctorFinding lock;             // the machine's: where it lies, and who measures now
  std::vector<profilers::CounterAvailability> counters;
  std::optional<DoctorMeasurements> measured;
  std::string not_measured;  // why it was not
  std::vector<DoctorFinding> compilers, libraries, database;
  std::vector<StudyFigures> studies;  // of that database
};

// Lines in the order in which they are shown: cpu, clock, machine, measuring, counters, ceilings, compilers, libraries,
// database.
std::vector<DoctorLine> doctor(const DoctorInput& input);

// A table a section for people. Control characters of foreign text are replaced.
std::string doctor_table(const std::vector<DoctorLine>& lines);

// JSON lines: {"type":"doctor","version":1}, then one {"type":"check",...} a line; a missing value is null.
std::string doctor_json(const std::vector<DoctorLine>& lines);

}  // namespace gemwright::app
