// A value that this machine may not tell: present, or missing with one sentence that says why. Never a made-up zero.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace gemwright::profilers {

template <class T>
struct Reading {
  std::optional<T> value;
  std::string reason;  // empty exactly when there is a value

  explicit operator bool() const { return value.has_value(); }
};

template <class T>
Reading<T> missing(std::string reason) {
  return {std::nullopt, std::move(reason)};
}

}  // namespace gemwright::profilers
