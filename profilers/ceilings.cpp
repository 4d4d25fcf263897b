#include "profilers/ceilings.h"

#include <fmt/format.h>
#include <gemwright/memory.h>

#include <algorithm>
#include <cmath>

#include "profilers/calibrate.h"
#include "profilers/ceiling_kernels.h"
#include "profilers/ceiling_plan.h"
#include "profilers/host.h"
#include "profilers/pinning.h"
#include "profilers/team.h"

namespace gemwright::profilers {
namespace {

constexpr const char* kGflops = "GFLOP/s";
constexpr const char* kGigabytes = "GB/s";
constexpr const char* kDram = "read.dram";

// What every thread of a round does: `units` of work in each repeat, after what `prepare` does untimed for each block.
struct Load {
  double units = 0;
  std::function<void(int thread, std::int64_t repeats)> run;
  std::function<void(int thread, int block)> prepare = [](int, int) {};
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 != 0) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

double spread(const std::vector<double>& values) {
  const double centre = median(values);
  std::vector<double> deviations;
  for (const double v : values) deviations.push_back(std::abs(v - centre));
  return median(deviations) / centre;
}

std::optional<double> positive(double x) { return std::isfinite(x) && x > 0 ? std::optional<double>(x) : std::nullopt; }

Ceiling measure(Ceiling c, Team& team, const Load& load, const CeilingRequest& request) {
  const auto prepare = [&](int block) { team.run([&](int t) { load.prepare(t, block); }); };
  const auto seconds_of = [&](std::int64_t n) { return team.run([&](int t) { load.run(t, n); }); };
  prepare(0);
  const std::int64_t repeats = repeats_for(request.block_seconds, seconds_of);
  if (request.anchor_ns) c.anchor_ns = positive(request.anchor_ns());
  std::vector<double> speeds;
  for (int b = 0; b < request.blocks; ++b) {
    prepare(b);
    const double seconds = seconds_of(repeats);
    if (seconds > 0) speeds.push_back(load.units * static_cast<double>(repeats) * team.size() / seconds / 1e9);
  }
  if (speeds.empty()) {
    c.reason = "the clock did not move during a block";
    return c;
  }
  c.spread = spread(speeds);
  std::sort(speeds.begin(), speeds.end(), std::greater<>());
  const std::ptrdiff_t quarter = std::max<std::ptrdiff_t>(1, std::ssize(speeds) / 4);
  c.value = median({speeds.begin(), speeds.begin() + quarter});
  return c;
}

// Where one thread reads on, chunk by chunk; on a cache line of its own.
struct alignas(64) Cursor {
  const std::byte* begin = nullptr;
  std::int64_t part = 0, offset = 0;
  std::int64_t streams = 1;  // even shares of the part, read side by side; a chunk has whole granules of each

  void read(ReadKernel kernel, std::int64_t chunks) {
    const std::int64_t chunk = chunk_bytes(part);
    if (chunk == part) return kernel(begin, part, chunks);
    for (; chunks > 0; --chunks) {
      streams > 1 ? read_shares(kernel, chunk) : kernel(begin + offset, chunk, 1);
      offset = offset + chunk == part ? 0 : offset + chunk;
    }
  }

 private:
  void read_shares(ReadKernel kernel, std::int64_t chunk) const {
    const std::byte* const at = begin + offset / streams;
    for (std::int64_t i = 0; i < chunk / streams; i += kReadGranule) {
      for (std::int64_t s = 0; s < streams; ++s) kernel(at + s * (part / streams) + i, kReadGranule, 1);
    }
  }
};

// Memory of a round: a region for each thread, large enough for its part of every level.
class Regions {
 public:
  Regions(const std::vector<ReadPlan>& plans, int threads, CeilingMemory& memory) {
    constexpr std::int64_t kHugePage = std::int64_t{2} << 20;
    for (const ReadPlan& p : plans) stride_ = std::max(stride_, p.part_bytes.value.value_or(0));
    stride_ = (stride_ + kHugePage - 1) / kHugePage * kHugePage;
    first_ = memory.of(threads, stride_ * threads);
  }
  explicit operator bool() const { return first_ != nullptr; }
  std::int64_t stride() const { return stride_; }
  std::byte* of(int thread) const { return first_ + stride_ * thread; }
  // Each thread writes its own region first, so that its pages are near to it.
  void touch(Team& team) const {
    constexpr std::int64_t kPage = 4096;
    team.run([this](int t) {
      for (std::int64_t at = 0; at < stride_; at += kPage) of(t)[at] = std::byte{1};
    });
  }

 private:
  std::int64_t stride_ = 0;
  std::byte* first_ = nullptr;
};

// Every ceiling of `threads` threads.
class Round {
 public:
  Round(const CpuInfo& cpu, const CeilingRequest& request, int threads, CeilingMemory& memory,
        std::vector<Ceiling>& out)
      : cpu_(cpu), request_(request), threads_(threads), memory_(memory), out_(out) {}

  void run() {
    const Pinning pinning;
    const std::vector<int>& cpus = pinning.allowed();
    if (threads_ > 1 && static_cast<std::size_t>(threads_) > cpus.size()) {
      return refuse(fmt::format("{} threads on {} allowed CPUs", threads_, cpus.size()));
    }
    // One thread takes the last CPU, as timed blocks do: interrupts favour the first.
    std::vector<int> places(cpus.begin(), cpus.begin() + std::min<std::ptrdiff_t>(threads_, std::ssize(cpus)));
    if (threads_ == 1 && !cpus.empty()) places = {cpus.back()};
    Team team(places);
    if (!team.complete()) return refuse(fmt::format("the system refused {} threads", threads_));
    for (const ComputeKernel& k : compute_kernels(cpu_)) {
      const Load load = {k.operations, [&](int, std::int64_t repeats) { k.run(repeats); }};
      out_.push_back(measure(named(k.name, kGflops), team, load, request_));
    }
    run_reads(team);
  }

