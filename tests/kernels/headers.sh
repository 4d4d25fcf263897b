#!/bin/sh
# Each public kernel header compiles alone as C++17 without a warning, with the compiler named first; then one file that
# instantiates every family. Exit 77 where that compiler is not there: the test is skipped.
compiler=$1
kernels=$2
command -v "$compiler" >/dev/null 2>&1 || { echo "$compiler is not installed"; exit 77; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
warnings="-std=c++17 -Wall -Wextra -Wconversion -Wshadow -Wpedantic -Werror"
failed=0
cd "$kernels" || exit 1
for header in gemwright/*.h gemwright/isa/*.h; do
  printf '#include <%s>\n' "$header" > "$work/alone.cpp"
  "$compiler" $warnings -I "$kernels" -fsyntax-only "$work/alone.cpp" || { echo "not clean alone: $header"; failed=1; }
done
cat > "$work/use.cpp" <<'TEXT'
#include <gemwright/dot.h>
using namespace gemwright;
using both = chain<epilogue_op::bias, epilogue_op::relu>;
using op = epilogue_op;
using all = chain<op::bias, op::gelu_erf, op::add, op::silu, op::mul, op::gelu_tanh, op::scale, op::clamp, op::relu>;
constexpr kernel_set sets[] = {compiled_tile<isa::avx512f, 3, 2, 2, 1, prefetch::t0, both>(),
                               compiled_tile<isa::avx2, 3, 2, 2, 2, prefetch::t1, chain<>>(),
                               compiled_tile<isa::scalar, 3, 4, 1, 1, prefetch::nta, chain<epilogue_op::relu>>(),
                               compiled_tile<isa::avx512f, 3, 2, 2, 1, prefetch::t0, all>(),
                               compiled_tile<isa::avx2, 3, 2, 2, 2, prefetch::t1, all>(),
                               compiled_tile<isa::scalar, 3, 4, 1, 1, prefetch::nta, all>()};
status use(const gemm_call& x, context& c, int i) { return run_gemm(x, plan{&sets[i], {32}, {}}, c); }
constexpr compute_mode b = compute_mode::bf16, u = compute_mode::u8s8;
constexpr dot_kernel_set dots[] = {
    compiled_dot_tile<b, isa::avx512_bf16, 3, 2, 2, 1, prefetch::t0, element::f32, both>(),
    compiled_dot_tile<b, isa::avx512_bf16, 4, 3, 1, 1, prefetch::none, element::bf16, both>(),
    compiled_dot_tile<b, isa::avx512f, 3, 2, 2, 2, prefetch::t0, element::bf16, both>(),
    compiled_dot_tile<b, isa::avx2, 3, 2, 2, 1, prefetch::t1, element::bf16, chain<>>(),
    compiled_dot_tile<b, isa::scalar, 3, 2, 1, 1, prefetch::none, element::bf16, both>(),
    compiled_dot_tile<u, isa::avx512_vnni, 3, 2, 2, 1, prefetch::t0, element::f32, both>(),
    compiled_dot_tile<u, isa::avx_vnni, 3, 2, 2, 2, prefetch::t2, element::u8, both>(),
    compiled_dot_tile<u, isa::avx2, 3, 2, 2, 1, prefetch::nta, element::u8, chain<>>(),
    compiled_dot_tile<u, isa::scalar, 3, 2, 1, 1, prefetch::none, element::u8, both>()};
status use(const dot_call& x, context& c, int i) { return run_dot(x, dot_plan{&dots[i], {32}, {}}, c); }
TEXT
for level in -O2 -O0; do
  "$compiler" $warnings $level -I "$kernels" -c "$work/use.cpp" -o "$work/use.o" || { echo "not clean in use at $level"; failed=1; }
done
exit $failed
