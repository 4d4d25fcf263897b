// What `gemwright export` and the window's Export view do: from options as a person writes them to the text of the
// header, and that text to the file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tuner/study/store.h"

namespace gemwright::app {

struct ExportOptions {
  std::string style = "standalone";  // or "library"
  std::string max_regret = "2%";     // or "0.02"
  std::string name_space = "tuned";
  std::string filter;  // which studies, as 'threads=1 and name=qkv'

  bool operator==(const ExportOptions&) const = default;
};

struct PlannedExport {
  std::string text;                     // of the header
  std::vector<tuner::TrialId> trials;   // that it ships
  std::vector<std::string> notes;       // sentences for the user: studies left out
  std::vector<std::string> namespaces;  // one a problem, as a consumer writes them
};

// Whether these can be options at all, whatever the database.
tuner::Result<void> check_export(const ExportOptions& options);
// Where studies were tuned with something that has changed since, an error says first how to tune them again, and so
// does the first note. `database`: the option of that command; empty: the default.
tuner::Result<PlannedExport> plan_header(const tuner::Store& store, const ExportOptions& options,
                                         const std::filesystem::path& database);

// The file whole or not at all, and that it was written.
tuner::Result<void> write_export(tuner::Store& store, const std::filesystem::path& file, const PlannedExport& plan);

// "2 problems, 184210 bytes"
std::string export_text(const PlannedExport& plan);

}  // namespace gemwright::app
