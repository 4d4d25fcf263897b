// Weights as timed calls read them: copies in one packing format, used in turn. The turn belongs to the format and not
// to the candidate, because a candidate that began at copy 0 again would find what the one before it left in the
// caches.
#pragma once

#include <gemwright/memory.h>

#include <cstdint>
#include <list>
#include <optional>

#include "tuner/baseline/baseline.h"
#include "tuner/worker/candidate.h"
#include "tuner/worker/operands.h"

namespace gemwright::tuner {

// Copies in turn. They lie in `held`; a single one is what the library packed, or the operand itself.
struct RotatingWeights {
  int panel = 0;  // 0: as the caller holds them
  gemwright::float_block held;
  PackedWeights packed{nullptr, [](void*) {}};
  double bytes = 0;
  WeightCopies copies;
  std::int64_t turn = 0;

  const float* next() {
    turn = turn + 1 < copies.count ? turn + 1 : 0;
    return static_cast<const float*>(copies.at(turn));
  }
};

// The copies of all formats in use, within a limit of memory: the format used longest ago goes first.
class WeightStore {
 public:
  void reset();
  // `cache_bytes` as in copy_count; `limit` is what the store may hold, in bytes.
  void configure(double cache_bytes, std::optional<double> limit);
  double bytes() const;

  // The weights in panels, made by the library's own packing. The pointer holds until the next call.
  Result<RotatingWeights*> packed(const Operands& o, const TileLibrary& library, int panel);
  // The weights as the caller holds them.
  Result<RotatingWeights*> plain(const Operands& o);

 private:
  RotatingWeights* find(int panel);
  RotatingWeights describe(int panel, const float* source, std::int64_t floats) const;
  Result<RotatingWeights*> keep(RotatingWeights w, std::int64_t floats);
  Result<void> make_room(double bytes);

  std::list<RotatingWeights> formats_;  // most recently used first
  double cache_bytes_ = 0;
  std::optional<double> limit_;
};

}  // namespace gemwright::tuner
