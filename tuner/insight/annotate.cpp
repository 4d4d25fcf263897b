#include "tuner/insight/annotate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>
#include <unordered_map>

#include "tuner/problem/input_text.h"

namespace gemwright::tuner {
namespace {

constexpr std::size_t kMaxAssembly = std::size_t{64} << 20;  // a library of all tiles of a group has some MB
constexpr std::size_t kMaxLine = 160;                        // the longest instruction of a tile has less than 60

bool starts_with(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }

template <std::size_t N>
bool starts_with_one(std::string_view text, const std::array<std::string_view, N>& starts) {
  return std::any_of(starts.begin(), starts.end(), [&](std::string_view s) { return starts_with(text, s); });
}

struct Instruction {
  std::string_view text, mnemonic;
  std::vector<std::string_view> operands;
};

// Splits at commas outside parentheses.
std::vector<std::string_view> operands_of(std::string_view text) {
  std::vector<std::string_view> out;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '(') ++depth;
    if (i < text.size() && text[i] == ')') --depth;
    if (i < text.size() && (text[i] != ',' || depth > 0)) continue;
    const std::string_view operand = trimmed(text.substr(begin, i - begin));
    if (!operand.empty()) out.push_back(operand);
    begin = i + 1;
  }
  return out;
}

Instruction parse(std::string_view line) {
  // The encoding that inline assembly asks for: "{vex} vpdpbusd ...".
  if (line.front() == '{') line = trimmed(line.substr(std::min(line.find('}'), line.size() - 1) + 1));
  Instruction out{line, line, {}};
  const auto blank = line.find_first_of(" \t");
  if (blank == std::string_view::npos) return out;
  out.mnemonic = line.substr(0, blank);
  out.operands = operands_of(line.substr(blank + 1));
  return out;
}

// One line that is an instruction, or a label that a jump may name.
struct Line {
  std::string_view text;
  bool label = false;
  std::size_t function = 0;  // index into Program::functions
};

struct Program {
  std::vector<std::string_view> functions{""};
  std::vector<bool> has_frame{false};  // %rbp points into the stack
  std::vector<Line> lines;
  std::unordered_map<std::string_view, std::size_t> labels;  // line of each
};

Program read(std::string_view assembly) {
  Program p;
  for (std::string_view line : split(assembly, '\n')) {
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    if (line.back() == ':') {
      const std::string_view name = line.substr(0, line.size() - 1);
      if (!starts_with(name, ".L")) {
        p.functions.push_back(name);
        p.has_frame.push_back(false);
      }
      p.labels[name] = p.lines.size();
      p.lines.push_back({name, true, p.functions.size() - 1});
    } else if (line.front() != '.') {
      const Instruction i = parse(line);
      if (i.mnemonic == "movq" && i.operands == std::vector<std::string_view>{"%rsp", "%rbp"})
        p.has_frame.back() = true;
      p.lines.push_back({line, false, p.functions.size() - 1});
    }
  }
  return p;
}

struct Span {
  std::size_t begin, end;  // lines, both included
};

// Loops that hold no other, in the order of their ends.
std::vector<Span> innermost_loops(const Program& p) {
  std::vector<Span> out;
  std::optional<std::size_t> latest_begin;  // of the loops that have ended
  for (std::size_t at = 0; at < p.lines.size(); ++at) {
    const Line& line = p.lines[at];
    if (line.label || line.text.front() != 'j') continue;
    const Instruction jump = parse(line.text);
    if (jump.operands.size() != 1) continue;
    const auto target = p.labels.find(jump.operands[0]);
    if (target == p.labels.end() || target->second > at || p.lines[target->second].function != line.function) continue;
    if (!latest_begin || *latest_begin < target->second) out.push_back({target->second, at});
    latest_begin = std::max(latest_begin.value_or(0), target->second);
  }
  return out;
}

