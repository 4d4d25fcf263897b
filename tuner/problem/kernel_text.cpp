#include "tuner/problem/kernel_text.h"

#include <fmt/format.h>

namespace gemwright::tuner {

std::string kernel_element(gemwright::element e, std::string_view kernels) {
  using gemwright::element;
  const char* const name = e == element::f32 ? "f32" : e == element::bf16 ? "bf16" : e == element::u8 ? "u8" : "s8";
  return fmt::format("{}::element::{}", kernels, name);
}

std::string kernel_chain(const std::vector<EpilogueOp>& chain, std::string_view kernels) {
  std::string ops;
  for (const EpilogueOp op : chain) {
    if (op == EpilogueOp::requant) continue;
    ops += fmt::format("{}{}::epilogue_op::{}", ops.empty() ? "" : ", ", kernels, to_text(op));
  }
  return fmt::format("{}::chain<{}>", kernels, ops);
}

std::string kernel_columns(ComputeMode mode, bool along_k, int panels) {
  if (mode != ComputeMode::f32) return panels > 1 ? fmt::format(", {}", panels) : "";
  if (panels > 1) return fmt::format(", {}, {}", along_k, panels);
  return along_k ? ", true" : "";
}

}  // namespace gemwright::tuner
