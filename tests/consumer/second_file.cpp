// Three tuned headers in one file and in one program; small.h may carry kernels of another version, wide.h and
// modes.h have those of one version, but not the same parts of them.
#include "small.h"
#include "wide.h"
// What the next one carries more than the one before.
#include "modes.h"
// Again, as happens through other headers.
#include "check_modes.h"
#include "small.h"

#if defined(GEMWRIGHT_INLINE) && defined(CONSUMER_STANDALONE)
#error "the headers leave macros behind"
#endif

int check_small() {
  namespace proj = engine::small::qkv;
  int wrong = 0;
  engine::small::context ctx(2);
  wide::context other;
  for (const std::int64_t m : {1, 7, 64}) {
    wrong += check("small", {m, proj::n, proj::k}, [&](operands& o) {
      const auto weights = proj::pack_weights(o.b.data(), o.ldb);
      return static_cast<int>(proj::run(ctx, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc));
    });
    wrong += check("wide beside small", {m, proj::n, proj::k}, [&](operands& o) {
      const auto weights = wide::qkv::pack_weights(o.b.data(), o.ldb);
      return static_cast<int>(wide::qkv::run(other, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc));
    });
  }
  // The same inline functions as in modes.cpp, and integers by another version of the kernels.
  modes::context third(2);
  for (const std::int64_t m : {1, 7}) {
    wrong += check_mode<modes::bf16, modes::bf16, modes::bf16>("modes beside small", {m, 51, 38}, [&](auto& o) {
      const auto weights = modes::n51_k38_bf16::pack_weights(o.b.data(), o.ldb);
      return static_cast<int>(modes::n51_k38_bf16::run(third, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc));
    });
    mode_shape integers{m, 45, 67};
    integers.mode = "u8s8";
    wrong += check_mode<std::uint8_t, std::int8_t, float>("small integers", integers, [&](auto& o) {
      namespace q8 = engine::small::q8;
      const auto weights = q8::pack_weights(o.b.data(), o.ldb, o.b_scale.data());
      q8::args x;
      x.a_scale = kAScale;
      x.a_zero = kAZero;
      return static_cast<int>(q8::run(ctx, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc, x));
    });
  }
  return wrong;
}
