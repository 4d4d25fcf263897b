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

memory::dims shape(std::int64_t batch, std::int64_t rows, std::int64_t cols) {
  return batch > 1 ? memory::dims{batch, rows, cols} : memory::dims{rows, cols};
}

memory::desc dense(std::int64_t batch, std::int64_t rows, std::int64_t cols, layout order) {
  const std::int64_t row = order == layout::row_major ? cols : 1;
  const std::int64_t col = order == layout::row_major ? 1 : rows;
  const memory::dims strides = batch > 1 ? memory::dims{rows * cols, row, col} : memory::dims{row, col};
  return {shape(batch, rows, cols), kF32, strides};
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
  Matmul(const dnnl::engine& engine, const BaselineCall& call, void* c, bool fused, bool any_format) {
    const Problem& p = call.problem;
    const memory::desc src = dense(p.batch, call.m, p.k, p.a_layout);
    const memory::desc dst = dense(p.batch, call.m, p.n, layout::row_major);
    memory::desc weights = dense(p.batch, p.k, p.n, p.b_layout);
    if (any_format) weights = memory::desc(shape(p.batch, p.k, p.n), kF32, memory::format_tag::any);

    add(DNNL_ARG_SRC, src, engine, call.a);
    args_.push_back({DNNL_ARG_WEIGHTS, nullptr});
    add(DNNL_ARG_DST, dst, engine, c);
    dnnl::post_ops ops;
    std::optional<memory::desc> bias;
    if (fused) bias = fuse(engine, call, ops);
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(ops);
    const dnnl::matmul::primitive_desc chosen = describe(engine, src, weights, bias, dst, attributes);
    // Its reference code is some hundred times slower than what a user would write instead.
    reference_ = fused && !p.chain.empty() && std::string_view(chosen.impl_info_str()).substr(0, 3) == "ref";
    weights_ = chosen.weights_desc();
    primitive_ = dnnl::matmul(chosen);
  }

  const memory::desc& weights() const { return weights_; }
  // oneDNN has no kernel that fuses this chain.
  bool is_reference() const { return reference_; }

  // Through the C interface: it takes the arguments as they lie here, where the C++ one builds a list in each call.
  dnnl_status_t run(const dnnl::stream& stream, dnnl_memory_t weights) {
    args_[1].memory = weights;
    const dnnl_status_t s =
        dnnl_primitive_execute(primitive_.get(), stream.get(), static_cast<int>(args_.size()), args_.data());
    return s == dnnl_success ? dnnl_stream_wait(stream.get()) : s;
  }

 private:
  void add(int role, const memory::desc& d, const dnnl::engine& engine, const void* data) {
    held_.emplace_back(d, engine, const_cast<void*>(data));
    args_.push_back({role, held_.back().get()});
  }

  // Beta and the chain; what matmul takes as its own bias.
  std::optional<memory::desc> fuse(const dnnl::engine& engine, const BaselineCall& call, dnnl::post_ops& ops) {
    const Problem& p = call.problem;
    const gemwright::epilogue_operands& x = call.operands;
    const memory::desc row(
        shape(p.batch > 1 ? 2 : 1, 1, p.n).size() == 3 ? memory::dims{1, 1, p.n} : memory::dims{1, p.n}, kF32,
        p.batch > 1 ? memory::dims{p.n, p.n, 1} : memory::dims{p.n, 1});
    const memory::desc matrix = dense(p.batch, call.m, p.n, layout::row_major);
    const auto append_binary = [&](dnnl::algorithm what, const memory::desc& d, const float* data) {
      add(DNNL_ARG_ATTR_MULTIPLE_POST_OP(ops.len()) | DNNL_ARG_SRC_1, d, engine, data);
      ops.append_binary(what, d);
    };
    std::optional<memory::desc> bias;
    if (p.beta == 1) ops.append_sum(1.0F);
    for (std::size_t i = 0; i < p.chain.size(); ++i) {
      const EpilogueOp op = p.chain[i];
      if (op == EpilogueOp::bias && i == 0) {  // matmul's own bias comes before all post-ops; sums commute
        bias = row;
        add(DNNL_ARG_BIAS, row, engine, x.bias);
      } else if (op == EpilogueOp::bias) {
        append_binary(dnnl::algorithm::binary_add, row, x.bias);
      } else if (op == EpilogueOp::add) {
        append_binary(dnnl::algorithm::binary_add, matrix, x.residual);
      } else if (op == EpilogueOp::mul) {
        append_binary(dnnl::algorithm::binary_mul, matrix, x.operand);
      } else {
        append_scalar_op(ops, op, x);
      }
    }
    return bias;
  }

  dnnl::matmul primitive_;
  memory::desc weights_;
  bool reference_ = false;
  std::vector<memory> held_;
  std::vector<dnnl_exec_arg_t> args_;  // the second is the weights
};

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
      if (matmul.is_reference()) {
        return fail(fmt::format("oneDNN has no fused kernel for the chain {}, only its reference code",
                                epilogue_text(call.problem.chain)));
      }
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
    const Problem& p = call.problem;
    memory from(dense(p.batch, p.k, p.n, p.b_layout), engine_, const_cast<void*>(call.b.first));
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
