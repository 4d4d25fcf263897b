#include "tuner/measure/race.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gemwright::tuner {
namespace {

// A newcomer is timed so often at most.
constexpr std::int64_t kScreenRounds = 3;
// Of calls longer than kSteadyNs, and only for those within kRaceFactor of the best, as finalists are.
constexpr std::int64_t kLongScreenRounds = 2;
// Disturbed rounds are repeated, but a noisy host must not keep a study for ever.
constexpr double kRepeatShare = 1.5;
constexpr int kLooks = 3;
constexpr double kRaceConfidence = 0.95;
constexpr double kFloorConfidence = 0.95;

// Of all looks together.
int comparisons_of(std::size_t finalists) { return kLooks * std::max(static_cast<int>(finalists) - 1, 1); }

bool any_disturbed(const std::vector<Heat>& heats) {
  return std::any_of(heats.begin(), heats.end(), [](const Heat& h) { return h.disturbed; });
}

}  // namespace

std::vector<EntrantId> RoundOrder::of(std::vector<EntrantId> members, std::int64_t round) const {
  members.insert(members.end(), fixed_.begin(), fixed_.end());
  std::vector<EntrantId> ordered;
  for (const int i : latin_round_order(static_cast<int>(members.size()), round, random_)) {
    ordered.push_back(members[static_cast<std::size_t>(i)]);
  }
  return ordered;
}

// Those without an undisturbed block, and those whose figure is in doubt.
std::vector<EntrantId> Screen::waiting() const {
  double best = std::numeric_limits<double>::infinity();
  for (const auto* group : {&newcomers_, &company_}) {
    for (const EntrantId x : *group) best = std::min(best, log_.cost(x, reference_).value_or(best));
  }
  std::vector<EntrantId> out;
  for (const EntrantId x : newcomers_) {
    const bool is_long = log_.log_ns(x) > std::log(kSteadyNs);
    const bool is_behind = log_.cost(x, reference_) > best + std::log(kRaceFactor);
    if (is_long && (round_ >= kLongScreenRounds || is_behind)) continue;
    const bool unseen = log_.blocks(x) > 0 && log_.clean_pairs(x, reference_) == 0;
    if (unseen || is_in_doubt(x, best)) out.push_back(x);
  }
  return out;
}

// Whoever is about to leave for good had bad luck, perhaps: what delays one block by half does not have to show in its
// disturbances. A second block says whether, and where it contradicts the first a third one decides.
bool Screen::is_in_doubt(EntrantId x, double best) const {
  const auto cost = log_.cost(x, reference_);
  if (!cost || *cost <= best + std::log(kScreenFactor) || *cost > best + std::log(kSurelySlow)) return false;
  if (log_.log_ns(x) > std::log(kSteadyNs)) return false;
  const std::vector<double> pairs = log_.leads(x, reference_);
  return pairs.size() < 2 || (pairs.size() == 2 && std::abs(pairs[0] - pairs[1]) > std::log(kScreenFactor));
}

std::vector<EntrantId> Screen::next() const {
  if (newcomers_.empty() || round_ >= kScreenRounds) return {};
  if (round_ > 0) {
    auto again = waiting();
    return again.empty() ? again : order_.of(std::move(again), round_);
  }
  std::vector<EntrantId> members = newcomers_;
  std::erase_if(members, [this](EntrantId x) { return log_.blocks(x) > 0; });
  members.insert(members.end(), company_.begin(), company_.end());
  return order_.of(std::move(members), round_);
}

void Screen::finish_round(const std::vector<Heat>& heats) {
  for (const Heat& h : heats) log_.add(round_, h);
  ++round_;
}

Race::Race(std::vector<EntrantId> entrants, EntrantId reference, RaceRules rules, RoundOrder order)
    : entrants_(std::move(entrants)), reference_(reference), rules_(rules), order_(std::move(order)) {}

std::vector<EntrantId> Race::next() const {
  if (over_ || entrants_.size() <= rules_.aim || entrants_.size() < 2) return {};
  return order_.of(entrants_, round_);
}

void Race::finish_round(const std::vector<Heat>& heats, bool time_is_up) {
  for (const Heat& h : heats) log_.add(round_, h);
  ++round_;
  if (any_disturbed(heats)) ++disturbed_;
  const int repeats = std::min(disturbed_, rules_.rounds / 2);
  over_ = time_is_up || round_ >= rules_.rounds + repeats;
  if (round_ >= kRaceMinRounds) eliminate();
}

// Only those who were seen undisturbed lead or leave.
void Race::eliminate() {
  const auto seen = [this](EntrantId x) {
    return log_.clean_pairs(x, reference_) >= static_cast<std::size_t>(kRaceMinRounds);
  };
  std::optional<EntrantId> leader;
  double best = std::numeric_limits<double>::infinity();
  for (const EntrantId x : entrants_) {
    const auto cost = log_.cost(x, reference_);
    if (!seen(x) || !cost || *cost >= best) continue;
    leader = x;
    best = *cost;
  }
  if (!leader) return;
  const double confidence = confidence_of_each(kRaceConfidence, static_cast<int>(entrants_.size()) - 1);
  std::erase_if(entrants_, [&](EntrantId x) {
    if (x == *leader || !seen(x)) return false;
    if (*log_.cost(x, reference_) > best + std::log(kRaceFactor)) return true;
    const auto behind = sign_test_interval(log_.leads(*leader, x), confidence);
    return behind && behind->lo > 0;
  });
}

