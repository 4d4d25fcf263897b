// Memory of weights that are gone, kept for those that come: what a process touches first is zeroed, and in a virtual
// machine whose host takes free memory back each first touch is a fault in the host, too (4 s a GiB on one of ours: a
// fifth of the time of studies with copies of small weights).
#pragma once

#include <gemwright/memory.h>

#include <list>

namespace gemwright::tuner {

struct MemoryBlock {
  gemwright::float_block data;  // null: there is none
  double bytes = 0;             // of all of it
  bool huge = false;            // on huge pages
};

// No data where there is not enough memory.
MemoryBlock new_block(double bytes, bool huge);

class SpareMemory {
 public:
  void give(MemoryBlock block);
  // The smallest block of such pages that holds `bytes`; none where it is larger than `most`.
  MemoryBlock take(double bytes, double most, bool huge);
  // Frees blocks, the largest first, until `bytes` are left at most.
  void shrink(double bytes);
  double bytes() const;

 private:
  std::list<MemoryBlock> blocks_;  // the smallest first
};

}  // namespace gemwright::tuner
