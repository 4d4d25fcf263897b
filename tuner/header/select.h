// Which studies an export uses: for each (problem, M, threads, compiler family) the newest one with a confirmed winner.
// Pure.
//
// Left out: studies without a confirmed winner, those of another space version, and those tuned with other kernel
// sources than the ones that would be shipped; the latter two are named in `notes`, since what they measured is not
// what would ship. An Error that lists what there is and asks for --filter: where more than one device matches, where
// more than one data kind, cache state, error bound, set of modes or batch-invariance matches one (problem, M, threads,
// compiler), and where the chosen studies of one problem and compiler family come from different builds.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tuner/result.h"
#include "tuner/study/records.h"

namespace gemwright::tuner {

struct SelectOptions {
  std::string source_digest;  // of the kernels that the header ships
  int space_version = 0;
  std::function<bool(const StudyRecord&)> filter;  // empty: all
};

struct Selection {
  std::vector<StudyRecord> studies;  // by problem in order of first appearance, compiler family, threads, M
  std::vector<std::string> notes;    // sentences for the user
};

Result<Selection> select_studies(const std::vector<StudyRecord>& studies, const SelectOptions& options);

}  // namespace gemwright::tuner
