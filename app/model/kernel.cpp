#include "app/model/kernel.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "app/model/background.h"
#include "tuner/insight/tile_assembly.h"
#include "tuner/toolchain/compiler.h"

namespace gemwright::app {
namespace {

// Of tiles: each answer is some kilobytes.
constexpr std::size_t kMaxAnswers = 500;

std::string answer_key(const tuner::StudyRecord& study, const tuner::Config& c) {
  return fmt::format("{} {} {} {} {}", tuner::to_text(c.mode), tuner::to_text(study.key.problem.interface),
                     tuner::tile_name(c.tile), tuner::epilogue_text(study.key.problem.chain), study.key.build.compiler);
}

}  // namespace

tuner::Result<KernelCode> kernel_code(const tuner::StudyRecord& study, const tuner::Config& config) {
  const auto compiler = tuner::find_compiler(study.key.build.compiler);
  if (!compiler) return tl::unexpected(compiler.error());
  KernelCode out;
  out.tile = tuner::tile_name(config.tile);
  out.mode = tuner::to_text(config.mode);
  out.compiler = compiler->version;
  if (compiler->version != study.key.build.compiler_version) {
    out.note =
        fmt::format("the study was compiled by {}, this is {}", study.key.build.compiler_version, compiler->version);
  }
  const auto assembly = tuner::tile_assembly(*compiler, config, study.key.problem);
  if (!assembly) return tl::unexpected(assembly.error());
  auto loop = tuner::hot_loop(*assembly);
  if (!loop) return tl::unexpected(loop.error());
  out.loop = std::move(*loop);
  return out;
}

std::string kernel_text(const KernelCode& code) {
  return fmt::format("hot loop of {} tile {}, compiled by {}\n{}", code.mode, code.tile, code.compiler,
                     tuner::to_text(code.loop));
}

KernelLoader::KernelLoader(Compile compile, std::function<bool()> being_timed)
    : compile_(std::move(compile)), being_timed_(std::move(being_timed)) {}

void KernelLoader::collect() {
  if (!running_.valid() || running_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
  if (answers_.size() >= kMaxAnswers) answers_.clear();
  answers_[running_key_] = running_.get();
}

std::shared_ptr<const KernelLoader::Answer> KernelLoader::find(const tuner::StudyRecord& study,
                                                               const tuner::Config& config) {
  collect();
  const std::string key = answer_key(study, config);
  if (const auto it = answers_.find(key); it != answers_.end()) return it->second;
  if (running_.valid()) return nullptr;
  running_key_ = key;
  running_ = std::async(std::launch::async, [compile = compile_, timed = being_timed_, study, config] {
    await_gap(timed, [](std::chrono::milliseconds m) {
      std::this_thread::sleep_for(m);
      return false;
    });
    return std::make_shared<const Answer>(compile(study, config));
  });
  return nullptr;
}

}  // namespace gemwright::app
