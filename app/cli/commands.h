// One function a command: registers its options with the parser and answers what to run when it was chosen.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace gemwright::app {

using Runner = std::function<int()>;

Runner add_tune(CLI::App& app);
Runner add_steer(CLI::App& app);
Runner add_show(CLI::App& app);
Runner add_compare(CLI::App& app);
Runner add_profile(CLI::App& app);
Runner add_export(CLI::App& app);
Runner add_bench(CLI::App& app);
Runner add_doctor(CLI::App& app);
Runner add_worker(CLI::App& app);

}  // namespace gemwright::app
