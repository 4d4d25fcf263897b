// Weights as timed calls read them: copies in one packing format, used in turn. The turn belongs to the format and not
// to the candidate, because a candidate that began at copy 0 again would find what the one before it left in the
// caches.
#pragma once

#include <gemwright/dot_pack.h>
#include <gemwright/memory.h>
#include <gemwright/pack.h>

#include <cstdint>
#include <list>
#include <optional>
#include <vector>

#include "tuner/baseline/baseline.h"
#include "tuner/worker/operands.h"

namespace gemwright::tuner {

// What pack_weights writes is a matter of both; panel 0: as the caller holds them, whatever the mode.
struct WeightFormat {
  ComputeMode mode = ComputeMode::f32;
  gemwright::packing packing{0};

  bool operator==(const WeightFormat& o) const { return mode == o.mode && packing == o.packing; }
};

// Copies in turn. Plain ones and those of f32 panels are memory: `held`, or for a single one `panels`, or the operand
// itself. Packed weights of a dot mode are objects, each in `packed`.
struct RotatingWeights {
  WeightFormat format;
  gemwright::float_block held;
  gemwright::packed_weights panels;
  std::vector<gemwright::packed_dot_weights> packed;
  double bytes = 0;
  WeightCopies copies;
  std::int64_t turn = 0;

  // What gemm_call::b, dot_call::b.b or dot_call::weights takes.
  const void* next() {
    turn = turn + 1 < copies.count ? turn + 1 : 0;
    return copies.first != nullptr ? copies.at(turn) : &packed[static_cast<std::size_t>(turn)];
  }
};

// The copies of all formats in use, within a limit of memory: the format used longest ago goes first.
class WeightStore {
 public:
  void reset();
  // `cache_bytes` as in copy_count; `limit` is what the store may hold, in bytes.
  void configure(double cache_bytes, std::optional<double> limit);
  double bytes() const;

  // The weights in panels. The pointer holds until the next call.
  Result<RotatingWeights*> packed(const Operands& o, WeightFormat format);
  // The weights as the caller holds them.
  Result<RotatingWeights*> plain(const Operands& o);

 private:
  RotatingWeights* find(WeightFormat format);
  RotatingWeights describe(WeightFormat format, double one) const;
  Result<RotatingWeights*> packed_f32(const Operands& o, const gemwright::packing& format);
  Result<RotatingWeights*> packed_dot(const Operands& o, WeightFormat format);
  Result<RotatingWeights*> keep_copies(RotatingWeights w, const void* source, std::int64_t one);
  RotatingWeights* keep(RotatingWeights w);
  Result<void> make_room(double bytes);

  std::list<RotatingWeights> formats_;  // most recently used first
  double cache_bytes_ = 0;
  std::optional<double> limit_;
};

// B of a call as dot tiles take it, in the interface's own elements.
gemwright::dot_weights_source weights_source(const Operands& o);

}  // namespace gemwright::tuner
