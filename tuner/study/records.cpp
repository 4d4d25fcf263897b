#include "tuner/study/records.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

#include "tuner/problem/input_text.h"

namespace gemwright::tuner {
namespace {

// Texts in the order of their enumerators.
constexpr std::array<std::string_view, 3> kCacheStates{"hot", "rotate", "cold"};
constexpr std::array<std::string_view, 3> kDataKinds{"normal", "uniform", "outliers"};
constexpr std::array<std::string_view, 4> kStudyStates{"running", "finished", "interrupted", "failed"};
constexpr std::array<std::string_view, 10> kTrialStates{"running", "ok",      "pruned",      "constraint", "compile",
                                                        "runtime", "timeout", "correctness", "crashed",    "cancelled"};
constexpr std::array<std::string_view, 3> kSubjectKinds{"trial", "baseline", "anchor"};
constexpr std::array<std::string_view, 3> kPhases{"screen", "race", "confirm"};
constexpr std::array<std::string_view, 7> kEventKinds = {"pause", "resume", "stop", "again", "pin", "veto", "extend"};

// Far beyond any search, and small enough that no sum of them overflows.
constexpr double kMaxBudgetSeconds = 30.0 * 24 * 3600;
constexpr std::int64_t kMaxBudgetTrials = 1'000'000'000;
// A block lasts about this long: with less time nothing can be measured.
constexpr double kMinBudgetSeconds = 1e-3;

template <class Enum, std::size_t Count>
std::string_view name_of(Enum value, const std::array<std::string_view, Count>& names) {
  const auto index = static_cast<std::size_t>(value);
  return index < Count ? names[index] : std::string_view("?");
}

template <class Enum, std::size_t Count>
Result<Enum> value_of(std::string_view text, const std::array<std::string_view, Count>& names, std::string_view what) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) {
    return fail(fmt::format("unknown {} {}: use one of {}", what, quote(text), fmt::join(names, ", ")));
  }
  return static_cast<Enum>(found - names.begin());
}

// Text that came from outside, made unambiguous between the separators of a key.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
                       c == '_' || c == '-' || c == '+';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string modes_text(std::vector<ComputeMode> modes) {
  std::sort(modes.begin(), modes.end());
  std::string out;
  for (const ComputeMode mode : modes) {
    if (!out.empty()) out += ',';
    out += to_text(mode);
  }
  return out;
}

bool digits_only(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Digits with at most one point between them: no sign, blank, exponent, hex, "inf" or "nan".
bool plain_decimal(std::string_view text) {
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos) return digits_only(text);
  return digits_only(text.substr(0, point)) && digits_only(text.substr(point + 1));
}

double seconds_in(char unit) { return unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3600 : 0; }

}  // namespace

std::string_view to_text(CacheState s) { return name_of(s, kCacheStates); }
std::string_view to_text(DataKind d) { return name_of(d, kDataKinds); }
std::string_view to_text(StudyState s) { return name_of(s, kStudyStates); }
std::string_view to_text(TrialState s) { return name_of(s, kTrialStates); }
std::string_view to_text(SubjectKind k) { return name_of(k, kSubjectKinds); }
std::string_view to_text(Phase p) { return name_of(p, kPhases); }
std::string_view to_text(EventKind k) { return name_of(k, kEventKinds); }

Result<CacheState> parse_cache_state(std::string_view text) {
  return value_of<CacheState>(text, kCacheStates, "cache state");
}
Result<DataKind> parse_data_kind(std::string_view text) { return value_of<DataKind>(text, kDataKinds, "data kind"); }
Result<StudyState> parse_study_state(std::string_view text) {
  return value_of<StudyState>(text, kStudyStates, "study state");
}
Result<TrialState> parse_trial_state(std::string_view text) {
  return value_of<TrialState>(text, kTrialStates, "trial state");
}
Result<SubjectKind> parse_subject_kind(std::string_view text) {
  return value_of<SubjectKind>(text, kSubjectKinds, "subject kind");
}
Result<Phase> parse_phase(std::string_view text) { return value_of<Phase>(text, kPhases, "phase"); }
Result<EventKind> parse_event_kind(std::string_view text) {
  return value_of<EventKind>(text, kEventKinds, "kind of event");
}

std::string precision_text(const StudyKey& k) {
  return k.modes.size() == 1 ? std::string(to_text(k.modes.front())) : "auto";
}

std::string key(const StudyKey& k) {
  const std::string bound = k.max_error ? fmt::format("{}", *k.max_error) : "none";
  const double cache_bytes = k.cache == CacheState::hot ? 0 : k.cache_bytes;
  return fmt::format(
      "{} m={} device={}:{}:{} build={} space={} modes={} max_error={} data={} cache={}:{} batch_invariant={}",
      key(k.problem), k.m, escaped(k.device.kind), escaped(k.device.fingerprint), k.device.threads,
      escaped(k.build.digest), k.space_version, modes_text(k.modes), bound, to_text(k.data), to_text(k.cache),
      cache_bytes, k.batch_invariant ? 1 : 0);
}

Result<Budget> parse_budget(std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    return fail(fmt::format("budget {} {}: write a time such as 60s, 2m or 1h, or a number of trials such as 500",
                            quote(text), why),
                ErrorKind::usage);
  };
  if (text.empty()) return refuse("is empty");
  const char* const end = text.data() + text.size();
  if (digits_only(text)) {
    std::int64_t trials = 0;
    if (std::from_chars(text.data(), end, trials).ec != std::errc{} || trials > kMaxBudgetTrials) {
      return refuse("is more than 1000000000 trials");
    }
    if (trials == 0) return refuse("is nothing");
    return Budget{std::nullopt, trials};
  }
  const double unit = seconds_in(text.back());
  if (unit == 0 || !plain_decimal(text.substr(0, text.size() - 1))) return refuse("is neither a time nor a number");
  double number = 0;
  const bool fits = std::from_chars(text.data(), end - 1, number, std::chars_format::fixed).ec == std::errc{};
  if (!fits || number * unit > kMaxBudgetSeconds) return refuse("is out of range (at most 30 days)");
  if (number * unit < kMinBudgetSeconds) return refuse("is less than one timed block");
  return Budget{number * unit, std::nullopt};
}

std::string to_text(const Budget& b) {
  if (b.seconds && b.trials) return fmt::format("{}s and {} trials", *b.seconds, *b.trials);
  if (b.seconds) return fmt::format("{}s", *b.seconds);
  if (b.trials) return fmt::format("{}", *b.trials);
  return "default";
}

}  // namespace gemwright::tuner
