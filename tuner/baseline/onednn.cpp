// The only file that knows oneDNN. Versions 2.6 and later and 3.x.
#include <dlfcn.h>
#include <fmt/format.h>
#include <gemwright/memory.h>

#include <cstring>
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "tuner/baseline/baseline.h"

namespace gemwright::tuner {
namespace {

using dnnl::memory;
using gemwright::layout;

constexpr auto kF32 = memory::data_type::f32;

memory::data_type type_of(gemwright::element e) {
  switch (e) {
    case gemwright::element::bf16:
      return memory::data_type::bf16;
    case gemwright::element::u8:
      return memory::data_type::u8;
    case gemwright::element::s8:
      return memory::data_type::s8;
    case gemwright::element::f32:
      break;
  }
  return kF32;
}

memory::dims shape(std::int64_t batch, std::int64_t rows, std::int64_t cols) {
  return batch > 1 ? memory::dims{batch, rows, cols} : memory::dims{rows, cols};
}

memory::desc dense(gemwright::element e, std::int64_t batch, std::int64_t rows, std::int64_t cols, layout order) {
  const std::int64_t row = order == layout::row_major ? cols : 1;
  const std::int64_t col = order == layout::row_major ? 1 : rows;
  const memory::dims strides = batch > 1 ? memory::dims{rows * cols, row, col} : memory::dims{row, col};
  return {shape(batch, rows, cols), type_of(e), strides};
}

memory::desc dense_b(const Problem& p) { return dense(b_element(p.interface), p.batch, p.k, p.n, p.b_layout); }

// A row of n floats for all rows of C: one for all items, or one an item.
memory::desc row_desc(const Problem& p, bool one_an_item) {
  if (p.batch == 1) return {{1, p.n}, kF32, memory::dims{p.n, 1}};
  return {{one_an_item ? p.batch : 1, 1, p.n}, kF32, memory::dims{p.n, p.n, 1}};
}

dnnl::matmul::primitive_desc describe(const dnnl::engine& engine, const memory::desc& src, const memory::desc& weights,
                                      const std::optional<memory::desc>& bias, const memory::desc& dst,
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

// An operation that reads nothing but its element and scalars.
void append_scalar_op(dnnl::post_ops& ops, EpilogueOp op, const gemwright::epilogue_operands& x) {
  using dnnl::algorithm;
  if (op == EpilogueOp::relu) append_eltwise(ops, algorithm::eltwise_relu, 0.0F, 0.0F);
  if (op == EpilogueOp::gelu_tanh) append_eltwise(ops, algorithm::eltwise_gelu_tanh, 0.0F, 0.0F);
  if (op == EpilogueOp::gelu_erf) append_eltwise(ops, algorithm::eltwise_gelu_erf, 0.0F, 0.0F);
  if (op == EpilogueOp::silu) append_eltwise(ops, algorithm::eltwise_swish, 1.0F, 0.0F);
  if (op == EpilogueOp::scale) append_eltwise(ops, algorithm::eltwise_linear, x.scale, 0.0F);
  if (op == EpilogueOp::clamp) append_eltwise(ops, algorithm::eltwise_clip, x.clamp_lo, x.clamp_hi);
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

// A matmul primitive and its arguments.
class Matmul {
 public:
  // `fused`: with chain and beta; otherwise the bare product. `any_format`: the library chooses the weights' format.
  Matmul(const dnnl::engine& engine, const BaselineCall& call, void* c, bool fused, bool any_format) : engine_(engine) {
    const Problem& p = call.problem;
    const memory::desc src = dense(a_element(p.interface), p.batch, call.m, p.k, p.a_layout);
    const memory::desc dst = dense(c_element(p.interface), p.batch, call.m, p.n, layout::row_major);
    memory::desc weights = dense_b(p);
    if (any_format) {
      weights = memory::desc(shape(p.batch, p.k, p.n), type_of(b_element(p.interface)), memory::format_tag::any);
    }
    add(DNNL_ARG_SRC, src, call.a);
    args_.push_back({DNNL_ARG_WEIGHTS, nullptr});
    add(DNNL_ARG_DST, dst, c);
    dnnl::primitive_attr attributes;
    dnnl::post_ops ops;
    if (p.interface == Interface::u8s8) scale(call, attributes, ops);
    std::optional<memory::desc> bias;
    if (fused) bias = fuse(call, ops);
    attributes.set_post_ops(ops);
    const dnnl::matmul::primitive_desc chosen = describe(engine, src, weights, bias, dst, attributes);
    reference_ = std::string_view(chosen.impl_info_str()).substr(0, 3) == "ref";
    weights_ = chosen.weights_desc();
    primitive_ = dnnl::matmul(chosen);
  }

  const memory::desc& weights() const { return weights_; }
  // oneDNN's own reference code: some hundred times slower than what a user would write instead.
  bool is_reference() const { return reference_; }

  // Through the C interface: it takes the arguments as they lie here, where the C++ one builds a list in each call.
  dnnl_status_t run(const dnnl::stream& stream, dnnl_memory_t weights) {
    args_[1].memory = weights;
    const dnnl_status_t s =
        dnnl_primitive_execute(primitive_.get(), stream.get(), static_cast<int>(args_.size()), args_.data());
    return s == dnnl_success ? dnnl_stream_wait(stream.get()) : s;
  }

 private:
  void add(int role, const memory::desc& d, const void* data) {
    held_.emplace_back(d, engine_, const_cast<void*>(data));
    args_.push_back({role, held_.back().get()});
  }

  void append_binary(dnnl::post_ops& ops, dnnl::algorithm what, const memory::desc& d, const float* data) {
    add(DNNL_ARG_ATTR_MULTIPLE_POST_OP(ops.len()) | DNNL_ARG_SRC_1, d, data);
    ops.append_binary(what, d);
  }

  // u8s8: what makes of the sums of integers the floats that the post-operations begin with. oneDNN's scales of columns
  // are those of all items; where each item has its own, they are a first post-operation.
  void scale(const BaselineCall& call, dnnl::primitive_attr& attributes, dnnl::post_ops& ops) {
    const Problem& p = call.problem;
    const bool by_item = p.batch > 1;
#if DNNL_VERSION_MAJOR >= 3
    attributes.set_scales_mask(DNNL_ARG_SRC, 0);
    add_value(DNNL_ARG_ATTR_SCALES | DNNL_ARG_SRC, kF32, call.a_scale);
    if (!by_item) {
      attributes.set_scales_mask(DNNL_ARG_WEIGHTS, 1 << 1);
      add(DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS, {{p.n}, kF32, memory::dims{1}}, call.b_scale);
    }
    if (call.a_zero != 0) {
      attributes.set_zero_points_mask(DNNL_ARG_SRC, 0);
      add_value(DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_SRC, memory::data_type::s32, std::int32_t{call.a_zero});
    }
#else
    std::vector<float> scales(by_item ? 1 : static_cast<std::size_t>(p.n), call.a_scale);
    for (std::size_t i = 0; !by_item && i < scales.size(); ++i) scales[i] *= call.b_scale[i];
    attributes.set_output_scales(by_item ? 0 : 1 << 1, scales);
    if (call.a_zero != 0) attributes.set_zero_points(DNNL_ARG_SRC, 0, {call.a_zero});
#endif
    if (by_item) append_binary(ops, dnnl::algorithm::binary_mul, row_desc(p, true), call.b_scale);
  }

#if DNNL_VERSION_MAJOR >= 3
  // A number that oneDNN reads from memory: it holds its own.
  template <class T>
  void add_value(int role, memory::data_type type, T value) {
    held_.emplace_back(memory::desc({1}, type, memory::dims{1}), engine_);
    std::memcpy(held_.back().get_data_handle(), &value, sizeof value);
    args_.push_back({role, held_.back().get()});
  }
#endif

  // Beta and the chain; what matmul takes as its own bias.
  std::optional<memory::desc> fuse(const BaselineCall& call, dnnl::post_ops& ops) {
    const Problem& p = call.problem;
    const gemwright::epilogue_operands& x = call.operands;
    const memory::desc row = row_desc(p, false);
    const memory::desc matrix = dense(gemwright::element::f32, p.batch, call.m, p.n, layout::row_major);
    // Its own bias comes before all post-operations, where sums commute, and with integers before their scales.
    const bool own_bias = p.interface != Interface::u8s8;
    std::optional<memory::desc> bias;
    if (p.beta == 1) ops.append_sum(1.0F);
    for (std::size_t i = 0; i < p.chain.size(); ++i) {
      const EpilogueOp op = p.chain[i];
      if (op == EpilogueOp::bias && i == 0 && own_bias) {
        bias = row;
        add(DNNL_ARG_BIAS, row, x.bias);
      } else if (op == EpilogueOp::bias) {
        append_binary(ops, dnnl::algorithm::binary_add, row, x.bias);
      } else if (op == EpilogueOp::add) {
        append_binary(ops, dnnl::algorithm::binary_add, matrix, x.residual);
      } else if (op == EpilogueOp::mul) {
        append_binary(ops, dnnl::algorithm::binary_mul, matrix, x.operand);
      } else {
        append_scalar_op(ops, op, x);
      }
    }
    return bias;
  }

  dnnl::engine engine_;
  dnnl::matmul primitive_;
  memory::desc weights_;
  bool reference_ = false;
  std::vector<memory> held_;
  std::vector<dnnl_exec_arg_t> args_;  // the second is the weights
};

// Its f32 product is what it is on every machine; nothing else is asked of its reference code.
bool is_bare_f32(const Problem& p) { return p.interface == Interface::f32 && p.chain.empty(); }

std::string only_reference(const Problem& p) {
  return fmt::format(
      "oneDNN has no kernel for {} with layout {}, beta {} and the chain {} here, only its reference code",
      to_text(p.interface), layout_text(p), p.beta, epilogue_text(p.chain));
}

class OneDnn final : public Baseline {
 public:
  OneDnn() : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {}

  std::string name() const override {
    const dnnl_version_t* const v = dnnl_version();
    return fmt::format("onednn {}.{}.{}", v->major, v->minor, v->patch);
  }

  Result<void> prepare(const BaselineCall& call, bool same_weights) override {
    matmul_.reset();
    if (call.problem.k == 0) return fail("oneDNN does not compute products with K = 0");
    if (auto set = set_threads(call.threads); !set) return set;
    try {
      Matmul matmul(engine_, call, call.c, true, call.problem.constant_weights);
      if (matmul.is_reference() && !is_bare_f32(call.problem)) return fail(only_reference(call.problem));
      if (call.problem.constant_weights) {
        if (auto packed = pack(call, matmul.weights(), same_weights); !packed) return packed;
      } else {
        use_plain(call, matmul.weights());
      }
      matmul_.emplace(std::move(matmul));
    } catch (const dnnl::error& e) {
      return fail(fmt::format("oneDNN refused the problem: {}", e.what()));
    }
    return {};
  }

  Result<void> run(std::int64_t weights) override {
    const dnnl_status_t s = matmul_->run(stream_, copies_[static_cast<std::size_t>(weights)].get());
    if (s != dnnl_success) return fail(fmt::format("oneDNN failed with status {}", static_cast<int>(s)));
    return {};
  }

  std::int64_t weight_copies() const override { return static_cast<std::int64_t>(copies_.size()); }
  double weight_bytes() const override { return packed_bytes_; }

  Result<void> product(const BaselineCall& call, float* c) override {
    if (call.problem.interface != Interface::f32) return fail("the bare product is of f32 alone");
    if (call.problem.k == 0) return fail("oneDNN does not compute products with K = 0");
    if (auto set = set_threads(call.threads); !set) return set;
    try {
      Matmul matmul(engine_, call, c, false, false);
      const memory b(matmul.weights(), engine_, const_cast<void*>(call.b.first));
      const dnnl_status_t s = matmul.run(stream_, b.get());
      if (s != dnnl_success) return fail(fmt::format("oneDNN failed with status {}", static_cast<int>(s)));
    } catch (const dnnl::error& e) {
      return fail(fmt::format("oneDNN refused the problem: {}", e.what()));
    }
    return {};
  }

 private:
  // Reorders once, then copies bytes: copying is faster than reordering again.
  Result<void> pack(const BaselineCall& call, const memory::desc& format, bool same_weights) {
    const std::size_t bytes = format.get_size();
    const std::int64_t count = copy_count(call.cache_bytes, static_cast<double>(bytes));
    if (same_weights && packed_ && format == format_ && weight_copies() == count) return {};
    clear();
    const std::size_t stride = (bytes + 63) / 64 * 16;  // floats; each copy begins on a cache line
    packed_ = gemwright::allocate_floats(stride * static_cast<std::size_t>(count));
    if (!packed_) return fail("not enough memory for oneDNN's weights");
    packed_bytes_ = static_cast<double>(stride) * 4 * static_cast<double>(count);
    memory from(dense_b(call.problem), engine_, const_cast<void*>(call.b.first));
    copies_.emplace_back(format, engine_, packed_.get());
    dnnl::reorder(from, copies_[0]).execute(stream_, from, copies_[0]);
    stream_.wait();
    for (std::int64_t i = 1; i < count; ++i) {
      float* const to = packed_.get() + static_cast<std::size_t>(i) * stride;
      std::memcpy(to, packed_.get(), bytes);
      copies_.emplace_back(format, engine_, to);
    }
    format_ = format;
    return {};
  }

  void use_plain(const BaselineCall& call, const memory::desc& format) {
    clear();
    for (std::int64_t i = 0; i < call.b.count; ++i) {
      copies_.emplace_back(format, engine_, const_cast<void*>(call.b.at(i)));
    }
  }

  void clear() {
    copies_.clear();
    packed_.reset();
    packed_bytes_ = 0;
  }

  dnnl::engine engine_;
  dnnl::stream stream_;
  std::optional<Matmul> matmul_;
  memory::desc format_;
  gemwright::float_block packed_;
  double packed_bytes_ = 0;
  std::vector<memory> copies_;
};

}  // namespace

Result<std::unique_ptr<Baseline>> make_onednn() {
  try {
    return std::make_unique<OneDnn>();
  } catch (const dnnl::error& e) {
    return fail(fmt::format("oneDNN does not start: {}", e.what()));
  }
}

}  // namespace gemwright::tuner
