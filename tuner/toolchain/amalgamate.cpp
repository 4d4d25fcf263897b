#include "tuner/toolchain/amalgamate.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace gemwright::tuner {
namespace {

constexpr int kMaxDepth = 32;  // of includes; more is a circle

std::string_view trim(std::string_view s) {
  const auto first = s.find_first_not_of(" \t\r");
  return first == std::string_view::npos ? "" : s.substr(first, s.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// A preprocessor line: its name and the rest, or nothing.
struct Directive {
  std::string_view name, rest;
};
std::optional<Directive> directive(std::string_view line) {
  line = trim(line);
  if (line.empty() || line[0] != '#') return std::nullopt;
  line = trim(line.substr(1));
  const auto end = std::min(line.find_first_of(" \t(\"<"), line.size());
  return Directive{line.substr(0, end), trim(line.substr(end))};
}

// The path of #include "path" or, with `open` '<', of #include <path>.
std::optional<std::string_view> included(const Directive& d, char open) {
  if (d.name != "include" || d.rest.empty() || d.rest[0] != open) return std::nullopt;
  const auto end = d.rest.find(open == '<' ? '>' : '"', 1);
  if (end == std::string_view::npos) return std::nullopt;
  return d.rest.substr(1, end - 1);
}

// The #if blocks around a line, as expressions.
class Conditions {
 public:
  void see(const Directive& d) {
    if (d.name == "if") push(std::string(d.rest));
    if (d.name == "ifdef") push(fmt::format("defined({})", d.rest));
    if (d.name == "ifndef") push(fmt::format("!defined({})", d.rest));
    if (levels_.empty()) return;
    Level& l = levels_.back();
    if (d.name == "elif" || d.name == "else") {
      l.before.push_back(l.now);
      l.now = d.name == "elif" ? std::string(d.rest) : "";
    }
    if (d.name == "endif") levels_.pop_back();
  }

  std::string text() const {
    std::string all;
    const auto add = [&all](const std::string& term) { all += (all.empty() ? "" : " && ") + term; };
    for (const Level& l : levels_) {
      for (const std::string& b : l.before) add("!(" + b + ")");
      if (!l.now.empty()) add(levels_.size() + l.before.size() > 1 ? "(" + l.now + ")" : l.now);
    }
    return all;
  }

 private:
  struct Level {
    std::vector<std::string> before;  // conditions of the branches that were not taken
    std::string now;
  };
  void push(std::string condition) { levels_.push_back({{}, std::move(condition)}); }
  std::vector<Level> levels_;
};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string replace_word(std::string_view text, std::string_view word, std::string_view by) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto hit = std::min(text.find(word, at), text.size());
    out += text.substr(at, hit - at);
    if (hit == text.size()) break;
    const auto end = hit + word.size();
    const bool whole = (hit == 0 || !is_word(text[hit - 1])) && (end == text.size() || !is_word(text[end]));
    out += whole ? by : word;
    at = end;
  }
  return out;
}

// Whether a header says anything beside its macros and includes.
bool has_code(std::string_view text) {
  for (std::string_view line : lines_of(text)) {
    line = trim(line);
    if (!line.empty() && line[0] != '#' && line.substr(0, 2) != "//") return true;
  }
  return false;
}

class Amalgam {
 public:
  Amalgam(const std::vector<SourceFile>& files, std::string_view digest) : digest_(digest) {
    for (const SourceFile& f : files) files_[f.path] = f.text;
  }

  Result<void> add(std::string_view path, int depth = 0) {
    if (depth > kMaxDepth) return fail(fmt::format("{}: its includes run in a circle", path));
    const auto file = files_.find(path);
    if (file == files_.end()) return fail(fmt::format("\"{}\" is included but not among the sources", path));
    if (done_.count(path) > 0) return {};
    if (auto r = add_needed(file->second, depth); !r) return r;
    if (!done_.insert(path).second) return {};
    body_ += fmt::format("\n// ---- {}\n", path);
    const bool guarded = has_code(file->second);
    if (guarded) body_ += fmt::format("#ifndef {0}\n#define {0}\n\n", guard(path));
    Conditions conditions;
    if (auto r = add_text(file->second, conditions, depth); !r) return r;
    if (guarded) body_ += fmt::format("\n#endif  // {}\n", guard(path));
    return {};
  }

