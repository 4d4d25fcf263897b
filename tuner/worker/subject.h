// What a block times: a tile with a config, an exported header, the baseline or the anchor loop, behind one interface.
#pragma once

#include <gemwright/dot_plan.h>
#include <gemwright/loop_nest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tuner/baseline/baseline.h"
#include "tuner/study/budget.h"
#include "tuner/worker/candidate.h"
#include "tuner/worker/weights.h"

namespace gemwright::tuner {

class TimedSubject {
 public:
  virtual ~TimedSubject() = default;
  // Before a block, untimed: packed weights and context, made again where they were dropped meanwhile.
  virtual Result<void> prepare() { return {}; }
  // `calls` calls. The sentence says why a call failed; the calls behind it are not made then.
  virtual std::optional<std::string> run(std::int64_t calls) = 0;
  // Whose threads must not be parked: a header library, the context of the tiles.
  virtual const void* pool() const { return nullptr; }
  // Threads that cannot be parked.
  virtual bool has_own_threads() const { return false; }

  // A call so long wakes its threads and warms what it uses in a small part of its own time; a discarded one before
  // each block would double what a large product takes to tune.
  void note_call(double ns) { call_ns_ = ns; }
  bool needs_a_discarded_call() const { return call_ns_.value_or(0) < kLongNs; }
  // Nothing that is done beside a call of it counts.
  bool lasts() const { return is_very_long(call_ns_); }
  std::optional<double> call_ns() const { return call_ns_; }  // of one of the latest

 private:
  // Threads wake within some 10 us, and A and C lie in L3 since the block before: less than 1 % of such a call.
  static constexpr double kLongNs = 5e6;
  std::optional<double> call_ns_;
};

// A tile of any mode with a config.
class TileSubject : public TimedSubject {
 public:
  // `bare`: without the chain.
  TileSubject(const FoundTile& tile, const Config& config, Operands& operands, WeightStore& store, TileContext& context,
              int threads, bool bare)
      : tile_(tile),
        config_(config),
        operands_(operands),
        bare_(bare),
        context_(context),
        store_(store),
        threads_(threads) {}

  Result<void> prepare() override;
  const void* pool() const override { return &context_; }

 protected:
  virtual gemwright::scratch_size scratch() const = 0;
  virtual void make_call() = 0;
  bool b_packed() const { return operands_.problem.constant_weights && config_.format.panel > 0; }

  const FoundTile tile_;
  const Config config_;
  Operands& operands_;
  const bool bare_;
  TileContext& context_;
  RotatingWeights* weights_ = nullptr;  // valid from prepare until another subject is prepared

 private:
  WeightStore& store_;
  const int threads_;
};

class F32TileSubject final : public TileSubject {
 public:
  using TileSubject::TileSubject;
  std::optional<std::string> run(std::int64_t calls) override;

 private:
  gemwright::scratch_size scratch() const override;
  void make_call() override;
  gemwright::plan plan() const { return tile_.library.plan(tile_.index, config_.format, config_.blocking); }
  gemwright::gemm_call call_;
};

class DotTileSubject final : public TileSubject {
 public:
  using TileSubject::TileSubject;
  std::optional<std::string> run(std::int64_t calls) override;

 private:
  gemwright::scratch_size scratch() const override;
  void make_call() override;
  gemwright::dot_plan plan() const { return tile_.library.dot_plan(tile_.index, config_.format, config_.blocking); }
  gemwright::dot_call call_;
};

class HeaderSubject final : public TimedSubject {
 public:
  HeaderSubject(HeaderLibrary& library, Operands& operands, WeightStore& store, int threads, double cache_bytes)
      : library_(library), operands_(operands), store_(store), threads_(threads), cache_bytes_(cache_bytes) {}

  Result<void> prepare() override;
  std::optional<std::string> run(std::int64_t calls) override;
  const void* pool() const override { return &library_; }
  // A header does not say how it computes; its packed weights are as large as its mode's elements. Until this is known
  // they are taken to be the smallest possible, so that there are never too few copies.
  void set_mode(ComputeMode mode) { mode_ = mode; }

 private:
  HeaderLibrary& library_;
  Operands& operands_;
  WeightStore& store_;
  const int threads_;
  const double cache_bytes_;
  ComputeMode mode_ = ComputeMode::u8s8;
  std::vector<PackedWeights> packed_;  // each copy packed by the header: only it knows its format
  std::size_t turn_ = 0;
  RotatingWeights* plain_ = nullptr;
};

class BaselineSubject final : public TimedSubject {
 public:
  explicit BaselineSubject(Baseline& baseline) : baseline_(baseline) {}
  std::optional<std::string> run(std::int64_t calls) override;
  bool has_own_threads() const override { return true; }

 private:
  Baseline& baseline_;
  std::int64_t turn_ = 0;
};

// A baseline that takes constant weights as the caller holds them: in the copies that the session rotates through.
class PlainBaselineSubject final : public TimedSubject {
 public:
  PlainBaselineSubject(Baseline& baseline, const BaselineCall& call, Operands& operands, WeightStore& store)
      : baseline_(baseline), call_(call), operands_(operands), store_(store) {}
  Result<void> prepare() override;
  std::optional<std::string> run(std::int64_t calls) override;
  bool has_own_threads() const override { return true; }

 private:
  Baseline& baseline_;
  BaselineCall call_;
  Operands& operands_;
  WeightStore& store_;
  RotatingWeights* weights_ = nullptr;  // valid from prepare until another subject is prepared
};

// A fixed amount of work that depends on nothing but the clock of the core: a chain of integer multiply-adds, each
// waiting for the one before. Its time follows the frequency, so other times can be scaled by it.
class AnchorSubject final : public TimedSubject {
 public:
  // A call takes some 20 us: 3 cycles for the multiplication, 1 for the addition.
  static constexpr int kSteps = 20000;
  std::optional<std::string> run(std::int64_t calls) override;
  // Of several times some 0.1 ms the fastest, since whatever disturbs one makes it slower.
  static double fastest_call_ns();

 private:
  std::uint64_t value_ = 1;
};

}  // namespace gemwright::tuner
