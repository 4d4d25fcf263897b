// gemwright: the command line. Parses, chooses the command, turns every outcome into an exit code.
#include <array>
#include <exception>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/cli/commands.h"
#include "app/cli/common.h"
#include "app/version.h"

namespace {

using namespace gemwright::app;

// Commands of the contract that are not built yet: they say so instead of failing as unknown words.
constexpr std::array<std::pair<const char*, const char*>, 8> kUnbuilt{{
    {"steer", "Pause, resume, stop or extend a running study"},
    {"compare", "Two trials, studies or databases side by side"},
    {"profile", "Counters of a config, and why it is fast or slow"},
    {"verify", "Does an exported header still hold on this machine"},
    {"replay", "Strategies on recorded search spaces"},
    {"import", "Shapes and caches of other tools"},
    {"merge", "Other databases into this one"},
    {"backup", "A consistent copy of a database"},
}};

int run(int argc, char** argv) {
  CLI::App app{"gemwright finds the fastest correct way to run matrix products on this machine, and exports it as a C++ header."};
  app.set_version_flag("--version", std::string("gemwright ") + kVersion);
  app.require_subcommand(1);
  std::vector<std::pair<CLI::App*, Runner>> commands;
  const auto add = [&](const char* name, const char* text, Runner (*setup)(CLI::App&)) {
    CLI::App* const command = app.add_subcommand(name, text);
    commands.emplace_back(command, setup(*command));
  };
  add("tune", "Search the fastest configs of the given products", add_tune);
  add("show", "What the database holds", add_show);
  add("export", "Write the best configs as a C++ header", add_export);
  add("bench", "Tuned against baselines, interleaved, in one run", add_bench);
  add("doctor", "What can be measured here, what not and why", add_doctor);
  add("worker", "The measuring child process (JSON lines on stdin and stdout)", add_worker);
  for (const auto& [name, text] : kUnbuilt) {
    CLI::App* const command = app.add_subcommand(name, std::string(text) + " (not built yet)");
    command->allow_extras();
    commands.emplace_back(command, [name = name] {
      fmt::print(stderr, "gemwright: '{}' is not built yet\n", name);
      return kUsage;
    });
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
    return code == 0 ? kDone : kUsage;
  }
  for (const auto& [command, runner] : commands) {
    if (command->parsed()) return runner();
  }
  return kUsage;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    // Memory that is not there is the one failure that is not a Result.
    fmt::print(stderr, "gemwright: {}\n", e.what());
    return kFailed;
  }
}
