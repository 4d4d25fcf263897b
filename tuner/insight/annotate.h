// What a compiler made of a tile: its hot loop in assembly, and what stands in it.
//
// Idea: the K loop of a micro-kernel is the innermost loop with the most dot products, or multiply-adds where it has
// none of these. A good one has MR x NV x unroll of them, few loads beside them, and no vector register on the stack.
//
// Input: AT&T syntax of x86-64, which g++ and clang++ print by default (and which the kernels' inline assembly is
// written in). Any other text gives an error. A loop is what stands between a label and a later jump back to it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/result.h"

namespace gemwright::tuner {

struct AnnotatedLine {
  std::string text;  // one printable line, without comments
  std::string note;  // "multiply-add", "load", "broadcast", ...; empty for what keeps the loop going
};

struct HotLoop {
  std::string function;  // symbol
  std::vector<AnnotatedLine> lines;
  int instructions = 0;
  int multiply_adds = 0;        // dot products, fused, or a multiplication where the code has none of these
  int dot_products = 0;         // as many, or none: each is two (of 16 bits) or four (of bytes) multiply-adds a lane
  int loads = 0;                // of vectors, as instructions or as operands of others
  int broadcasts = 0;           // of one element from memory, as instructions
  int embedded_broadcasts = 0;  // as operands of others
  int stores = 0;
  int prefetches = 0;
  int spills = 0;           // accesses of vector registers to the stack: accumulators that did not fit
  int address_reloads = 0;  // of general registers: cheap, but each takes a load port
  int vector_registers = 0;

  // Multiply-adds for each load, broadcast or embedded broadcast; absent without any.
  std::optional<double> multiply_adds_per_load() const;
};

Result<HotLoop> hot_loop(std::string_view assembly);

// For people: the figures, then the loop with its notes.
std::string to_text(const HotLoop& loop);

}  // namespace gemwright::tuner
