#include "tuner/baseline/onednn_matmul.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstring>
#include <string_view>

namespace gemwright::tuner::onednn {
namespace {

using gemwright::layout;

constexpr auto kF32 = Memory::data_type::f32;

Memory::data_type type_of(gemwright::element e) {
  switch (e) {
    case gemwright::element::bf16:
      return Memory::data_type::bf16;
    case gemwright::element::u8:
      return Memory::data_type::u8;
    case gemwright::element::s8:
      return Memory::data_type::s8;
    case gemwright::element::f32:
      break;
  }
  return kF32;
}

Memory::dims shape(std::int64_t batch, std::int64_t rows, std::int64_t cols) {
  return batch > 1 ? Memory::dims{batch, rows, cols} : Memory::dims{rows, cols};
}

// `cols` columns of a dense matrix that has `all`.
Memory::desc columns_desc(gemwright::element e, std::int64_t batch, std::int64_t rows, std::int64_t cols,
                          std::int64_t all, layout order) {
  const std::int64_t row = order == layout::row_major ? all : 1;
  const std::int64_t col = order == layout::row_major ? 1 : rows;
  const Memory::dims strides = batch > 1 ? Memory::dims{rows * all, row, col} : Memory::dims{row, col};
  return {shape(batch, rows, cols), type_of(e), strides};
}

Memory::desc dense(gemwright::element e, std::int64_t batch, std::int64_t rows, std::int64_t cols, layout order) {
  return columns_desc(e, batch, rows, cols, cols, order);
}

// A row of n floats for all rows of C: one for all items, or one an item.
Memory::desc row_desc(const Problem& p, bool one_an_item) {
  if (p.batch == 1) return {{1, p.n}, kF32, Memory::dims{p.n, 1}};
  return {{one_an_item ? p.batch : 1, 1, p.n}, kF32, Memory::dims{p.n, p.n, 1}};
}

dnnl::matmul::primitive_desc describe(const dnnl::engine& engine, const Memory::desc& src, const Memory::desc& weights,
                                      const std::optional<Memory::desc>& bias, const Memory::desc& dst,
                                      const dnnl::primitive_attr& attributes) {
#if DNNL_VERSION_MAJOR >= 3
  if (bias) return {engine, src, weights, *bias, dst, attributes};
  return {engine, src, weights, dst, attributes};
#else
  const dnnl::matmul::desc d =
      bias ? dnnl::matmul::desc(src, weights, *bias, dst) : dnnl::matmul::desc(src, weights, dst);
  return {d, attributes, engine};
#endif
}

void append_eltwise(dnnl::post_ops& ops, dnnl::algorithm what, float alpha, float beta) {
#if DNNL_VERSION_MAJOR >= 3
  ops.append_eltwise(what, alpha, beta);
#else
  ops.append_eltwise(1.0F, what, alpha, beta);
#endif
}

// An operation that reads nothing but its element and scalars. Of two post-operations of one algorithm oneDNN 2.6 takes
// the second for the first: where requant is linear, scale is a power.
void append_scalar_op(dnnl::post_ops& ops, EpilogueOp op, const MatmulTask& t) {
  using dnnl::algorithm;
  const gemwright::epilogue_operands& x = t.scalars;
  const bool requant = t.ops.back().op == EpilogueOp::requant;
  if (op == EpilogueOp::relu) append_eltwise(ops, algorithm::eltwise_relu, 0.0F, 0.0F);
  if (op == EpilogueOp::gelu_tanh) append_eltwise(ops, algorithm::eltwise_gelu_tanh, 0.0F, 0.0F);
  if (op == EpilogueOp::gelu_erf) append_eltwise(ops, algorithm::eltwise_gelu_erf, 0.0F, 0.0F);
  if (op == EpilogueOp::silu) append_eltwise(ops, algorithm::eltwise_swish, 1.0F, 0.0F);
  if (op == EpilogueOp::scale && requant) append_eltwise(ops, algorithm::eltwise_pow, x.scale, 1.0F);
  if (op == EpilogueOp::scale && !requant) append_eltwise(ops, algorithm::eltwise_linear, x.scale, 0.0F);
  if (op == EpilogueOp::clamp) append_eltwise(ops, algorithm::eltwise_clip, x.clamp_lo, x.clamp_hi);
  if (op == EpilogueOp::requant) {  // storing rounds and saturates
    append_eltwise(ops, algorithm::eltwise_linear, 1.0F / t.c_scale, static_cast<float>(t.c_zero));
  }
}

Memory plain_part(const dnnl::engine& engine, const void* b, const WeightPart& part) {
  return {part.plain, engine, const_cast<char*>(static_cast<const char*>(b) + part.offset)};
}

std::size_t whole_lines(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

std::vector<PostOp> post_ops(const std::vector<EpilogueOp>& chain, const gemwright::epilogue_operands& x) {
  std::vector<PostOp> ops;
  for (const EpilogueOp op : chain) {
    const float* const data = op == EpilogueOp::bias  ? x.bias
                              : op == EpilogueOp::add ? x.residual
                              : op == EpilogueOp::mul ? x.operand
                                                      : nullptr;
    ops.push_back({op, data});
  }
  return ops;
}

Memory::desc weights_desc(const Problem& p) { return dense(b_element(p.interface), p.batch, p.k, p.n, p.b_layout); }

Memory::desc half_weights_desc(const Problem& p) {
  return columns_desc(b_element(p.interface), p.batch, p.k, p.n / 2, p.n, p.b_layout);
}

Memory::desc dense_half_weights_desc(const Problem& p) {
  return dense(b_element(p.interface), p.batch, p.k, p.n / 2, p.b_layout);
}

MatmulTask task_of(const BaselineCall& call, const Memory::desc& weights, void* c) {
  MatmulTask t;
  t.problem = call.problem;
  t.m = call.m;
  t.weights = weights;
  t.a = call.a;
  t.a_scale = call.a_scale;
  t.a_zero = call.a_zero;
  t.b_scale = call.b_scale;
  t.c_element = c_element(call.problem);
  t.c = c;
  t.c_scale = call.c_scale;
  t.c_zero = call.c_zero;
  t.scalars = call.operands;
  return t;
}

// oneDNN takes the number of threads from OpenMP. The function is looked up in what is loaded, so that it is that of
// the very runtime that oneDNN uses, whatever OpenMP this compiler would link.
Result<void> set_threads(int threads) {
  using set_num_threads = void (*)(int);
  void* const found = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
  if (found == nullptr) return fail("this oneDNN does not run on OpenMP, so its number of threads cannot be set");
  reinterpret_cast<set_num_threads>(found)(threads);
  return {};
}

std::string only_reference(const Problem& p) {
  return fmt::format(
      "oneDNN has no kernel for {} with layout {}, beta {} and the chain {} here, only its reference code",
      to_text(p.interface), layout_text(p), p.beta, epilogue_text(p.chain));
}

Matmul::Matmul(const dnnl::engine& engine, const MatmulTask& t) : engine_(engine) {
  const Problem& p = t.problem;
  const Memory::desc src = dense(a_element(p.interface), p.batch, t.m, p.k, p.a_layout);
  const Memory::desc dst = dense(t.c_element, p.batch, t.m, p.n, layout::row_major);
  Memory::desc weights = t.weights;
  if (t.any_format) {
    weights = Memory::desc(shape(p.batch, p.k, p.n), type_of(b_element(p.interface)), Memory::format_tag::any);
  }
  add(DNNL_ARG_SRC, src, t.a);
  args_.push_back({DNNL_ARG_WEIGHTS, nullptr});
  add(DNNL_ARG_DST, dst, t.c);
  dnnl::primitive_attr attributes;
  dnnl::post_ops ops;
  if (p.interface == Interface::u8s8) scale(t, attributes, ops);
  const std::optional<Memory::desc> bias = fuse(t, ops);
  attributes.set_post_ops(ops);
  const dnnl::matmul::primitive_desc chosen = describe(engine, src, weights, bias, dst, attributes);
  reference_ = std::string_view(chosen.impl_info_str()).substr(0, 3) == "ref";
  weights_ = chosen.weights_desc();
  primitive_ = dnnl::matmul(chosen);
}

dnnl_status_t Matmul::run(const dnnl::stream& stream, dnnl_memory_t weights) {
  args_[1].memory = weights;
  const dnnl_status_t s =
      dnnl_primitive_execute(primitive_.get(), stream.get(), static_cast<int>(args_.size()), args_.data());
  return s == dnnl_success ? dnnl_stream_wait(stream.get()) : s;
}

void Matmul::add(int role, const Memory::desc& d, const void* data) {
  held_.emplace_back(d, engine_, const_cast<void*>(data));
  args_.push_back({role, held_.back().get()});
}

void Matmul::append_binary(dnnl::post_ops& ops, dnnl::algorithm what, const Memory::desc& d, const float* data) {
  add(DNNL_ARG_ATTR_MULTIPLE_POST_OP(ops.len()) | DNNL_ARG_SRC_1, d, data);
  ops.append_binary(what, d);
}

// u8s8: what makes of the sums of integers the floats that the post-operations begin with. oneDNN's scales of columns
// are those of all items; where each item has its own, they are a first post-operation.
void Matmul::scale(const MatmulTask& t, dnnl::primitive_attr& attributes, dnnl::post_ops& ops) {
  const Problem& p = t.problem;
  const bool by_item = p.batch > 1;
#if DNNL_VERSION_MAJOR >= 3
  attributes.set_scales_mask(DNNL_ARG_SRC, 0);
  add_value(DNNL_ARG_ATTR_SCALES | DNNL_ARG_SRC, kF32, t.a_scale);
  if (!by_item) {
    attributes.set_scales_mask(DNNL_ARG_WEIGHTS, 1 << 1);
    add(DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS, {{p.n}, kF32, Memory::dims{1}}, t.b_scale);
  }
  if (t.a_zero != 0) {
    attributes.set_zero_points_mask(DNNL_ARG_SRC, 0);
    add_value(DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_SRC, Memory::data_type::s32, std::int32_t{t.a_zero});
  }
#else
  std::vector<float> scales(by_item ? 1 : static_cast<std::size_t>(p.n), t.a_scale);
  for (std::size_t i = 0; !by_item && i < scales.size(); ++i) scales[i] *= t.b_scale[i];
  attributes.set_output_scales(by_item ? 0 : 1 << 1, scales);
  if (t.a_zero != 0) attributes.set_zero_points(DNNL_ARG_SRC, 0, {t.a_zero});
#endif
  if (by_item) append_binary(ops, dnnl::algorithm::binary_mul, row_desc(p, true), t.b_scale);
}

// A number that oneDNN 3 reads from memory: it holds its own.
template <class T>
void Matmul::add_value(int role, Memory::data_type type, T value) {
  held_.emplace_back(Memory::desc({1}, type, Memory::dims{1}), engine_);
  std::memcpy(held_.back().get_data_handle(), &value, sizeof value);
  args_.push_back({role, held_.back().get()});
}

// The sum and the chain; what matmul takes as its own bias.
std::optional<Memory::desc> Matmul::fuse(const MatmulTask& t, dnnl::post_ops& ops) {
  const Problem& p = t.problem;
  const Memory::desc row = row_desc(p, false);
  const Memory::desc matrix = dense(gemwright::element::f32, p.batch, t.m, p.n, layout::row_major);
  // Its own bias comes before all post-operations, where sums commute, and with integers before their scales.
  const bool own_bias = p.interface != Interface::u8s8;
  std::optional<Memory::desc> bias;
  if (t.sum) ops.append_sum(1.0F);
  for (std::size_t i = 0; i < t.ops.size(); ++i) {
    const auto& [op, data] = t.ops[i];
    if (op == EpilogueOp::bias && i == 0 && own_bias) {
      bias = row;
      add(DNNL_ARG_BIAS, row, data);
    } else if (op == EpilogueOp::bias) {
      append_binary(ops, dnnl::algorithm::binary_add, row, data);
    } else if (op == EpilogueOp::add) {
      append_binary(ops, dnnl::algorithm::binary_add, matrix, data);
    } else if (op == EpilogueOp::mul) {
      append_binary(ops, dnnl::algorithm::binary_mul, matrix, data);
    } else {
      append_scalar_op(ops, op, t);
    }
  }
  return bias;
}

Result<void> Weights::pack(const dnnl::engine& engine, dnnl::stream& stream, const BaselineCall& call,
                           const std::vector<WeightPart>& parts, const std::vector<Memory::desc>& formats,
                           double cache_bytes, bool same) {
  std::size_t stride = 0;  // bytes; each part begins on a cache line
  for (const Memory::desc& f : formats) stride += whole_lines(f.get_size());
  const std::int64_t wanted = copy_count(cache_bytes, static_cast<double>(stride));
  if (same && has_formats(formats) && count() == wanted) return {};
  // Small ones share no huge page: as a caller's weights, each of them by itself, would lie.
  const bool huge = stride >= gemwright::huge_page;
  if (auto ready = claim(stride * static_cast<std::size_t>(wanted), huge); !ready) return ready;
  parts_ = parts.size();
  char* const first = reinterpret_cast<char*>(packed_.get());
  for (std::int64_t i = 0; i < wanted; ++i) {
    char* to = first + static_cast<std::size_t>(i) * stride;
    if (i > 0) std::memcpy(to, first, stride);
    for (std::size_t j = 0; j < parts_; ++j) {
      copies_.emplace_back(formats[j], engine, to);
      to += whole_lines(formats[j].get_size());
      if (i > 0) continue;
      Memory from = plain_part(engine, call.b.first, parts[j]);
      if (parts[j].dense) {
        Memory apart(*parts[j].dense, engine);
        dnnl::reorder(from, apart).execute(stream, from, apart);
        stream.wait();
        from = apart;
      }
      dnnl::reorder(from, copies_.back()).execute(stream, from, copies_.back());
      stream.wait();
    }
  }
  formats_ = formats;
  return {};
}

// Memory for `bytes`: what was there before, where it is enough and so little more that nobody has to know. Fresh
// memory is zeroed, and in a virtual machine may have to come from the host.
Result<void> Weights::claim(std::size_t bytes, bool huge) {
  constexpr double kLittle = 64 << 20;
  const double wanted = static_cast<double>(bytes), held = bytes_;
  gemwright::float_block before = std::move(packed_);
  clear();
  const bool fits = before != nullptr && huge == huge_ && held >= wanted && held - wanted <= kLittle;
  if (!fits) before.reset();  // first: both at once might not fit
  packed_ = fits ? std::move(before) : gemwright::allocate_floats(bytes / sizeof(float), huge);
  if (!packed_) return fail("not enough memory for oneDNN's weights");
  bytes_ = fits ? held : wanted;
  huge_ = huge;
  return {};
}

void Weights::use_plain(const dnnl::engine& engine, const BaselineCall& call, const std::vector<WeightPart>& parts) {
  clear();
  parts_ = parts.size();
  for (std::int64_t i = 0; i < call.b.count; ++i) {
    for (const WeightPart& part : parts) {
      copies_.push_back(plain_part(engine, call.b.at(i), part));
    }
  }
}

void Weights::clear() {
  copies_.clear();
  formats_.clear();
  packed_.reset();
  bytes_ = 0;
  parts_ = 1;
}

}  // namespace gemwright::tuner::onednn
