#include "onednn.h"

#include <omp.h>

#include <dnnl.hpp>
#include <memory>
#include <vector>

std::function<void(int copy)> onednn_product(int m, int n, int k, const float* a, const float* w, float* c,
                                             int copies) {
  using namespace dnnl;
  using tag = memory::format_tag;
  omp_set_num_threads(1);
  struct State {
    engine cpu{engine::kind::cpu, 0};
    stream queue{cpu};
    matmul run;
    memory a, c;
    std::vector<memory> weights;
  };
  auto s = std::make_shared<State>();
  const auto f32 = memory::data_type::f32;
  const memory::desc a_desc({m, k}, f32, tag::ab), any({k, n}, f32, tag::any), c_desc({m, n}, f32, tag::ab);
#if DNNL_VERSION_MAJOR >= 3
  const matmul::primitive_desc pd(s->cpu, a_desc, any, c_desc);
#else
  const matmul::primitive_desc pd(matmul::desc(a_desc, any, c_desc), s->cpu);
#endif
  s->run = matmul(pd);
  s->a = memory(a_desc, s->cpu, const_cast<float*>(a));
  s->c = memory(c_desc, s->cpu, c);
  memory plain({{k, n}, f32, tag::ba}, s->cpu, const_cast<float*>(w));
  for (int i = 0; i < copies; ++i) {
    s->weights.emplace_back(pd.weights_desc(), s->cpu);
    reorder(plain, s->weights.back()).execute(s->queue, plain, s->weights.back());
  }
  s->queue.wait();
  return [s](int copy) {
    s->run.execute(
        s->queue,
        {{DNNL_ARG_SRC, s->a}, {DNNL_ARG_WEIGHTS, s->weights[static_cast<std::size_t>(copy)]}, {DNNL_ARG_DST, s->c}});
    s->queue.wait();
  };
}
