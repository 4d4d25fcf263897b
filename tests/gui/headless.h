// The shell without a window: frames are drawn into nothing, textures are answered by hand, and the test engine of Dear
// ImGui presses the keys and moves the pointer.
#pragma once

#include <imgui.h>
#include <imgui_test_engine/imgui_te_context.h>
#include <imgui_test_engine/imgui_te_engine.h>
#include <implot.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "app/gui/shell.h"

namespace gemwright::app::gui {

class Headless {
 public:
  explicit Headless(const std::string& view = "run", const WindowSettings& settings = {}, DeskHooks hooks = {}) {
    ImGui::CreateContext();
    ImPlot::CreateContext();
    ImGuiIO& io = ImGui::GetIO();
    io.DisplaySize = {static_cast<float>(settings.width), static_cast<float>(settings.height)};
    io.BackendFlags |= ImGuiBackendFlags_RendererHasTextures | ImGuiBackendFlags_RendererHasVtxOffset;
    engine_ = ImGuiTestEngine_CreateContext();
    ImGuiTestEngineIO& test = ImGuiTestEngine_GetIO(engine_);
    test.ConfigRunSpeed = ImGuiTestRunSpeed_Fast;
    test.ConfigNoThrottle = true;
    test.ConfigSavedSettings = false;
    test.ConfigRestoreFocusAfterTests = false;  // one act begins where the one before ended
    test.ConfigLogToTTY = true;
    test.ConfigFixedDeltaTime = 1.0f / 60;
    if (!hooks.tune) hooks.tune = [](const TuningJob&, const TuningSink&) { return tuner::Result<void>(); };
    desk_ = std::make_unique<Desk>(std::move(hooks));
    shell_ = std::make_unique<Shell>(*desk_, settings, view, "");
    ImGuiTestEngine_Start(engine_, ImGui::GetCurrentContext());
  }

  ~Headless() {
    ImGuiTestEngine_Stop(engine_);
    shell_.reset();
    desk_.reset();
    ImPlot::DestroyContext();
    ImGui::DestroyContext();
    ImGuiTestEngine_DestroyContext(engine_);
  }
  Headless(const Headless&) = delete;
  Headless& operator=(const Headless&) = delete;

  Shell& shell() { return *shell_; }
  Desk& desk() { return *desk_; }

  void frame() {
    for (ImTextureData* t : ImGui::GetPlatformIO().Textures) {
      if (t->Status == ImTextureStatus_OK) continue;
      t->SetTexID(static_cast<ImTextureID>(1));
      t->SetStatus(t->Status == ImTextureStatus_WantDestroy ? ImTextureStatus_Destroyed : ImTextureStatus_OK);
    }
    ImGui::GetIO().DeltaTime = 1.0f / 60;
    shell_->before_frame();
    ImGui::NewFrame();
    shell_->draw();
    ImGui::Render();
    ImGuiTestEngine_PostSwap(engine_);
  }

  // Draws until nothing more is wanted and the threads of the desk have nothing to do; false where that does not come.
  bool settle() {
    // Beyond the first some of them wait: a text or a tile is made on a thread, by a compiler on a loaded machine.
    constexpr int kMany = 6000, kQuick = 200;
    constexpr auto kPatience = std::chrono::seconds(60);
    const auto until = std::chrono::steady_clock::now() + kPatience;
    int quiet = 0;
    for (int i = 0; i < kMany;) {
      frame();
      if (desk_->busy()) {
        quiet = 0;
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      if (++i > kQuick) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      quiet = shell_->wants_frame() ? 0 : quiet + 1;
      if (quiet > 4) return true;
    }
    return false;
  }

  // Draws until `wanted` holds.
  bool comes(const std::function<bool()>& wanted) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!wanted()) {
      if (std::chrono::steady_clock::now() > until) return false;
      frame();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return settle();
  }

  // What `act` left there.
  const std::string& clipboard() const { return clipboard_; }

  // Runs what a person would do; false where a check in it failed.
  bool act(const std::function<void(ImGuiTestContext&)>& what) {
    ImGuiTest* const test = IM_REGISTER_TEST(engine_, "gui", "act");
    bool ran = false;
    test->TestFunc = [&](ImGuiTestContext* context) {
      what(*context);
      context->Yield(2);
      // Not as fast as frames go: the engine's watchdog counts them as 1/60 s each.
      while (shell_->copying()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        context->Yield();
      }
      // The test engine gives tests a clipboard of their own.
      const char* const text = ImGui::GetClipboardText();
      clipboard_ = text == nullptr ? "" : text;
      ran = true;
    };
    ImGuiTestEngine_QueueTest(engine_, test);
    while (!ImGuiTestEngine_IsTestQueueEmpty(engine_)) frame();
    const bool ok = test->Output.Status == ImGuiTestStatus_Success;
    ImGuiTestEngine_UnregisterTest(engine_, test);
    return ok && ran && settle();
  }

 private:
  ImGuiTestEngine* engine_ = nullptr;
  std::unique_ptr<Desk> desk_;
  std::unique_ptr<Shell> shell_;
  std::string clipboard_;
};

}  // namespace gemwright::app::gui
