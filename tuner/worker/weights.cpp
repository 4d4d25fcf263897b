#include "tuner/worker/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace gemwright::tuner {
namespace {

std::string not_packed(gemwright::status why) {
  return fmt::format("the weights could not be packed: {}", gemwright::status_text(why));
}

// Makes all copies equal to the `one` bytes at `source`, which may be the first of them.
void fill_copies(const RotatingWeights& w, const void* source, std::int64_t one) {
  char* const to = reinterpret_cast<char*>(w.held.data.get());
  for (std::int64_t i = source == to ? 1 : 0; i < w.copies.count; ++i) {
    std::memcpy(to + i * w.copies.stride, source, static_cast<std::size_t>(one));
  }
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

// Spare memory that nobody took since the last reset is freed; that of the weights dropped now is kept.
void WeightStore::reset() {
  spare_.shrink(0);
  while (!formats_.empty()) drop_oldest();
}

void WeightStore::configure(double cache_bytes, std::optional<double> limit) {
  if (cache_bytes != cache_bytes_) reset();
  cache_bytes_ = cache_bytes;
  limit_ = limit;
  if (!limit_) return;
  while (!formats_.empty() && bytes() > *limit_) drop_oldest();
  spare_.shrink(*limit_ - bytes());
}

double WeightStore::bytes() const {
  double sum = 0;
  for (const RotatingWeights& w : formats_) sum += w.held.bytes;
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

void WeightStore::drop_oldest() {
  spare_.give(std::move(formats_.back().held));
  formats_.pop_back();
}

// Leaves room for `bytes` beside what is kept.
Result<void> WeightStore::make_room(double bytes) {
  if (!limit_) return {};
  while (!formats_.empty() && this->bytes() + bytes > *limit_) drop_oldest();
  if (bytes <= *limit_) return {};
  return fail(fmt::format("the copies of the weights need {:.1f} GiB, but only {:.1f} GiB may be used", bytes / 0x1p30,
                          *limit_ / 0x1p30));
}

// How large a spare block may be that serves `bytes`. What it is too large by is lost to other formats: little of what
// is left for them.
double WeightStore::largest_for(double bytes) const {
  constexpr double kMuchLarger = 4, kLittle = 0.125;
  if (!limit_) return kMuchLarger * bytes;
  const double left = *limit_ - this->bytes() - bytes;
  return std::min(kMuchLarger * bytes, bytes + kLittle * left);
}

// The copies to be, of `one` bytes each, with memory where they need it.
Result<RotatingWeights> WeightStore::reserve(WeightFormat format, std::int64_t one, bool own_memory) {
  RotatingWeights w;
  w.format = format;
  w.copies.count = copy_count(cache_bytes_, static_cast<double>(one));
  w.copies.stride = gemwright::round_up(one, 64);  // each begins on a cache line
  if (one == 0 || (w.copies.count == 1 && !own_memory)) return w;
  const double bytes = static_cast<double>(w.copies.stride) * static_cast<double>(w.copies.count);
  if (auto room = make_room(bytes); !room) return tl::unexpected(room.error());
  // Each copy as a caller's weights of that size would have it: small ones share no huge page.
  const bool huge = one >= static_cast<std::int64_t>(gemwright::huge_page);
  w.held = spare_.take(bytes, largest_for(bytes), huge);
  if (limit_) spare_.shrink(*limit_ - this->bytes() - std::max(w.held.bytes, bytes));
  if (!w.held.data) w.held = new_block(bytes, huge);
  if (!w.held.data) return fail("not enough memory for the copies of the weights");
  w.copies.first = w.held.data.get();
  return w;
}

RotatingWeights* WeightStore::keep(RotatingWeights w) {
  formats_.push_front(std::move(w));
  return &formats_.front();
}

Result<RotatingWeights*> WeightStore::packed_f32(const Operands& o, const gemwright::packing& format) {
  const Problem& p = o.problem;
  if (format.panel < 1 || (format.pair != 0 && !gemwright::packs_pairs(format, p.n))) {
    return fail(not_packed(gemwright::status::bad_config));
  }
  const std::int64_t item = gemwright::packed_b_size(p.n, p.k, format);
  const std::int64_t one = item * p.batch * 4;
  if (one == 0) return plain(o);  // K = 0: nothing to pack, nothing to read
  auto w = reserve({ComputeMode::f32, format}, one, true);
  if (!w) return tl::unexpected(w.error());
  for (std::int64_t i = 0; i < p.batch; ++i) {
    gemwright::pack_b_panels(o.b.data() + i * p.n * p.k, o.ldb(), p.b_layout, p.n, p.k, format, 0,
                             gemwright::ceil_div(p.n, format.panel), w->held.data.get() + i * item);
  }
  fill_copies(*w, w->copies.first, one);
  return keep(std::move(*w));
}

Result<RotatingWeights*> WeightStore::packed_dot(const Operands& o, WeightFormat format) {
  const Problem& p = o.problem;
  const gemwright::packing& panels = format.packing;
  if (panels.panel < 1) return fail("tiles of the dot modes read packed weights, and the config's panel is 0");
  auto w = reserve(format, gemwright::packed_dot_size(format.mode, p.n, p.k, panels) * p.batch * 4, true);
  if (!w) return tl::unexpected(w.error());
  const auto words = [&](std::int64_t i) { return static_cast<std::uint32_t*>(const_cast<void*>(w->copies.at(i))); };
  w->packed.push_back(gemwright::pack_dot_weights(format.mode, weights_source(o), p.n, p.k, p.batch, panels, words(0)));
  if (!w->packed[0].valid()) return fail(not_packed(w->packed[0].state()));
  for (std::int64_t i = 1; i < w->copies.count; ++i) {
    w->packed.push_back(gemwright::copy_weights(w->packed[0], words(i)));
  }
  return keep(std::move(*w));
}

Result<RotatingWeights*> WeightStore::packed(const Operands& o, WeightFormat format) {
  if (RotatingWeights* const known = find(format)) return known;
  return format.mode == ComputeMode::f32 ? packed_f32(o, format.packing) : packed_dot(o, format);
}

Result<RotatingWeights*> WeightStore::plain(const Operands& o) {
  if (RotatingWeights* const known = find({})) return known;
  const auto one = static_cast<std::int64_t>(weight_bytes(o.problem));
  auto w = reserve({}, one, false);
  if (!w) return tl::unexpected(w.error());
  if (w->held.data) {
    fill_copies(*w, o.b_data(), one);
  } else {
    w->copies.first = o.b_data();
  }
  return keep(std::move(*w));
}

}  // namespace gemwright::tuner
