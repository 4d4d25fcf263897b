#include "tuner/problem/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "tuner/problem/input_text.h"

namespace gemwright::tuner {
namespace {

struct OpName {
  std::string_view word;
  EpilogueOp op;
};
constexpr std::array<OpName, 12> kBuiltOps = {{{"bias", EpilogueOp::bias},
                                               {"relu", EpilogueOp::relu},
                                               {"gelu_tanh", EpilogueOp::gelu_tanh},
                                               {"gelu_erf", EpilogueOp::gelu_erf},
                                               {"silu", EpilogueOp::silu},
                                               {"add", EpilogueOp::add},
                                               {"mul", EpilogueOp::mul},
                                               {"scale", EpilogueOp::scale},
                                               {"clamp", EpilogueOp::clamp},
                                               {"swiglu", EpilogueOp::swiglu},
                                               {"geglu", EpilogueOp::geglu},
                                               {"requant", EpilogueOp::requant}}};
constexpr std::array<std::string_view, 2> kPlannedModes = {"w8", "w4"};
constexpr std::array<Interface, 3> kInterfaces = {Interface::f32, Interface::bf16, Interface::u8s8};
constexpr std::string_view kBuiltPrecisions = "f32, bf16, u8s8";

template <class List>
bool contains(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::optional<EpilogueOp> built_op(std::string_view word) {
  for (const OpName& known : kBuiltOps) {
    if (known.word == word) return known.op;
  }
  return std::nullopt;
}

std::string built_ops() {
  std::string text;
  for (const OpName& known : kBuiltOps) text.append(text.empty() ? "" : ", ").append(known.word);
  return text;
}

Result<void> check_size(std::string_view name, std::int64_t value) {
  if (value >= 1 && value <= kMaxSize) return {};
  return fail(fmt::format("{} is {}, but it must be from 1 to {}", name, value, kMaxSize), ErrorKind::usage);
}

// Both sizes and the batch are at most 2^30: two of them cannot overflow, three may, hence the division.
Result<void> check_operand(std::string_view name, std::int64_t rows, std::int64_t columns, std::int64_t batch) {
  if (rows * columns <= kMaxElements / batch) return {};
  return fail(fmt::format("operand {} of {} x {}, {} times, has more than {} elements", name, rows, columns, batch,
                          kMaxElements),
              ErrorKind::usage);
}

tl::unexpected<Error> bad_key(std::string_view text) {
  return fail(
      fmt::format("{} is not a problem key such as \"gemm/f32/n4096/k4096/b1/nn/constant/beta0/none\"", quote(text)));
}

// "n4096" with prefix "n"; absent where the prefix or the number is wrong.
std::optional<std::int64_t> prefixed(std::string_view part, std::string_view prefix) {
  if (part.substr(0, prefix.size()) != prefix) return std::nullopt;
  return parse_count(part.substr(prefix.size()));
}

}  // namespace

std::string_view to_text(Interface i) { return to_text(own_mode(i)); }

std::string_view to_text(ComputeMode m) { return gemwright::compute_mode_name(m); }

std::string_view to_text(EpilogueOp op) {
  for (const OpName& known : kBuiltOps) {
    if (known.op == op) return known.word;
  }
  return "unknown";
}

gemwright::element a_element(Interface i) {
  using gemwright::element;
  return i == Interface::f32 ? element::f32 : i == Interface::bf16 ? element::bf16 : element::u8;
}

gemwright::element b_element(Interface i) {
  using gemwright::element;
  return i == Interface::f32 ? element::f32 : i == Interface::bf16 ? element::bf16 : element::s8;
}

gemwright::element c_element(Interface i, const std::vector<EpilogueOp>& chain) {
  using gemwright::element;
  if (!chain.empty() && chain.back() == EpilogueOp::requant) return element::u8;
  return i == Interface::bf16 ? element::bf16 : element::f32;
}

ComputeMode own_mode(Interface i) {
  return i == Interface::f32 ? ComputeMode::f32 : i == Interface::bf16 ? ComputeMode::bf16 : ComputeMode::u8s8;
}

std::vector<ComputeMode> modes_behind(Interface i) {
  switch (i) {
    case Interface::f32:
      return {ComputeMode::f32, ComputeMode::bf16, ComputeMode::u8s8};
    case Interface::bf16:
      return {ComputeMode::bf16, ComputeMode::u8s8};
    case Interface::u8s8:
      break;
  }
  return {ComputeMode::u8s8};
}

Result<Interface> parse_interface(std::string_view text) {
  for (const Interface i : kInterfaces) {
    if (to_text(i) == text) return i;
  }
  return fail(fmt::format("unknown interface {}; built are: {}", quote(text), kBuiltPrecisions), ErrorKind::usage);
}

Result<ComputeMode> parse_compute_mode(std::string_view text) {
  for (const Interface i : kInterfaces) {
    if (to_text(i) == text) return own_mode(i);
  }
  if (contains(kPlannedModes, text)) {
    return fail(fmt::format("compute mode {} is not built yet; built are: {}", text, kBuiltPrecisions),
                ErrorKind::usage);
  }
  return fail(fmt::format("unknown compute mode {}; built are: {}", quote(text), kBuiltPrecisions), ErrorKind::usage);
}

Result<std::vector<EpilogueOp>> parse_epilogue(std::string_view text) {
  std::vector<EpilogueOp> chain;
  if (text == "none") return chain;
  for (const std::string_view word : split(text, '+')) {
    const auto op = built_op(word);
    if (!op) {
      return fail(fmt::format("unknown epilogue operation {} in chain {}; built are: {}", quote(word), quote(text),
                              built_ops()),
                  ErrorKind::usage);
    }
    // `args` of the exported header holds one operand of each kind.
    if (std::find(chain.begin(), chain.end(), *op) != chain.end()) {
      return fail(fmt::format("epilogue operation {} stands twice in chain {}, but each may stand there once", word,
                              quote(text)),
                  ErrorKind::usage);
    }
    const bool pair = op == EpilogueOp::swiglu || op == EpilogueOp::geglu;
    const bool first = chain.empty() || (chain.size() == 1 && chain.front() == EpilogueOp::bias);
    if (pair && !first) {
      return fail(
          fmt::format("a pair of products comes first in its chain, or second after a bias, but {} does not in {}",
                      word, quote(text)),
          ErrorKind::usage);
    }
    if (!chain.empty() && chain.back() == EpilogueOp::requant) {
      return fail(fmt::format("requant makes u8 of the result and comes last in its chain, but {} follows it in {}",
                              word, quote(text)),
                  ErrorKind::usage);
    }
    chain.push_back(*op);
  }
  return chain;
}

std::string epilogue_text(const std::vector<EpilogueOp>& chain) {
  std::string text;
  for (const EpilogueOp op : chain) {
    if (!text.empty()) text += '+';
    text += to_text(op);
  }
  return text.empty() ? "none" : text;
}

gemwright::element c_element(const Problem& p) { return c_element(p.interface, p.chain); }

bool has_op(const Problem& p, EpilogueOp op) { return std::find(p.chain.begin(), p.chain.end(), op) != p.chain.end(); }

bool has_pair(const Problem& p) { return has_op(p, EpilogueOp::swiglu) || has_op(p, EpilogueOp::geglu); }

bool takes_operands(const Problem& p) {
  constexpr EpilogueOp kReading[] = {EpilogueOp::bias, EpilogueOp::add, EpilogueOp::mul, EpilogueOp::scale,
                                     EpilogueOp::clamp};
  const bool reads =
      std::any_of(std::begin(kReading), std::end(kReading), [&](EpilogueOp op) { return has_op(p, op); });
  return reads || p.interface == Interface::u8s8;
}

std::int64_t out_columns(const Problem& p, std::int64_t n) { return has_pair(p) ? n / 2 : n; }
std::int64_t c_columns(const Problem& p) { return out_columns(p, p.n); }

int chain_matrices(const Problem& p) {
  return (has_op(p, EpilogueOp::add) ? 1 : 0) + (has_op(p, EpilogueOp::mul) ? 1 : 0);
}

std::string layout_text(const Problem& p) {
  const auto letter = [](gemwright::layout l) { return l == gemwright::layout::row_major ? 'n' : 't'; };
  return {letter(p.a_layout), letter(p.b_layout)};
}

Result<void> set_layout(Problem& p, std::string_view text) {
  const auto valid = [](char c) { return c == 'n' || c == 't'; };
  if (text.size() != 2 || !valid(text[0]) || !valid(text[1])) {
    return fail(fmt::format("unknown layout {}; it is nn, nt, tn or tt (first A, then B)", quote(text)),
                ErrorKind::usage);
  }
  const auto layout = [](char c) { return c == 'n' ? gemwright::layout::row_major : gemwright::layout::col_major; };
  p.a_layout = layout(text[0]);
  p.b_layout = layout(text[1]);
  return {};
}

Result<void> set_interface(Problem& p, std::string_view text) {
  const auto interface = parse_interface(text);
  if (!interface) return tl::unexpected(interface.error());
  p.interface = *interface;
  return {};
}

std::string_view weights_text(const Problem& p) { return p.constant_weights ? "constant" : "call"; }

Result<void> set_weights(Problem& p, std::string_view text) {
  if (text != "constant" && text != "call") {
    return fail(fmt::format("weights {} are unknown; they are constant or call", quote(text)), ErrorKind::usage);
  }
  p.constant_weights = text == "constant";
  return {};
}

std::string key(const Problem& p) {
  return fmt::format("gemm/{}/n{}/k{}/b{}/{}/{}/beta{}/{}", to_text(p.interface), p.n, p.k, p.batch, layout_text(p),
                     weights_text(p), p.beta, epilogue_text(p.chain));
}

Result<Problem> parse_key(std::string_view text) {
  const auto parts = split(text, '/');
  if (parts.size() != 9 || parts[0] != "gemm") return bad_key(text);
  const auto interface = parse_interface(parts[1]);
  const auto n = prefixed(parts[2], "n");
  const auto k = prefixed(parts[3], "k");
  const auto batch = prefixed(parts[4], "b");
  const auto beta = prefixed(parts[7], "beta");
  const auto chain = parse_epilogue(parts[8]);
  Problem p;
  if (!n || !k || !batch || !beta || *beta > 1 || !set_layout(p, parts[5]) || !set_weights(p, parts[6])) {
    return bad_key(text);
  }
  if (!interface) return fail(fmt::format("problem key {}: {}", quote(text), interface.error().message));
  if (!chain) return fail(fmt::format("problem key {}: {}", quote(text), chain.error().message));
  p.interface = *interface;
  p.n = *n;
  p.k = *k;
  p.batch = *batch;
  p.beta = static_cast<int>(*beta);
  p.chain = *chain;
  if (const auto fits = check(p, 1); !fits) {
    return fail(fmt::format("problem key {}: {}", quote(text), fits.error().message));
  }
  if (key(p) != text) return bad_key(text);  // e.g. leading zeros: one problem has one key
  return p;
}

Result<void> check(const Problem& p, std::int64_t m) {
  if (has_op(p, EpilogueOp::requant) && p.interface != Interface::u8s8) {
    return fail(
        fmt::format(
            "requant makes u8 of the results of the interface u8s8 alone (--precision u8s8), but the interface is {}",
            to_text(p.interface)),
        ErrorKind::usage);
  }
  return check_before_interface(p, m);
}

Result<void> check_before_interface(const Problem& p, std::int64_t m) {
  const std::array<std::pair<std::string_view, std::int64_t>, 4> sizes = {
      {{"M", m}, {"N", p.n}, {"K", p.k}, {"batch", p.batch}}};
  for (const auto& [name, value] : sizes) {
    if (auto fits = check_size(name, value); !fits) return fits;
  }
  if (p.beta != 0 && p.beta != 1) {
    return fail(fmt::format("beta is {}, but it must be 0 or 1", p.beta), ErrorKind::usage);
  }
  if (has_pair(p) && (p.n % 2 != 0 || p.beta != 0)) {
    return fail(
        p.beta != 0
            ? "the pair of products in the chain leaves no place for beta: it must be 0"
            : fmt::format("N is {}, but the weights of a pair of products are [gate | up]: an even number", p.n),
        ErrorKind::usage);
  }
  if (has_op(p, EpilogueOp::requant) && p.beta != 0) {
    return fail("requant in the chain leaves no place for beta: it must be 0", ErrorKind::usage);
  }
  if (p.interface == Interface::u8s8 && p.k > gemwright::max_u8s8_depth) {
    return fail(
        fmt::format("K is {}, but an s32 sum of u8 x s8 products holds {} at most", p.k, gemwright::max_u8s8_depth),
        ErrorKind::usage);
  }
  if (auto fits = check_operand("A", m, p.k, p.batch); !fits) return fits;
  if (auto fits = check_operand("B", p.k, p.n, p.batch); !fits) return fits;
  return check_operand("C", m, p.n, p.batch);
}

double flops(const Problem& p, std::int64_t m) {
  return 2.0 * static_cast<double>(m) * static_cast<double>(p.n) * static_cast<double>(p.k) *
         static_cast<double>(p.batch);
}

double weight_bytes(const Problem& p) {
  return gemwright::element_size(b_element(p.interface)) * static_cast<double>(p.n) * static_cast<double>(p.k) *
         static_cast<double>(p.batch);
}

double min_bytes(const Problem& p, std::int64_t m) {
  const double a = gemwright::element_size(a_element(p.interface)) * static_cast<double>(m) * static_cast<double>(p.k);
  const double c = static_cast<double>(m) * static_cast<double>(c_columns(p)) *
                   (gemwright::element_size(c_element(p)) * (p.beta == 0 ? 1 : 2) +
                    static_cast<double>(sizeof(float)) * chain_matrices(p));
  return weight_bytes(p) + static_cast<double>(p.batch) * (a + c);
}

}  // namespace gemwright::tuner
