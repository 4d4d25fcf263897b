// Which tiles the kernel library offers: those whose inner loops the compilers keep in registers.
#include <fmt/format.h>

#include "tuner/space/config.h"

namespace gemwright::tuner {
namespace {

using gemwright::isa;

int registers_of(isa family) { return vector_width(family) == 16 ? 32 : 16; }

// What the inner loop of a tile holds beside its accumulators. The figures of the dot tiles are the most at which
// neither g++ 12 nor clang++ 14 spills (-O2, every width and unroll).
struct InnerLoop {
  int vectors_of_b;  // registers for each vector of B: two where its elements are widened first
  int spare;         // the broadcast of A; constants, products that wait to be added
};

bool widens(ComputeMode mode, isa family) {
  return mode == ComputeMode::bf16 ? family != isa::avx512_bf16 : mode == ComputeMode::u8s8 && family == isa::avx2;
}

InnerLoop inner_loop(ComputeMode mode, isa family) {
  if (mode == ComputeMode::f32) return {1, 1};
  return widens(mode, family) ? InnerLoop{2, 4} : InnerLoop{1, 2};
}

std::optional<std::string> out_of_range(const gemwright::tile& t) {
  const auto power_of_two_up_to_4 = [](int x) { return x == 1 || x == 2 || x == 4; };
  constexpr int kMaxShortTile = 8;  // from here on the rows and columns alone hide the latency of the FMA
  if (t.mr < 1 || t.nv < 1) return "a tile needs at least one row and one vector";
  if (t.mr > 30 || t.nv > 5) return "no tile has more than 30 rows or 5 vectors";
  if (!power_of_two_up_to_4(t.ku)) return fmt::format("K is unrolled by 1, 2 or 4, not by {}", t.ku);
  if (!power_of_two_up_to_4(t.ka)) return fmt::format("a tile has 1, 2 or 4 accumulators along K, not {}", t.ka);
  if (t.ka > 1 && t.mr * t.nv > kMaxShortTile) {
    return fmt::format("several accumulators along K only help tiles of at most {} accumulators, {}x{} has {}",
                       kMaxShortTile, t.mr, t.nv, t.mr * t.nv);
  }
  return std::nullopt;
}

// Tiles whose vectors run along K.
std::optional<std::string> wrong_along_k(ComputeMode mode, const gemwright::tile& t) {
  // One load of B serves all rows: with more of them nothing is saved, with several columns less than that.
  const int most_rows = t.nv == 1 ? 16 : 8;
  if (!t.along_k) return std::nullopt;
  if (mode != ComputeMode::f32 || t.family == isa::scalar) return "only vectors of f32 run along K";
  if (t.hint != gemwright::prefetch::none) return "tiles whose vectors run along K have no prefetch of B: it is short";
  if (t.mr > most_rows) {
    return fmt::format("a tile of {} columns whose vectors run along K has at most {} rows", t.nv, most_rows);
  }
  if (t.nv > 1 && (t.ku > 2 || t.ka > 2)) {
    return "tiles of several columns whose vectors run along K spill registers when K is unrolled by 4";
  }
  return std::nullopt;
}

// Tiles that span several panels.
std::optional<std::string> wrong_panels(ComputeMode mode, const gemwright::tile& t) {
  if (t.panels == 1) return std::nullopt;
  if (t.family == isa::scalar || t.along_k) return "only vectors along N span several panels";
  if (t.panels > most_panels(mode)) {
    return fmt::format("tiles of {} span at most {} panels", to_text(mode), most_panels(mode));
  }
  if (t.panels < 1 || t.nv % t.panels != 0) {
    return fmt::format("a tile of {} vectors does not span {} panels of whole vectors", t.nv, t.panels);
  }
  if (t.ku > 2 || t.ka > 2) return "tiles that span several panels spill registers when K is unrolled by 4";
  return std::nullopt;
}

// Dot tiles that fit the registers by their number and are spilled all the same.
std::optional<std::string> spilled(ComputeMode mode, const gemwright::tile& t) {
  const bool unrolled = t.ku > 1 || t.ka > 1;
  const int accumulators = t.mr * t.nv * t.ka;
  if (!widens(mode, t.family)) {
    if (unrolled && t.mr == 9 && t.nv == 3) return "an unrolled tile of 9x3 spills registers";
    return std::nullopt;
  }
  if (mode == ComputeMode::u8s8) {
    // Its products are sums of integers, which g++ reorders across the steps.
    if (unrolled) return "avx2 tiles of u8s8 spill registers when K is unrolled";
    return std::nullopt;
  }
  if (t.family == isa::avx512f) {
    constexpr int kMostUnrolled = 16;
    if (unrolled && t.nv > 1 && accumulators > kMostUnrolled) {
      return fmt::format("an unrolled avx512f tile of bf16 with more than {} accumulators spills registers",
                         kMostUnrolled);
    }
    return std::nullopt;
  }
  constexpr int kMost = 8, kMostRows = 7, kMostUnrolled = 7;
  if (accumulators > kMost || t.mr > kMostRows || (unrolled && t.ka == 1 && accumulators > kMostUnrolled)) {
    return fmt::format(
        "avx2 tiles of bf16 have at most {} accumulators ({} where K is unrolled) and {} rows, others "
        "spill registers",
        kMost, kMostUnrolled, kMostRows);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> violated(ComputeMode mode, const gemwright::tile& t) {
  if (!gemwright::computes(t.family, mode)) {
    return fmt::format("{} does not compute {}", gemwright::isa_name(t.family), to_text(mode));
  }
  if (auto why = out_of_range(t)) return why;
  if (auto why = wrong_along_k(mode, t)) return why;
  if (auto why = wrong_panels(mode, t)) return why;
  if (t.family == isa::scalar) {
    if (t.nv != 4 || t.mr > 4) return "scalar tiles have 4 columns and at most 4 rows";
    if (t.mr * t.nv * t.ka > 16) return "scalar tiles have at most 16 accumulators: there are 16 registers";
    return std::nullopt;
  }
  const int registers = registers_of(t.family);
  if (registers == 16 && t.nv > 4) return fmt::format("{} tiles have at most 4 vectors", isa_name(t.family));
  const InnerLoop loop = inner_loop(mode, t.family);
  const int unrolled_across =
      t.panels > 1 && (t.ku > 1 || t.ka > 1) ? 2 : 0;  // loads of the next step, which g++ moves up
  const int unrolled_along = t.along_k && t.nv > 1 && t.ku > t.ka ? 1 : 0;  // as well
  const int needed = t.mr * t.nv * t.ka + t.nv * loop.vectors_of_b + loop.spare + unrolled_across + unrolled_along;
  if (needed > registers) {
    return fmt::format("the tile {}x{} with {} accumulators along K needs {} registers, {} has {}", t.mr, t.nv, t.ka,
                       needed, gemwright::isa_name(t.family), registers);
  }
  return mode == ComputeMode::f32 ? std::nullopt : spilled(mode, t);
}

}  // namespace gemwright::tuner
