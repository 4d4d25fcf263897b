#include "app/model/desk.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "app/model/watcher.h"
#include "db/store.h"
#include "tests/app/exportable_key.h"
#include "tests/app/scripted_study.h"

namespace gemwright::app {
namespace {

namespace fs = std::filesystem;

// Patience of a test that waits for a thread; nothing is timed.
constexpr auto kPatience = std::chrono::seconds(60);

// A folder of its own with a database of one finished study.
class DeskTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("gemwright-desk-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    database_ = folder_ / "tuned.db";
    auto store = db::open_store(database_, db::OpenMode::read_write);
    ASSERT_TRUE(store);
    study_ = scripted_study(tuner::StudyState::finished, {}, std::move(*store), exportable_key());
    study_.store.reset();
    shown_ = {study_.record.id, snapshot().studies.front()->record().created_at};
  }

  static DeskHooks hooks() {
    DeskHooks h;
    h.tune = [](const TuningJob&, const TuningSink&) { return tuner::Result<void>(); };
    return h;
  }

  // Advances the desk until `wanted` holds.
  template <class Wanted>
  bool comes(Desk& desk, Wanted wanted) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    const Snapshot none;
    for (desk.advance(none); !wanted(); desk.advance(none)) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }

  // The notice that comes next.
  std::string notice(Desk& desk) {
    std::string text;
    EXPECT_TRUE(comes(desk, [&] { return !(text = desk.take_notice()).empty(); }));
    return text;
  }

  static std::string content(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }

  DatabaseSnapshot snapshot() const { return read_snapshot({database_})->databases.front(); }

  std::vector<tuner::StudyEvent> events() const {
    return *(*db::open_store(database_, db::OpenMode::read_only))->events(study_.record.id);
  }

  fs::path folder_, database_;
  ScriptedStudy study_;
  ShownStudy shown_;
};

TEST_F(DeskTest, ChecksTheFormAsItChangesWithoutWaiting) {
  Desk desk(hooks());
  desk.form.sizes = "8x64x64";
  EXPECT_TRUE(desk.form_state().busy);
  ASSERT_TRUE(comes(desk, [&] { return !desk.form_state().busy; }));
  ASSERT_TRUE(desk.form_state().preview) << desk.form_state().error->sentence;
  EXPECT_FALSE(desk.presets().empty());
  desk.form.sizes = "8x64";
  ASSERT_TRUE(comes(desk, [&] { return !desk.form_state().busy; }));
  ASSERT_TRUE(desk.form_state().error);
  EXPECT_EQ(desk.form_state().error->field, "gemm");
  EXPECT_FALSE(desk.form_state().preview);
}

TEST_F(DeskTest, AStudyThatIsNotInTheFileAnyMoreIsNotSteered) {
  Desk desk(hooks());
  for (const char* tail : {"", "-wal", "-shm"}) fs::remove(database_.string() + tail);
  desk.steer(database_, shown_, "pin", "mr=4");
  EXPECT_NE(notice(desk).find("is gone"), std::string::npos);
  EXPECT_FALSE(fs::exists(database_));
  auto store = db::open_store(database_, db::OpenMode::read_write);
  ASSERT_TRUE(store);
  const auto other = scripted_study(tuner::StudyState::finished, {}, std::move(*store), exportable_key());
  ASSERT_EQ(other.record.id, shown_.id);
  desk.steer(database_, shown_, "pin", "mr=4");
  EXPECT_NE(notice(desk).find("not in"), std::string::npos);
  EXPECT_TRUE(events().empty());
}

TEST_F(DeskTest, StartsAJobOverTheDatabaseAndOpensIt) {
  DeskHooks h = hooks();
  TuningJob ran;
  std::vector<fs::path> opened;
  h.tune = [&](const TuningJob& job, const TuningSink& sink) -> tuner::Result<void> {
    ran = job;
    sink.done("8x64x64: 12.3 GFLOP/s");
    return {};
  };
  h.open = [&](const fs::path& file) { opened.push_back(file); };
  Desk desk(std::move(h));
  desk.form.sizes = "8x64x64";
  desk.start(desk.form, "new.db");
  EXPECT_EQ(opened, std::vector<fs::path>{"new.db"});
  ASSERT_TRUE(comes(desk, [&] { return desk.tuning().finished == 1; }));
  EXPECT_EQ(ran.options.gemm, std::vector<std::string>{"8x64x64"});
  EXPECT_EQ(ran.database, "new.db");
  EXPECT_EQ(desk.take_notice(), "8x64x64: 12.3 GFLOP/s");
}

