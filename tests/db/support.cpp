#include "tests/db/support.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "db/schema.h"

namespace gemwright::test {

namespace fs = std::filesystem;

tuner::StudyKey some_key(std::int64_t m) {
  tuner::StudyKey key;
  key.problem.n = 4096;
  key.problem.k = 14336;
  key.problem.chain = {tuner::EpilogueOp::bias, tuner::EpilogueOp::relu};
  key.m = m;
  key.device = {"0123abcd", "cpu", "a processor", 2, R"({"isa":["avx2"],"l2":1048576})"};
  key.build = {"feed", "0.1.0", "g++", "g++ (Debian 12.2.0) 12.2.0", "-O2 -ffp-contract=fast", "beef"};
  key.space_version = 1;
  key.modes = {tuner::ComputeMode::f32};
  key.max_error = 2e-2;
  key.data = tuner::DataKind::outliers;
  key.cache = tuner::CacheState::rotate;
  key.cache_bytes = 1.5e9;
  return key;
}

tuner::StudyAttributes some_attributes() {
  tuner::StudyAttributes a;
  a.name = "qkv";
  a.suite = "llama-3.1-8b";
  a.weight = 32;
  a.budget.seconds = 60;
  a.protocol = "normal";
  a.strategy = "default";
  a.seed = 0xfedcba9876543210u;
  return a;
}

tuner::Config some_config(int mr) {
  tuner::Config c;
  c.tile = {gemwright::isa::avx2, mr, 2, 1, 1, gemwright::prefetch::none};
  c.format = {16};
  c.blocking = {64, 256, 512, gemwright::loop_order::nmk, true, gemwright::a_packing::none, 1, 2, 1, 16};
  return c;
}

tuner::Sample some_sample(tuner::SubjectId subject, std::int64_t round, int position) {
  tuner::Sample s;
  s.subject = subject;
  s.round = round;
  s.position = position;
  s.calls = 10;
  s.ns = 1000000 + round;
  s.cpu = 1;
  s.steal_ticks = 0;
  return s;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "gemwright-db-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

namespace {

std::string with_sql(const fs::path& file, const std::string& sql, bool answer) {
  sqlite3* connection = nullptr;
  if (sqlite3_open(file.c_str(), &connection) != SQLITE_OK) return "cannot open";
  std::string result = answer ? "none" : "ok";
  const auto take = [](void* out, int columns, char** values, char**) {
    if (columns > 0) *static_cast<std::string*>(out) = values[0] == nullptr ? "NULL" : values[0];
    return 0;
  };
  sqlite3_exec(connection, "PRAGMA foreign_keys=ON", nullptr, nullptr, nullptr);
  if (sqlite3_exec(connection, sql.c_str(), answer ? +take : nullptr, &result, nullptr) != SQLITE_OK) {
    result = sqlite3_errmsg(connection);
  }
  sqlite3_close(connection);
  return result;
}

}  // namespace

std::string run_sql(const fs::path& file, const std::string& sql) { return with_sql(file, sql, false); }
std::string ask_sql(const fs::path& file, const std::string& sql) { return with_sql(file, sql, true); }

std::string read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_file(const fs::path& file, const std::string& bytes) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << bytes;
}

std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && !name.ends_with("-shm")) {
      const std::string bytes = read_file(entry.path());
      out[name] = std::to_string(bytes.size()) + " bytes, hash " + std::to_string(std::hash<std::string>{}(bytes));
    }
  }
  return out;
}

std::string refusal(const fs::path& file, db::OpenMode mode) {
  const auto store = db::open_store(file, mode, std::chrono::milliseconds(50));
  if (!store) return store.error().message;
  ADD_FAILURE() << file << " was opened";
  return "";
}

void make_database(const fs::path& file, int rounds) {
  auto store = db::open_store(file, db::OpenMode::read_write);
  ASSERT_TRUE(store) << store.error().message;
  const auto study = (*store)->open_study(some_key(), some_attributes(), false);
  ASSERT_TRUE(study) << study.error().message;
  for (const int mr : {4, 6}) {
    auto trial = (*store)->add_trial(study->id, some_config(mr), "seed:test");
    ASSERT_TRUE(trial) << trial.error().message;
    const auto subject = (*store)->add_subject(study->id, tuner::SubjectKind::trial, trial->id, "");
    ASSERT_TRUE(subject) << subject.error().message;
    for (int round = 0; round < rounds; ++round) {
      const auto added = (*store)->add_sample(some_sample(subject->id, round, mr));
      ASSERT_TRUE(added) << added.error().message;
    }
    trial->state = tuner::TrialState::ok;
    ASSERT_TRUE((*store)->update_trial(*trial));
  }
}

void make_v1_database(const fs::path& file, int rounds) {
  TemporaryFolder folder;
  const fs::path newest = folder / "newest.db";
  make_database(newest, rounds);
  {
    const auto connection = db::Connection::open(file, db::Access::create, db::kBusyTimeout);
    ASSERT_TRUE(connection) << connection.error().message;
    const auto made = db::migrate(**connection, db::migrations_up_to(1));
    ASSERT_TRUE(made) << made.error().message;
  }
  std::string copy = "PRAGMA journal_mode = WAL; ATTACH '" + newest.string() + "' AS newest; BEGIN; ";
  for (const std::string table : {"device", "build", "problem", "config", "config_param"}) {
    copy += "INSERT INTO main." + table + " SELECT * FROM newest." + table + "; ";
  }
  copy +=
      "INSERT INTO main.study SELECT id, key, generation, problem_id, m, device_id, build_id, space_version, modes, "
      "max_error, data, cache, cache_bytes, batch_invariant, name, suite, weight, budget_seconds, budget_trials, "
      "protocol, strategy, seed, state, created_at, updated_at, spent_seconds, baseline, baseline_reason "
      "FROM newest.study; ";
  copy +=
      "INSERT INTO main.trial SELECT id, study_id, seq, config_id, origin, state, reason, error_fro, error_max, "
      "compile_ns, verify_ns, started_at, ended_at FROM newest.trial; ";
  for (const std::string table : {"subject", "sample"}) {
    copy += "INSERT INTO main." + table + " SELECT * FROM newest." + table + "; ";
  }
  copy +=
      "INSERT INTO main.estimate VALUES (1, 1, 'confirm', 'median', 6, 0, 100.0, 5.0, 1.5, 1.25, 1.75); "
      "INSERT INTO main.outcome VALUES (1, 1, 'separated'); INSERT INTO main.tie VALUES (1, 0, 2); COMMIT";
  ASSERT_EQ(run_sql(file, copy), "ok");
}

int in_child(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace gemwright::test
