// Batch files of oneDNN's benchdnn for matmul: options that stay in force until --reset, and problems, in any order on
// any line.
//
//   --reset --dt=f32 --stag=ab --wtag=ba --bia_dt=f32 --bia_mask=2 --attr-post-ops=relu
//   128x4096:4096x16384n"ffn1*28"            M x K : K x N [: M x N] [name]
//   16x128x64:16x64x128_n"scores"            leading dimensions are the batch
//
// How it maps: tags give the layout (wtag=any means that the library may reorder: nn, packed); bias data type f32 and
// the post-operations give the chain, a destination of u8 its requant; a first post-operation `sum` is beta 1. A chain
// that is not built yet runs as none with a note. Products without batch have constant weights, those with a batch take
// both operands per call, as attention does. A name that ends in "*28" gives weight 28. Problems of equal key are one:
// their M are united and their weights summed.
//
// Whatever would change what is computed and is not known here is refused, never ignored: other data types, several
// values for one option ("ab,ba"), nested batch files, strides, scales, blocked tags, broadcast along the batch.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "tuner/problem/input_text.h"
#include "tuner/problem/suite.h"
#include "tuner/problem/suite_builder.h"

namespace gemwright::tuner {
namespace {

constexpr std::size_t kMaxDims = 12;  // oneDNN's limit

// How benchdnn runs, checks and reports; none of these changes what a problem computes. Sizes that are known at run
// time only are still the sizes of the problem.
constexpr auto kHarmless = std::to_array<std::string_view>({"allow-enum-tags-only",
                                                            "attr-same-pd-check",
                                                            "attr-scratchpad",
                                                            "canonical",
                                                            "cold-cache",
                                                            "cpu-isa-hints",
                                                            "ctx-exe",
                                                            "ctx-init",
                                                            "fast-ref",
                                                            "fast-ref-gpu",
                                                            "fix-times-per-prb",
                                                            "global-impl",
                                                            "impl",
                                                            "matmul",
                                                            "max-ms-per-prb",
                                                            "mem-check",
                                                            "memory-kind",
                                                            "mode",
                                                            "mode-modifier",
                                                            "perf-template",
                                                            "repeats-per-prb",
                                                            "runtime_dims_masks",
                                                            "skip-impl",
                                                            "summary",
                                                            "verbose"});

// The options in force.
struct Options {
  Interface interface = Interface::f32;
  bool requant = false;
  std::string a_tag, b_tag, c_tag;
  bool bias = false;
  std::optional<std::int64_t> bias_mask;
  std::string post_ops;
};

using Dims = std::vector<std::int64_t>;

// Of source, weights and destination: one word stands for all three.
Result<void> set_data_types(Options& options, std::string_view text) {
  options.requant = text == "u8:s8:u8";
  for (const Interface i : {Interface::f32, Interface::bf16, Interface::u8s8}) {
    const std::string_view name = to_text(i);
    const bool is_one = i == Interface::u8s8 ? options.requant || text == "u8:s8:f32"
                                             : text == name || text == fmt::format("{0}:{0}:{0}", name);
    if (!is_one) continue;
    options.interface = i;
    return {};
  }
  return fail(fmt::format("data type {} is not built yet; built are: f32, bf16, u8:s8:f32, u8:s8:u8", quote(text)));
}

Result<void> set_bias_type(Options& options, std::string_view text) {
  if (text != "f32" && text != "undef" && !text.empty()) {
    return fail(fmt::format("bias data type {} is not built yet; built are: f32", quote(text)));
  }
  options.bias = text == "f32";
  return {};
}

Result<void> set_bias_mask(Options& options, std::string_view text) {
  options.bias_mask = parse_count(text);
  if (text.empty() || options.bias_mask) return {};
  return fail(fmt::format("bias mask {} is not a whole number", quote(text)));
}

Result<void> refuse_option(std::string_view name, std::string_view value) {
  if (name == "batch") {
    return fail(fmt::format("nested batch files are not read; put the problems of {} into this file", quote(value)));
  }
  if (name == "engine" && value.substr(0, 3) == "cpu") return {};
  // Left empty, or written out as the default, an option changes nothing.
  const bool is_default =
      value.empty() || (name == "strides" && value == "::") || (name == "attr-fpmath" && value == "strict");
  if (is_default) return {};
  return fail(fmt::format("option {} may change what is computed and is not read; remove it and the problems it is for",
                          quote(fmt::format("--{}={}", name, value))));
}

Result<void> set_option(Options& options, std::string_view token) {
  token.remove_prefix(token.substr(0, 2) == "--" ? 2 : 1);
  if (!token.empty() && token[0] == 'v' && parse_count(token.substr(1))) return {};  // -v1
  const auto equals = token.find('=');
  const std::string_view name = token.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? "" : token.substr(equals + 1);
  if (name == "reset") {
    options = Options{};
    return {};
  }
  if (std::find(kHarmless.begin(), kHarmless.end(), name) != kHarmless.end()) return {};
  if (equals == std::string_view::npos) return fail(fmt::format("unknown option {}", quote(token)));
  if (name != "batch" && value.find(',') != std::string_view::npos) {
    return fail(fmt::format("option --{} has several values; write one line for each", printable(name)));
  }
  if (name == "dt" || name == "cfg") return set_data_types(options, value);
  if (name == "stag")
    options.a_tag = value;
  else if (name == "wtag")
    options.b_tag = value;
  else if (name == "dtag")
    options.c_tag = value;
  else if (name == "bia_dt" || name == "bia-dt")
    return set_bias_type(options, value);
  else if (name == "bia_mask")
    return set_bias_mask(options, value);
  else if (name == "attr-post-ops")
    options.post_ops = value;
  else
    return refuse_option(name, value);
  return {};
}

// "ab", "abc", ... are row-major; the last two letters swapped are column-major; absent and "any" leave it to us.
Result<gemwright::layout> tag_layout(std::string_view tag, std::size_t dims) {
  std::string plain = std::string("abcdefghijkl").substr(0, dims);
  if (tag.empty() || tag == "any" || tag == "abx" || tag == plain) return gemwright::layout::row_major;
  std::swap(plain[dims - 1], plain[dims - 2]);
  if (tag == plain) return gemwright::layout::col_major;
  return fail(fmt::format("tag {} is no plain or transposed layout of {} dimensions", quote(tag), dims));
}

Result<void> set_layouts(const Options& options, std::size_t dims, Problem& p) {
  const auto a = tag_layout(options.a_tag, dims);
  const auto b = tag_layout(options.b_tag, dims);
  const auto c = tag_layout(options.c_tag, dims);
  for (const auto* layout : {&a, &b, &c}) {
    if (!*layout) return tl::unexpected(layout->error());
  }
  if (*c != gemwright::layout::row_major) {
    return fail(fmt::format("destination tag {} is not built yet; built are: row-major", quote(options.c_tag)));
  }
  p.a_layout = *a;
  p.b_layout = *b;
  return {};
}

// Plain relu: alpha and beta absent or 0.
bool is_plain_relu(std::string_view op) {
  const std::string_view name = op.substr(0, op.find(':'));
  const std::string_view arguments = op.substr(name.size());
  return (name == "relu" || name == "eltwise_relu") && arguments.find_first_not_of(":0.") == std::string_view::npos;
}

// The activations that need no arguments, or the ones that torch means.
std::optional<EpilogueOp> activation(std::string_view op) {
  constexpr std::string_view kPrefix = "eltwise_";
  if (op.substr(0, kPrefix.size()) == kPrefix) op.remove_prefix(kPrefix.size());
  if (op == "gelu_tanh") return EpilogueOp::gelu_tanh;
  if (op == "gelu_erf") return EpilogueOp::gelu_erf;
  if (op == "swish:1" || op == "swish:1.0") return EpilogueOp::silu;
  return std::nullopt;
}

bool is_plain_sum(std::string_view op) { return op == "sum" || op == "sum:1" || op == "sum:1.0"; }

// Bias runs along N where the mask names the last dimension alone; a single column needs none.
bool bias_along_n(const Options& options, std::size_t dims, std::int64_t n) {
  if (!options.bias_mask) return true;
  return *options.bias_mask == std::int64_t{1} << (dims - 1) || (*options.bias_mask == 0 && n == 1);
}

void set_operations(const Options& options, std::size_t dims, SuiteEntry& entry) {
  Problem& p = entry.problem;
  p.interface = options.interface;
  if (options.bias && !bias_along_n(options, dims, p.n)) {
    return add_note(entry, fmt::format("bias mask {} is not built yet: runs with epilogue none", *options.bias_mask));
  }
  std::vector<EpilogueOp> chain;
  if (options.bias) chain.push_back(EpilogueOp::bias);
  int beta = 0;
  bool built = true;
  const auto ops = options.post_ops.empty() ? std::vector<std::string_view>{} : split(options.post_ops, '+');
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (i == 0 && is_plain_sum(ops[i])) {
      beta = 1;
    } else if (is_plain_relu(ops[i])) {
      if (chain.empty() || chain.back() != EpilogueOp::relu) chain.push_back(EpilogueOp::relu);  // twice is once
    } else if (const auto op = activation(ops[i]); op && std::count(chain.begin(), chain.end(), *op) == 0) {
      chain.push_back(*op);
    } else {
      built = false;
    }
  }
  if (options.requant) chain.push_back(EpilogueOp::requant);
  if (built && !(options.requant && beta == 1)) {
    p.chain = chain;
    p.beta = beta;
    return;
  }
  const std::string text = (options.bias ? "bias+" : "") + options.post_ops + (options.requant ? "+requant" : "");
  add_note(entry, fmt::format("chain {} is not built yet: runs with epilogue none", printable(text)));
}

Result<Dims> read_dims(std::string_view text) {
  Dims dims;
  for (const std::string_view part : split(text, 'x')) {
    const auto value = parse_count(part);
    if (!value || *value < 1 || *value > kMaxSize) {
      return fail(fmt::format("size {} in {} must be a whole number from 1 to {}", quote(part), quote(text), kMaxSize));
    }
    dims.push_back(*value);
  }
  if (dims.size() < 2 || dims.size() > kMaxDims) {
    return fail(fmt::format("{} must have from 2 to {} dimensions", quote(text), kMaxDims));
  }
  return dims;
}

Result<void> set_batch(const Dims& a, const Dims& b, Problem& p) {
  for (std::size_t i = 0; i + 2 < a.size(); ++i) {
    if (a[i] != b[i]) {
      return fail(fmt::format("dimension {} of the batch is {} and {}: broadcast along the batch is not built yet",
                              i + 1, a[i], b[i]));
    }
    p.batch *= a[i];  // both at most 2^30
    if (p.batch > kMaxSize) return fail(fmt::format("the batch is larger than {}", kMaxSize));
  }
  p.constant_weights = a.size() == 2;
  return {};
}

// Reads "MxK:KxN" or "MxK:KxN:MxN", all with leading batch dimensions.
Result<std::size_t> set_sizes(std::string_view text, SuiteEntry& entry) {
  const auto tensors = split(text, ':');
  if (tensors.size() < 2 || tensors.size() > 3) {
    return fail(fmt::format("{} is neither an option nor a problem MxK:KxN", quote(text)));
  }
  std::array<Dims, 3> dims;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    auto read = read_dims(tensors[i]);
    if (!read) return tl::unexpected(read.error());
    dims[i] = std::move(*read);
  }
  const auto& [a, b, c] = dims;
  const std::size_t count = a.size();
  if (b.size() != count)
    return fail(fmt::format("the tensors of {} differ in their number of dimensions", quote(text)));
  if (a[count - 1] != b[count - 2]) {
    return fail(fmt::format("K is {} in the source and {} in the weights", a[count - 1], b[count - 2]));
  }
  if (auto r = set_batch(a, b, entry.problem); !r) return tl::unexpected(r.error());
  Dims expected = a;
  expected[count - 1] = b[count - 1];
  if (!c.empty() && c != expected)
    return fail(fmt::format("the destination of {} does not fit its operands", quote(text)));
  entry.m = {a[count - 2]};
  entry.problem.n = b[count - 1];
  entry.problem.k = a[count - 1];
  return count;
}