TEST_F(DeskTest, WhatIsStillBeingCheckedStartsWhenItIsRight) {
  DeskHooks h = hooks();
  std::atomic<int> jobs = 0;
  std::string threads;
  h.tune = [&](const TuningJob& job, const TuningSink&) -> tuner::Result<void> {
    threads = job.options.threads;
    ++jobs;
    return {};
  };
  Desk desk(std::move(h));
  desk.form.threads = "none";
  desk.start_checked("new.db");
  EXPECT_TRUE(desk.form_state().busy);
  ASSERT_TRUE(comes(desk, [&] { return !desk.form_state().busy; }));
  ASSERT_TRUE(desk.form_state().error);
  EXPECT_EQ(desk.take_notice(), desk.form_state().error->sentence);
  EXPECT_EQ(jobs, 0);
  // Now that it is known to be wrong, too.
  desk.start_checked("new.db");
  EXPECT_EQ(desk.take_notice(), desk.form_state().error->sentence);
  EXPECT_FALSE(desk.tuning().running);
  desk.form.threads = "1";
  desk.start_checked("new.db");
  EXPECT_TRUE(desk.form_state().busy);
  ASSERT_TRUE(comes(desk, [&] { return desk.tuning().finished == 1; }));
  EXPECT_EQ(jobs, 1);
  EXPECT_EQ(threads, "1");
}

TEST_F(DeskTest, WhatWasChangedBeforeItWasCheckedStartsAsItWas) {
  DeskHooks h = hooks();
  std::vector<std::string> gemm;
  h.tune = [&](const TuningJob& job, const TuningSink&) -> tuner::Result<void> {
    gemm = job.options.gemm;
    return {};
  };
  Desk desk(std::move(h));
  desk.form.sizes = "8x64x64";
  desk.start_checked("new.db");
  desk.form.sizes = "8x6";
  ASSERT_TRUE(comes(desk, [&] { return desk.tuning().finished == 1; }));
  EXPECT_EQ(gemm, std::vector<std::string>{"8x64x64"});
}

