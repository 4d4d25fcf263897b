#include "tuner/worker/channel.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace gemwright::tuner {

bool LineReader::fill() {
  char buffer[64 << 10];
  while (!ended_) {
    pollfd p{fd_, POLLIN, 0};
    if (poll(&p, 1, 0) <= 0) return true;
    const ssize_t n = read(fd_, buffer, sizeof buffer);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return true;
    if (n <= 0) {
      ended_ = true;
      break;
    }
    const std::string_view piece(buffer, static_cast<std::size_t>(n));
    const auto last = piece.rfind('\n');
    buffer_ += piece;
    unfinished_ = last == std::string_view::npos ? unfinished_ + piece.size() : piece.size() - last - 1;
    // Whole lines may pile up while nobody asks for them, but not without end.
    ended_ = too_long_ = unfinished_ > longest_ || buffer_.size() > 2 * longest_;
    if (last != std::string_view::npos) return !ended_;
  }
  return false;
}

std::optional<std::string> LineReader::next() {
  const auto end = buffer_.find('\n', searched_);
  if (end == std::string::npos) {
    searched_ = buffer_.size();
    return std::nullopt;
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  searched_ = 0;
  if (line.size() <= longest_) return line;
  ended_ = too_long_ = true;
  return std::nullopt;
}

void wait_readable(const std::vector<int>& fds, int ms) {
  std::vector<pollfd> wanted;
  for (const int fd : fds) wanted.push_back({fd, POLLIN, 0});
  poll(wanted.data(), wanted.size(), ms);
}

bool send_all(int socket, std::string_view text, const std::function<bool()>& give_up) {
  constexpr int kAskAgainMs = 100;
  while (!text.empty()) {
    const ssize_t n = send(socket, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
      continue;
    }
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return false;
    if (give_up()) return false;
    pollfd p{socket, POLLOUT, 0};
    poll(&p, 1, kAskAgainMs);
  }
  return true;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EAGAIN) {
      pollfd p{fd, POLLOUT, 0};
      poll(&p, 1, -1);
    } else if (n < 0 && errno != EINTR) {
      return false;
    } else if (n > 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  return true;
}

}  // namespace gemwright::tuner
