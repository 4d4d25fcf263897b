// One point of the search space: compute mode, tile, packing format, blocking and fusion choice; and its three texts:
// JSON (stored and sent, read strictly), key (identity inside a study) and label (for people).
//
// Reading is strict because the text may come from a file, a database or a worker: every key must be there once, none
// may be unknown, every number must be an integer in its range, and a tile must be one that the kernel library offers.
// Whether a config fits a problem is decided elsewhere: see `violated` in space.h.
#pragma once

#include <gemwright/ahead.h>
#include <gemwright/config.h>

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "tuner/problem/problem.h"
#include "tuner/result.h"

namespace gemwright::tuner {

constexpr int kMaxPanel = 128;         // columns; two cache lines of f32 a step beyond the widest tile (5 x 16)
constexpr int kMaxGridThreads = 4096;  // more than any host has; keeps tm * tn * tk far from overflow
constexpr std::int64_t kMaxPrefetchRows = gemwright::next_panel_rows;

struct Config {
  ComputeMode mode = ComputeMode::f32;
  gemwright::tile tile{};  // of a dot mode: ku counts groups of K
  gemwright::packing format{};
  gemwright::blocking blocking{};
};
bool operator==(const Config& x, const Config& y);

// What packed weights depend on. All M and thread counts of a problem share one.
struct PackingFormat {
  ComputeMode mode = ComputeMode::f32;
  int panel = 0, pair = 0;

  auto operator<=>(const PackingFormat&) const = default;
};
inline PackingFormat format_of(const Config& c) { return {c.mode, c.format.panel, c.format.pair}; }

nlohmann::json to_json(const Config& c);
Result<Config> config_from_json(const nlohmann::json& j);
// Canonical one-line text; equal configs have equal text. It is the key of a config inside a study.
std::string key(const Config& c);
// Short label for people: "avx512f 8x2 ku1 t0@64 p32 mc.. nc.. kc.. nmk rows grid 1x2x1"; of a dot mode "bf16
// avx512_bf16 8x2 ...", with vectors along K "avx512f 8x1 along-k ...". A tile wider than the panel reads several.
std::string label(const Config& c);

inline int nr(const gemwright::tile& t) { return gemwright::columns_of(t); }
// Panels that a tile spans at most: as many as f32 tiles have vectors; four, which is what the memory's speed needs (on
// a Zen 3 two streams read 0.82 of what four do), in the dot modes.
constexpr int most_panels(ComputeMode m) { return m == ComputeMode::f32 ? 5 : 4; }
// A tile wider than the panel spans several: tile::panels follows from the two.
void settle_panels(Config& c);
inline const char* along_name(bool along_k) { return along_k ? "k" : "n"; }
inline int threads_used(const gemwright::blocking& b) { return b.tm * b.tn * b.tk; }

// Why the kernel library does not offer this tile, or nothing when it does. Registers decide: MR * NV * KA
// accumulators, NV vectors of B and one of A must fit the 32 registers of 512 bits or the 16 of 256; families that
// widen the elements of a dot mode first need more.
std::optional<std::string> violated(ComputeMode mode, const gemwright::tile& t);

// Canonical text of a tile, for example "avx512f_8x2_u1_a1_t0", across two panels "avx512f_8x2_u1_a1_t0_p2", with
// vectors along K "avx512f_8x1_u2_a1_none_along_k"; also a valid C++ identifier.
std::string tile_name(const gemwright::tile& t);
Result<gemwright::tile> parse_tile_name(ComputeMode mode, std::string_view text);

}  // namespace gemwright::tuner