TEST_F(DeskTest, FollowsEachStudyOfThisProcessOnce) {
  DeskHooks h = hooks();
  h.tune = [](const TuningJob&, const TuningSink& sink) -> tuner::Result<void> {
    while (!sink.stop()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return {};
  };
  Desk desk(std::move(h));
  {
    const auto store = db::open_store(database_, db::OpenMode::read_write);
    tuner::StudyKey key = scripted_key();
    key.m = 99;
    ASSERT_TRUE((*store)->open_study(key, {}, false));
  }
  const auto all = read_snapshot({database_});
  EXPECT_FALSE(desk.study_to_follow(*all));  // nothing runs here
  desk.start(desk.form, database_);
  ASSERT_TRUE(comes(desk, [&] { return desk.tuning().running; }));
  const auto first = desk.study_to_follow(*all);
  ASSERT_TRUE(first);
  EXPECT_NE(first->study, study_.record.id);
  EXPECT_FALSE(desk.study_to_follow(*all));
  // It ends and goes on later.
  const auto end = [&](tuner::StudyState state) {
    const auto store = db::open_store(database_, db::OpenMode::read_write);
    EXPECT_TRUE((*store)->set_study_state(first->study, state, 1, {}));
    return read_snapshot({database_});
  };
  EXPECT_FALSE(desk.study_to_follow(*end(tuner::StudyState::finished)));
  EXPECT_EQ(desk.study_to_follow(*end(tuner::StudyState::running)), first);
}

TEST_F(DeskTest, WhatAPersonAskedForIsDoneBeforeItGoes) {
  {
    DeskHooks h = hooks();
    h.being_timed = [] { return true; };  // nothing begins by itself
    Desk desk(std::move(h));
    desk.steer(database_, shown_, "pin", "mr=4");
    desk.steer(database_, shown_, "veto", "mr=2");
  }
  ASSERT_EQ(events().size(), 2u);
  EXPECT_EQ(events().back().kind, tuner::EventKind::veto);
}

TEST_F(DeskTest, SteersByTheSameEventsAndSentencesAsTheCommandLine) {
  Desk desk(hooks());
  desk.steer(database_, shown_, "pin", "mr=4");
  const std::string said = notice(desk);
  EXPECT_NE(said.find("tries only configs with mr=4"), std::string::npos) << said;
  ASSERT_EQ(events().size(), 1u);
  EXPECT_EQ(events().front().kind, tuner::EventKind::pin);
  EXPECT_EQ(events().front().argument, "mr=4");
  desk.steer(database_, shown_, "pause", "");
  EXPECT_NE(notice(desk).find("not running"), std::string::npos);
  desk.steer(database_, shown_, "pin", "tea=yes");
  EXPECT_FALSE(notice(desk).empty());
  EXPECT_EQ(events().size(), 1u);
}

TEST_F(DeskTest, AStudyIsPausedFromTheMomentItIsToldToGoOn) {
  DeskHooks h = hooks();
  h.tune = [](const TuningJob&, const TuningSink& sink) -> tuner::Result<void> {
    while (!sink.stop()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return tuner::fail("interrupted", tuner::ErrorKind::interrupted);
  };
  Desk desk(std::move(h));
  const auto id = study_.record.id;
  EXPECT_FALSE(desk.goes_on(database_, id));
  desk.go_on(database_, shown_);
  desk.take_notice();
  EXPECT_TRUE(desk.goes_on(database_, id));
  EXPECT_FALSE(desk.goes_on(database_, id + 1));
  desk.steer(database_, shown_, "pause", "");
  const std::string said = notice(desk);
  EXPECT_NE(said.find("pauses until"), std::string::npos) << said;
  ASSERT_EQ(events().size(), 1u);
  EXPECT_EQ(events().front().kind, tuner::EventKind::pause);
  desk.interrupt();
  EXPECT_FALSE(desk.goes_on(database_, id));
  ASSERT_TRUE(comes(desk, [&] { return desk.tuning().finished == 1; }));
}

TEST_F(DeskTest, APauseRightAfterAStartIsForTheStudyThatWasStarted) {
  std::atomic<bool> begin = false;
  DeskHooks h = hooks();
  h.tune = [&, id = study_.record.id](const TuningJob&, const TuningSink& sink) -> tuner::Result<void> {
    while (!begin && !sink.stop()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    tuner::StudyProgress p;
    p.study = id;
    p.phase = "search";
    sink.progress(p);
    while (!sink.stop()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return tuner::fail("interrupted", tuner::ErrorKind::interrupted);
  };
  Desk desk(std::move(h));
  EXPECT_FALSE(desk.toggle_started());
  desk.start(desk.form, database_);
  EXPECT_TRUE(desk.toggle_started());
  desk.take_notice();
  EXPECT_TRUE(events().empty());
  begin = true;
  EXPECT_NE(notice(desk).find("pauses until"), std::string::npos);
  ASSERT_EQ(events().size(), 1u);
  EXPECT_EQ(events().front().kind, tuner::EventKind::pause);
  // Once more before it is shown: it goes on.
  EXPECT_TRUE(desk.toggle_started());
  desk.take_notice();
  notice(desk);
  EXPECT_EQ(events().back().kind, tuner::EventKind::resume);
  desk.interrupt();
  EXPECT_FALSE(desk.toggle_started());
}

TEST_F(DeskTest, NoErrorIsSaidOfADatabaseWhoseFirstStudyIsBeingPreparedHere) {
  DeskHooks h = hooks();
  h.tune = [](const TuningJob&, const TuningSink& sink) -> tuner::Result<void> {
    while (!sink.stop()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return tuner::fail("interrupted", tuner::ErrorKind::interrupted);
  };
  Desk desk(std::move(h));
  const DatabaseSnapshot empty{folder_ / "new.db", false, "new.db is empty", {}};
  EXPECT_EQ(desk.error_of(empty), "new.db is empty");
  desk.start(desk.form, empty.path);
  EXPECT_EQ(desk.error_of(empty), "");
  EXPECT_EQ(desk.error_of({folder_ / "other.db", false, "no database", {}}), "no database");
  desk.interrupt();
  ASSERT_TRUE(comes(desk, [&] { return !desk.tuning().running; }));
  EXPECT_TRUE(comes(desk, [&] { return !desk.error_of(empty).empty(); }));
}

TEST_F(DeskTest, TheDeviceOfTheFormIsThisCpuAndAnotherIsRefused) {
  Desk desk(hooks());
  desk.form.device = "cuda:0";
  EXPECT_TRUE(desk.form_state().busy);
  ASSERT_TRUE(comes(desk, [&] { return !desk.form_state().busy; }));
  ASSERT_TRUE(desk.form_state().error);
  EXPECT_EQ(desk.form_state().error->field, "device");
  EXPECT_NE(desk.form_state().device.find(" thread"), std::string::npos);
  EXPECT_NE(command_text(desk.form, "").find("--device cuda:0"), std::string::npos);
}

TEST_F(DeskTest, PlansTheHeaderComparesItWithTheFileAndWritesIt) {
  Desk desk(hooks());
  desk.export_file = (folder_ / "tuned_gemm.h").string();
  const auto database = snapshot();
  const auto ready = [&] { return !desk.export_state(database).busy; };
  ASSERT_TRUE(comes(desk, ready));
  ASSERT_TRUE(desk.export_state(database).plan) << desk.export_state(database).error;
  EXPECT_FALSE(desk.export_state(database).file.exists);
  EXPECT_GT(desk.export_state(database).lines.size(), 10u);
  desk.write_export(database);
  const std::string said = notice(desk);
  EXPECT_NE(said.find("written"), std::string::npos) << said;
  ASSERT_TRUE(comes(desk, ready));
  EXPECT_TRUE(desk.export_state(database).file.exists);
  EXPECT_TRUE(desk.export_state(database).diff.lines.empty());
  // Another option is another header.
  desk.export_options.name_space = "other";
  ASSERT_TRUE(comes(desk, ready));
  EXPECT_GT(desk.export_state(database).diff.added, 0u);
  desk.export_options.max_regret = "much";
  ASSERT_TRUE(comes(desk, ready));
  EXPECT_FALSE(desk.export_state(database).plan);
  EXPECT_NE(desk.export_state(database).error.find("percentage"), std::string::npos);
}

TEST_F(DeskTest, AHeaderThatWasEditedAfterItsPreviewIsNotOverwrittenWithoutANewOne) {
  Desk desk(hooks());
  const auto file = folder_ / "tuned_gemm.h";
  desk.export_file = file.string();
  const auto database = snapshot();
  const auto ready = [&] { return !desk.export_state(database).busy; };
  ASSERT_TRUE(comes(desk, ready));
  desk.write_export(database);
  ASSERT_NE(notice(desk).find("written"), std::string::npos);
  ASSERT_TRUE(comes(desk, ready));
  std::ofstream(file, std::ios::app) << "// mine\n";
  desk.write_export(database);
  EXPECT_NE(notice(desk).find("look at the changes"), std::string::npos);
  ASSERT_TRUE(comes(desk, ready));
  EXPECT_EQ(desk.export_state(database).diff.removed, 1u);
  EXPECT_NE(content(file).find("// mine"), std::string::npos);
  desk.write_export(database);
  EXPECT_NE(notice(desk).find("written"), std::string::npos);
  EXPECT_EQ(content(file).find("// mine"), std::string::npos);
}

TEST_F(DeskTest, AFileOfSomebodyElseIsReplacedOnlyWhenAskedForTwice) {
  Desk desk(hooks());
  const auto file = folder_ / "main.cpp";
  std::ofstream(file) << "int main() {}\n";
  desk.export_file = file.string();
  const auto database = snapshot();
  ASSERT_TRUE(comes(desk, [&] { return !desk.export_state(database).busy; }));
  EXPECT_TRUE(desk.export_state(database).foreign);
  desk.write_export(database);
  EXPECT_NE(notice(desk).find("was not written by gemwright"), std::string::npos);
  EXPECT_TRUE(desk.asks_to_replace());
  EXPECT_EQ(content(file), "int main() {}\n");
  desk.write_export(database);
  EXPECT_NE(notice(desk).find("main.cpp written"), std::string::npos);
  EXPECT_GT(content(file).size(), 1000u);
}

TEST_F(DeskTest, ComparesTwoTrialsWithTheirBlocks) {
  Desk desk(hooks());
  desk.compare_form.database = database_;
  desk.compare_form.a = trial_operand(database_, study_.runner_up.id);
  desk.compare_form.b = "trial:" + std::to_string(study_.winner.id);
  ASSERT_TRUE(comes(desk, [&] { return !desk.compare_state().busy; }));
  const CompareState& state = desk.compare_state();
  ASSERT_TRUE(state.result) << state.error;
  ASSERT_TRUE(state.result->trials);
  EXPECT_GT(state.result->trials->ratio->ratio, 1.1);
  EXPECT_EQ(state.result->a.gflops.size(), 26u);
  EXPECT_TRUE(state.result->a.confirmed);
  EXPECT_TRUE(std::is_sorted(state.result->b.gflops.begin(), state.result->b.gflops.end()));
  EXPECT_NE(state.result->text.find("B is"), std::string::npos);
  const auto& rows = state.result->rows;
  EXPECT_TRUE(std::any_of(rows.begin(), rows.end(), [](const ComparedRow& r) { return r.config; }));
  desk.compare_form.a = "trial:9999";
  ASSERT_TRUE(comes(desk, [&] { return !desk.compare_state().busy; }));
  EXPECT_NE(desk.compare_state().error.find("9999"), std::string::npos);
}

TEST_F(DeskTest, ComparesAnewWhileAStudyGetsOn) {
  Desk desk(hooks());
  desk.compare_form.database = database_;
  desk.compare_form.a = "trial:" + std::to_string(study_.runner_up.id);
  desk.compare_form.b = "trial:" + std::to_string(study_.winner.id);
  const auto settled = [&](const Snapshot& snapshot) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    do {
      desk.advance(snapshot);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    } while (desk.compare_state().busy && std::chrono::steady_clock::now() < end);
    return desk.compare_state().result;
  };
  const auto before = settled(*read_snapshot({database_}));
  ASSERT_TRUE(before);
  EXPECT_EQ(settled(*read_snapshot({database_})), before);  // nothing is new
  {
    const auto store = db::open_store(database_, db::OpenMode::read_write);
    const auto anchor = (*store)->add_subject(study_.record.id, tuner::SubjectKind::anchor, {}, "anchor");
    for (const auto subject : {study_.winner_subject, study_.runner_up_subject, anchor->id}) {
      tuner::Sample s;
      s.subject = subject;
      s.phase = tuner::Phase::confirm;
      s.round = 1000;
      s.position = static_cast<int>(subject);
      s.calls = 40;
      s.ns = 160000;
      ASSERT_TRUE((*store)->add_sample(s));
    }
  }
  const auto after = settled(*read_snapshot({database_}));
  ASSERT_TRUE(after);
  EXPECT_EQ(after->a.gflops.size(), before->a.gflops.size() + 1);
}

TEST_F(DeskTest, OffersDatabasesAsTheirPathIsTyped) {
  std::ofstream(folder_ / "tuesday.db") << "";
  std::ofstream(folder_ / "tuesday.txt") << "";
  fs::create_directories(folder_ / "tunes");
  Desk desk(hooks());
  desk.list((folder_ / "tu").string());
  ASSERT_TRUE(comes(desk, [&] { return !desk.found().empty(); }));
  const std::vector<std::string> wanted{(folder_ / "tuesday.db").string(), (folder_ / "tuned.db").string(),
                                        (folder_ / "tunes/").string()};
  EXPECT_EQ(desk.found(), wanted);
  EXPECT_TRUE(database_files("/nowhere/at/all/").empty());
}

TEST_F(DeskTest, RemembersWhatWasOpenedTheNewestFirst) {
  DeskHooks h = hooks();
  std::vector<fs::path> opened, closed;
  h.open = [&](const fs::path& file) { opened.push_back(file); };
  h.close = [&](const fs::path& file) { closed.push_back(file); };
  Desk desk(std::move(h));
  for (const char* file : {"/a.db", "/b.db", "/a.db"}) desk.open(file);
  desk.close("/a.db");
  EXPECT_EQ(desk.recent, (std::vector<std::string>{"/a.db", "/b.db"}));
  EXPECT_EQ(opened.size(), 3u);
  EXPECT_EQ(closed, std::vector<fs::path>{"/a.db"});
}

TEST_F(DeskTest, AFileThatIsNoDatabaseIsNotOpened) {
  DeskHooks h = hooks();
  std::vector<fs::path> opened;
  h.open = [&](const fs::path& file) { opened.push_back(file); };
  Desk desk(std::move(h));
  const fs::path text = folder_ / "text.db";
  std::ofstream(text) << "a letter to a friend, and no database at all\n";
  desk.open_readable(text, {});
  const std::string said = notice(desk);
  EXPECT_NE(said.find("is not a SQLite database: choose another file"), std::string::npos) << said;
  EXPECT_EQ(said.find("--db"), std::string::npos) << said;
  EXPECT_TRUE(opened.empty());
  EXPECT_TRUE(desk.recent.empty());
}

TEST_F(DeskTest, OneThatIsOpenedTakesThePlaceOfOnesThatCouldNotBeRead) {
  DeskHooks h = hooks();
  std::vector<fs::path> opened, closed;
  h.open = [&](const fs::path& file) { opened.push_back(file); };
  h.close = [&](const fs::path& file) { closed.push_back(file); };
  Desk desk(std::move(h));
  Snapshot snapshot;
  snapshot.databases.push_back({"/broken.db", false, "/broken.db is damaged", {}});
  snapshot.databases.push_back({"/new.db", false, "/new.db does not exist yet", {}, false, true});
  snapshot.databases.push_back({"/read.db", true, "/read.db is locked", {}});
  desk.open_readable(database_, snapshot);
  EXPECT_EQ(notice(desk), database_.string() + " is opened");
  EXPECT_EQ(opened, std::vector{database_});
  EXPECT_EQ(closed, std::vector<fs::path>{"/broken.db"});
  EXPECT_EQ(desk.recent, std::vector{database_.string()});
}

}  // namespace
}  // namespace gemwright::app
