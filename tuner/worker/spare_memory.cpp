#include "tuner/worker/spare_memory.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gemwright::tuner {
MemoryBlock new_block(double bytes, bool huge) {
  MemoryBlock block;
  block.data = gemwright::allocate_floats(static_cast<std::size_t>(std::ceil(bytes / sizeof(float))), huge);
  if (block.data) block.bytes = bytes;
  block.huge = huge;
  return block;
}

void SpareMemory::give(MemoryBlock block) {
  if (!block.data) return;
  const auto larger = [&](const MemoryBlock& b) { return b.bytes > block.bytes; };
  blocks_.insert(std::find_if(blocks_.begin(), blocks_.end(), larger), std::move(block));
}

MemoryBlock SpareMemory::take(double bytes, double most, bool huge) {
  const auto fits = [&](const MemoryBlock& b) { return b.huge == huge && b.bytes >= bytes; };
  const auto found = std::find_if(blocks_.begin(), blocks_.end(), fits);
  if (found == blocks_.end() || found->bytes > most) return {};
  MemoryBlock block = std::move(*found);
  blocks_.erase(found);
  return block;
}

void SpareMemory::shrink(double bytes) {
  while (!blocks_.empty() && this->bytes() > bytes) blocks_.pop_back();
}

double SpareMemory::bytes() const {
  double sum = 0;
  for (const MemoryBlock& b : blocks_) sum += b.bytes;
  return sum;
}

}  // namespace gemwright::tuner
