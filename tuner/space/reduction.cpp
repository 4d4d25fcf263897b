#include "tuner/space/reduction.h"

#include <fmt/format.h>

#include <algorithm>

#include "tuner/space/limits.h"

namespace gemwright::tuner {
namespace {

using gemwright::isa;

std::string_view instruction(ComputeMode mode, isa family) {
  if (mode == ComputeMode::u8s8) return family == isa::scalar ? "s32 mul+add" : "s32 fma";
  if (family == isa::scalar) return "mul+add";
  return family == isa::avx512_bf16 ? "vdpbf16ps" : "fma";
}

}  // namespace

std::string reduction_class(const Problem& problem, const Config& config) {
  const auto& t = config.tile;
  const auto& b = config.blocking;
  std::string text =
      fmt::format("{}>{} {}", to_text(problem.interface), to_text(config.mode), instruction(config.mode, t.family));
  if (config.mode == ComputeMode::u8s8) return text;
  if (t.along_k) text += fmt::format(" along{}", gemwright::vector_width(t.family));
  text += fmt::format(" ka{}", t.ka);
  const std::int64_t slice = ceil_of(problem.k, std::max(b.tk, 1));
  if ((t.ka > 1 || t.along_k) && b.kc < slice) text += fmt::format(" kc{}", b.kc);
  return text + fmt::format(" tk{}", b.tk);
}

}  // namespace gemwright::tuner
