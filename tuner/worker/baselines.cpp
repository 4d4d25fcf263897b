#include "tuner/worker/baselines.h"

#include <fmt/format.h>

#include <utility>

namespace gemwright::tuner {

double bytes_for_baseline(const Problem& p, double rotated) {
  if (!p.constant_weights) return 0;
  return has_pair(p) ? rotated + weight_bytes(p) : rotated;
}

Result<void> Baselines::open(const std::vector<std::string>& further) {
  further_.clear();
  for (const std::string& name : further) {
    Further f;
    auto& opened = opened_[name];
    if (!opened) {
      auto made = open_baseline(name);
      if (!made && names_a_file(name)) return tl::unexpected(made.error());
      if (made) opened = std::move(*made);
      if (!made) f.reason = made.error().message;
    }
    f.baseline = opened.get();
    further_.push_back(std::move(f));
  }
  no_first_.clear();
  if (first_) return {};
  auto made = make_onednn();
  if (made) first_ = std::move(*made);
  if (!made) no_first_ = made.error().message;
  return {};
}

void Baselines::prepare(const BaselineCall& call, bool same_weights, const Fault& fault) {
  call_ = call;
  const auto why_not = [&](Baseline& baseline, TimedSubject& subject) -> std::string {
    if (const auto ready = subject.prepare(); !ready) return ready.error().message;
    const auto wrong = fault(subject);
    return wrong ? fmt::format("{}: {}", baseline.name(), *wrong) : "";
  };
  if (first_) {
    const auto ready = first_->prepare(call, same_weights);
    first_subject_ = std::make_unique<BaselineSubject>(*first_);
    no_first_ = ready ? why_not(*first_, *first_subject_) : ready.error().message;
  }
  for (Further& f : further_) {
    if (f.baseline == nullptr) continue;
    // What it refuses is known before copies are made for it.
    const auto ready = f.baseline->prepare(call, true);
    f.subject = std::make_unique<PlainBaselineSubject>(*f.baseline, call_, operands_, store_);
    f.reason = ready ? why_not(*f.baseline, *f.subject) : ready.error().message;
  }
}

void Baselines::enter(SetupReply& reply, const std::function<int(std::unique_ptr<TimedSubject>)>& add) {
  reply.baseline_reason = no_first_;
  if (no_first_.empty()) {
    reply.baseline = first_->name();
    reply.baseline_ns = first_subject_->call_ns();
    reply.baseline_handle = add(std::move(first_subject_));
  }
  for (Further& f : further_) {
    FurtherBaseline b;
    b.reason = f.reason;
    if (f.reason.empty()) {
      b.name = f.baseline->name();
      b.handle = add(std::move(f.subject));
    }
    reply.further.push_back(std::move(b));
  }
}

}  // namespace gemwright::tuner
