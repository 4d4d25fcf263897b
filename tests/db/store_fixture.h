// A store with one open study, in memory or on SQLite.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "db/store.h"
#include "tests/db/support.h"

namespace gemwright::test {

// The same tests ask the store in memory and the one on SQLite; the parameter says which.
class StoreFixture : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (GetParam() == std::string("memory")) {
      store_ = tuner::make_memory_store();
    } else {
      auto opened = db::open_store(folder_ / "test.db", db::OpenMode::read_write);
      ASSERT_TRUE(opened) << opened.error().message;
      store_ = *std::move(opened);
    }
    const auto study = store_->open_study(some_key(), some_attributes(), false);
    ASSERT_TRUE(study) << study.error().message;
    study_ = study->id;
  }

  // What is stored is what a new process would read.
  void reopen() {
    if (GetParam() == std::string("memory")) return;
    store_.reset();
    auto opened = db::open_store(folder_ / "test.db", db::OpenMode::read_only);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
  }

  tuner::Trial add_trial(int mr, tuner::TrialState state = tuner::TrialState::ok) {
    auto trial = store_->add_trial(study_, some_config(mr), "seed:test");
    EXPECT_TRUE(trial) << trial.error().message;
    trial->state = state;
    const auto updated = store_->update_trial(*trial);
    EXPECT_TRUE(updated) << updated.error().message;
    return *trial;
  }
  tuner::SubjectId add_subject(const tuner::Trial& trial) {
    const auto subject = store_->add_subject(study_, tuner::SubjectKind::trial, trial.id, "");
    EXPECT_TRUE(subject) << subject.error().message;
    return subject->id;
  }

  TemporaryFolder folder_;
  std::unique_ptr<tuner::Store> store_;
  tuner::StudyId study_ = 0;
};

}  // namespace gemwright::test
