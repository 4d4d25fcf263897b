#include "tuner/toolchain/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

extern char** environ;

namespace gemwright::tuner {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How often to look for the end of a process where the kernel has no pidfd (before 5.3).
constexpr milliseconds kLookAgain{10};

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Fd() { close(); }

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

struct Pair {
  Fd ours, theirs;
};

// A pipe from the process to us.
bool make_pipe(Pair& p) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return false;
  p.ours = Fd(fds[0]);
  p.theirs = Fd(fds[1]);
  return true;
}

// A socket instead of a pipe: writing to a process that has gone then raises no SIGPIPE.
bool make_socket(Pair& p) {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) return false;
  p.ours = Fd(fds[0]);
  p.theirs = Fd(fds[1]);
  return true;
}

// Everything the new process needs between fork and exec, where nothing may be allocated.
struct Launch {
  const char* path;
  char* const* argv;
  char* const* envp;
  int in, out, err;  // err -1: ours
  int report;        // errno of a failed exec goes here
  int parent;
  bool die_with_parent;
};

[[noreturn]] void launch(const Launch& l) {
  const auto give_up = [&] {
    const int error = errno;
    (void)!write(l.report, &error, sizeof error);
    _exit(127);
  };
  setpgid(0, 0);
  if (l.die_with_parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != l.parent) _exit(127);  // it died before it could be noticed
  }
  struct sigaction normal {};
  normal.sa_handler = SIG_DFL;
  for (const int s : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaction(s, &normal, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (dup2(l.in, 0) < 0 || dup2(l.out, 1) < 0 || (l.err >= 0 && dup2(l.err, 2) < 0)) give_up();
#if defined(SYS_close_range)
  // Descriptors of whatever else lives in this program; refused by old kernels, which costs nothing but tidiness.
  syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
#endif
  execve(l.path, l.argv, l.envp);
  give_up();
  _exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& t : texts) out.push_back(t.data());
  out.push_back(nullptr);
  return out;
}

std::vector<std::string> environment_with(const std::vector<std::string>& more) {
  std::vector<std::string> all;
  for (char** e = environ; e != nullptr && *e != nullptr; ++e) {
    const std::string_view text = *e;
    const auto same_name = [&](const std::string& m) {
      const auto name = m.substr(0, m.find('=') + 1);
      return text.substr(0, name.size()) == name;
    };
    if (std::none_of(more.begin(), more.end(), same_name)) all.emplace_back(text);
  }
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

bool is_executable_file(const std::string& path) {
  struct stat s {};
  return stat(path.c_str(), &s) == 0 && S_ISREG(s.st_mode) && access(path.c_str(), X_OK) == 0;
}

// Takes in what there is. Closes the descriptor at its end.
void drain(Fd& fd, std::string& to) {
  char buffer[16 << 10];
  while (fd.open()) {
    pollfd p{fd.get(), POLLIN, 0};
    if (poll(&p, 1, 0) <= 0) return;
    const ssize_t n = read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      fd.close();
      return;
    }
    to.append(buffer, std::min(static_cast<std::size_t>(n), kMaxCaptured - std::min(kMaxCaptured, to.size())));
  }
}

}  // namespace

std::string to_text(ExitStatus status) {
  if (status.signal) return fmt::format("signal {} ({})", *status.signal, strsignal(*status.signal));
  return fmt::format("exit code {}", status.code.value_or(0));
}

std::optional<std::string> find_program(std::string_view name) {
  if (name.empty() || name.find('\0') != std::string_view::npos) return std::nullopt;
  if (name.find('/') != std::string_view::npos) {
    std::string path(name);
    if (is_executable_file(path)) return path;
    return std::nullopt;
  }
  const char* const variable = std::getenv("PATH");
  std::string_view folders = variable != nullptr ? variable : "/usr/local/bin:/usr/bin:/bin";
  while (!folders.empty()) {
    const auto end = std::min(folders.find(':'), folders.size());
    const std::string_view folder = folders.substr(0, end);
    folders.remove_prefix(std::min(end + 1, folders.size()));
    // An empty or relative entry means the current folder: what lies there is not to be run unasked.
    if (folder.empty() || folder[0] != '/') continue;
    std::string path = fmt::format("{}/{}", folder, name);
    if (is_executable_file(path)) return path;
  }
  return std::nullopt;
}

struct Process::State {
  int pid = -1;
  Fd pidfd, input, output, out, err;
  std::string out_text, err_text;
  std::optional<ExitStatus> status;

  void signal(int s) const {
    if (!status) ::kill(-pid, s);
  }
  bool reap(bool wait);
};

