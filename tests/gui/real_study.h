// A folder with a real database of one finished study, for what the window does with files.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "app/model/watcher.h"
#include "db/store.h"
#include "tests/app/exportable_key.h"
#include "tests/app/scripted_study.h"

namespace gemwright::app {

class RealStudy {
 public:
  explicit RealStudy(const std::string& name) {
    folder = std::filesystem::path(testing::TempDir()) / ("gemwright-" + name);
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    database = folder / "tuned.db";
    auto store = db::open_store(database, db::OpenMode::read_write);
    EXPECT_TRUE(store);
    study = scripted_study(tuner::StudyState::finished, {}, std::move(*store), exportable_key());
    study.store.reset();
  }

  std::shared_ptr<const Snapshot> snapshot() const { return read_snapshot({database}); }
  std::vector<tuner::StudyEvent> events() const {
    return *(*db::open_store(database, db::OpenMode::read_only))->events(study.record.id);
  }

  std::filesystem::path folder, database;
  ScriptedStudy study;
};

}  // namespace gemwright::app
