// Studies that a header cannot ship as they are, because what they were tuned with has changed since: the kernels, the
// search space, the compiler or the machine. What helps is to tune again, so that is said with the command to do it.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/model/plan.h"
#include "app/model/tune_form.h"

namespace gemwright::app {

// What a study is held against.
struct Today {
  std::string fingerprint;                    // of this machine
  std::map<std::string, std::string> builds;  // by compiler, g++ or clang++: the digest; one that is not here is absent
  std::vector<std::string> presets;           // that have names
};
// For these studies: asks their compilers.
Today find_today(const std::vector<tuner::StudyRecord>& studies);

// "with other kernels", "on another machine"; nothing where nothing has changed. The kernels count first.
std::optional<std::string> change_since(const tuner::StudyRecord& study, const Today& today);
// Whether no header of this gemwright can hold it: other kernels, another space. The other changes may be meant.
bool cannot_ship(const tuner::StudyRecord& study);

// The commands that tune them again, as few as there can be: those of one preset and type, and those of one set of
// options, are one. `database`: the option, where it is not the default.
std::vector<std::string> tune_again_commands(const std::vector<tuner::StudyRecord>& studies, const Today& today,
                                             const std::filesystem::path& database);

// "tune again with 'gemwright tune ...': study 3 was tuned with other kernels". Empty where none has changed.
std::string tune_again_text(const std::vector<tuner::StudyRecord>& studies, const Today& today,
                            const std::filesystem::path& database);

}  // namespace gemwright::app