  std::string text() const {
    std::string out = fmt::format("// gemwright kernel templates, sources {}.\n\n", digest_);
    for (const auto& [condition, headers] : system_) {
      std::string lines;
      for (const std::string& h : headers) {
        const bool anyway = !condition.empty() && always_includes(h);
        if (!anyway) lines += fmt::format("#include <{}>\n", h);
      }
      out += condition.empty() || lines.empty() ? lines : fmt::format("\n#if {}\n{}#endif\n", condition, lines);
    }
    out += '\n';
    for (const std::string& m : macros_) out += fmt::format("#pragma push_macro(\"{0}\")\n#undef {0}\n", m);
    out += replace_word(without_empty_blocks(), "gemwright_abi", fmt::format("abi_{}", digest_));
    out += '\n';
    for (const std::string& m : macros_) out += fmt::format("#undef {0}\n#pragma pop_macro(\"{0}\")\n", m);
    return out;
  }

 private:
  static bool once(std::string_view text) { return text.find("#pragma once") != std::string_view::npos; }

  std::string guard(std::string_view path) const {
    std::string name = fmt::format("GEMWRIGHT_KERNELS_{}_{}", digest_, path);
    std::replace_if(
        name.begin(), name.end(), [](char c) { return !is_word(c); }, '_');
    return name;
  }

  bool always_includes(const std::string& header) const {
    const auto unconditional = system_.find("");
    return unconditional != system_.end() && unconditional->second.count(header) > 0;
  }

  // The headers that this text needs, before it.
  Result<void> add_needed(std::string_view text, int depth) {
    for (std::string_view line : lines_of(text)) {
      const auto d = directive(line);
      const auto path = d ? included(*d, '"') : std::nullopt;
      if (!path) continue;
      const auto file = files_.find(*path);
      const bool in_place = file != files_.end() && !once(file->second);
      if (in_place && depth > kMaxDepth) return fail(fmt::format("{}: its includes run in a circle", *path));
      if (auto r = in_place ? add_needed(file->second, depth + 1) : add(*path, depth + 1); !r) return r;
    }
    return {};
  }

  Result<void> add_text(std::string_view text, Conditions& conditions, int depth) {
    for (std::string_view line : lines_of(text)) {
      const auto d = directive(line);
      if (!d) {
        body_ += fmt::format("{}\n", line);
        continue;
      }
      conditions.see(*d);
      if (d->name == "pragma" && d->rest == "once") continue;
      if (const auto header = included(*d, '<')) {
        system_[conditions.text()].insert(std::string(*header));
      } else if (const auto path = included(*d, '"')) {
        const std::string_view part = files_.at(*path);
        if (once(part)) continue;
        if (auto r = add_text(part, conditions, depth + 1); !r) return r;
      } else {
        if (d->name == "define") remember_macro(d->rest);
        body_ += fmt::format("{}\n", line);
      }
    }
    return {};
  }

  void remember_macro(std::string_view definition) {
    const auto end = std::find_if_not(definition.begin(), definition.end(), is_word);
    const std::string name(definition.begin(), end);
    if (name.rfind("GEMWRIGHT_", 0) == 0) macros_.insert(name);
  }

  // #if blocks that held nothing but includes, and repeated blank lines, are left out.
  std::string without_empty_blocks() const {
    std::vector<std::string_view> kept;
    for (std::string_view line : lines_of(body_)) {
      const auto d = directive(line);
      if (d && d->name == "endif" && !kept.empty()) {
        const auto before = directive(kept.back());
        if (before && before->name.substr(0, 2) == "if") {
          kept.pop_back();
          continue;
        }
      }
      if (trim(line).empty() && !kept.empty() && trim(kept.back()).empty()) continue;
      kept.push_back(line);
    }
    std::string out;
    for (std::string_view line : kept) out += fmt::format("{}\n", line);
    return out;
  }

  const std::string digest_;
  std::map<std::string_view, std::string_view> files_;
  std::set<std::string_view> done_;
  std::map<std::string, std::set<std::string>> system_;  // by condition; "" sorts first
  std::set<std::string> macros_;
  std::string body_;
};

}  // namespace

Result<std::string> amalgamate(const std::vector<SourceFile>& files, const std::vector<std::string_view>& entries,
                               std::string_view digest) {
  Amalgam all(files, digest);
  for (const std::string_view entry : entries) {
    if (auto r = all.add(entry); !r) return tl::unexpected(r.error());
  }
  return all.text();
}

}  // namespace gemwright::tuner
