#include "app/model/watcher.h"

#include <fmt/format.h>

#include <algorithm>

#include "db/store.h"

namespace gemwright::app {
namespace {

// A study whose process may die without a word is looked at again and again.
bool runs(const DatabaseSnapshot& d) {
  return std::any_of(d.studies.begin(), d.studies.end(), [](const auto& s) { return s->figures.runner_alive == true; });
}

std::int64_t unix_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

DatabaseSnapshot without_file(DatabaseSnapshot previous) {
  previous.closed = false;
  // One that went away while it was open stays gone until there is another.
  const bool gone = previous.file || (!previous.error.empty() && !previous.absent);
  previous.absent = !gone;
  previous.error = gone ? fmt::format("{} is gone", previous.path.string())
                        : fmt::format("{} does not exist yet: 'gemwright tune' makes it", previous.path.string());
  previous.studies.clear();
  previous.file.reset();
  return previous;
}

DatabaseSnapshot read_again(std::unique_ptr<tuner::Store>& store, DatabaseSnapshot previous, int index) {
  const auto file = file_identity(previous.path);
  if (store && file != previous.file) store.reset();
  if (!file) return without_file(std::move(previous));
  if (!store) {
    if (previous.file != file) previous.studies.clear();
    previous.closed = previous.absent = false;
    previous.file = file;
    auto opened = db::open_store(previous.path, db::OpenMode::read_only);
    if (!opened) {
      previous.error = opened.error().message;
      return previous;
    }
    store = std::move(*opened);
  }
  return refreshed(*store, previous, index);
}

DatabaseSnapshot closed(std::unique_ptr<tuner::Store>& store, const std::filesystem::path& path) {
  store.reset();
  return {path, false, "", {}, true};
}

bool same(const DatabaseSnapshot& x, const DatabaseSnapshot& y) {
  return x.loaded == y.loaded && x.error == y.error && x.studies == y.studies && x.closed == y.closed &&
         x.file == y.file;
}

Snapshot unread(const std::vector<std::filesystem::path>& databases) {
  Snapshot s;
  for (const auto& path : databases) s.databases.push_back({path, false, "", {}});
  return s;
}

}  // namespace

std::shared_ptr<const Snapshot> read_snapshot(const std::vector<std::filesystem::path>& databases) {
  auto out = std::make_shared<Snapshot>(unread(databases));
  for (std::size_t i = 0; i < databases.size(); ++i) {
    std::unique_ptr<tuner::Store> store;
    out->databases[i] = read_again(store, out->databases[i], static_cast<int>(i));
  }
  return out;
}

Watcher::Watcher(std::vector<std::filesystem::path> databases, WatcherOptions options, std::function<void()> on_change)
    : options_(std::move(options)),
      on_change_(std::move(on_change)),
      snapshot_(std::make_shared<const Snapshot>(unread(databases))),
      databases_(watched(databases)),
      thread_([this] { run(); }) {}

Watcher::~Watcher() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

std::shared_ptr<const Snapshot> Watcher::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

std::vector<Watcher::Watched> Watcher::watched(const std::vector<std::filesystem::path>& databases) {
  std::vector<Watched> out;
  for (const auto& path : databases) out.push_back({path, false});
  return out;
}

// The same file under another name is the same database.
Watcher::Watched* Watcher::find(const std::filesystem::path& database) {
  const auto whole = [](const std::filesystem::path& p) {
    std::error_code unknown;
    return std::filesystem::weakly_canonical(p, unknown);
  };
  const auto it = std::find_if(databases_.begin(), databases_.end(),
                               [&](const Watched& w) { return whole(w.path) == whole(database); });
  return it == databases_.end() ? nullptr : &*it;
}

void Watcher::open(const std::filesystem::path& database) {
  const std::lock_guard lock(mutex_);
  if (Watched* const known = find(database)) {
    known->closed = false;
  } else {
    databases_.push_back({database, false});
  }
  look_now();
}

void Watcher::close(const std::filesystem::path& database) {
  const std::lock_guard lock(mutex_);
  if (Watched* const known = find(database)) known->closed = true;
  look_now();
}

void Watcher::look_now() {
  look_now_ = true;
  wake_.notify_all();
}

void Watcher::run() {
  std::vector<OpenDatabase> stores;
  for (;;) {
    const bool timed = options_.being_timed();
    if (!timed) look(stores);
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, timed ? options_.retry : options_.interval, [&] { return stopping_ || look_now_; });
    look_now_ = false;
    if (stopping_) return;
  }
}

void Watcher::look(std::vector<OpenDatabase>& open) {
  std::vector<Watched> databases;
  Snapshot next;
  {
    const std::lock_guard lock(mutex_);
    databases = databases_;
    next = *snapshot_;
  }
  open.resize(databases.size());
  bool changed = false;
  for (std::size_t i = 0; i < databases.size(); ++i) {
    if (i == next.databases.size()) next.databases.push_back({databases[i].path, false, "", {}});
    const DatabaseSnapshot& before = next.databases[i];
    const auto stamp = settled_stamp(databases[i].path, unix_ns());
    const bool shown = before.loaded && before.error.empty() && before.closed == databases[i].closed;
    if (shown && stamp && stamp == open[i].stamp && !runs(before)) continue;
    open[i].stamp = stamp;
    auto now = databases[i].closed ? closed(open[i].store, databases[i].path)
                                   : read_again(open[i].store, before, static_cast<int>(i));
    changed = changed || !same(now, next.databases[i]);
    next.databases[i] = std::move(now);
  }
  if (changed) publish(std::make_shared<const Snapshot>(std::move(next)));
}

void Watcher::publish(std::shared_ptr<const Snapshot> snapshot) {
  {
    const std::lock_guard lock(mutex_);
    snapshot_ = std::move(snapshot);
  }
  on_change_();
}

}  // namespace gemwright::app
