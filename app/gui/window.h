// The window of the system: GLFW, OpenGL 3 and the back ends of Dear ImGui. Nothing else includes them.
//
// A window that cannot be had (no display, no OpenGL 3.2) is an Error with a sentence, never an abort.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tuner/result.h"

struct GLFWwindow;

namespace gemwright::app::gui {

struct WindowOptions {
  int width = 1280, height = 800;
  bool visible = true;
};

// Pixels as rows from the top, three bytes each.
struct Picture {
  int width = 0, height = 0;
  std::vector<std::uint8_t> rgb;
};

// Wakes a waiting window; from any thread.
void wake_window();
// Monotonic seconds.
double window_seconds();

class Window {
 public:
  // Makes the contexts of Dear ImGui and ImPlot too. One at a time.
  static tuner::Result<std::unique_ptr<Window>> open(const WindowOptions& options);
  ~Window();
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;

  // Waits for input, `wake` or so many seconds (infinite: without end); 0 only looks. True when a person did something
  // or the system wants the window drawn.
  bool wait(double seconds);
  void begin_frame();
  void end_frame();
  // As end_frame, and reads what was drawn before it is shown.
  Picture end_frame_as_picture();

  bool wants_to_close() const;
  bool minimised() const;
  float scale() const;  // of the screen
  void hide();
  void size(int& width, int& height) const;

 private:
  explicit Window(GLFWwindow* window) : window_(window) {}
  void render();

  GLFWwindow* window_;
  bool refresh_ = false;
};

}  // namespace gemwright::app::gui
