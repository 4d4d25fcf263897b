// The search space of one study: which configs make sense for a problem, an M and a device.
//
// Idea: a config is chosen parameter by parameter in a fixed order; `values` says which values the next parameter can
// take after those before it. Enumeration, counting and random sampling all walk this one tree, so none of them holds
// the space in memory (it has 10^4 .. 10^9 points). What makes a config valid is a list of constraints, each with its
// reason.
//
// Two configs that run the same program are one point: `canonical` maps both to the same values. A whole block is
// written as exactly M, N or K; where each thread has fewer rows than M, those of its largest chunk. Enumerated block
// sizes follow ladders; a seed may stand between two rungs and is valid all the same.
//
// The first parameter is the compute mode; everything behind it is a space of that mode alone, and no neighbour leaves
// it. A dot mode has the same parameters, of which the loop order is fixed; what counts rows of a panel
// (ku, prefetch_rows) counts groups of K there (k_group), kc counts elements everywhere.
//
// Limits: the problem has passed `check` (problem.h). Nothing here depends on a clock or on the host it runs on.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/problem/problem.h"
#include "tuner/random.h"
#include "tuner/space/config.h"

namespace gemwright::tuner {

// Part of a study's identity: it changes whenever the same text of a config could mean another point.
constexpr int kSpaceVersion = 3;

struct SpaceInput {
  Problem problem;
  std::int64_t m = 1;
  int threads = 1;                                   // offered; a config may use fewer
  std::vector<ComputeMode> modes{ComputeMode::f32};  // admitted; others than the interface allows are left out
  std::vector<gemwright::isa> families{gemwright::isa::scalar};  // that the device can run; not each computes each mode
  // Data caches of one core and the last level it shares, in bytes. The defaults are the smallest of today's x86-64
  // servers.
  std::int64_t l1d_bytes = 32 << 10;
  std::int64_t l2_bytes = 512 << 10;
  std::int64_t l3_bytes = 8 << 20;
  double cache_bytes = 0;                    // bytes between two uses of the same weights; 0: they stay in the cache
  std::optional<gemwright::packing> format;  // this one only: all M of a problem share one
  bool batch_invariant = false;              // a row's bits must not depend on M or threads: one reduction class a mode
};

// The parameters in the order in which they are chosen.
enum class Param {
  mode,
  isa,
  along,
  nv,
  mr,
  ka,
  ku,
  panel,
  pair,
  tm,
  tn,
  tk,
  kc,
  mc,
  nc,
  order,
  rows_inside,
  pack_a,
  fusion,
  hint,
  prefetch_rows
};
constexpr int kParamCount = 21;

struct Parameter {
  Param id;
  std::string_view name;    // as in JSON
  std::string_view reason;  // why it is searched
  bool compile_time;        // a new value costs a compilation (tile), otherwise it is an argument of the loop nest
};
const std::vector<Parameter>& parameters();

// Every parameter as a number (enumerations by position), for features, pins and plots.
std::int64_t value(const Config& c, Param p);
void set_value(Config& c, Param p, std::int64_t value);
std::string value_text(Param p, std::int64_t value);

// The values that p can take where the parameters before it are those of c; ascending.
std::vector<std::int64_t> values(const SpaceInput& in, const Config& c, Param p);

struct Constraint {
  std::string_view name;
  std::string_view reason;  // one sentence for a person who asks why a config was not tried
  bool (*holds)(const SpaceInput&, const Config&);
};
const std::vector<Constraint>& constraints();

// The sentence of the first violated constraint, or nothing.
std::optional<std::string> violated(const SpaceInput& in, const Config& c);

// The representative of all configs that run the same program. Idempotent; a config without meaning is returned
// unchanged.
Config canonical(const SpaceInput& in, Config c);

// The nearest valid canonical config: block sizes and panel are rounded to what the tile needs, the grid shrinks to the
// work there is. Nothing when that does not help.
std::optional<Config> repaired(const SpaceInput& in, Config c);

// Calls visit for each config in canonical order until it answers false.
void for_each(const SpaceInput& in, const std::function<bool(const Config&)>& visit);

// Number of configs that for_each visits; counting stops at the limit.
std::uint64_t size(const SpaceInput& in, std::uint64_t limit = std::numeric_limits<std::uint64_t>::max());

// Whether a parameter may have a value; an empty one allows all.
using ValueFilter = std::function<bool(Param, std::int64_t)>;

// A config in the order of for_each, without callback: `next` moves on and answers nothing at the end. A filter says
// the same whenever it is asked. Where it allows none of the sizes of a block or of the distances of a prefetch that
// are enumerated, one of them stands for what it may mean; where the next config is millions of steps away, the walk
// ends.
class Enumeration {
 public:
  // A smaller depth leaves the last parameters at rest.
  explicit Enumeration(SpaceInput in, int depth = kParamCount, ValueFilter allowed = {});
  std::optional<Config> next();

 private:
  bool enter(int depth);   // fills the choices of parameter `depth`; false when there are none
  bool settle(int depth);  // from the choice it stands at to the first that is allowed; false when there is none
  int advance(int depth);  // moves the deepest parameter up to `depth` that has another value; -1: there is none
  bool step();             // to the next leaf, canonical or not

  SpaceInput in_;
  ValueFilter allowed_;
  Config config_{};
  std::vector<std::vector<std::int64_t>> choices_;
  std::vector<std::size_t> at_;
  std::int64_t passed_over_ = 0;  // steps since the latest config
  bool started_ = false, ended_ = false;
};

// Draws each parameter in turn from `values`: mostly the cheapest mode and its widest family, the rest uniformly.
// Nothing only where the space is empty.
std::optional<Config> random_config(const SpaceInput& in, Random& random);

// All valid configs of c's mode that differ from c by one step of one parameter (and by what has to follow from it),
// without c and without repeats, in the order of the parameters.
std::vector<Config> neighbours(const SpaceInput& in, const Config& c);

// The admitted modes that this device computes, for the interface and K of the problem; the most exact first.
std::vector<ComputeMode> usable_modes(const SpaceInput& in);
// The widest family that computes the mode here, or nothing.
std::optional<gemwright::isa> widest_family(const SpaceInput& in, ComputeMode mode);

// How many columns of each half of a pair of products take turns in packed weights: one vector, so that every tile of
// an even number of vectors holds both halves.
int pair_run(const SpaceInput& in, ComputeMode mode);

// Loop geometry of a config; shared by the constraints, the seeds and the surrogate. Of a dot mode, whose rows pass in
// chunks of packed A, a block of rows is a chunk.
struct Geometry {
  std::int64_t row_tiles;    // of one batch item
  std::int64_t slice_rows;   // most rows of one item that one thread computes at a time
  std::int64_t column_unit;  // columns are cut into units: the panel, or NR where B is not packed or NR is wider
  std::int64_t column_units;
  std::int64_t slice_columns;
  std::int64_t slice_depth;
  std::int64_t row_blocks, column_blocks, depth_blocks;  // of a slice
  std::int64_t block_row_tiles, block_column_tiles;      // tiles in the largest block
};
Geometry geometry(const SpaceInput& in, const Config& c);

}  // namespace gemwright::tuner
