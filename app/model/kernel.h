// The Kernel view: the hot loop of a trial's tile in assembly, as `profile TRIAL --annotate` prints it. Compiled again
// with the study's compiler from the kernels in this program: about half a second, so the window asks a loader that
// does it on a thread and keeps the answers.
#pragma once

#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>

#include "tuner/insight/annotate.h"
#include "tuner/study/records.h"

namespace gemwright::app {

struct KernelCode {
  tuner::HotLoop loop;
  std::string tile;      // its name
  std::string mode;      // of the product
  std::string compiler;  // first line of --version
  std::string note;      // where that is not the version that the study was compiled with; else empty
};

// Runs the compiler.
tuner::Result<KernelCode> kernel_code(const tuner::StudyRecord& study, const tuner::Config& config);
std::string kernel_text(const KernelCode& code);

class KernelLoader {
 public:
  using Answer = tuner::Result<KernelCode>;
  using Compile = std::function<Answer(const tuner::StudyRecord&, const tuner::Config&)>;

  // `being_timed`: while it holds no compilation begins, with a moment's patience.
  explicit KernelLoader(
      Compile compile = kernel_code, std::function<bool()> being_timed = [] { return false; });

  // The answer, or null while it is being made; configs with the same tile share one. Never waits. One compilation at a
  // time: who asks again for something else meanwhile gets it next.
  std::shared_ptr<const Answer> find(const tuner::StudyRecord& study, const tuner::Config& config);
  bool busy() const { return running_.valid(); }

 private:
  void collect();

  Compile compile_;
  std::function<bool()> being_timed_;
  std::map<std::string, std::shared_ptr<const Answer>> answers_;
  std::string running_key_;
  std::future<std::shared_ptr<const Answer>> running_;
};

}  // namespace gemwright::app
