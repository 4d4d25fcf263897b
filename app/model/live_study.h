// A study that seems to run, for a window to watch: rows as a real one writes them, a block at a time.
#pragma once

#include <filesystem>
#include <memory>

#include "tuner/study/store.h"

namespace gemwright::app {

class LiveStudy {
 public:
  // In a new database.
  static tuner::Result<LiveStudy> begin(const std::filesystem::path& database);

  // One block, with the time it took: of the baseline, of the anchor, of a trial, in turn. A trial has a few blocks,
  // then the next one begins.
  tuner::Result<void> add_block(double seconds);
  std::int64_t rows() const { return rows_; }

 private:
  explicit LiveStudy(std::unique_ptr<tuner::Store> store) : store_(std::move(store)) {}
  tuner::Result<void> add_trial();

  std::unique_ptr<tuner::Store> store_;
  tuner::StudyId study_ = 0;
  tuner::SubjectId baseline_ = 0, anchor_ = 0, trial_ = 0;
  std::int64_t blocks_ = 0, trials_ = 0, rows_ = 0;
};

}  // namespace gemwright::app
