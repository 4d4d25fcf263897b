// What the tests of the stores share: sample values, a folder that goes away, raw SQL, and the bytes of a file.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "db/store.h"
#include "tuner/study/store.h"

namespace gemwright::test {

tuner::StudyKey some_key(std::int64_t m = 4);
tuner::StudyAttributes some_attributes();
tuner::Config some_config(int mr);  // valid for the values 1 to 8
tuner::Sample some_sample(tuner::SubjectId subject, std::int64_t round, int position = 0);

class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// "ok", or SQLite's complaint. Opens and closes the file.
std::string run_sql(const std::filesystem::path& file, const std::string& sql);
// The first column of the first row as text; "none" without a row, and the complaint where SQLite has one.
std::string ask_sql(const std::filesystem::path& file, const std::string& sql);

// Names and digests of the files of a folder, except SQLite's shared memory, which holds no data.
std::map<std::string, std::string> contents(const std::filesystem::path& folder);
void write_file(const std::filesystem::path& file, const std::string& bytes);
std::string read_file(const std::filesystem::path& file);

// The message of a failed open; fails the test when it succeeds.
std::string refusal(const std::filesystem::path& file, db::OpenMode mode = db::OpenMode::read_write);

// Makes a database with one study of two trials and `rounds` samples each. Closed when it returns.
void make_database(const std::filesystem::path& file, int rounds = 3);

// The same database as the first version of the tables had it, with an estimate and an outcome.
void make_v1_database(const std::filesystem::path& file, int rounds = 3);

// Runs `body` in a child process and returns its exit status; the body must not use the parent's stores.
int in_child(const std::function<int()>& body);

}  // namespace gemwright::test