// Products of words are dot products of two: what u8s8 is made of where the CPU has none of bytes.
bool is_dot(std::string_view mnemonic) {
  constexpr std::array<std::string_view, 4> kDots{"vdpbf16ps", "vpdpbusd", "vpmaddwd", "pmaddwd"};
  return starts_with_one(mnemonic, kDots);
}

bool is_fused(std::string_view mnemonic) {
  constexpr std::array<std::string_view, 4> kFused{"vfmadd", "vfnmadd", "vfmsub", "vfnmsub"};
  return starts_with_one(mnemonic, kFused);
}

bool is_product(std::string_view mnemonic) {
  constexpr std::array<std::string_view, 4> kProducts{"mulss", "mulps", "vmulss", "vmulps"};
  return starts_with_one(mnemonic, kProducts);
}

bool is_integer_product(std::string_view mnemonic) {
  constexpr std::array<std::string_view, 3> kProducts{"imul", "pmul", "vpmul"};
  return starts_with_one(mnemonic, kProducts);
}

using IsProduct = bool (*)(std::string_view mnemonic);
// What counts as a multiply-add: the first of these that the loops have at all. Where the K loop is of dot products, an
// activation of the chain is the one that multiplies and adds.
constexpr std::array<IsProduct, 4> kMultiplyAdds{is_dot, is_fused, is_product, is_integer_product};

// Number behind the first "mm" of a vector register in an operand.
std::optional<int> vector_register(std::string_view operand) {
  for (const std::string_view bank : {"%xmm", "%ymm", "%zmm"}) {
    if (!starts_with(operand, bank)) continue;
    const auto digits = operand.substr(bank.size(), operand.find_first_not_of("0123456789", bank.size()) - bank.size());
    const auto number = parse_count(digits);
    if (number && *number < 32) return static_cast<int>(*number);
  }
  return std::nullopt;
}

bool is_memory(std::string_view operand) { return operand.find('(') != std::string_view::npos; }

// Counts one loop.
class Counting {
 public:
  Counting(bool has_frame, IsProduct multiplies, HotLoop& out)
      : has_frame_(has_frame), multiplies_(multiplies), out_(out) {}

  std::string note(const Instruction& i) {
    ++out_.instructions;
    bool vectors = false;
    for (const std::string_view operand : i.operands) {
      if (const auto number = vector_register(operand)) {
        registers_.insert(*number);
        vectors = true;
      }
    }
    out_.vector_registers = static_cast<int>(registers_.size());
    const bool dots = multiplies_ == is_dot;
    const std::string what = !multiplies_(i.mnemonic) ? "" : dots ? "dot product" : "multiply-add";
    if (!what.empty()) ++out_.multiply_adds;
    if (dots) out_.dot_products = out_.multiply_adds;
    const std::string memory = memory_note(i, vectors);
    return what.empty() || memory.empty() ? what + memory : what + ", " + memory;
  }

 private:
  bool on_stack(std::string_view operand) const {
    const std::string_view base = operand.substr(operand.find('('));
    return starts_with(base, "(%rsp") || (has_frame_ && starts_with(base, "(%rbp"));
  }

  std::string memory_note(const Instruction& i, bool vectors) {
    const auto memory = std::find_if(i.operands.begin(), i.operands.end(), is_memory);
    if (memory == i.operands.end() || starts_with(i.mnemonic, "lea")) return "";
    if (starts_with(i.mnemonic, "prefetch")) return counted(out_.prefetches, "prefetch");
    if (on_stack(*memory)) {
      return vectors ? counted(out_.spills, "spill") : counted(out_.address_reloads, "address from the stack");
    }
    if (!vectors) return "";
    if (memory + 1 == i.operands.end() && i.operands.size() > 1) return counted(out_.stores, "store");
    if (memory->find("{1to") != std::string_view::npos) {
      return counted(out_.embedded_broadcasts, "embedded broadcast");
    }
    if (starts_with(i.mnemonic, "vbroadcast") || starts_with(i.mnemonic, "vpbroadcast")) {
      return counted(out_.broadcasts, "broadcast");
    }
    return counted(out_.loads, "load");
  }

