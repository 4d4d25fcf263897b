#include "tuner/worker/weights.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

namespace gemwright::tuner {

void WeightStore::reset() { formats_.clear(); }

void WeightStore::configure(double cache_bytes, std::optional<double> limit) {
  if (cache_bytes != cache_bytes_) reset();
  cache_bytes_ = cache_bytes;
  limit_ = limit;
  while (limit_ && !formats_.empty() && bytes() > *limit_) formats_.pop_back();
}

double WeightStore::bytes() const {
  double sum = 0;
  for (const RotatingWeights& w : formats_) sum += w.bytes;
  return sum;
}

RotatingWeights* WeightStore::find(int panel) {
  for (auto i = formats_.begin(); i != formats_.end(); ++i) {
    if (i->panel != panel) continue;
    formats_.splice(formats_.begin(), formats_, i);
    return &formats_.front();
  }
  return nullptr;
}

Result<void> WeightStore::make_room(double bytes) {
  if (!limit_) return {};
  while (!formats_.empty() && this->bytes() + bytes > *limit_) formats_.pop_back();
  if (bytes <= *limit_) return {};
  return fail(fmt::format("the copies of the weights need {:.1f} GiB, but only {:.1f} GiB may be used", bytes / 0x1p30,
                          *limit_ / 0x1p30));
}

RotatingWeights WeightStore::describe(int panel, const float* source, std::int64_t floats) const {
  RotatingWeights w;
  w.panel = panel;
  w.copies.count = copy_count(cache_bytes_, static_cast<double>(floats) * sizeof(float));
  w.copies.stride = gemwright::round_up(floats, 16) * 4;  // each begins on a cache line
  w.copies.first = source;
  if (panel > 0 || w.copies.count > 1) {
    w.bytes = static_cast<double>(w.copies.stride) * static_cast<double>(w.copies.count);
  }
  return w;
}

// Makes the copies, for which there is room, and remembers the format.
Result<RotatingWeights*> WeightStore::keep(RotatingWeights w, std::int64_t floats) {
  if (w.copies.count > 1) {
    w.held = gemwright::allocate_floats(static_cast<std::size_t>(w.copies.stride / 4 * w.copies.count));
    if (!w.held) return fail("not enough memory for the copies of the weights");
    for (std::int64_t i = 0; i < w.copies.count; ++i) {
      std::memcpy(w.held.get() + i * w.copies.stride / 4, w.copies.first,
                  static_cast<std::size_t>(floats) * sizeof(float));
    }
    w.copies.first = w.held.get();
    w.packed.reset();
  }
  formats_.push_front(std::move(w));
  return &formats_.front();
}

Result<RotatingWeights*> WeightStore::packed(const Operands& o, const TileLibrary& library, int panel) {
  if (RotatingWeights* const known = find(panel)) return known;
  const Problem& p = o.problem;
  const std::int64_t floats = gemwright::packed_b_size(p.n, p.k, {panel}) * p.batch;
  if (floats == 0) return plain(o);  // K = 0: nothing to pack, nothing to read
  RotatingWeights w = describe(panel, nullptr, floats);
  // While there are several copies, what the library packed lies beside them for a moment.
  const double beside = w.copies.count > 1 ? static_cast<double>(floats) * sizeof(float) : 0;
  if (auto room = make_room(w.bytes + beside); !room) return tl::unexpected(room.error());
  w.packed = library.pack(o.b.data(), o.ldb(), p.b_layout, p.n, p.k, p.batch, p.n * p.k, panel);
  if (!w.packed) return fail("the weights could not be packed");
  w.copies.first = library.api().packed_data(w.packed.get());
  return keep(std::move(w), floats);
}

Result<RotatingWeights*> WeightStore::plain(const Operands& o) {
  if (RotatingWeights* const known = find(0)) return known;
  const Problem& p = o.problem;
  const std::int64_t floats = p.n * p.k * p.batch;
  RotatingWeights w = describe(0, o.b.data(), floats);
  if (auto room = make_room(w.bytes); !room) return tl::unexpected(room.error());
  return keep(std::move(w), floats);
}

}  // namespace gemwright::tuner
