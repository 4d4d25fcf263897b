// Every pair of interface and compute mode, as a user calls it.
#include <cstring>
#include <limits>
#include <utility>

#include "check_modes.h"

int check_modes();

namespace {

using modes::bf16;

static_assert(std::is_same_v<modes::n51_k38_bf16::a_type, bf16> && std::is_same_v<modes::q8::b_type, std::int8_t> &&
                  std::is_same_v<modes::q8::c_type, float> && std::is_same_v<modes::to_u8::c_type, std::uint8_t>,
              "the elements of an interface have names");
static_assert(modes::q8::measured_error.has_value() && *modes::q8::measured_error > 0, "as has what was measured");

constexpr std::int64_t kRows[] = {1, 3, 5, 17, 35};
constexpr float kScale = 0.7F;

double relu_of(double v) { return v < 0 ? 0 : v; }

// Sets the strides of a batch.
template <class Args, class Operands>
void set_strides(Args& x, const Operands& o) {
  x.stride_a = o.stride_a;
  x.stride_c = o.stride_c;
}

int check_bf16(modes::context& ctx, const std::string& how) {
  int wrong = 0;
  for (const std::int64_t m : kRows) {
    const auto plain = [&](const auto& pack) {
      return [&ctx, m, pack](auto& o) {
        namespace proj = modes::n51_k38_bf16;
        const proj::packed_weights weights = pack(o);
        return static_cast<int>(proj::run(ctx, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc));
      };
    };
    wrong += check_mode<bf16, bf16, bf16>(how + " bf16", {m, 51, 38}, plain([](auto& o) {
                                            return modes::n51_k38_bf16::pack_weights(o.b.data(), o.ldb);
                                          }));
    // The same from the floats that they are.
    wrong += check_mode<bf16, float, bf16>(
        how + " bf16 from floats", {m, 51, 38, 1, true},
        plain([](auto& o) { return modes::n51_k38_bf16::pack_weights(o.b.data(), o.ldb, modes::layout::col_major); }));
    mode_shape chain{m, 70, 41, 2};
    chain.bias = true;
    chain.chain = [](double v, double added, double) { return relu_of(v) + added; };
    chain.mode = modes::mlp::mode;
    wrong += check_mode<bf16, bf16, bf16>(how + " mlp", chain, [&](auto& o) {
      namespace proj = modes::mlp;
      const auto weights = proj::pack_weights(o.b.data(), o.ldb, modes::layout::row_major, o.stride_b);
      proj::args x;
      x.bias = o.bias.data();
      x.residual = o.residual.data();
      x.ld_residual = o.ld_residual;
      x.stride_residual = o.stride_residual;
      set_strides(x, o);
      return static_cast<int>(proj::run(ctx, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc, x));
    });
    mode_shape call{m, 33, 29};
    call.beta = 1;  // as it was tuned: the default
    wrong += check_mode<bf16, bf16, bf16>(how + " bf16 call", call, [&](auto& o) {
      return static_cast<int>(modes::bf16_call::run(ctx, m, o.a.data(), o.lda, o.b.data(), o.ldb, o.c.data(), o.ldc));
    });
  }
  return wrong;
}

int check_u8s8(modes::context& ctx, const std::string& how) {
  int wrong = 0;
  for (const std::int64_t m : kRows) {
    mode_shape constant{m, 45, 67, 1, true};
    constant.bias = true;
    constant.mode = modes::q8::mode;
    wrong += check_mode<std::uint8_t, std::int8_t, float>(how + " q8", constant, [&](auto& o) {
      namespace proj = modes::q8;
      const auto weights = proj::pack_weights(o.b.data(), o.ldb, o.b_scale.data());
      proj::args x;
      x.bias = o.bias.data();
      x.a_scale = kAScale;
      x.a_zero = kAZero;
      return static_cast<int>(proj::run(ctx, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc, x));
    });
    mode_shape call{m, 37, 26, 2};
    call.mode = modes::q8_call::mode;
    wrong += check_mode<std::uint8_t, std::int8_t, float>(how + " q8 call", call, [&](auto& o) {
      modes::q8_call::args x;
      x.a_scale = kAScale;
      x.a_zero = kAZero;
      x.b_scale = o.b_scale.data();
      x.stride_b = o.stride_b;
      set_strides(x, o);
      return static_cast<int>(modes::q8_call::run(ctx, m, o.a.data(), o.lda, o.b.data(), o.ldb, o.c.data(), o.ldc, x));
    });
  }
  return wrong;
}

// Operands of one type, computed in another: which one depends on the compiler's table.
int check_behind(modes::context& ctx, const std::string& how) {
  int wrong = 0;
  for (const std::int64_t m : kRows) {
    mode_shape auto_mode{m, 40, 43};
    auto_mode.chain = [](double v, double, double factor) { return v * double{kScale} * factor; };
    auto_mode.mode = modes::either::mode;
    wrong += check_mode<float, float, float>(how + " either", auto_mode, [&](auto& o) {
      namespace proj = modes::either;
      const auto weights = proj::pack_weights(o.b.data(), o.ldb);
      proj::args x;
      x.scale = kScale;
      x.operand = o.operand.data();
      x.ld_operand = o.ld_operand;
      return static_cast<int>(proj::run(ctx, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc, x));
    });
    mode_shape quantised{m, 39, 71};
    quantised.mode = modes::bf16_in_u8s8::mode;
    wrong += check_mode<bf16, bf16, bf16>(how + " bf16 in u8s8", quantised, [&](auto& o) {
      const auto weights = modes::bf16_in_u8s8::pack_weights(o.b.data(), o.ldb);
      return static_cast<int>(modes::bf16_in_u8s8::run(ctx, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc));
    });
    mode_shape per_call{m, 39, 31};
    per_call.mode = modes::f32_call::mode;
    wrong += check_mode<float, float, float>(how + " f32 call", per_call, [&](auto& o) {
      return static_cast<int>(modes::f32_call::run(ctx, m, o.a.data(), o.lda, o.b.data(), o.ldb, o.c.data(), o.ldc));
    });
    wrong += check(how + " f32 beside them", {m, 64, 48}, [&](operands& o) {
      const auto weights = modes::plain::pack_weights(o.b.data(), o.ldb);
      return static_cast<int>(modes::plain::run(ctx, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc));
    });
  }
  return wrong;
}

int check_pairs(modes::context& ctx, const std::string& how) {
  int wrong = 0;
  for (const std::int64_t m : kRows) {
    mode_shape glu{m, 86, 37};
    glu.bias = true;
    glu.pair = [](double gate, double up) { return silu_of(gate) * up; };
    glu.chain = [](double v, double, double factor) { return v * factor; };
    const auto glu_of = [&](auto& o, auto& x) {
      x.bias = o.bias.data();
      x.operand = o.operand.data();
      x.ld_operand = o.ld_operand;
    };
    wrong += check_mode<bf16, bf16, bf16>(how + " glu", glu, [&](auto& o) {
      namespace proj = modes::bf16_glu;
      const auto weights = proj::pack_weights(o.b.data(), o.ldb);
      proj::args x;
      glu_of(o, x);
      return static_cast<int>(proj::run(ctx, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc, x));
    });
    wrong += check_mode<bf16, bf16, bf16>(how + " glu apart", glu, [&](auto& o) {
      namespace proj = modes::bf16_glu_apart;
      const auto weights = proj::pack_weights(o.b.data(), o.ldb);
      proj::args x;
      glu_of(o, x);
      return static_cast<int>(proj::run(ctx, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc, x));
    });
    mode_shape call{m, 54, 41};
    call.mode = modes::q8_glu::mode;
    call.pair = [](double gate, double up) { return gelu_tanh_of(gate) * up; };
    call.chain = [](double v, double added, double) { return v + added; };
    wrong += check_mode<std::uint8_t, std::int8_t, float>(how + " q8 glu", call, [&](auto& o) {
      modes::q8_glu::args x;
      x.a_scale = kAScale;
      x.a_zero = kAZero;
      x.b_scale = o.b_scale.data();
      x.residual = o.residual.data();
      x.ld_residual = o.ld_residual;
      return static_cast<int>(modes::q8_glu::run(ctx, m, o.a.data(), o.lda, o.b.data(), o.ldb, o.c.data(), o.ldc, x));
    });
  }
  return wrong;
}

int check_requantised(modes::context& ctx, const std::string& how) {
  int wrong = 0;
  for (const std::int64_t m : kRows) {
    mode_shape constant{m, 50, 61};
    constant.bias = true;
    constant.chain = [](double v, double, double) { return relu_of(v); };
    constant.mode = modes::to_u8::mode;
    wrong += check_mode<std::uint8_t, std::int8_t, std::uint8_t>(how + " to u8", constant, [&](auto& o) {
      namespace proj = modes::to_u8;
      const auto weights = proj::pack_weights(o.b.data(), o.ldb, o.b_scale.data());
      proj::args x;
      x.bias = o.bias.data();
      x.a_scale = kAScale;
      x.a_zero = kAZero;
      x.c_scale = kCScale;
      x.c_zero = kCZero;
      return static_cast<int>(proj::run(ctx, m, o.a.data(), o.lda, weights, o.c.data(), o.ldc, x));
    });
    mode_shape glu{m, 58, 47, 2};
    glu.mode = modes::glu_to_u8::mode;
    glu.pair = [](double gate, double up) { return silu_of(gate) * up; };
    wrong += check_mode<std::uint8_t, std::int8_t, std::uint8_t>(how + " glu to u8", glu, [&](auto& o) {
      namespace proj = modes::glu_to_u8;
      proj::args x;
      x.a_scale = kAScale;
      x.a_zero = kAZero;
      x.b_scale = o.b_scale.data();
      x.c_scale = kCScale;
      x.c_zero = kCZero;
      x.stride_b = o.stride_b;
      set_strides(x, o);
      return static_cast<int>(proj::run(ctx, m, o.a.data(), o.lda, o.b.data(), o.ldb, o.c.data(), o.ldc, x));
    });
  }
  return wrong;
}

int expect(const char* what, modes::status got, modes::status wanted) {
  if (got == wanted) return 0;
  std::printf("%s: %s, not %s\n", what, modes::status_text(got), modes::status_text(wanted));
  return 1;
}

int check_refusals(modes::context& ctx) {
  using modes::status;
  namespace proj = modes::q8;
  auto o = make_mode_operands<std::uint8_t, std::int8_t, float>({4, 45, 67, 1, true});
  const auto weights = proj::pack_weights(o.b.data(), o.ldb, nullptr);
  int wrong = 0;
  const auto refuse = [&](const char* what, status wanted, const std::function<void(proj::args&)>& spoil) {
    proj::args x;
    x.bias = o.bias.data();
    x.a_scale = kAScale;
    spoil(x);
    wrong += expect(what, proj::run(ctx, 4, o.a.data(), o.lda, weights, o.c.data(), o.ldc, x), wanted);
  };
  refuse("whole integers", status::ok, [](auto&) {});
  refuse("missing scale of A", status::bad_scalar, [](auto& x) { x.a_scale.reset(); });
  refuse("zero point 256", status::bad_scalar, [](auto& x) { x.a_zero = 256; });
  refuse("missing bias", status::bad_pointer, [](auto& x) { x.bias = nullptr; });
  refuse("beta 2", status::bad_config, [](auto& x) { x.beta = 2; });
  proj::args none;
  wrong += expect("no rows", proj::run(ctx, 0, nullptr, o.lda, weights, nullptr, o.ldc, none), status::ok);
  proj::args x;
  x.bias = o.bias.data();
  x.a_scale = kAScale;
  wrong += expect("no weights", proj::run(ctx, 4, o.a.data(), o.lda, {}, o.c.data(), o.ldc, x), status::bad_weights);
  wrong += expect("short ldw", proj::pack_weights(o.b.data(), 66, nullptr).state(), status::bad_stride);
  const std::vector<float> w(51 * 38, 1.0F);
  const auto others = modes::n51_k38_bf16::pack_weights(w.data(), 51);
  const std::vector<bf16> a(4 * 41);
  std::vector<bf16> c(4 * 39);
  wrong += expect("weights of another problem", modes::bf16_in_u8s8::run(ctx, 1, a.data(), 71, others, c.data(), 39),
                  status::bad_weights);
  return wrong;
}

int check_requant_refusals(modes::context& ctx) {
  using modes::status;
  namespace proj = modes::to_u8;
  using limits = std::numeric_limits<float>;
  auto o = make_mode_operands<std::uint8_t, std::int8_t, std::uint8_t>({4, 50, 61});
  const auto weights = proj::pack_weights(o.b.data(), o.ldb, o.b_scale.data());
  int wrong = 0;
  const auto refuse = [&](const char* what, status wanted, const std::function<void(proj::args&)>& spoil) {
    proj::args x;
    x.bias = o.bias.data();
    x.a_scale = kAScale;
    x.c_scale = kCScale;
    spoil(x);
    wrong += expect(what, proj::run(ctx, 4, o.a.data(), o.lda, weights, o.c.data(), o.ldc, x), wanted);
  };
  refuse("whole requant", status::ok, [](auto&) {});
  refuse("missing scale of C", status::bad_scalar, [](auto& x) { x.c_scale.reset(); });
  for (const float scale : {0.0F, -0.5F, limits::infinity(), limits::quiet_NaN(), limits::denorm_min()}) {
    refuse("scale of C that is none", status::bad_scalar, [&](auto& x) { x.c_scale = scale; });
  }
  for (const int zero : {-1, 256}) {
    refuse("zero point of C outside u8", status::bad_scalar, [&](auto& x) { x.c_zero = zero; });
  }
  refuse("beta with u8", status::bad_config, [](auto& x) { x.beta = 1; });
  const proj::args none;
  return wrong + expect("no rows", proj::run(ctx, 0, nullptr, o.lda, weights, nullptr, o.ldc, none), status::ok);
}

void backwards(void*, int jobs, void (*task)(void*, int), void* argument) {
  for (int j = jobs - 1; j >= 0; --j) task(argument, j);
}

}  // namespace

int check_modes() {
  modes::context alone, pair(2), plain = modes::context::portable(), plain_pair = modes::context::portable(2);
  modes::context given(modes::executor{nullptr, 2, backwards});
  const std::pair<const char*, modes::context*> all[] = {{"1 thread", &alone},
                                                         {"2 threads", &pair},
                                                         {"portable", &plain},
                                                         {"portable 2", &plain_pair},
                                                         {"executor backwards", &given}};
  int wrong = 0;
  for (const auto& [how, ctx] : all) {
    if (!ctx->ready()) return 1;
    wrong += check_bf16(*ctx, how) + check_u8s8(*ctx, how) + check_behind(*ctx, how) + check_pairs(*ctx, how) +
             check_requantised(*ctx, how);
  }
#if defined(__clang__)
  if (std::strcmp(modes::either::mode, "u8s8") != 0) ++wrong;
#else
  if (std::strcmp(modes::either::mode, "bf16") != 0) ++wrong;
#endif
  return wrong + check_refusals(pair) + check_requant_refusals(pair);
}