  static std::string counted(int& counter, const char* note) {
    ++counter;
    return note;
  }

  const bool has_frame_;
  const IsProduct multiplies_;
  HotLoop& out_;
  std::set<int> registers_;
};

std::size_t count_in(const Program& p, Span s, IsProduct is) {
  std::size_t count = 0;
  for (std::size_t at = s.begin; at <= s.end; ++at) {
    if (!p.lines[at].label && is(parse(p.lines[at].text).mnemonic)) ++count;
  }
  return count;
}

struct Found {
  Span span{};
  std::size_t count = 0;
};
Found fullest(const Program& p, const std::vector<Span>& loops, IsProduct is) {
  Found best;
  for (const Span& s : loops) {
    const std::size_t count = count_in(p, s, is);
    if (count > best.count) best = {s, count};
  }
  return best;
}

std::string shown(std::string_view text) {
  std::string line(text);
  std::replace(line.begin(), line.end(), '\t', ' ');
  return printable(line, kMaxLine);
}

std::string plural(int count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

std::optional<double> HotLoop::multiply_adds_per_load() const {
  const int all = loads + broadcasts + embedded_broadcasts;
  if (all == 0) return std::nullopt;
  return static_cast<double>(multiply_adds) / all;
}

Result<HotLoop> hot_loop(std::string_view assembly) {
  if (assembly.size() > kMaxAssembly) {
    return fail(fmt::format("the assembly has more than {} MiB, no tile does", kMaxAssembly >> 20));
  }
  const Program program = read(assembly);
  const std::vector<Span> loops = innermost_loops(program);
  Found found;
  IsProduct multiplies = nullptr;
  for (auto at = kMultiplyAdds.begin(); at != kMultiplyAdds.end() && found.count == 0; ++at) {
    multiplies = *at;
    found = fullest(program, loops, multiplies);
  }
  if (found.count == 0) {
    return fail("no loop with multiply-adds was found: this reads x86-64 assembly in AT&T syntax, as g++ -S prints it");
  }
  HotLoop out;
  const std::size_t function = program.lines[found.span.begin].function;
  out.function = printable(program.functions[function], kMaxLine);
  Counting counting(program.has_frame[function], multiplies, out);
  for (std::size_t at = found.span.begin; at <= found.span.end; ++at) {
    const Line& line = program.lines[at];
    if (line.label) {
      out.lines.push_back({shown(line.text) + ":", ""});
    } else {
      std::string note = counting.note(parse(line.text));
      out.lines.push_back({shown(line.text), std::move(note)});
    }
  }
  return out;
}

std::string to_text(const HotLoop& loop) {
  const std::string_view product = loop.dot_products > 0 ? "dot product" : "multiply-add";
  std::string out =
      fmt::format("{} in the loop: {}, {}, {}, {} embedded, {}, {}\n", plural(loop.instructions, "instruction"),
                  plural(loop.multiply_adds, product), plural(loop.loads, "load"), plural(loop.broadcasts, "broadcast"),
                  loop.embedded_broadcasts, plural(loop.stores, "store"),
                  loop.prefetches == 1 ? "1 prefetch" : fmt::format("{} prefetches", loop.prefetches));
  out += fmt::format("{}, {}, {} from the stack", plural(loop.vector_registers, "vector register"),
                     plural(loop.spills, "spill"),
                     loop.address_reloads == 1 ? "1 address" : fmt::format("{} addresses", loop.address_reloads));
  if (const auto per_load = loop.multiply_adds_per_load())
    out += fmt::format(", {:.2f} {}s a load", *per_load, product);
  out += "\n\n";
  for (const AnnotatedLine& line : loop.lines) {
    const bool label = !line.text.empty() && line.text.back() == ':';
    const std::string text = label ? line.text : "  " + line.text;
    out += line.note.empty() ? text + "\n" : fmt::format("{:<44}  {}\n", text, line.note);
  }
  return out;
}

}  // namespace gemwright::tuner
