#include "profilers/noise.h"

#include <gemwright/memory.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "profilers/calibrate.h"
#include "profilers/ceiling_kernels.h"
#include "profilers/host.h"
#include "profilers/pinning.h"

namespace gemwright::profilers {
namespace {

constexpr double kBlockSeconds = 1e-3;
// Above the L3 of nearly every CPU, so that a block of 1 ms never finds what an earlier one left in a cache.
constexpr std::int64_t kBufferBytes = std::int64_t{128} << 20;
constexpr std::int64_t kChunkBytes = std::int64_t{64} << 10;
static_assert(kBufferBytes % kChunkBytes == 0 && kChunkBytes % kReadGranule == 0);

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void add_pair(const NoiseLoop& loop, bool a_first, std::vector<double>& log_ratios) {
  const double first = loop.seconds(), second = loop.seconds();
  if (first > 0 && second > 0) log_ratios.push_back(a_first ? std::log(first / second) : std::log(second / first));
}

void count(std::int64_t repeats) {
  std::uint64_t x = 1;
  for (; repeats > 0; --repeats) {
    x = x * 6364136223846793005U + 1;
    asm volatile("" : "+r"(x));  // keeps each step
  }
}

// Reads on where the last block stopped.
class Stream {
 public:
  Stream() : kernel_(read_kernel(CpuInfo{})) {
    const Reading<std::int64_t> available = probe_host().memory_available_bytes;
    if (!available) {
      reason_ = available.reason;
    } else if (kBufferBytes <= *available.value / 4) {
      buffer_ = gemwright::allocate_floats(static_cast<std::size_t>(kBufferBytes) / sizeof(float));
    }
    if (buffer_) std::fill_n(buffer_.get(), static_cast<std::size_t>(kBufferBytes) / sizeof(float), 1.0F);
  }
  explicit operator bool() const { return buffer_ != nullptr; }
  const std::string& reason() const { return reason_; }
  void read(std::int64_t chunks) {
    for (; chunks > 0; --chunks) {
      kernel_(reinterpret_cast<const std::byte*>(buffer_.get()) + offset_, kChunkBytes, 1);
      offset_ = (offset_ + kChunkBytes) % kBufferBytes;
    }
  }

 private:
  ReadKernel kernel_;
  gemwright::float_block buffer_;
  std::string reason_ = "there is too little memory for a buffer of 128 MiB";
  std::int64_t offset_ = 0;
};

}  // namespace

NoiseLoop::NoiseLoop(Work work, double block_seconds) : work_(std::move(work)) {
  repeats_ = repeats_for(block_seconds, [this](std::int64_t n) {
    const double begin = now();
    work_(n);
    return now() - begin;
  });
}

double NoiseLoop::seconds() const {
  const double begin = now();
  work_(repeats_);
  return now() - begin;
}

NoiseLoop NoiseLoop::computing(double block_seconds) { return NoiseLoop(count, block_seconds); }

Reading<NoiseLoop> NoiseLoop::reading(double block_seconds) {
  const auto stream = std::make_shared<Stream>();
  if (!*stream) return missing<NoiseLoop>(stream->reason());
  return {NoiseLoop([stream](std::int64_t n) { stream->read(n); }, block_seconds), ""};
}

NoiseProbe measure_noise(double seconds) {
  const double end = now() + (seconds > 0 ? std::min(seconds, 600.0) : 0.0);
  const Pinning pinning;
  if (!pinning.allowed().empty()) pin_to(pinning.allowed().back());
  NoiseProbe out;
  const NoiseLoop compute = NoiseLoop::computing(kBlockSeconds);
  const Reading<NoiseLoop> read = NoiseLoop::reading(kBlockSeconds);
  std::vector<double> memory;
  for (int pair = 0; pair < kMinNoisePairs || now() < end; ++pair) {
    add_pair(compute, pair % 2 == 0, out.compute);
    if (read) add_pair(*read.value, pair % 2 == 0, memory);
  }
  out.memory = read ? Reading<std::vector<double>>{std::move(memory), ""} : missing<std::vector<double>>(read.reason);
  return out;
}

}  // namespace gemwright::profilers
