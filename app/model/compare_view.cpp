#include "app/model/compare_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "db/store.h"
#include "tuner/problem/input_text.h"

namespace gemwright::app {
namespace {

using tuner::Result;

CompareSide side_of(const ComparedTrial& t) {
  CompareSide out;
  const double flops = tuner::flops(t.study.key.problem, t.study.key.m);
  const auto& blocks = t.timed.blocks;
  out.confirmed = std::any_of(blocks.begin(), blocks.end(),
                              [](const tuner::Sample& s) { return s.phase == tuner::Phase::confirm; });
  for (const tuner::Sample& s : blocks) {
    if (out.confirmed != (s.phase == tuner::Phase::confirm) || s.calls <= 0 || s.ns <= 0) continue;
    if (s.excluded()) {
      ++out.excluded;
    } else {
      out.gflops.push_back(flops * static_cast<double>(s.calls) / static_cast<double>(s.ns));
    }
  }
  std::sort(out.gflops.begin(), out.gflops.end());
  return out;
}

Result<CompareResult> of_databases(const tuner::Store& a, const tuner::Store& b, const CompareLabels& labels) {
  const auto compared = compare_databases(a, b, Filter());
  if (!compared) return tl::unexpected(compared.error());
  CompareResult out;
  out.text = comparison_text(*compared, labels);
  return out;
}

Result<CompareResult> of_trials(const tuner::Store& store_a, const tuner::Store& store_b, const Operand& first,
                                const Operand& second, bool same) {
  auto a = compared_trial(store_a, first);
  if (!a) return tl::unexpected(a.error());
  auto b = compared_trial(store_b, second);
  if (!b) return tl::unexpected(b.error());
  CompareResult out;
  out.a = side_of(*a);
  out.b = side_of(*b);
  auto compared = compare(std::move(*a), std::move(*b), same);
  if (!compared) return tl::unexpected(compared.error());
  out.rows = compared_rows(*compared);
  out.counters = compared_counters(*compared);
  out.text = comparison_text(*compared, {first.text, second.text});
  if (compared->ratio) out.basis = tuner::basis_text(*compared->ratio, tuner::printable(compared->a.study.baseline));
  out.trials = std::move(*compared);
  return out;
}

}  // namespace

Result<CompareResult> compare_for_view(const CompareForm& form) {
  const auto a = parse_operand(form.a), b = parse_operand(form.b);
  if (!a) return tl::unexpected(a.error());
  if (!b) return tl::unexpected(b.error());
  if (const auto same_kind = check_operands(*a, *b); !same_kind) return tl::unexpected(same_kind.error());
  const std::filesystem::path file_a = a->file.empty() ? form.database : std::filesystem::path(a->file);
  const std::filesystem::path file_b = b->file.empty() ? form.database : std::filesystem::path(b->file);
  const auto store_a = db::open_store(file_a, db::OpenMode::read_only);
  if (!store_a) return tl::unexpected(store_a.error());
  const auto store_b = db::open_store(file_b, db::OpenMode::read_only);
  if (!store_b) return tl::unexpected(store_b.error());
  std::error_code unknown;
  const bool same = std::filesystem::equivalent(file_a, file_b, unknown);
  if (a->kind != OperandKind::database) return of_trials(**store_a, **store_b, *a, *b, same);
  if (same) return tuner::fail("A and B are the same database");
  return of_databases(**store_a, **store_b, {a->text, b->text});
}

std::string trial_operand(const std::filesystem::path& database, tuner::TrialId trial) {
  return fmt::format("{}#trial:{}", database.string(), trial);
}

std::string study_operand(const std::filesystem::path& database, tuner::StudyId study) {
  return fmt::format("{}#study:{}", database.string(), study);
}

}  // namespace gemwright::app