// The name after `n` or `_n`, with or without quotes; "*28" at its end is the weight.
Result<void> set_name(std::string_view text, SuiteEntry& entry) {
  if (text.empty()) return {};
  if (text[0] == '_') text.remove_prefix(1);
  if (text.empty() || text[0] != 'n') return fail(fmt::format("{} after the sizes is not a name", quote(text)));
  text.remove_prefix(1);
  if (!text.empty() && text[0] == '"') {
    if (text.size() < 2 || text.back() != '"') return fail(fmt::format("name {} does not end in a quote", quote(text)));
    text = text.substr(1, text.size() - 2);
  }
  const auto star = text.rfind('*');
  if (star != std::string_view::npos) {
    if (const auto times = parse_count(text.substr(star + 1)); times && *times >= 1) {
      entry.weight = static_cast<double>(*times);
      text = text.substr(0, star);
    }
  }
  entry.name = text;
  return {};
}

Result<void> read_problem(const Options& options, std::string_view token, SuiteBuilder& builder) {
  SuiteEntry entry;
  const auto end = std::min(token.find_first_not_of("0123456789x:"), token.size());
  if (end == 0) return fail(fmt::format("{} is neither an option nor a problem MxK:KxN", quote(token)));
  const auto dims = set_sizes(token.substr(0, end), entry);
  if (!dims) return tl::unexpected(dims.error());
  if (auto r = set_name(token.substr(end), entry); !r) return r;
  if (auto r = set_layouts(options, *dims, entry.problem); !r) return r;
  set_operations(options, *dims, entry);
  const std::string same = key(entry.problem);
  return builder.merge(std::move(entry), same);
}