 private:
  Ceiling named(std::string name, const char* unit) const {
    Ceiling c;
    c.name = std::move(name);
    c.threads = threads_;
    c.unit = unit;
    return c;
  }

  void add_absent(std::string name, const char* unit, const std::string& reason) {
    Ceiling c = named(std::move(name), unit);
    c.reason = reason;
    out_.push_back(std::move(c));
  }

  std::vector<ReadPlan> plans() const {
    auto available = probe_host().memory_available_bytes;
    if (available) *available.value += memory_.bytes_of(threads_);
    return plan_reads(cpu_, threads_, available);
  }

  void refuse(const std::string& reason) {
    for (const ComputeKernel& k : compute_kernels(cpu_)) add_absent(k.name, kGflops, reason);
    for (const ReadPlan& p : plans()) add_absent(p.name, kGigabytes, reason);
  }

  void run_reads(Team& team) {
    const std::vector<ReadPlan> plans = this->plans();
    const Regions regions(plans, threads_, memory_);
    if (regions) regions.touch(team);
    for (const ReadPlan& p : plans) {
      if (!p.part_bytes || !regions) {
        add_absent(p.name, kGigabytes, p.part_bytes ? "no memory for the buffer" : p.part_bytes.reason);
      } else {
        out_.push_back(best_read(p, regions, team));
      }
    }
  }

  // From memory some CPUs read several streams faster than one (a Zen 3 four, by 1.4), others one.
  Ceiling best_read(const ReadPlan& plan, const Regions& regions, Team& team) const {
    Ceiling best = measure_read(plan, regions, team, 1);
    if (plan.reuse != Reuse::none) return best;
    for (const int streams : {2, 4}) {
      Ceiling other = measure_read(plan, regions, team, streams);
      if (other.value.value_or(0) > best.value.value_or(0)) best = std::move(other);
    }
    return best;
  }

  Ceiling measure_read(const ReadPlan& plan, const Regions& regions, Team& team, int streams) const {
    const ReadKernel kernel = read_kernel(cpu_);
    const std::int64_t part = *plan.part_bytes.value, places = regions.stride() / part;
    std::vector<Cursor> cursors(static_cast<std::size_t>(threads_));
    // What an earlier ceiling has left of a region in L3 is its beginning, so DRAM is read from the middle on.
    const std::int64_t first = plan.reuse == Reuse::none ? part / chunk_bytes(part) / 2 * chunk_bytes(part) : 0;
    for (int t = 0; t < threads_; ++t) cursors[static_cast<std::size_t>(t)] = {regions.of(t), part, first, streams};
    Load load;
    load.units = static_cast<double>(chunk_bytes(part));
    load.run = [&](int t, std::int64_t n) { cursors[static_cast<std::size_t>(t)].read(kernel, n); };
    load.prepare = [&](int t, int block) {
      if (plan.reuse == Reuse::none || (plan.reuse == Reuse::same_place && block > 0)) return;
      if (plan.reuse == Reuse::other_places) {
        cursors[static_cast<std::size_t>(t)].begin = regions.of(t) + block % places * part;
      }
      load.run(t, 2 * part / chunk_bytes(part));  // two passes bring the part into its cache
    };
    return measure(named(plan.name, kGigabytes), team, load, request_);
  }

  const CpuInfo& cpu_;
  const CeilingRequest& request_;
  const int threads_;
  CeilingMemory& memory_;
  std::vector<Ceiling>& out_;
};

}  // namespace

std::byte* CeilingMemory::of(int threads, std::int64_t bytes) {
  Kept& kept = of_team_[threads];
  if (kept.bytes != bytes) {
    kept = {};  // free first: both at once might not fit
    kept.block = gemwright::allocate_floats(static_cast<std::size_t>(bytes) / sizeof(float));
    kept.bytes = kept.block ? bytes : 0;
  }
  return reinterpret_cast<std::byte*>(kept.block.get());
}

std::int64_t CeilingMemory::bytes_of(int threads) const {
  const auto kept = of_team_.find(threads);
  return kept == of_team_.end() ? 0 : kept->second.bytes;
}

std::int64_t CeilingMemory::bytes() const {
  std::int64_t sum = 0;
  for (const auto& [threads, kept] : of_team_) sum += kept.bytes;
  return sum;
}

std::vector<Ceiling> measure_ceilings(const CpuInfo& cpu, const CeilingRequest& request, CeilingMemory& memory) {
  CeilingRequest sane = request;
  sane.block_seconds = request.block_seconds > 1e-6 ? std::min(request.block_seconds, 1.0) : 1e-6;
  sane.blocks = std::clamp(request.blocks, 1, 1000);
  std::vector<Ceiling> out;
  Round(cpu, sane, 1, memory, out).run();
  if (sane.threads > 1) Round(cpu, sane, sane.threads, memory, out).run();
  return out;
}

std::vector<Ceiling> measure_ceilings(const CpuInfo& cpu, const CeilingRequest& request) {
  CeilingMemory memory;
  return measure_ceilings(cpu, request, memory);
}

std::optional<double> scaled_to(const Ceiling& ceiling, std::optional<double> anchor_ns) {
  if (!ceiling.value || ceiling.name == kDram) return ceiling.value;
  if (!ceiling.anchor_ns || !positive(*ceiling.anchor_ns) || !anchor_ns || !positive(*anchor_ns)) return std::nullopt;
  return *ceiling.value * *ceiling.anchor_ns / *anchor_ns;
}

}  // namespace gemwright::profilers
