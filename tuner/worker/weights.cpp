#include "tuner/worker/weights.h"

#include <fmt/format.h>

#include <cstring>
#include <string>
#include <utility>

namespace gemwright::tuner {
namespace {

std::string not_packed(gemwright::status why) {
  return fmt::format("the weights could not be packed: {}", gemwright::status_text(why));
}

}  // namespace

gemwright::dot_weights_source weights_source(const Operands& o) {
  const Problem& p = o.problem;
  gemwright::dot_weights_source s;
  s.b = o.b_data();
  s.type = b_element(p.interface);
  s.ldb = o.ldb();
  s.order = p.b_layout;
  s.stride = p.n * p.k;
  s.scale = o.b_scale.data();
  return s;
}

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

RotatingWeights* WeightStore::find(WeightFormat format) {
  for (auto i = formats_.begin(); i != formats_.end(); ++i) {
    if (i->format != format) continue;
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

// `one`: bytes of one set of weights in this format.
RotatingWeights WeightStore::describe(WeightFormat format, double one) const {
  RotatingWeights w;
  w.format = format;
  w.copies.count = copy_count(cache_bytes_, one);
  w.copies.stride = gemwright::round_up(static_cast<std::int64_t>(one), 64);  // each begins on a cache line
  if (format.packing.panel > 0 || w.copies.count > 1) {
    w.bytes = static_cast<double>(w.copies.stride) * static_cast<double>(w.copies.count);
  }
  return w;
}

RotatingWeights* WeightStore::keep(RotatingWeights w) {
  formats_.push_front(std::move(w));
  return &formats_.front();
}

// Makes the copies of memory at `source`, for which there is room.
Result<RotatingWeights*> WeightStore::keep_copies(RotatingWeights w, const void* source, std::int64_t one) {
  w.copies.first = source;
  if (w.copies.count > 1) {
    w.held = gemwright::allocate_floats(static_cast<std::size_t>(w.copies.stride / 4 * w.copies.count));
    if (!w.held) return fail("not enough memory for the copies of the weights");
    char* const to = reinterpret_cast<char*>(w.held.get());
    for (std::int64_t i = 0; i < w.copies.count; ++i) {
      std::memcpy(to + i * w.copies.stride, source, static_cast<std::size_t>(one));
    }
    w.copies.first = to;
    w.panels = {};
  }
  return keep(std::move(w));
}

Result<RotatingWeights*> WeightStore::packed_f32(const Operands& o, const gemwright::packing& format) {
  const Problem& p = o.problem;
  const std::int64_t one = gemwright::packed_b_size(p.n, p.k, format) * p.batch * 4;
  if (one == 0) return plain(o);  // K = 0: nothing to pack, nothing to read
  RotatingWeights w = describe({ComputeMode::f32, format}, static_cast<double>(one));
  // While there are several copies, what is packed first lies beside them for a moment.
  const double beside = w.copies.count > 1 ? static_cast<double>(one) : 0;
  if (auto room = make_room(w.bytes + beside); !room) return tl::unexpected(room.error());
  w.panels = gemwright::pack_weights(o.b.data(), o.ldb(), p.b_layout, p.n, p.k, p.batch, p.n * p.k, format);
  if (!w.panels.valid()) return fail(not_packed(w.panels.state()));
  const float* const source = w.panels.data();
  return keep_copies(std::move(w), source, one);
}

Result<RotatingWeights*> WeightStore::packed_dot(const Operands& o, WeightFormat format) {
  const Problem& p = o.problem;
  const gemwright::packing& panels = format.packing;
  if (panels.panel < 1) return fail("tiles of the dot modes read packed weights, and the config's panel is 0");
  const std::int64_t one = gemwright::packed_dot_size(format.mode, p.n, p.k, panels) * p.batch * 4;
  RotatingWeights w = describe(format, static_cast<double>(one));
  if (auto room = make_room(w.bytes); !room) return tl::unexpected(room.error());
  w.packed.push_back(gemwright::pack_dot_weights(format.mode, weights_source(o), p.n, p.k, p.batch, panels));
  if (!w.packed[0].valid()) return fail(not_packed(w.packed[0].state()));
  while (static_cast<std::int64_t>(w.packed.size()) < w.copies.count) {
    w.packed.push_back(gemwright::copy_weights(w.packed[0]));
    if (!w.packed.back().valid()) return fail("not enough memory for the copies of the weights");
  }
  return keep(std::move(w));
}

Result<RotatingWeights*> WeightStore::packed(const Operands& o, WeightFormat format) {
  if (RotatingWeights* const known = find(format)) return known;
  return format.mode == ComputeMode::f32 ? packed_f32(o, format.packing) : packed_dot(o, format);
}

Result<RotatingWeights*> WeightStore::plain(const Operands& o) {
  if (RotatingWeights* const known = find({})) return known;
  const auto one = static_cast<std::int64_t>(weight_bytes(o.problem));
  RotatingWeights w = describe({}, static_cast<double>(one));
  if (auto room = make_room(w.bytes); !room) return tl::unexpected(room.error());
  return keep_copies(std::move(w), o.b_data(), one);
}

}  // namespace gemwright::tuner
