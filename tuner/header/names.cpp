#include <fmt/format.h>

#include <functional>
#include <map>
#include <set>

#include "tuner/header/header.h"
#include "tuner/header/text.h"

namespace gemwright::tuner {
namespace {

using gemwright::layout;

std::string layout_text(const Problem& p) {
  return {p.a_layout == layout::row_major ? 'n' : 't', p.b_layout == layout::row_major ? 'n' : 't'};
}

std::string base_name(const HeaderProblem& p) {
  const std::string name = header_name(p.name);
  return name.empty() ? fmt::format("n{}_k{}_{}", p.problem.n, p.problem.k, to_text(p.problem.interface)) : name;
}

std::string chain_text(const Problem& p) {
  std::string text;
  for (const EpilogueOp op : p.chain) {
    if (!text.empty()) text += '_';
    text += to_text(op);
  }
  return text.empty() ? "plain" : text;
}

// What can tell two problems apart, in the order in which it is written.
const std::vector<std::function<std::string(const Problem&)>>& aspects() {
  static const std::vector<std::function<std::string(const Problem&)>> all = {
      [](const Problem& p) { return fmt::format("n{}", p.n); },
      [](const Problem& p) { return fmt::format("k{}", p.k); },
      [](const Problem& p) { return std::string(to_text(p.interface)); },
      [](const Problem& p) { return fmt::format("b{}", p.batch); },
      layout_text,
      [](const Problem& p) { return std::string(p.constant_weights ? "constant" : "call"); },
      [](const Problem& p) { return fmt::format("beta{}", p.beta); },
      chain_text,
  };
  return all;
}

}  // namespace

std::vector<std::string> problem_namespaces(const std::vector<HeaderProblem>& problems) {
  std::vector<std::string> names;
  std::map<std::string, std::vector<std::size_t>> same;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    names.push_back(base_name(problems[i]));
    same[names.back()].push_back(i);
  }
  for (const auto& [name, indices] : same) {
    if (indices.size() < 2) continue;
    for (const auto& aspect : aspects()) {
      std::set<std::string> values;
      for (const std::size_t i : indices) values.insert(aspect(problems[i].problem));
      if (values.size() < 2) continue;
      for (const std::size_t i : indices) names[i].append("_").append(aspect(problems[i].problem));
    }
  }
  // A suffix may hit a name that somebody chose: then numbers tell them apart.
  std::set<std::string> used;
  for (std::string& name : names) {
    const std::string base = name;
    for (int i = 2; !used.insert(name).second; ++i) name = fmt::format("{}_{}", base, i);
  }
  return names;
}

}  // namespace gemwright::tuner
