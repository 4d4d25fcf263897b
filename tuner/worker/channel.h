// Lines over descriptors. Nothing here waits longer than it is told to.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gemwright::tuner {

class LineReader {
 public:
  LineReader(int fd, std::size_t longest) : fd_(fd), longest_(longest) {}

  int fd() const { return fd_; }
  // Takes in what is there, without waiting. False when nothing more will come.
  bool fill();
  // The next whole line, without its line feed.
  std::optional<std::string> next();
  // Nothing more will come: the other side closed, or sent a line that is too long.
  bool ended() const { return ended_; }
  bool too_long() const { return too_long_; }

 private:
  int fd_;
  std::size_t longest_;
  std::string buffer_;
  std::size_t searched_ = 0;    // of the buffer, from its beginning, without a line feed
  std::size_t unfinished_ = 0;  // at the end of the buffer, after the last line feed
  bool ended_ = false, too_long_ = false;
};

// Waits until one descriptor is readable or hung up, at most `ms`.
void wait_readable(const std::vector<int>& fds, int ms);

// Writes all of it to a socket. False when the other side closed it or `give_up`, asked ten times a second, says so.
bool send_all(int socket, std::string_view text, const std::function<bool()>& give_up);
// Writes all of it to any descriptor, however long that takes. False when it is closed.
bool write_all(int fd, std::string_view text);

}  // namespace gemwright::tuner
