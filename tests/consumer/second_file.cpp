// Two tuned headers in one file and in one program; the second one may carry kernels of another version.
#include "small.h"
#include "wide.h"
// Again, as happens through other headers.
#include "check.h"
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
  return wrong;
}
