// Times the rounds of a study: one block of each entrant in the order given, each stored before the next begins.
// Internal to the engine. Which round is timed is decided elsewhere (measure/race.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "tuner/measure/rounds.h"
#include "tuner/study/measurer.h"
#include "tuner/study/store.h"

namespace gemwright::tuner {

struct Entrant {
  SubjectId subject = 0;
  int handle = 0;
};

// A subject that failed while it was timed.
struct Lost {
  SubjectId subject = 0;
  Block block;
};

struct RoundOutcome {
  std::vector<Heat> heats;
  std::vector<Lost> lost;
};

class BlockTimer {
 public:
  // `reference` sizes the blocks of all but the anchor, which has a fixed number of calls.
  BlockTimer(Store& store, Measurer& measurer, double block_ns, SubjectId reference, SubjectId anchor)
      : store_(store), measurer_(measurer), block_ns_(block_ns), reference_(reference), anchor_(anchor) {}

  // `between` is asked before each block; its error ends the round.
  Result<RoundOutcome> round(Phase phase, const std::vector<Entrant>& order,
                             const std::function<Result<void>()>& between);

  // How long a call takes, before the first block: `known_ns`, of a call that was not made for timing, where it is
  // long, or one more that is not recorded. A failure is left to the block.
  Result<void> size(const Entrant& entrant, std::optional<double> known_ns);

  // A block of the coming round that was timed while its subject was admitted.
  Result<Heat> record(Phase phase, SubjectId subject, const Block& block);

  // A sample of an earlier sitting: rounds count up through the whole study, and its times are known.
  void remember(const Sample& sample);
  std::int64_t next_round() const { return next_round_; }
  std::int64_t calls_made() const { return calls_made_; }  // of the whole study, but those of the anchor
  // Of one call of the reference; before its first block, of what ran first or as `size` has it. Where there is none
  // but the anchor, of the fastest.
  std::optional<double> call_ns() const { return call_ns_; }
  // Of one call in the latest block of a subject.
  std::optional<double> last_ns(SubjectId subject) const;
  // Of one call in its fastest block of the study.
  std::optional<double> fastest_ns(SubjectId subject) const;
  std::int64_t calls_of_a_block() const;

 private:
  void note_fastest(SubjectId subject, double ns);
  // The call of `size`; where it failed, what was lost.
  Result<std::optional<Lost>> size_by_a_call(const Entrant& entrant);
  Result<void> time_block(Phase phase, const Entrant& entrant, RoundOutcome& out);

  Store& store_;
  Measurer& measurer_;
  double block_ns_;
  SubjectId reference_, anchor_;
  std::int64_t next_round_ = 0, calls_made_ = 0;
  int position_ = 0;  // in the round
  std::optional<double> call_ns_;
  std::map<SubjectId, double> last_ns_, fastest_ns_;
};

}  // namespace gemwright::tuner