Result<void> read_line(Options& options, std::string_view line, SuiteBuilder& builder) {
  constexpr std::string_view kBlanks = " \t\r";
  for (line = trimmed(line); !line.empty(); line = trimmed(line)) {
    if (line[0] == '#') return {};
    const auto end = std::min(line.find_first_of(kBlanks), line.size());
    const std::string_view token = line.substr(0, end);
    line.remove_prefix(end);
    if (token.substr(0, 14) == "onednn_verbose" || token.substr(0, 12) == "dnnl_verbose") {
      return fail("logs of ONEDNN_VERBOSE are not read yet; write the problems as MxK:KxN");
    }
    auto read = token[0] == '-' ? set_option(options, token) : read_problem(options, token, builder);
    if (!read) return read;
  }
  return {};
}

}  // namespace

Result<Suite> parse_benchdnn(std::string_view text, const std::string& file_name) {
  const auto clean = check_text(text, file_name);
  if (!clean) return tl::unexpected(clean.error());
  std::string_view rest = *clean;
  std::string_view line;
  Options options;
  SuiteBuilder builder;
  int number = 0;
  while (next_line(rest, line)) {
    ++number;
    if (line.size() > kMaxLineBytes) {
      return fail_at(file_name, number, fmt::format("the line is longer than {} bytes", kMaxLineBytes));
    }
    if (const auto read = read_line(options, line, builder); !read) {
      return fail_at(file_name, number, read.error().message);
    }
  }
  if (builder.empty()) return fail_at(file_name, std::max(number, 1), "the file holds no problem MxK:KxN");
  return builder.take(suite_name(file_name));
}

}  // namespace gemwright::tuner
