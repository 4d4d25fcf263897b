// What the traffic model is compared with: a cache that sees every access.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>

namespace gemwright::profilers {

// A fully associative cache of single elements with least recently used replacement.
class Lru {
 public:
  explicit Lru(std::size_t elements) : size_(elements) {}
  void touch(std::int64_t address, bool write) {
    const auto found = at_.find(address);
    if (found == at_.end()) {
      // A store brings nothing in; what it wrote goes out when the element does.
      if (!write) ++moved;
      order_.push_front({address, write});
      at_[address] = order_.begin();
      if (order_.size() > size_) {
        if (order_.back().dirty) ++moved;
        at_.erase(order_.back().address);
        order_.pop_back();
      }
      return;
    }
    found->second->dirty |= write;
    order_.splice(order_.begin(), order_, found->second);
  }
  double moved = 0;

 private:
  struct Line {
    std::int64_t address;
    bool dirty;
  };
  std::size_t size_;
  std::list<Line> order_;
  std::unordered_map<std::int64_t, std::list<Line>::iterator> at_;
};

}  // namespace gemwright::profilers
