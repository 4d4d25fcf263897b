// gemwright: the command line. Parses, chooses the command, turns every outcome into an exit code.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <array>
#include <exception>
#include <utility>
#include <vector>

#include "app/cli/commands.h"
#include "app/cli/common.h"
#include "app/version.h"

namespace {

using namespace gemwright::app;
namespace tuner = gemwright::tuner;

// Commands of the contract that are not built yet: they say so instead of failing as unknown words.
constexpr std::array<std::pair<const char*, const char*>, 5> kUnbuilt{{
    {"verify", "Does an exported header still hold on this machine"},
    {"replay", "Strategies on recorded search spaces"},
    {"import", "Shapes and caches of other tools"},
    {"merge", "Other databases into this one"},
    {"backup", "A consistent copy of a database"},
}};

// What CLI11 says in two lines as one sentence, like every other failure.
int refuse(const CLI::App& app, const CLI::ParseError& e) {
  std::string command = "gemwright";
  for (const CLI::App* c : app.get_subcommands()) command += " " + c->get_name();
  return report({fmt::format("{}; see '{} --help'", e.what(), command), tuner::ErrorKind::usage});
}

// Every command line begins with a command, or with an option of gemwright itself (--help, --version).
tuner::Result<void> check_command(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> known;
  for (const CLI::App* c : app.get_subcommands({})) {
    if (argc > 1 && c->get_name() == argv[1]) return {};
    known.push_back(c->get_name());
  }
  if (argc > 1 && argv[1][0] == '-') return {};
  const std::string what = argc > 1 ? fmt::format("unknown command '{}'", argv[1]) : "the command is missing";
  return tuner::fail(fmt::format("{}; commands are {}", what, fmt::join(known, ", ")), tuner::ErrorKind::usage);
}

int run(int argc, char** argv) {
  CLI::App app{
      "gemwright finds the fastest correct way to run matrix products on this machine, and exports it as a C++ "
      "header."};
  app.set_version_flag("--version", std::string("gemwright ") + kVersion);
  app.require_subcommand(1);
  std::vector<std::pair<CLI::App*, Runner>> commands;
  const auto add = [&](const char* name, const char* text, Runner (*setup)(CLI::App&)) {
    CLI::App* const command = app.add_subcommand(name, text);
    commands.emplace_back(command, setup(*command));
  };
  add("tune", "Search the fastest configs of the given products", add_tune);
  add("steer", "Pause, resume, stop, extend or steer a study", add_steer);
  add("show", "What the database holds", add_show);
  add("compare", "Two trials, two studies or two databases side by side", add_compare);
  add("profile", "Counters of a config, and why it is fast or slow", add_profile);
  add("export", "Write the best configs as a C++ header", add_export);
  add("bench", "Tuned against baselines, interleaved, in one run", add_bench);
  add("doctor", "What can be measured here, what not and why", add_doctor);
  add("worker", "The measuring child process (JSON lines on stdin and stdout)", add_worker);
  for (const auto& [name, text] : kUnbuilt) {
    CLI::App* const command = app.add_subcommand(name, std::string(text) + " (not built yet)");
    command->allow_extras();
    commands.emplace_back(command, [name = name] {
      return report({fmt::format("'{}' is not built yet", name), tuner::ErrorKind::usage});
    });
  }
  if (const auto r = check_command(app, argc, argv); !r) return report(r.error());
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {
    return app.exit(e);  // --help and --version
  } catch (const CLI::ParseError& e) {
    return refuse(app, e);
  }
  for (const auto& [command, runner] : commands) {
    if (command->parsed()) return runner();
  }
  return kUsage;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int code = run(argc, argv);
    // A result that did not reach its file or pipe is a failure, also when it is the last line.
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
    return report({"the result could not be written to standard output"});
  } catch (const std::exception& e) {
    // Memory that is not there is the one failure that is not a Result.
    return report({e.what()});
  }
}
