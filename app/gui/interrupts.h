// Ctrl-C on the terminal that started the window, and the system's wish that it ends: the window closes as by a person,
// and what it tunes is saved.
#pragma once

#include <functional>
#include <thread>

namespace gemwright::app::gui {

class Interrupts {
 public:
  // `wake` is called from a thread after each signal. One at a time.
  explicit Interrupts(std::function<void()> wake);
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  bool came() const;

 private:
  std::function<void()> wake_;
  int ends_[2] = {-1, -1};  // of a pipe: a handler may do nothing but write
  std::thread thread_;
};

}  // namespace gemwright::app::gui
