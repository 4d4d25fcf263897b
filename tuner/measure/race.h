// Who is timed next, who leaves and when it is over: the three stages of a study's measurement as state machines
// without clock or hardware. A driver asks `next()` for the round to time, in order, times it and hands the heats back
// with `finish_round`; nothing more to time ends the stage. The same seed and the same heats give the same decisions.
//
//   Screen   one block of each newcomer beside the best so far; a newcomer whose block was disturbed, or that is about
//            to leave for good, gets another (of long calls only who may come into the final).
//   Race     rounds over the best few; whoever is far behind, or surely slower than the leader, leaves.
//   Final    fresh rounds over the finalists. Up to three looks at the data, each comparison of each look at its share
//            of the error (Bonferroni), so that a lead is claimed wrongly in at most kFinalAlpha of all finals.
//
// Order within a round: random Latin squares (statistics.h). Intervals: the sign test's. In a final that may claim a
// lead the leader runs twice a round: half the width of the 95 % interval of its own two blocks' ratio (A/A) is the
// noise floor, below which no lead is claimed. Where there is no time for a claim but a rival, the ratio to that one
// says as much of two blocks' noise.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tuner/measure/rounds.h"
#include "tuner/random.h"

namespace gemwright::tuner {

// A wrong claim of a lead, over all comparisons and looks of one final.
constexpr double kFinalAlpha = 0.01;
// A candidate that falls this far behind the best when screened is not looked at again. One block can be wrong by as
// much on a shared host (tiles that later led came out as 2.2 times slower), two seldom are; from kSurelySlow on a
// second one would be long and is not spent; nor is one of a call so long that no burst of a neighbour's delays it by
// half.
constexpr double kScreenFactor = 1.5;
constexpr double kSurelySlow = 4;
constexpr double kSteadyNs = 400e6;
// After two undisturbed rounds of the race whoever is further behind leaves.
constexpr double kRaceFactor = 1.10;
constexpr int kRaceMinRounds = 2;

// Entrants of a round: `fixed` (reference and anchor) run in every one.
class RoundOrder {
 public:
  RoundOrder(std::vector<EntrantId> fixed, Random random) : fixed_(std::move(fixed)), random_(random) {}
  // The members and the fixed ones in the order of this round.
  std::vector<EntrantId> of(std::vector<EntrantId> members, std::int64_t round) const;

 private:
  std::vector<EntrantId> fixed_;
  Random random_;
};

class Screen {
 public:
  // `company`: the best so far, timed once more beside the newcomers; `reference` is one of the order's fixed ones;
  // `seen`: blocks of newcomers that count as the first round's.
  Screen(std::vector<EntrantId> newcomers, std::vector<EntrantId> company, EntrantId reference, RoundOrder order,
         const std::vector<Heat>& seen = {})
      : newcomers_(std::move(newcomers)),
        company_(std::move(company)),
        reference_(reference),
        order_(std::move(order)) {
    for (const Heat& h : seen) log_.add(round_, h);
  }

  std::vector<EntrantId> next() const;
  void finish_round(const std::vector<Heat>& heats);

 private:
  std::vector<EntrantId> waiting() const;
  bool is_in_doubt(EntrantId x, double best) const;

  std::vector<EntrantId> newcomers_, company_;
  EntrantId reference_;
  RoundOrder order_;
  RoundLog log_;
  std::int64_t round_ = 0;
};

struct RaceRules {
  int rounds = 8;       // at most; disturbed rounds are repeated, up to half as many again
  std::size_t aim = 4;  // so few are left to the final
};

class Race {
 public:
  // `log` holds what is known of the entrants (screening) and goes on.
  Race(std::vector<EntrantId> entrants, EntrantId reference, RaceRules rules, RoundOrder order);

  std::vector<EntrantId> next() const;
  void finish_round(const std::vector<Heat>& heats, bool time_is_up);
  void withdraw(EntrantId entrant) { std::erase(entrants_, entrant); }
  const std::vector<EntrantId>& left() const { return entrants_; }

 private:
  void eliminate();

  std::vector<EntrantId> entrants_;
  EntrantId reference_;
  RaceRules rules_;
  RoundOrder order_;
  RoundLog log_;
  std::int64_t round_ = 0;
  int disturbed_ = 0;
  bool over_ = false;
};

struct FinalRules {
  int rounds = 26;                // undisturbed ones until the first look; as many again until each of the next
  int min_rounds = 8;             // where time runs out
  bool enough_for_a_lead = true;  // min_rounds is raised to rounds_for_a_lead, and the leader runs twice
};

// How many rounds a lead in all of them needs to be certified.
int rounds_for_a_lead(std::size_t finalists);

// One finalist against the best.
struct Rival {
  EntrantId entrant = 0;
  double lead = 0;             // log: how far it is behind
  std::optional<Interval> of;  // of the lead, at this comparison's share of the error
  std::int64_t rounds = 0;
  bool separated = false;  // surely slower, by more than the noise floor
};

struct FinalResult {
  std::optional<EntrantId> best;      // absent when nobody is left
  std::vector<Rival> rivals;          // nearest first
  std::optional<double> noise_floor;  // log; absent with too few rounds
  double confidence = 0;              // of all comparisons together
  bool certified() const;             // there are rivals and all are separated
};

class Final {
 public:
  // The first of `finalists`, best first, is the leader.
  Final(std::vector<EntrantId> finalists, FinalRules rules, RoundOrder order);

  std::vector<EntrantId> next() const;
  void finish_round(const std::vector<Heat>& heats, bool time_is_up);
  void withdraw(EntrantId entrant);
  FinalResult result() const;
  const RoundLog& log() const { return log_; }

 private:
  void look();
  double confidence() const { return confidence_of_each(1 - kFinalAlpha, comparisons_); }
  bool leader_runs_twice() const { return rules_.enough_for_a_lead || all_.size() < 2; }
  std::int64_t least_clean_rounds() const;
  std::optional<double> noise_floor() const;

  std::vector<EntrantId> all_;     // who may win or tie: failed ones are not among them
  std::vector<EntrantId> racing_;  // who is still timed
  EntrantId twin_;
  FinalRules rules_;
  RoundOrder order_;
  RoundLog log_;
  std::int64_t round_ = 0;
  int looks_ = 0;
  int comparisons_ = 0;
  bool over_ = false;
};

}  // namespace gemwright::tuner
