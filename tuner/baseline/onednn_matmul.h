// What the files of the oneDNN baseline share: a matmul with its post-operations, and the copies of its weights. Only
// they include this; oneDNN's names stay among them. Versions 2.6 and later and 3.x.
#pragma once

#include <gemwright/memory.h>

#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tuner/baseline/baseline.h"

namespace gemwright::tuner::onednn {

using Memory = dnnl::memory;

// An operation behind a product, and what bias, add and mul read: f32, dense, as long as a row or as large as C.
struct PostOp {
  EpilogueOp op = EpilogueOp::bias;
  const float* data = nullptr;
};
// Of a chain without a pair.
std::vector<PostOp> post_ops(const std::vector<EpilogueOp>& chain, const gemwright::epilogue_operands& x);

// One product with what follows it.
struct MatmulTask {
  Problem problem;  // n: the columns of this product; its chain and its beta are not looked at
  std::int64_t m = 0;
  Memory::desc weights;     // as the caller holds them
  bool any_format = false;  // the library chooses another one
  const void* a = nullptr;
  float a_scale = 1;  // u8s8, as in BaselineCall
  int a_zero = 0;
  const float* b_scale = nullptr;
  gemwright::element c_element = gemwright::element::f32;
  void* c = nullptr;
  float c_scale = 1;  // of u8, as in BaselineCall
  int c_zero = 0;
  bool sum = false;  // adds to C
  std::vector<PostOp> ops;
  gemwright::epilogue_operands scalars;  // what scale and clamp read
};
// The call's own product over `weights`, without sum and chain.
MatmulTask task_of(const BaselineCall& call, const Memory::desc& weights, void* c);

// B of a problem as the caller holds it, and one half of its columns: [gate | up].
Memory::desc weights_desc(const Problem& p);
Memory::desc half_weights_desc(const Problem& p);
Memory::desc dense_half_weights_desc(const Problem& p);

// A matmul primitive and its arguments.
class Matmul {
 public:
  Matmul(const dnnl::engine& engine, const MatmulTask& task);

  const Memory::desc& weights() const { return weights_; }
  // oneDNN's own reference code: some hundred times slower than what a user would write instead.
  bool is_reference() const { return reference_; }
  // Through the C interface: it takes the arguments as they lie here, where the C++ one builds a list in each call.
  dnnl_status_t run(const dnnl::stream& stream, dnnl_memory_t weights);

 private:
  void add(int role, const Memory::desc& d, const void* data);
  void append_binary(dnnl::post_ops& ops, dnnl::algorithm what, const Memory::desc& d, const float* data);
  void scale(const MatmulTask& t, dnnl::primitive_attr& attributes, dnnl::post_ops& ops);
  template <class T>
  void add_value(int role, Memory::data_type type, T value);
  std::optional<Memory::desc> fuse(const MatmulTask& t, dnnl::post_ops& ops);

  dnnl::engine engine_;
  dnnl::matmul primitive_;
  Memory::desc weights_;
  bool reference_ = false;
  std::vector<Memory> held_;
  std::vector<dnnl_exec_arg_t> args_;  // the second is the weights
};

// One or two blocks of weights as a caller holds them, side by side in each of the copies.
struct WeightPart {
  Memory::desc plain;
  std::int64_t offset = 0;  // bytes behind the first element of B
  // Where given, the block is copied to this first: reorders of s8 that prepare for zero points want dense weights.
  std::optional<Memory::desc> dense;
};

class Weights {
 public:
  // Reorders once, then copies bytes: copying is faster than reordering again. What is there is kept where `same`
  // weights are asked for in the same formats.
  Result<void> pack(const dnnl::engine& engine, dnnl::stream& stream, const BaselineCall& call,
                    const std::vector<WeightPart>& parts, const std::vector<Memory::desc>& formats, double cache_bytes,
                    bool same);
  void use_plain(const dnnl::engine& engine, const BaselineCall& call, const std::vector<WeightPart>& parts);
  void clear();

  bool has_formats(const std::vector<Memory::desc>& formats) const { return packed_ && formats_ == formats; }
  std::int64_t count() const { return static_cast<std::int64_t>(copies_.size() / parts_); }
  double bytes() const { return bytes_; }
  dnnl_memory_t at(std::int64_t copy, std::size_t part = 0) const {
    return copies_[static_cast<std::size_t>(copy) * parts_ + part].get();
  }

 private:
  Result<void> claim(std::size_t bytes, bool huge);

  std::vector<Memory::desc> formats_;
  gemwright::float_block packed_;
  double bytes_ = 0;   // of that memory
  bool huge_ = false;  // on huge pages
  std::size_t parts_ = 1;
  std::vector<Memory> copies_;  // part by part
};

// The number of threads of the next primitives.
Result<void> set_threads(int threads);

std::string only_reference(const Problem& p);

}  // namespace gemwright::tuner::onednn
