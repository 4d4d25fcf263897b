// What a frame of each view costs with made-up trials, in the real window.
//
// Usage: frame_times [TRIALS] [LIMIT_MS]. Prints the median and the largest CPU time of a frame, of all threads of this
// process together: the software renderer's included, other programs excluded, so that it can be run on a loaded
// machine. With a limit the exit code is 1 where a median is above it. Needs a display (xvfb-run).
#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "app/gui/shell.h"
#include "app/gui/window.h"
#include "tests/gui/made_up.h"

namespace gemwright::app::gui {
namespace {

constexpr int kWidth = 1280, kHeight = 800;
constexpr int kFrames = 41;

double cpu_ms() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return 1e3 * static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_nsec);
}

double frame(Window& window, Shell& shell) {
  const double begin = cpu_ms();
  window.wait(0);
  shell.before_frame();
  window.begin_frame();
  shell.draw();
  window.end_frame();
  return cpu_ms() - begin;
}

struct Cost {
  double median = 0, most = 0, settling = 0;
};

Cost cost_of(const std::string& view, const std::shared_ptr<const Snapshot>& snapshot) {
  auto window = Window::open({kWidth, kHeight, true});
  if (!window) {
    fmt::print(stderr, "frame_times: {}\n", window.error().message);
    std::exit(2);
  }
  Cost out;
  Desk desk({[](const TuningJob&, const TuningSink&) { return tuner::Result<void>(); }});
  Shell shell(desk, {}, view, "");
  shell.show(snapshot);
  shell.show_machine({});
  for (int i = 0; i < 10 || shell.wants_frame(); ++i) out.settling = std::max(out.settling, frame(**window, shell));
  std::vector<double> frames;
  for (int i = 0; i < kFrames; ++i) {
    // As a hand that moves over the view.
    ImGui::GetIO().AddMousePosEvent(kWidth * (0.3f + 0.01f * static_cast<float>(i)), 0.5f * kHeight);
    frames.push_back(frame(**window, shell));
  }
  std::sort(frames.begin(), frames.end());
  out.median = frames[frames.size() / 2];
  out.most = frames.back();
  return out;
}

}  // namespace
}  // namespace gemwright::app::gui

int main(int argc, char** argv) {
  using namespace gemwright::app;
  const std::size_t trials = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 50000;
  const double limit = argc > 2 ? std::strtod(argv[2], nullptr) : 0;
  const auto snapshot = made_up_snapshot(trials);
  fmt::print("CPU time of a frame at 1280x800 with {} trials, ms\n{:<12} {:>8} {:>8} {:>14}\n", trials, "view",
             "median", "largest", "while settling");
  bool over = false;
  for (const std::string& view : gui::view_names()) {
    const auto c = gui::cost_of(view, snapshot);
    over = over || (limit > 0 && c.median > limit);
    fmt::print("{:<12} {:8.1f} {:8.1f} {:14.1f}\n", view, c.median, c.most, c.settling);
  }
  return over ? 1 : 0;
}
