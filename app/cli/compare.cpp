// gemwright compare
#include "app/model/compare.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>

#include "app/cli/commands.h"
#include "app/cli/common.h"
#include "app/model/rows.h"
#include "db/store.h"
#include "tuner/problem/input_text.h"

namespace gemwright::app {
namespace {

// Of one that repeats a verdict and a name of the database.
constexpr std::size_t kMaxSentence = 1024;

struct Options {
  std::string a, b, db, filter;
  std::optional<std::string> fail_if_slower;
  bool json = false;
};

struct Request {
  Operand a, b;
  std::optional<double> allowed;
  Filter filter;
};

tuner::Result<Request> request_of(const Options& o) {
  Request r;
  const auto a = parse_operand(o.a), b = parse_operand(o.b);
  if (!a) return tl::unexpected(a.error());
  if (!b) return tl::unexpected(b.error());
  if (const auto same_kind = check_operands(*a, *b); !same_kind) return tl::unexpected(same_kind.error());
  if (o.fail_if_slower) {
    const auto allowed = parse_allowance(*o.fail_if_slower);
    if (!allowed) return tl::unexpected(allowed.error());
    r.allowed = *allowed;
  }
  if (!o.filter.empty() && a->kind != OperandKind::database) {
    return tuner::fail("--filter chooses among the studies of two databases: A and B name theirs already",
                       tuner::ErrorKind::usage);
  }
  auto filter = parse_filter(o.filter);
  if (!filter) return tl::unexpected(filter.error());
  r.a = *a;
  r.b = *b;
  r.filter = std::move(*filter);
  return r;
}

// 4 where B is surely too slow; what is uncertain is a warning.
int check(const std::vector<SlowerFinding>& findings) {
  int code = kDone;
  for (const SlowerFinding& f : findings) {
    fmt::print(stderr, "gemwright: {}{}\n", f.certain ? "" : "warning: ", tuner::printable(f.sentence, kMaxSentence));
    if (f.certain) code = kCheckFailed;
  }
  return code;
}

template <class Compared>
int finish(const Compared& c, const Options& o, const Request& r) {
  const CompareLabels labels{r.a.text, r.b.text};
  if (o.json) {
    for (const nlohmann::json& row : comparison_rows(c, labels, r.allowed)) fmt::print("{}", json_line(row));
  } else {
    fmt::print("{}", comparison_text(c, labels));
  }
  return r.allowed ? check(slower_findings(c, *r.allowed)) : kDone;
}

int run(const Options& o) {
  const auto r = request_of(o);
  if (!r) return report(r.error());
  const auto file_a = database_path(r->a.file.empty() ? o.db : r->a.file);
  const auto file_b = database_path(r->b.file.empty() ? o.db : r->b.file);
  const auto store_a = db::open_store(file_a, db::OpenMode::read_only);
  if (!store_a) return report(store_a.error());
  const auto store_b = db::open_store(file_b, db::OpenMode::read_only);
  if (!store_b) return report(store_b.error());
  std::error_code unknown;
  const bool same = std::filesystem::equivalent(file_a, file_b, unknown);
  if (r->a.kind == OperandKind::database) {
    if (same) return report({"A and B are the same database", tuner::ErrorKind::usage});
    const auto compared = compare_databases(**store_a, **store_b, r->filter);
    return compared ? finish(*compared, o, *r) : report(compared.error());
  }
  auto a = compared_trial(**store_a, r->a);
  if (!a) return report(a.error());
  auto b = compared_trial(**store_b, r->b);
  if (!b) return report(b.error());
  const auto compared = compare(std::move(*a), std::move(*b), same);
  if (!compared) return report(compared.error());
  if (!compared->ratio) return report({compared->verdict.text});
  return finish(*compared, o, *r);
}

}  // namespace

Runner add_compare(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("A", o->a, "trial:17, study:3 (its winner), FILE#trial:17, FILE#study:3 or the path of a database")
      ->required();
  app.add_option("B", o->b, "Another of the same kind")->required();
  app.add_option("--fail-if-slower", o->fail_if_slower, "Exit code 4 when B is surely slower than A by more, as 3%");
  app.add_option("--filter", o->filter, "Of two databases, which studies: 'm<=32 and threads=1'");
  app.add_option("--db", o->db, "Database of trials and studies (default: $GEMWRIGHT_DB or gemwright.db)");
  app.add_flag("--json", o->json, "JSON lines on standard output");
  return [o] { return run(*o); };
}

}  // namespace gemwright::app
