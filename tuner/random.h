// Random numbers that are the same with every compiler and library: the generator and everything drawn from it are
// defined here, because the distributions of <random> differ between implementations and a recorded seed has to replay
// anywhere. Not for secrets.
#pragma once

#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace gemwright::tuner {

// One step of SplitMix64: spreads a seed over 64 bits, however small or regular the seeds are.
constexpr std::uint64_t splitmix64(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15U;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

// xoshiro256** by D. Blackman and S. Vigna.
class Random {
 public:
  explicit Random(std::uint64_t seed) {
    for (std::uint64_t& word : state_) word = splitmix64(seed);
  }

  std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // Uniform in [0, n); n > 0. Values that would favour the small numbers are drawn again.
  std::uint64_t below(std::uint64_t n) {
    assert(n > 0);
    const std::uint64_t unfair = (0 - n) % n;
    for (;;) {
      const std::uint64_t x = next();
      if (x >= unfair) return x % n;
    }
  }

  // Uniform in [0, 1), with 53 bits.
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }

  template <class T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace gemwright::tuner
