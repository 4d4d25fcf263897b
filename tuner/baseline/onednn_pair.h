// A pair of products (swiglu, geglu) in oneDNN, which has no such operation: the fastest of the ways that a user has,
// found by timing them.
//
// up_first      up, with its bias, into memory; then the gate, whose post-operations are its activation, the product
//               with what stands there, and the rest of the chain
// gate_first    the activated gate into memory; then up, with that as a factor
// concatenated  all columns into memory, then a pass over them (pair_pass.h)
//
// What stands in memory in between is f32 in every interface: a C of bf16 or u8 is rounded once, as ours is.
#pragma once

#include <gemwright/memory.h>

#include <list>
#include <optional>
#include <vector>

#include "tuner/baseline/onednn_matmul.h"
#include "tuner/baseline/pair_pass.h"

namespace gemwright::tuner::onednn {

class Pair {
 public:
  Pair(const dnnl::engine& engine, const dnnl::stream& stream) : engine_(engine), stream_(stream) {}

  // As Baseline::prepare. `only`: the way to take; otherwise each is timed, for some tenths of a second in all.
  Result<void> prepare(const BaselineCall& call, bool same_weights, std::optional<PairWay> only);
  dnnl_status_t run(std::int64_t copy) { return run(*way_, weights_, copy); }
  const Weights& weights() const { return weights_; }
  double weight_bytes() const;
  void clear();

 private:
  struct Way {
    PairWay kind;
    std::vector<Matmul> steps;
    std::vector<std::size_t> reads;  // which part of the weights each step does
    std::vector<WeightPart> parts;
    std::vector<Memory::desc> formats;  // of the parts
  };

  Result<void> prepare_operands(const BaselineCall& call);
  MatmulTask half_task(const BaselineCall& call, std::size_t part) const;
  Way separate(const BaselineCall& call, PairWay kind) const;
  Way concatenated(const BaselineCall& call) const;
  Result<std::vector<Way>> possible_ways(const BaselineCall& call, std::optional<PairWay> only) const;
  Result<void> choose(const BaselineCall& call, std::vector<Way> ways);
  Result<Weights*> packed_once(const BaselineCall& call, const Way& way);
  void adopt(Weights& chosen);
  std::optional<std::size_t> fastest(std::vector<Way>& ways, const std::vector<Weights*>& weights);
  dnnl_status_t run(Way& way, const Weights& weights, std::int64_t copy);

  dnnl::engine engine_;
  dnnl::stream stream_;
  gemwright::float_block between_;  // what one step leaves for the next: M x N/2 or M x N
  std::vector<float> scales_[2];    // u8s8: of the columns of each half
  PairPass pass_;
  std::optional<Way> way_;
  Weights weights_;              // of the way taken: all copies
  std::list<Weights> one_copy_;  // in the formats of other ways, to be timed with the next M
};

}  // namespace gemwright::tuner::onednn
