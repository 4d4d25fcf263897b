#include "app/model/text_diff.h"

#include <fmt/format.h>

#include <algorithm>

namespace gemwright::app {
namespace {

using Lines = std::vector<std::string_view>;

// The trace of the search takes the square of this.
constexpr std::ptrdiff_t kMaxChanges = 1500;

// One line of both texts, or of one of them.
struct Step {
  char kind = ' ';
  std::size_t before = 0, after = 0;  // index of the line, or of the next one
};

// Furthest points of the diagonals k = x - y from -d to d, for each number of changes d; nothing beyond kMaxChanges.
std::vector<std::vector<std::ptrdiff_t>> search(const Lines& a, const Lines& b) {
  const auto n = static_cast<std::ptrdiff_t>(a.size()), m = static_cast<std::ptrdiff_t>(b.size());
  const std::ptrdiff_t most = std::min(n + m, kMaxChanges);
  std::vector<std::ptrdiff_t> v(static_cast<std::size_t>(2 * most + 3), 0);
  const auto at = [&](std::ptrdiff_t k) -> std::ptrdiff_t& { return v[static_cast<std::size_t>(k + most + 1)]; };
  std::vector<std::vector<std::ptrdiff_t>> trace;
  for (std::ptrdiff_t d = 0; d <= most; ++d) {
    for (std::ptrdiff_t k = -d; k <= d; k += 2) {
      std::ptrdiff_t x = k == -d || (k != d && at(k - 1) < at(k + 1)) ? at(k + 1) : at(k - 1) + 1;
      while (x < n && x - k < m && a[static_cast<std::size_t>(x)] == b[static_cast<std::size_t>(x - k)]) ++x;
      at(k) = x;
      if (k != n - m || x < n) continue;
      trace.emplace_back(v.begin() + (most + 1 - d), v.begin() + (most + 2 + d));
      return trace;
    }
    trace.emplace_back(v.begin() + (most + 1 - d), v.begin() + (most + 2 + d));
  }
  return {};
}

std::vector<Step> replaced(const Lines& a, const Lines& b) {
  std::vector<Step> out;
  for (std::size_t i = 0; i < a.size(); ++i) out.push_back({'-', i, 0});
  for (std::size_t j = 0; j < b.size(); ++j) out.push_back({'+', a.size(), j});
  return out;
}

std::vector<Step> steps(const Lines& a, const Lines& b) {
  const auto trace = search(a, b);
  if (trace.empty()) return replaced(a, b);
  std::vector<Step> out;
  auto x = static_cast<std::ptrdiff_t>(a.size()), y = static_cast<std::ptrdiff_t>(b.size());
  const auto index = [](std::ptrdiff_t i) { return static_cast<std::size_t>(i); };
  for (auto d = static_cast<std::ptrdiff_t>(trace.size()) - 1; d > 0; --d) {
    const auto& before = trace[index(d - 1)];  // of diagonals -(d-1) to d-1
    const auto far = [&](std::ptrdiff_t k) { return std::abs(k) < d ? before[index(k + d - 1)] : -1; };
    const std::ptrdiff_t k = x - y;
    const bool down = k == -d || (k != d && far(k - 1) < far(k + 1));
    const std::ptrdiff_t from = down ? k + 1 : k - 1, from_x = far(from), from_y = from_x - from;
    while (x > (down ? from_x : from_x + 1)) {
      --x, --y;
      out.push_back({' ', index(x), index(y)});
    }
    out.push_back(down ? Step{'+', index(from_x), index(from_y)} : Step{'-', index(from_x), index(from_y)});
    x = from_x;
    y = from_y;
  }
  while (x > 0) {
    --x, --y;
    out.push_back({' ', index(x), index(y)});
  }
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace

Lines text_lines(std::string_view text) {
  Lines out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    out.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out;
}

TextDiff text_diff(std::string_view before, std::string_view after, std::size_t context) {
  const Lines a = text_lines(before), b = text_lines(after);
  std::size_t head = 0, tail = 0;
  while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
  while (tail < a.size() - head && tail < b.size() - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  std::vector<Step> all;
  for (std::size_t i = 0; i < head; ++i) all.push_back({' ', i, i});
  const auto middle = [&](const Lines& lines) {
    return Lines(lines.begin() + static_cast<std::ptrdiff_t>(head), lines.end() - static_cast<std::ptrdiff_t>(tail));
  };
  for (const Step& s : steps(middle(a), middle(b))) all.push_back({s.kind, s.before + head, s.after + head});
  for (std::size_t i = tail; i > 0; --i) all.push_back({' ', a.size() - i, b.size() - i});

  TextDiff out;
  for (std::size_t i = 0, shown = 0; i < all.size(); ++i) {
    if (all[i].kind == ' ') continue;
    // From here to the last change that is not further than both contexts.
    std::size_t end = i + 1;
    for (std::size_t j = end; j < all.size() && j <= end + 2 * context; ++j) {
      if (all[j].kind != ' ') end = j + 1;
    }
    const std::size_t first = std::max(shown, i - std::min(i, context)), last = std::min(all.size(), end + context);
    out.lines.push_back(fmt::format("@@ line {} of the file, line {} of the new header @@", all[first].before + 1,
                                    all[first].after + 1));
    for (std::size_t j = first; j < last; ++j) {
      const Step& s = all[j];
      out.lines.push_back(s.kind + std::string(s.kind == '+' ? b[s.after] : a[s.before]));
      out.removed += s.kind == '-' ? 1 : 0;
      out.added += s.kind == '+' ? 1 : 0;
    }
    shown = last;
    i = last - 1;
  }
  return out;
}

}  // namespace gemwright::app
