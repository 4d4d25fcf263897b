#include "app/gui/window.h"

#include <fmt/format.h>
#include <imgui.h>
#include <imgui_impl_glfw.h>
#include <imgui_impl_opengl3.h>
#include <imgui_internal.h>
#include <implot.h>
// GL by the system's own header.
#include <GLFW/glfw3.h>

#include <chrono>
#include <cmath>
#include <cstdlib>

namespace gemwright::app::gui {
namespace {

// What GLFW last complained about, as the reason of a failure.
tl::unexpected<tuner::Error> no_window(const std::string& what) {
  const char* reason = nullptr;
  glfwGetError(&reason);
  return tuner::fail(fmt::format("no window: {}{}{}; 'gemwright show' tells the same on a terminal", what,
                                 reason == nullptr ? "" : ": ", reason == nullptr ? "" : reason));
}

}  // namespace

void wake_window() { glfwPostEmptyEvent(); }

double window_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

tuner::Result<std::unique_ptr<Window>> Window::open(const WindowOptions& options) {
  // Mesa's software renderer takes a thread for every core otherwise, those that are measured on too.
  setenv("LP_NUM_THREADS", "1", 0);
  if (glfwInit() == GLFW_FALSE) return no_window("there is no display");
  glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 3);
  glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 2);
  glfwWindowHint(GLFW_OPENGL_PROFILE, GLFW_OPENGL_CORE_PROFILE);
  glfwWindowHint(GLFW_OPENGL_FORWARD_COMPAT, GLFW_TRUE);
  glfwWindowHint(GLFW_VISIBLE, options.visible ? GLFW_TRUE : GLFW_FALSE);
  GLFWwindow* const window = glfwCreateWindow(options.width, options.height, "gemwright", nullptr, nullptr);
  if (window == nullptr) {
    auto error = no_window("OpenGL 3.2 is not to be had");
    glfwTerminate();
    return error;
  }
  glfwMakeContextCurrent(window);
  glfwSwapInterval(1);
  std::unique_ptr<Window> out(new Window(window));
  glfwSetWindowUserPointer(window, out.get());
  glfwSetWindowRefreshCallback(
      window, [](GLFWwindow* w) { static_cast<Window*>(glfwGetWindowUserPointer(w))->refresh_ = true; });
  IMGUI_CHECKVERSION();
  ImGui::CreateContext();
  ImPlot::CreateContext();
  ImGui_ImplGlfw_InitForOpenGL(window, true);
  ImGui_ImplOpenGL3_Init("#version 150");
  return out;
}

Window::~Window() {
  ImGui_ImplOpenGL3_Shutdown();
  ImGui_ImplGlfw_Shutdown();
  ImPlot::DestroyContext();
  ImGui::DestroyContext();
  glfwDestroyWindow(window_);
  glfwTerminate();
}

bool Window::wait(double seconds) {
  if (seconds <= 0) {
    glfwPollEvents();
  } else if (std::isinf(seconds)) {
    glfwWaitEvents();
  } else {
    glfwWaitEventsTimeout(seconds);
  }
  const bool input = refresh_ || wants_to_close() || ImGui::GetCurrentContext()->InputEventsQueue.Size > 0;
  refresh_ = false;
  return input;
}

void Window::begin_frame() {
  ImGui_ImplOpenGL3_NewFrame();
  ImGui_ImplGlfw_NewFrame();
  ImGui::NewFrame();
}

void Window::render() {
  ImGui::Render();
  int width = 0, height = 0;
  glfwGetFramebufferSize(window_, &width, &height);
  glViewport(0, 0, width, height);
  const ImVec4 back = ImGui::GetStyleColorVec4(ImGuiCol_WindowBg);
  glClearColor(back.x, back.y, back.z, 1);
  glClear(GL_COLOR_BUFFER_BIT);
  ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
}

void Window::end_frame() {
  render();
  glfwSwapBuffers(window_);
}

Picture Window::end_frame_as_picture() {
  render();
  Picture p;
  glfwGetFramebufferSize(window_, &p.width, &p.height);
  const auto row = static_cast<std::size_t>(p.width) * 3;
  std::vector<std::uint8_t> upwards(row * static_cast<std::size_t>(p.height));
  glPixelStorei(GL_PACK_ALIGNMENT, 1);
  // The back buffer: llvmpipe cannot read the front one.
  glReadBuffer(GL_BACK);
  glReadPixels(0, 0, p.width, p.height, GL_RGB, GL_UNSIGNED_BYTE, upwards.data());
  glfwSwapBuffers(window_);
  for (int y = p.height; y-- > 0;) {
    const auto* const from = upwards.data() + static_cast<std::size_t>(y) * row;
    p.rgb.insert(p.rgb.end(), from, from + row);
  }
  return p;
}

bool Window::wants_to_close() const { return glfwWindowShouldClose(window_) != GLFW_FALSE; }
bool Window::minimised() const { return glfwGetWindowAttrib(window_, GLFW_ICONIFIED) != GLFW_FALSE; }

float Window::scale() const {
  float x = 1, y = 1;
  glfwGetWindowContentScale(window_, &x, &y);
  return x > 0 ? x : 1;
}

void Window::hide() {
  glfwHideWindow(window_);
  glfwPollEvents();
}

void Window::size(int& width, int& height) const { glfwGetWindowSize(window_, &width, &height); }

}  // namespace gemwright::app::gui
