#include "app/model/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

#include "tuner/measure/statistics.h"

namespace gemwright::app {
namespace {

using profilers::Reading;

// As everywhere where figures of a study carry an interval.
constexpr double kNoiseConfidence = 0.95;

std::string bytes_text(std::int64_t bytes) {
  constexpr double kStep = 1024;
  double value = static_cast<double>(bytes);
  const char* unit = "B";
  for (const char* next : {"KiB", "MiB", "GiB", "TiB"}) {
    if (value < kStep) break;
    value /= kStep;
    unit = next;
  }
  return fmt::format("{:.4g} {}", value, unit);
}

class Report {
 public:
  void section(std::string name) { section_ = std::move(name); }

  void line(std::string name, std::optional<std::string> value, std::string reason) {
    lines_.push_back({section_, std::move(name), std::move(value), std::move(reason)});
  }

  // A value or why it is missing; `text` turns the one into text.
  template <class T, class Text>
  void line(std::string name, const std::optional<T>& value, Text text, std::string reason) {
    const bool there = value.has_value();
    line(std::move(name), there ? std::optional<std::string>(text(*value)) : std::nullopt,
         there ? "" : std::move(reason));
  }
  template <class T, class Text>
  void line(std::string name, const Reading<T>& reading, Text text) {
    line(std::move(name), reading.value, text, reading.reason);
  }

  void findings(std::string section_name, const std::vector<DoctorFinding>& all) {
    section(std::move(section_name));
    for (const DoctorFinding& f : all) line(f.name, f.value, f.reason);
  }

  std::vector<DoctorLine> take() { return std::move(lines_); }

 private:
  std::string section_;
  std::vector<DoctorLine> lines_;
};

const auto kPlain = [](const auto& v) { return fmt::format("{}", v); };
const auto kYesNo = [](bool v) { return std::string(v ? "yes" : "no"); };
const auto kNanoseconds = [](double v) { return fmt::format("{:.4g} ns", v); };

std::string family_names(const profilers::CpuInfo& cpu) {
  std::vector<std::string> names;
  for (const gemwright::isa family : profilers::families(cpu)) names.emplace_back(gemwright::isa_name(family));
  return fmt::format("{}", fmt::join(names, ", "));
}

void cpu_lines(Report& r, const profilers::CpuInfo& cpu) {
  r.section("cpu");
  r.line("name", profilers::display_name(cpu), "");
  r.line("fingerprint", profilers::fingerprint(cpu), "");
  r.line("logical CPUs", fmt::format("{} of {} allowed", cpu.allowed_cpus, cpu.total_cpus.value_or(cpu.allowed_cpus)),
         cpu.total_cpus ? "" : "the system does not list its CPUs");
  r.line("threads per core", cpu.threads_per_core, kPlain, "the system does not tell its topology");
  r.line("kernel families", family_names(cpu), "");
  const std::string sets = fmt::format("{}", fmt::join(cpu.instruction_sets, ", "));
  r.line("instruction sets", sets.empty() ? std::nullopt : std::optional(sets),
         sets.empty() ? "CPUID is not there" : "");
  const char* const no_cache = "/sys/devices/system/cpu/cpu0/cache does not list it";
  r.line("L1d", cpu.l1d_bytes, bytes_text, no_cache);
  r.line("L2", cpu.l2_bytes, bytes_text, no_cache);
  r.line("L3", cpu.l3_bytes, bytes_text, no_cache);
  r.line("hypervisor", cpu.hypervisor, kPlain, "none: bare metal, or it hides itself");
  r.line("microcode", cpu.microcode, kPlain, "/proc/cpuinfo does not tell it");
}

void clock_lines(Report& r, const profilers::ClockInfo& clock) {
  r.section("clock");
  r.line("source", clock.source, kPlain);
  r.line("constant TSC", clock.constant_tsc, kYesNo);
  r.line("nonstop TSC", clock.nonstop_tsc, kYesNo);
  r.line("resolution", clock.resolution_ns, kNanoseconds);
  r.line("cost of a reading", clock.cost_ns, kNanoseconds);
}

// That there is no limit is known, not missing.
template <class T, class Text>
void limit_line(Report& r, const char* name, const Reading<T>& limit, Text text) {
  if (!limit.value && limit.reason == profilers::kNoLimit) return r.line(name, "none", "");
  r.line(name, limit, text);
}

void machine_lines(Report& r, const profilers::CpuInfo& cpu, const profilers::HostInfo& host) {
  r.section("machine");
  r.line("memory", cpu.memory_bytes, bytes_text, "the system does not tell it");
  r.line("memory available", host.memory_available_bytes, bytes_text);
  limit_line(r, "memory limit", host.limits.memory_bytes, bytes_text);
  limit_line(r, "CPU limit", host.limits.cpus, [](double v) { return fmt::format("{:.4g} CPUs", v); });
  r.line("transparent huge pages", host.transparent_huge_pages, kPlain);
  r.line("frequency governor", host.governor, kPlain);
  r.line("stolen time since boot", host.steal_ticks, [](std::int64_t v) {
    constexpr double kTicksASecond = 100;  // USER_HZ, what /proc/stat counts in
    return fmt::format("{:.2f} s", static_cast<double>(v) / kTicksASecond);
  });
}

// "0-3,6".
std::string ranges_text(const std::vector<int>& numbers) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    parts.push_back(last == i ? std::to_string(numbers[i]) : fmt::format("{}-{}", numbers[i], numbers[last]));
    i = last + 1;
  }
  return fmt::format("{}", fmt::join(parts, ","));
}

