// run_gemm allocates nothing: every allocation of this program is counted.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstddef>

#include "tests/kernels/gemm_case.h"

namespace {

std::atomic<long>& allocations() {
  static std::atomic<long> count{0};
  return count;
}

}  // namespace

// glibc's own entry points; operator new ends in malloc as well.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* p, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  ++allocations();
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++allocations();
  return __libc_calloc(count, size);
}
void* realloc(void* p, std::size_t size) {
  ++allocations();
  return __libc_realloc(p, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++allocations();
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  ++allocations();
  *out = __libc_memalign(alignment, size);
  return *out != nullptr ? 0 : ENOMEM;
}
}

namespace gemwright::test {
namespace {

class Allocation : public ::testing::TestWithParam<isa> {};
INSTANTIATE_TEST_SUITE_P(Families, Allocation, all_families(), family_name);

TEST(AllocationCounter, CountsMemoryOfAContext) {
  const long before = allocations();
  const context ctx(2, {1000, 2, 1000});
  EXPECT_GE(allocations() - before, 3);
}

TEST_P(Allocation, ACallAllocatesNothing) {
  SKIP_WITHOUT(GetParam());
  Random random(5);
  const CompiledTile& tile = bare_tile(GetParam());
  for (int i = 0; i < 50; ++i) {
    GemmCase x = random_case(random, tile);
    if (x.weights == Weights::constant) x.weights = Weights::per_call;
    Operands o(x, random());
    const gemm_call call = o.call(x);
    const plan p = x.make_plan();
    context ctx(2, scratch_for(p.kernels->shape, p.format, p.block, x.n, x.k, x.batch, false));
    ctx.park();  // the workers have started
    const long before = allocations();
    const status s = run_gemm(call, p, ctx);
    const long after = allocations();
    ASSERT_EQ(s, status::ok);
    ASSERT_EQ(after, before) << x.describe();
  }
}

}  // namespace
}  // namespace gemwright::test