bool FinalResult::certified() const {
  return !rivals.empty() && std::all_of(rivals.begin(), rivals.end(), [](const Rival& r) { return r.separated; });
}

// The sign test of n rounds misses with 2 / 2^n where all of them agree; one more to spare for a disturbed one.
int rounds_for_a_lead(std::size_t finalists) {
  const double confidence = confidence_of_each(1 - kFinalAlpha, comparisons_of(finalists));
  return static_cast<int>(std::ceil(1 - std::log2(1 - confidence))) + 1;
}

Final::Final(std::vector<EntrantId> finalists, FinalRules rules, RoundOrder order)
    : all_(std::move(finalists)),
      racing_(all_),
      twin_(all_.empty() ? 0 : all_.front()),
      rules_(rules),
      order_(std::move(order)),
      comparisons_(comparisons_of(all_.size())) {
  if (rules_.enough_for_a_lead) rules_.min_rounds = std::max(rules_.min_rounds, rounds_for_a_lead(all_.size()));
}

std::vector<EntrantId> Final::next() const {
  if (over_ || racing_.empty()) return {};
  std::vector<EntrantId> members = racing_;
  const bool twin_races = std::find(racing_.begin(), racing_.end(), twin_) != racing_.end();
  if (leader_runs_twice() && twin_races) members.push_back(twin_);
  return order_.of(std::move(members), round_);
}

void Final::withdraw(EntrantId entrant) {
  std::erase(all_, entrant);
  std::erase(racing_, entrant);
  if (entrant == twin_ && !racing_.empty()) twin_ = racing_.front();
}

// Of whoever leads the race still: the twin, or once it is found slower the first of the others.
std::int64_t Final::least_clean_rounds() const {
  const bool twin_races = std::find(racing_.begin(), racing_.end(), twin_) != racing_.end();
  const EntrantId first = twin_races ? twin_ : racing_.front();
  auto least = static_cast<std::int64_t>(log_.clean_pairs(first, first));
  for (const EntrantId x : racing_) least = std::min(least, static_cast<std::int64_t>(log_.clean_pairs(first, x)));
  return least;
}

void Final::finish_round(const std::vector<Heat>& heats, bool time_is_up) {
  for (const Heat& h : heats) log_.add(round_, h);
  ++round_;
  if (racing_.empty()) return;
  const std::int64_t due = static_cast<std::int64_t>(rules_.rounds) * (looks_ + 1);
  const bool repeated_enough = static_cast<double>(round_) >= kRepeatShare * static_cast<double>(due);
  const bool last = time_is_up && round_ >= rules_.min_rounds;
  if (!last && least_clean_rounds() < due && !repeated_enough) return;
  look();
  over_ = over_ || last || looks_ == kLooks;
}

// Whoever is surely slower needs no more rounds. More rounds help only where a lead could still be claimed: the noise
// floor shrinks with their root.
void Final::look() {
  ++looks_;
  const FinalResult now = result();
  const double reach = std::sqrt(static_cast<double>(looks_) / kLooks);
  bool hope = false;
  for (const Rival& r : now.rivals) {
    if (r.separated) std::erase(racing_, r.entrant);
    hope = hope || (!r.separated && now.noise_floor && r.lead > reach * *now.noise_floor);
  }
  over_ = !hope || !rules_.enough_for_a_lead;
}

std::optional<double> Final::noise_floor() const {
  const auto rival = std::find_if(all_.begin(), all_.end(), [this](EntrantId x) { return x != twin_; });
  const auto ratios = leader_runs_twice() ? log_.twins(twin_) : log_.leads(twin_, *rival);
  const auto interval = sign_test_interval(ratios, kFloorConfidence);
  if (!interval) return std::nullopt;
  return (interval->hi - interval->lo) / 2;
}

FinalResult Final::result() const {
  FinalResult out;
  out.confidence = 1 - kFinalAlpha;
  out.noise_floor = noise_floor();
  double least = std::numeric_limits<double>::infinity();
  for (const EntrantId x : racing_) {
    const double place = log_.centred(x, racing_).value_or(std::numeric_limits<double>::infinity());
    if (!out.best || place < least) {
      out.best = x;
      least = place;
    }
  }
  if (!out.best) return out;
  for (const EntrantId x : all_) {
    if (x == *out.best) continue;
    Rival rival;
    rival.entrant = x;
    const auto leads = log_.leads(*out.best, x);
    rival.rounds = static_cast<std::int64_t>(leads.size());
    rival.lead = median(leads).value_or(0);
    rival.of = sign_test_interval(leads, confidence());
    rival.separated =
        rules_.enough_for_a_lead && rival.of && rival.of->lo > 0 && out.noise_floor && rival.lead > *out.noise_floor;
    out.rivals.push_back(rival);
  }
  std::stable_sort(out.rivals.begin(), out.rivals.end(),
                   [](const Rival& x, const Rival& y) { return x.lead < y.lead; });
  return out;
}

}  // namespace gemwright::tuner
