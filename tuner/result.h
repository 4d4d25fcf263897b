// Expected failure: a value or one sentence that a user can act on.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace gemwright::tuner {

enum class ErrorKind {
  failed,         // exit code 1
  usage,          // exit code 2: the caller asked for something that has no meaning
  nothing_valid,  // exit code 3: a search ended without one correct config
  interrupted,    // exit code 130: everything so far is saved
  worker_lost,    // exit code 1: the measuring process ended over what it was asked
};

struct Error {
  std::string message;  // one sentence, without a final full stop, naming file and line where there are any
  ErrorKind kind = ErrorKind::failed;
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(std::string message, ErrorKind kind = ErrorKind::failed) {
  return tl::unexpected<Error>(Error{std::move(message), kind});
}

}  // namespace gemwright::tuner
