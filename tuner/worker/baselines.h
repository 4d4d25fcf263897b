// The baselines of a session: oneDNN always, where gemwright was built with it, and those that a setup asks for beside
// it. One that does not take the problem, fails or is wrong is absent, with the reason.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tuner/study/measurer.h"
#include "tuner/worker/subject.h"

namespace gemwright::tuner {

// The weights that the first baseline reorders: none that are given per call; of a pair a copy in another way's format,
// too. `rotated`: bytes of all copies of one format.
double bytes_for_baseline(const Problem& p, double rotated);

class Baselines {
 public:
  Baselines(Operands& operands, WeightStore& store) : operands_(operands), store_(store) {}

  // Each library is opened once. An error only for a file that the user named and that is not one.
  Result<void> open(const std::vector<std::string>& further);
  // oneDNN, also where it cannot be the baseline of this problem; nullptr where there is none.
  Baseline* first() const { return first_.get(); }
  bool any() const { return first_ || !further_.empty(); }
  double weight_bytes() const { return first_ ? first_->weight_bytes() : 0; }

  // `fault` runs a subject once and says what is wrong with what it computes.
  using Fault = std::function<std::optional<std::string>(TimedSubject&)>;
  void prepare(const BaselineCall& call, bool same_weights, const Fault& fault);
  // Those that are there become subjects; `add` gives each its handle.
  void enter(SetupReply& reply, const std::function<int(std::unique_ptr<TimedSubject>)>& add);
  // After a setup that failed: weights that oneDNN reordered are not those of the next one.
  void forget() {
    first_subject_.reset();
    first_.reset();
  }

 private:
  struct Further {
    Baseline* baseline = nullptr;           // owned by opened_
    std::string reason;                     // why it is absent; empty where it is there
    std::unique_ptr<TimedSubject> subject;  // verified, until it is entered
  };

  Operands& operands_;
  WeightStore& store_;
  std::unique_ptr<Baseline> first_;
  std::string no_first_;  // why
  std::unique_ptr<TimedSubject> first_subject_;
  std::map<std::string, std::unique_ptr<Baseline>> opened_;
  std::vector<Further> further_;
  BaselineCall call_;
};

}  // namespace gemwright::tuner
