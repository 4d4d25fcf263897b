// Compiler-specific spelling, undefined again at the end of an exported header.
//
// Loops over a tile's rows and vectors must be unrolled, or the accumulators live in memory: a plain -O2 build would
// run at a third of the speed. Target attributes stand on every function of an instruction set, so that no -march is
// needed.
#pragma once

#define GEMWRIGHT_PRAGMA(text) _Pragma(#text)
#define GEMWRIGHT_UNROLL GEMWRIGHT_PRAGMA(GCC unroll 32)
#define GEMWRIGHT_INLINE inline __attribute__((always_inline))
// Of a lambda, behind its parameters.
#define GEMWRIGHT_INLINE_BODY __attribute__((always_inline))
// What would only lengthen the frame of its callers.
#define GEMWRIGHT_APART __attribute__((noinline))
