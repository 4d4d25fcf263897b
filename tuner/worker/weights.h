// Weights as timed calls read them: copies in one packing format, used in turn. The turn belongs to the format and not
// to the candidate, because a candidate that began at copy 0 again would find what the one before it left in the
// caches.
#pragma once

#include <gemwright/dot_pack.h>
#include <gemwright/pack.h>

#include <cstdint>
#include <list>
#include <optional>
#include <vector>

#include "tuner/baseline/baseline.h"
#include "tuner/worker/operands.h"
#include "tuner/worker/spare_memory.h"

namespace gemwright::tuner {

// What pack_weights writes is a matter of both; panel 0: as the caller holds them, whatever the mode.
struct WeightFormat {
  ComputeMode mode = ComputeMode::f32;
  gemwright::packing packing{0};

  bool operator==(const WeightFormat& o) const { return mode == o.mode && packing == o.packing; }
};

// Copies in turn, in memory of their own but for a single plain one, which is the operand itself. Those of a dot mode
// are read through the objects in `packed`.
struct RotatingWeights {
  WeightFormat format;
  MemoryBlock held;
  std::vector<gemwright::packed_dot_weights> packed;
  WeightCopies copies;
  std::int64_t turn = 0;

  // What gemm_call::b, dot_call::b.b or dot_call::weights takes.
  const void* next() {
    turn = turn + 1 < copies.count ? turn + 1 : 0;
    return packed.empty() ? copies.at(turn) : &packed[static_cast<std::size_t>(turn)];
  }
};

// The copies of all formats in use, within a limit of memory: the format used longest ago goes first. The memory of
// those that are gone is kept as long as there is room for it.
class WeightStore {
 public:
  void reset();
  // `cache_bytes` as in copy_count; `limit` is what the store may hold, in bytes.
  void configure(double cache_bytes, std::optional<double> limit);
  double bytes() const;  // of the copies
  double spare_bytes() const { return spare_.bytes(); }

  // The weights in panels. The pointer holds until the next call.
  Result<RotatingWeights*> packed(const Operands& o, WeightFormat format);
  // The weights as the caller holds them.
  Result<RotatingWeights*> plain(const Operands& o);

 private:
  RotatingWeights* find(WeightFormat format);
  Result<RotatingWeights> reserve(WeightFormat format, std::int64_t one, bool own_memory);
  Result<RotatingWeights*> packed_f32(const Operands& o, const gemwright::packing& format);
  Result<RotatingWeights*> packed_dot(const Operands& o, WeightFormat format);
  RotatingWeights* keep(RotatingWeights w);
  void drop_oldest();
  Result<void> make_room(double bytes);
  double largest_for(double bytes) const;

  std::list<RotatingWeights> formats_;  // most recently used first
  SpareMemory spare_;
  double cache_bytes_ = 0;
  std::optional<double> limit_;
};

// B of a call as dot tiles take it, in the interface's own elements.
gemwright::dot_weights_source weights_source(const Operands& o);

}  // namespace gemwright::tuner