// The end of the interval that lies further from "no difference": two timings of the same work differ by so much.
void noise_line(Report& r, const std::string& name, const std::vector<double>& log_ratios, const std::string& missing) {
  const auto interval = tuner::sign_test_interval(log_ratios, kNoiseConfidence);
  if (!interval) return r.line(name, std::nullopt, missing.empty() ? "too few pairs were timed" : missing);
  const double floor = std::expm1(std::max(std::abs(interval->lo), std::abs(interval->hi)));
  r.line(name, fmt::format("{:.2g} %", 100 * floor),
         fmt::format("95 % interval of two equal loops over each other: {:+.2g} to {:+.2g} %, {} pairs",
                     100 * std::expm1(interval->lo), 100 * std::expm1(interval->hi), log_ratios.size()));
}

void measuring_lines(Report& r, const DoctorInput& in) {
  r.section("measuring");
  const std::string cpus = ranges_text(in.allowed_cpus);
  r.line("CPUs to pin threads to", cpus.empty() ? std::nullopt : std::optional(cpus),
         cpus.empty() ? "the system does not tell which CPUs this process may use" : "");
  r.line(in.lock.name, in.lock.value, in.lock.reason);
  if (in.measured) {
    const profilers::NoiseProbe& noise = in.measured->noise;
    noise_line(r, "noise floor, computing", noise.compute, "");
    noise_line(r, "noise floor, memory", noise.memory.value.value_or(std::vector<double>{}), noise.memory.reason);
  } else {
    for (const char* name : {"noise floor, computing", "noise floor, memory"}) {
      r.line(name, std::nullopt, in.not_measured);
    }
  }
}

void counter_lines(Report& r, const std::vector<profilers::CounterAvailability>& counters) {
  constexpr std::string_view kMissing = "missing: ";
  r.section("counters");
  for (const profilers::CounterAvailability& a : counters) {
    std::string_view text = a.text;
    if (a.available > 0) {
      r.line(a.provider, std::string(text), "");
    } else {
      if (text.substr(0, kMissing.size()) == kMissing) text.remove_prefix(kMissing.size());
      r.line(a.provider, std::nullopt, std::string(text));
    }
  }
  r.line("traffic", "computed from shape and loop nest", "");
}

void ceiling_lines(Report& r, const DoctorInput& in) {
  r.section("ceilings");
  if (!in.measured) return r.line("ceilings", std::nullopt, in.not_measured);
  for (const profilers::Ceiling& c : in.measured->ceilings) {
    const std::string name = fmt::format("{}, {} thread{}", c.name, c.threads, c.threads == 1 ? "" : "s");
    if (!c.value) {
      r.line(name, std::nullopt, c.reason);
    } else {
      r.line(name, fmt::format("{} {}", four_digits(*c.value), c.unit), fmt::format("spread {:.1f} %", 100 * c.spread));
    }
  }
}

void study_lines(Report& r, const std::vector<StudyFigures>& studies) {
  std::map<std::string, int> states;
  std::vector<std::string> running, abandoned;
  for (const StudyFigures& f : studies) {
    ++states[f.abandoned() ? "abandoned" : std::string(tuner::to_text(f.study.state))];
    if (f.abandoned()) abandoned.push_back(std::to_string(f.study.id));
    if (f.runner_alive == true) running.push_back(fmt::format("{} (process {})", f.study.id, f.study.runner->pid));
  }
  if (studies.empty()) return;
  std::vector<std::string> parts;
  for (const auto& [state, count] : states) parts.push_back(fmt::format("{} {}", count, state));
  r.line("studies", fmt::format("{}", fmt::join(parts, ", ")), "");
  if (!running.empty()) r.line("running studies", fmt::format("{}", fmt::join(running, ", ")), "");
  if (abandoned.empty()) return;
  r.line("abandoned studies", fmt::format("{}", fmt::join(abandoned, ", ")),
         "their processes are gone: the same tune commands go on");
}

// Foreign text on one line of a terminal.
std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return out;
}

}  // namespace

std::vector<DoctorLine> doctor(const DoctorInput& input) {
  Report r;
  cpu_lines(r, input.cpu);
  clock_lines(r, input.host.clock);
  machine_lines(r, input.cpu, input.host);
  measuring_lines(r, input);
  counter_lines(r, input.counters);
  ceiling_lines(r, input);
  r.findings("compilers", input.compilers);
  r.findings("libraries", input.libraries);
  r.findings("database", input.database);
  study_lines(r, input.studies);
  return r.take();
}

std::string doctor_table(const std::vector<DoctorLine>& lines) {
  std::size_t width = 0;
  for (const DoctorLine& l : lines) width = std::max(width, l.name.size());
  std::string out;
  const std::string* section = nullptr;
  for (const DoctorLine& l : lines) {
    if (section == nullptr || *section != l.section) {
      out += fmt::format("{}{}\n", section == nullptr ? "" : "\n", printable(l.section));
      section = &l.section;
    }
    const std::string value = l.value ? printable(*l.value) : "missing";
    const std::string reason =
        l.reason.empty() ? "" : (l.value ? "  (" : ": ") + printable(l.reason) + (l.value ? ")" : "");
    out += fmt::format("  {:<{}}  {}{}\n", printable(l.name), width, value, reason);
  }
  return out;
}

std::string doctor_json(const std::vector<DoctorLine>& lines) {
  std::string out = json_line({{"type", "doctor"}, {"version", kJsonVersion}});
  for (const DoctorLine& l : lines) {
    nlohmann::json j = {{"type", "check"}, {"section", l.section}, {"name", l.name}, {"value", nullptr}};
    if (l.value) j["value"] = *l.value;
    if (!l.reason.empty()) j["reason"] = l.reason;
    out += json_line(j);
  }
  return out;
}

}  // namespace gemwright::app
