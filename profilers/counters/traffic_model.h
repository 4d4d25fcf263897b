// The computed rung of the counter ladder: how many bytes one call moves through each level of the memory hierarchy,
// from the loop nest alone. Nothing is observed, so the figures are there on every machine, and always the same.
//
// Idea (K. Goto and R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008; T. M. Low et al.,
// "Analytical Modeling Is Enough for High-Performance BLIS", 2016). The nest is, from inside: the tile with its K loop,
// two loops over tiles, three over cache blocks, that over the row chunks of split-K, and the calls themselves. An
// operand that does not depend on the index of a loop (A on N, B on M, C on K) is used again in its next iteration. It
// is still in a cache of S bytes when what is touched in between, D, is at most S; otherwise that loop fetches it
// again, and so does every loop outside. D is the operand itself in the body of the loop, and of the two others, which
// change with the loop, what the least recently used order lets pass: their part of one body
// where they advance in step with the operand, of two bodies where inner loops repeat them. Behind that cache go
//
//   A: M K x (tiles of N | blocks of N | slices of N | 0)
//   B: K N x (tiles of M | blocks of M | chunks of M | slices of M | 0)
//   C: M N x (stores: blocks of K | 1 | 0; loads: one less, or as many with beta)
//
// elements: the first number where the loop over tiles loses the operand, the next where only the loop over blocks
// does, and so on; 0 where the call before has left it there, because all of a call fits or the outermost loop keeps
// it. The first column is what the micro-kernel issues: traffic.l1. Weights that others have driven out since the call
// before (`weights_between`) are never left there. Beside these:
// * packing A reads each block of it and writes the copy, as often as the loop nest packs; the copy stays in a cache
//   that holds what lies between two uses of it;
// * packing B in the call reads it once and writes it once, padded;
// * split-K writes a partial C a slice, reads all of them once more, and writes C;
// * a thread has an L1 and an L2 of its own: operands that threads share are fetched by each of them, and what another
//   thread has written comes from outside. All threads of the grid share one L3 and walk in step.
//
// The loop nest of the dot modes (gemwright/dot_nest.h) differs. Where A is packed, it is whole rows of K,
// once for each chunk of mc rows, by each job for itself or by all jobs together; rows of floats are read twice where
// they are quantised. Accumulators wait in a block of their own between two blocks of K, so C itself is visited once.
// Elements have another size in the caller's operands than packed. With slices of K each leaves its accumulators in
// such a block, and the slices are read once more; sums of pairs that wait in the same way are not modelled.
//
// Limits: bytes used, not cache lines; full associativity, so no conflict misses; a block fits as a whole or not at
// all, which says up to a third too much where it nearly fits; blocks at an edge fit where whole ones do; no waste by
// prefetching; no reads of C only because a line of it is written (write-allocate); a broadcast of A is one load,
// though a compiler may repeat it for each vector; columns of B that a call quantises are read once, not twice. All
// figures are of one call, over all its threads, in a long row of such calls.
#pragma once

#include <gemwright/config.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "profilers/counters/counter.h"

namespace gemwright::profilers {

struct TrafficInput {
  std::int64_t m = 0, n = 0, k = 0, batch = 1;
  gemwright::tile tile{};
  gemwright::packing format{};
  gemwright::blocking blocking{};
  bool b_packed = true;  // weights packed beforehand; false with a packing format: the call packs B itself
  bool beta = false;
  int a_bytes = 4, b_bytes = 4;                               // of an element, as the micro-kernel reads it
  double c_bytes = 4;                                         // the same; of a pair's product half a column of C
  bool dot = false;                                           // the nest of the dot modes: order mnk, B packed
  int a_source_bytes = 4, b_source_bytes = 4;                 // dot: of an element as the caller holds it
  int a_passes = 1;                                           // dot: 2 where rows of A are measured before quantising
  int b_column_bytes = 0;                                     // dot: beside packed B (scales and sums), a column
  int chain_column_bytes = 0;                                 // of the chain's operands along N (bias), a column
  int chain_element_bytes = 0;                                // of those as large as C (residual), an element
  std::optional<std::int64_t> l1d_bytes, l2_bytes, l3_bytes;  // one instance of each
  double weights_between = 0;  // bytes between two uses of the same weights (cold, rotating copies); 0: hot
};

// Provider "traffic", always these, in this order: flops, bytes.min (each operand once, C twice with beta), traffic.l1
// (loads and stores of the micro-kernel and of packing), traffic.l2 (between L2 and L1), traffic.l3 (between L3 and
// L2), traffic.dram (between DRAM and L3). traffic.l1 >= l2 >= l3 >= dram. A level that needs the size of a cache that
// is not known is unsupported, with the reason; sizes or a config that make no call give counters that failed.
std::vector<Counter> model_traffic(const TrafficInput& in);

}  // namespace gemwright::profilers
