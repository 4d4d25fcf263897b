// A machine whose noise is written down: times of blocks as a function of a seed, with the kinds of disturbance that
// real hosts show. Everything is deterministic.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <vector>

#include "tuner/measure/race.h"

namespace gemwright::tuner {

enum class Noise {
  quiet,        // 0.3 % of jitter
  drift,        // the clock wanders by several per cent, for all alike
  steal,        // every fifth block doubles, and the system says so
  heavy_tails,  // rare slow blocks that nobody reports
  bimodal,      // the clock sits at one of two frequencies, 7 % apart, and switches now and then
  rough,        // 2 % of jitter
  lognormal,    // each block by itself: skewed, far out at times
  fast_mode,    // three blocks in ten run 5 % faster
  slow_mode,    // one block in five runs 5 % slower
  exponential,  // each block is delayed, by 2 % in the mean
};

class ScriptedNoise {
 public:
  ScriptedNoise(Noise kind, std::map<EntrantId, double> ns, std::uint64_t seed)
      : kind_(kind), ns_(std::move(ns)), random_(seed) {}

  std::vector<Heat> time(const std::vector<EntrantId>& order) {
    std::vector<Heat> heats;
    for (const EntrantId x : order) heats.push_back(block(x));
    return heats;
  }

 private:
  // Sum of uniforms: close to normal, deviation 1, and bounded.
  double bell() {
    double sum = 0;
    for (int i = 0; i < 12; ++i) sum += random_.unit();
    return sum - 6;
  }

  Heat block(EntrantId x) {
    Heat h{x, std::log(ns_.at(x)), false};
    const double jitter = kind_ == Noise::rough ? 0.02 : 0.003;
    h.log_ns += jitter * bell();
    if (kind_ == Noise::drift) {
      wander_ = std::clamp(wander_ + 0.004 * bell(), -0.08, 0.08);
      h.log_ns += wander_;
    }
    if (kind_ == Noise::steal && random_.below(5) == 0) {
      h.log_ns += std::log(2.0);
      h.disturbed = true;
    }
    if (kind_ == Noise::heavy_tails && random_.below(12) == 0) h.log_ns += 0.1 / (0.05 + random_.unit());
    if (kind_ == Noise::lognormal) h.log_ns += 0.02 * std::exp(1.2 * bell());
    if (kind_ == Noise::fast_mode && random_.below(10) < 3) h.log_ns -= 0.05;
    if (kind_ == Noise::slow_mode && random_.below(5) == 0) h.log_ns += 0.05;
    if (kind_ == Noise::exponential) h.log_ns -= 0.02 * std::log(1 - random_.unit());
    if (kind_ == Noise::bimodal) {
      if (random_.below(20) == 0) slow_ = !slow_;
      h.log_ns += slow_ ? 0.07 : 0;
    }
    return h;
  }

  Noise kind_;
  std::map<EntrantId, double> ns_;
  Random random_;
  double wander_ = 0;
  bool slow_ = false;
};

}  // namespace gemwright::tuner
