// What a user builds with the header of tune_export_build.sh and install.sh: every product against a float64 loop.
#include <initializer_list>

#include "check.h"
#include "tuned.h"

namespace {

int check_products(tuned::context& ctx, const std::string& how) {
  int wrong = 0;
  for (const std::int64_t m : {1, 5, 8, 13, 24, 40}) {  // tuned and untuned
    wrong += check(how + " plain", {m, 64, 64}, [&](operands& o) {
      const auto weights = tuned::plain::pack_weights(o.b.data(), o.ldb);
      return static_cast<int>(tuned::plain::run(ctx, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc));
    });
    shape fused{m, 48, 80};
    fused.bias = true;
    fused.chain = [](double v, double residual, double) { return (v < 0 ? 0 : v) + residual; };
    wrong += check(how + " fused", fused, [&](operands& o) {
      const auto weights = tuned::fused::pack_weights(o.b.data(), o.ldb);
      tuned::fused::args x;
      x.bias = o.bias.data();
      x.residual = o.residual.data();
      x.ld_residual = o.ld_residual;
      return static_cast<int>(tuned::fused::run(ctx, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc, x));
    });
  }
  return wrong;
}

}  // namespace

int main() {
  tuned::context one, two(2), portable = tuned::context::portable();
  if (!one.ready() || !two.ready() || !portable.ready()) return 1;
  const int wrong =
      check_products(one, "1 thread") + check_products(two, "2 threads") + check_products(portable, "portable");
  std::printf("%d wrong\n", wrong);
  return wrong == 0 ? 0 : 1;
}
