// What the lists of seeds are made with: the list itself, and the config that most of them begin with. Ours are in
// seeds.cpp, those of other libraries in published_seeds.cpp.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "tuner/space/limits.h"
#include "tuner/strategy/seeds.h"

namespace gemwright::tuner {

constexpr std::int64_t kWholeBlock = kMaxSize;  // canonical writes it as M, N or K

// The seeds of one mode. Those of a dot mode carry its name: "bf16-stream-nv2-64".
class SeedList {
 public:
  SeedList(const SpaceInput& in, ComputeMode mode) : in_(in), mode_(mode) {}

  ComputeMode mode() const { return mode_; }
  gemwright::isa family() const { return widest_family(in_, mode_).value_or(gemwright::isa::scalar); }
  int pair() const { return has_pair(in_.problem) ? pair_run(in_, mode_) : 0; }
  bool wide() const { return vector_width(family()) == 16; }
  int tallest(int nv) const { return tallest(family(), nv); }
  int tallest(gemwright::isa family, int nv) const;

  // Repaired to the nearest valid config; a seed that another one has become already is left out.
  void add(const std::string& name, const Config& c);
  // The same, and beside it with B read where it lies when the problem allows: packing per call costs a pass over B.
  void add_both(const std::string& name, Config c);
  // Behind the first, the most promising one: the same with the halves of a pair one behind the other.
  void add_concatenated();
  bool empty() const { return list_.empty(); }
  std::vector<NamedConfig> take() { return std::move(list_); }

 private:
  const SpaceInput& in_;
  ComputeMode mode_;
  std::set<std::string> seen_;
  std::vector<NamedConfig> list_;
};

// Whole blocks on one thread, a panel as wide as the tile, a B panel kept while the rows pass, no prefetch; A is read
// where it lies, if the mode can (repaired: else it is packed).
Config base(const SeedList& list, int mr, int nv);

// Multiply-adds of one item of a batch.
double item_work(const SpaceInput& in);

// Whether one thread may be best.
bool small(const SpaceInput& in);

// As many threads as have enough to do, of those that are offered.
int worthwhile_threads(const SpaceInput& in);
inline bool worth_sharing(const SpaceInput& in) { return worthwhile_threads(in) > 1; }

// Rows of a tile that make the fewest tiles of at most `most` rows even.
int balanced_rows(std::int64_t m, int most);

// The grid over M and N whose busiest thread has the fewest tiles; among equals the one with most threads along N,
// where each thread has weights of its own.
void share_evenly(const SpaceInput& in, Config& c);

// Tiles along K, where such tiles can be, and whether they are the first to try.
void add_along(const SpaceInput& in, SeedList& out);
bool along_k_pays(const SpaceInput& in, const SeedList& list);

// The choices of other libraries, restated.
void add_published(const SpaceInput& in, SeedList& out);

}  // namespace gemwright::tuner
