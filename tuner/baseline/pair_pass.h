// The pass that turns a product of [gate | up] columns into a pair: what a user writes behind a library's matmul. Plain
// loops that the compiler vectorises, for the widest instructions of the CPU, in the threads of the OpenMP runtime that
// the library uses.
#pragma once

#include <gemwright/dot_tile.h>

#include <cstdint>
#include <vector>

#include "tuner/problem/problem.h"

namespace gemwright::tuner {

struct PairPass {
  const float* product = nullptr;  // rows x 2 columns, dense
  std::int64_t rows = 0, columns = 0;
  EpilogueOp pair = EpilogueOp::swiglu;
  std::vector<EpilogueOp> after;          // what follows it
  gemwright::epilogue_operands operands;  // that `after` reads: dense, all rows of all items behind each other
  gemwright::element c_element = gemwright::element::f32;
  gemwright::requantisation requant;  // of a C of u8
  void* c = nullptr;
  int threads = 1;
};

void run_pass(const PairPass& pass);

}  // namespace gemwright::tuner
