// What a user of a tuned header writes, and a check of every answer.
#include <algorithm>
#include <thread>

#include "check.h"
#include "wide.h"

int check_modes();  // in the other files
int check_small();

namespace {

static_assert(wide::qkv::n == 203 && wide::qkv::k == 97 && wide::qkv::batch == 1, "the problem's sizes are constants");
static_assert(wide::qkv::constant_weights && !wide::n77_k50_f32::constant_weights, "so is where B comes from");
static_assert(wide::qkv::max_tuned_m == 64, "and what was tuned");
static_assert(wide::qkv::choices[0].m == 4 && wide::qkv::choices[0].ratio == 1.25, "and what was measured");

constexpr std::int64_t kRows[] = {1, 2, 4, 5, 13, 16, 33, 64, 71};  // tuned and untuned, also above the largest

int check_qkv(wide::context& ctx, const std::string& how) {
  namespace proj = wide::qkv;
  int wrong = 0;
  for (const std::int64_t m : kRows) {
    wrong += check(how + " qkv", {m, proj::n, proj::k}, [&](operands& o) {
      const auto weights = proj::pack_weights(o.b.data(), o.ldb);
      return static_cast<int>(proj::run(ctx, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc));
    });
    shape added{m, proj::n, proj::k, 1, true};  // transposed weights, added to C
    added.beta = 1;
    wrong += check(how + " qkv transposed", added, [&](operands& o) {
      const auto weights = proj::pack_weights(o.b.data(), o.ldb, wide::layout::col_major);
      proj::args x;
      x.beta = 1;
      return static_cast<int>(proj::run(ctx, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc, x));
    });
  }
  return wrong;
}

constexpr float kScale = 0.7F, kLo = -0.4F, kHi = 1.9F;

double clamped(double v) { return v < double{kLo} ? double{kLo} : v > double{kHi} ? double{kHi} : v; }

// A chain of every kind of operand, in a batch, and a short one.
int check_chains(wide::context& ctx, const std::string& how) {
  int wrong = 0;
  for (const std::int64_t m : kRows) {
    shape gated{m, 70, 41, 2};
    gated.bias = true;
    gated.slope = 1.2;
    gated.chain = [](double v, double residual, double operand) {
      return clamped(0.5 * v * std::erfc(-v / std::sqrt(2.0)) * operand * double{kScale} + residual);
    };
    wrong += check(how + " gated", gated, [&](operands& o) {
      namespace proj = wide::gated;
      const auto weights = proj::pack_weights(o.b.data(), o.ldb, wide::layout::row_major, o.stride_b);
      proj::args x;
      x.bias = o.bias.data();
      x.residual = o.residual.data();
      x.ld_residual = o.ld_residual;
      x.operand = o.operand.data();
      x.ld_operand = o.ld_operand;
      x.scale = kScale;
      x.clamp_lo = kLo;
      x.clamp_hi = kHi;
      x.stride_a = o.stride_a;
      x.stride_c = o.stride_c;
      x.stride_residual = o.stride_residual;
      x.stride_operand = o.stride_operand;
      return static_cast<int>(proj::run(ctx, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc, x));
    });
    shape residual{m, 51, 38};
    residual.chain = [](double v, double added, double) { return clamped(v + added); };
    wrong += check(how + " residual", residual, [&](operands& o) {
      namespace proj = wide::residual;
      const auto weights = proj::pack_weights(o.b.data(), o.ldb);
      proj::args x;
      x.residual = o.residual.data();
      x.ld_residual = o.ld_residual;
      x.clamp_lo = kLo;
      x.clamp_hi = kHi;
      return static_cast<int>(proj::run(ctx, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc, x));
    });
  }
  return wrong;
}

// Pairs of products: B is [gate | up], C half as wide.
int check_pairs(wide::context& ctx, const std::string& how) {
  static_assert(wide::glu::n == 90 && wide::glu::c_columns == 45 && wide::qkv::c_columns == wide::qkv::n,
                "both widths are constants");
  int wrong = 0;
  for (const std::int64_t m : kRows) {
    shape glu{m, 90, 53, 2};
    glu.bias = true;
    glu.pair = [](double gate, double up) { return silu_of(gate) * up; };
    glu.chain = [](double v, double residual, double operand) { return v * operand + residual; };
    wrong += check(how + " glu", glu, [&](operands& o) {
      namespace proj = wide::glu;
      const auto weights = proj::pack_weights(o.b.data(), o.ldb, wide::layout::row_major, o.stride_b);
      proj::args x;
      x.bias = o.bias.data();
      x.residual = o.residual.data();
      x.ld_residual = o.ld_residual;
      x.operand = o.operand.data();
      x.ld_operand = o.ld_operand;
      x.stride_a = o.stride_a;
      x.stride_c = o.stride_c;
      x.stride_residual = o.stride_residual;
      x.stride_operand = o.stride_operand;
      return static_cast<int>(proj::run(ctx, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc, x));
    });
    shape call{m, 78, 45};
    call.bias = call.bias_after = true;
    call.pair = [](double gate, double up) { return gelu_tanh_of(gate) * up; };
    wrong += check(how + " glu call", call, [&](operands& o) {
      wide::glu_call::args x;
      x.bias = o.bias.data();
      return static_cast<int>(wide::glu_call::run(ctx, m, o.a.data(), o.lda, o.b.data(), o.ldb, o.c.data(), o.ldc, x));
    });
  }
  return wrong;
}

int check_others(wide::context& ctx, const std::string& how) {
  int wrong = 0;
  for (const std::int64_t m : kRows) {
    wrong += check(how + " chain", {m, 130, 64, 1, true, true, true}, [&](operands& o) {
      const auto weights = wide::ffn_up::pack_weights(o.b.data(), o.ldb);
      wide::ffn_up::args x;
      x.bias = o.bias.data();
      return static_cast<int>(wide::ffn_up::run(ctx, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc, x));
    });
    wrong += check(how + " batch", {m, 48, 33, 3}, [&](operands& o) {
      namespace proj = wide::batched;
      const auto weights = proj::pack_weights(o.b.data(), o.ldb, wide::layout::row_major, o.stride_b);
      proj::args x;
      x.stride_a = o.stride_a;
      x.stride_c = o.stride_c;
      return static_cast<int>(proj::run(ctx, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc, x));
    });
    wrong += check(how + " dense batch", {m, 48, 33, 3}, [&](operands& o) {
      namespace proj = wide::batched;
      const auto weights = proj::pack_weights(o.b.data(), o.ldb, wide::layout::row_major, o.stride_b);
      operands dense = o;
      const auto compact = [m](const std::vector<float>& from, std::int64_t stride, std::int64_t ld) {
        std::vector<float> to;
        for (std::int64_t i = 0; i < 3; ++i)
          to.insert(to.end(), from.begin() + i * stride, from.begin() + i * stride + m * ld);
        return to;
      };
      dense.a = compact(o.a, o.stride_a, o.lda);
      dense.c = compact(o.c, o.stride_c, o.ldc);
      const auto status = proj::run(ctx, m, dense.a.data(), o.lda, weights, dense.c.data(), o.ldc);
      for (std::int64_t i = 0; i < 3; ++i) {
        std::copy_n(dense.c.begin() + i * m * o.ldc, m * o.ldc, o.c.begin() + i * o.stride_c);
      }
      return static_cast<int>(status);
    });
    shape call{m, 77, 50};
    call.beta = 1;  // as it was tuned: the default
    wrong += check(how + " call", call, [&](operands& o) {
      namespace proj = wide::n77_k50_f32;
      return static_cast<int>(proj::run(ctx, m, o.a.data(), o.lda, o.b.data(), o.ldb, o.c.data(), o.ldc));
    });
  }
  return wrong;
}

// Few columns, whose vectors run along K.
int check_heads(wide::context& ctx, const std::string& how) {
  int wrong = 0;
  for (const std::int64_t m : kRows) {
    wrong += check(how + " head", {m, 1, 277, 1, false, true, true}, [&](operands& o) {
      const auto weights = wide::head::pack_weights(o.b.data(), o.ldb);
      wide::head::args x;
      x.bias = o.bias.data();
      return static_cast<int>(wide::head::run(ctx, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc, x));
    });
    shape heads{m, 3, 45, 1, true};
    heads.beta = 1;
    wrong += check(how + " heads", heads, [&](operands& o) {
      return static_cast<int>(wide::heads::run(ctx, m, o.a.data(), o.lda, o.b.data(), o.ldb, o.c.data(), o.ldc));
    });
  }
  return wrong;
}

// Runs jobs one after another, last first: nothing may rely on their order or on running at once.
void backwards(void*, int jobs, void (*task)(void*, int), void* argument) {
  for (int j = jobs - 1; j >= 0; --j) task(argument, j);
}

void own_threads(void*, int jobs, void (*task)(void*, int), void* argument) {
  std::vector<std::thread> threads;
  for (int j = 0; j < jobs; ++j) threads.emplace_back(task, argument, j);
  for (std::thread& t : threads) t.join();
}

int expect(const char* what, wide::status got, wide::status wanted) {
  if (got == wanted) return 0;
  std::printf("%s: %s, not %s\n", what, wide::status_text(got), wide::status_text(wanted));
  return 1;
}

int check_refusals(wide::context& ctx) {
  using wide::status;
  namespace proj = wide::qkv;
  operands o = make_operands({4, 203, 97});
  const auto weights = proj::pack_weights(o.b.data(), o.ldb);
  const auto others = wide::ffn_up::pack_weights(o.b.data(), 97);
  const float* const a = o.a.data();
  float* const c = o.c.data();
  proj::args bias, beta;
  bias.bias = o.bias.data();
  beta.beta = 2;
  int wrong = expect("no rows", proj::run(ctx, 0, nullptr, o.lda, weights, nullptr, o.ldc), status::ok);
  wrong += expect("negative m", proj::run(ctx, -1, a, o.lda, weights, c, o.ldc), status::bad_size);
  wrong += expect("short lda", proj::run(ctx, 4, a, 96, weights, c, o.ldc), status::bad_stride);
  wrong += expect("short ldc", proj::run(ctx, 4, a, o.lda, weights, c, 202), status::bad_stride);
  wrong += expect("no C", proj::run(ctx, 4, a, o.lda, weights, nullptr, o.ldc), status::bad_pointer);
  wrong += expect("other weights", proj::run(ctx, 4, a, o.lda, others, c, o.ldc), status::bad_weights);
  wrong += expect("no weights", proj::run(ctx, 4, a, o.lda, {}, c, o.ldc), status::bad_weights);
  wrong += expect("short ldw", proj::pack_weights(o.b.data(), 202).state(), status::bad_stride);
  wrong += expect("unread bias", proj::run(ctx, 4, a, o.lda, weights, c, o.ldc, bias), status::bad_pointer);
  wrong += expect("beta 2", proj::run(ctx, 4, a, o.lda, weights, c, o.ldc, beta), status::bad_config);
  wrong += expect("missing bias", wide::ffn_up::run(ctx, 1, a, o.lda, others, c, o.ldc), status::bad_pointer);
  const auto added = wide::residual::pack_weights(o.b.data(), 51);
  const auto refuse = [&](const char* what, status wanted, const std::function<void(wide::residual::args&)>& spoil) {
    wide::residual::args x;
    x.residual = o.residual.data();
    x.ld_residual = 51;
    x.clamp_lo = kLo;
    x.clamp_hi = kHi;
    spoil(x);
    wrong += expect(what, wide::residual::run(ctx, 2, a, 38, added, c, 51, x), wanted);
  };
  refuse("a whole chain", status::ok, [](auto&) {});
  refuse("missing residual", status::bad_pointer, [](auto& x) { x.residual = nullptr; });
  refuse("short ld_residual", status::bad_stride, [](auto& x) { x.ld_residual = 50; });
  refuse("missing bound", status::bad_scalar, [](auto& x) { x.clamp_hi.reset(); });
  refuse("bounds in disorder", status::bad_scalar, [](auto& x) { x.clamp_hi = -1.0F; });
  wide::glu_call::args half, sum;
  half.bias = sum.bias = o.bias.data();
  sum.beta = 1;
  const float* const b = o.b.data();
  wrong += expect("half of the columns", wide::glu_call::run(ctx, 2, a, 45, b, 78, c, 39, half), status::ok);
  wrong += expect("less than half", wide::glu_call::run(ctx, 2, a, 45, b, 78, c, 38, half), status::bad_stride);
  wrong += expect("short ldb", wide::glu_call::run(ctx, 2, a, 45, b, 77, c, 39, half), status::bad_stride);
  wrong += expect("a pair with beta", wide::glu_call::run(ctx, 2, a, 45, b, 78, c, 39, sum), status::bad_config);
  const auto items = wide::batched::pack_weights(o.b.data(), 48, wide::layout::row_major, 48 * 33);
  wide::batched::args overlap, far;
  overlap.stride_c = 47;
  far.stride_a = std::int64_t{1} << 41;
  wrong += expect("items of C overlap", wide::batched::run(ctx, 1, a, 33, items, c, 48, overlap), status::bad_stride);
  wrong += expect("stride too far", wide::batched::run(ctx, 1, a, 33, items, c, 48, far), status::bad_stride);
  wrong += expect("huge m", wide::batched::run(ctx, INT64_MAX, a, 33, items, c, 48), status::bad_stride);
  return wrong;
}

int check_contexts() {
  wide::context alone, pair(2), wider(5);
  wide::context plain = wide::context::portable(), plain_pair = wide::context::portable(2);
  wide::context given(wide::executor{nullptr, 2, backwards}), threads(wide::executor{nullptr, 4, own_threads});
  const std::pair<const char*, wide::context*> all[] = {
      {"1 thread", &alone},        {"2 threads", &pair},           {"5 threads", &wider}, {"portable", &plain},
      {"portable 2", &plain_pair}, {"executor backwards", &given}, {"executor", &threads}};
  int wrong = 0;
  for (const auto& [how, ctx] : all) {
    if (!ctx->ready()) return 1;
    wrong += check_qkv(*ctx, how) + check_chains(*ctx, how) + check_pairs(*ctx, how) + check_others(*ctx, how) +
             check_heads(*ctx, how);
    ctx->park();
  }
  if (plain.implementation().has(wide::kernels::isa::avx2)) ++wrong;
  return wrong + check_refusals(pair);
}

}  // namespace

int main() {
  const int wrong = check_contexts() + check_modes() + check_small();
  std::printf("%d wrong\n", wrong);
  return wrong == 0 ? 0 : 1;
}