bool Process::State::reap(bool wait) {
  if (status) return true;
  siginfo_t info{};
  int got = -1;
  do {
    got = waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT | (wait ? 0 : WNOHANG));
  } while (got < 0 && errno == EINTR);
  if (got == 0 && info.si_pid == 0) return false;
  // What it left running goes too, while its number still belongs to the group.
  ::kill(-pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  ExitStatus s;
  if (got == 0 && info.si_code == CLD_EXITED) {
    s.code = info.si_status;
  } else {
    s.signal = got == 0 ? info.si_status : SIGKILL;
  }
  status = s;
  return true;
}

Process::Process(std::unique_ptr<State> state) : state_(std::move(state)) {}
Process::Process(Process&&) noexcept = default;
Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    if (state_) kill();
    state_ = std::move(other.state_);
  }
  return *this;
}
Process::~Process() {
  if (state_) kill();
}

Result<Process> Process::start(const std::vector<std::string>& argv, const ProcessOptions& options) {
  const auto path = argv.empty() ? std::nullopt : find_program(argv[0]);
  if (!path) return fail(fmt::format("there is no program named {}", argv.empty() ? "\"\"" : argv[0]));
  const auto failed = [&](int error) { return fail(fmt::format("cannot start {}: {}", *path, std::strerror(error))); };
  auto state = std::make_unique<State>();
  Pair in, out, err, report;
  if (options.streams) {
    if (!make_socket(in)) return failed(errno);
  } else {
    in.theirs = Fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!in.theirs.open()) return failed(errno);
  }
  if (!make_pipe(out) || !make_pipe(report) || (!options.inherit_stderr && !make_pipe(err))) return failed(errno);

  std::vector<std::string> words = argv;
  std::vector<std::string> variables = environment_with(options.environment);
  const std::vector<char*> argv_pointers = pointers(words);
  const std::vector<char*> env_pointers = pointers(variables);
  const Launch l{path->c_str(),          argv_pointers.data(),
                 env_pointers.data(),    in.theirs.get(),
                 out.theirs.get(),       options.inherit_stderr ? -1 : err.theirs.get(),
                 report.theirs.get(),    getpid(),
                 options.die_with_parent};
  state->pid = fork();
  if (state->pid < 0) return failed(errno);
  if (state->pid == 0) launch(l);
  setpgid(state->pid, state->pid);  // here too: whoever comes first
  for (Pair* p : {&in, &out, &err, &report}) p->theirs.close();
  int error = 0;
  ssize_t n = 0;
  do {
    n = read(report.ours.get(), &error, sizeof error);
  } while (n < 0 && errno == EINTR);
  if (n == static_cast<ssize_t>(sizeof error)) {
    state->reap(true);
    return failed(error);
  }
#if defined(SYS_pidfd_open)
  state->pidfd = Fd(static_cast<int>(syscall(SYS_pidfd_open, state->pid, 0)));
#endif
  state->input = std::move(in.ours);
  (options.streams ? state->output : state->out) = std::move(out.ours);
  state->err = std::move(err.ours);
  return Process(std::move(state));
}

int Process::pid() const { return state_->pid; }
std::optional<ExitStatus> Process::status() const { return state_->status; }
int Process::input() const { return state_->input.get(); }
int Process::output() const { return state_->output.get(); }
void Process::close_input() { state_->input.close(); }
const std::string& Process::out() const { return state_->out_text; }
const std::string& Process::err() const { return state_->err_text; }

bool Process::finished() {
  const bool ended = state_->reap(false);
  drain(state_->out, state_->out_text);
  drain(state_->err, state_->err_text);
  return ended;
}

std::vector<int> Process::poll_fds() const {
  std::vector<int> fds;
  for (const Fd* fd : {&state_->pidfd, &state_->out, &state_->err}) {
    if (fd->open()) fds.push_back(fd->get());
  }
  return fds;
}

bool Process::wait(milliseconds most) {
  const auto end = steady_clock::now() + most;
  while (!finished()) {
    const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
    if (left.count() <= 0) return false;
    std::vector<pollfd> fds;
    for (const int fd : poll_fds()) fds.push_back({fd, POLLIN, 0});
    const auto slice = state_->pidfd.open() ? left : std::min(left, kLookAgain);
    poll(fds.data(), fds.size(), static_cast<int>(std::min<std::int64_t>(slice.count(), 60'000)));
  }
  return true;
}

void Process::kill() {
  if (state_->status) return;
  state_->signal(SIGKILL);
  state_->reap(true);
}
void Process::stop() { state_->signal(SIGSTOP); }
void Process::resume() { state_->signal(SIGCONT); }

}  // namespace gemwright::tuner
