// Compiler-specific spelling, undefined again at the end of an exported header.
//
// Loops over a tile's rows and vectors must be unrolled, or the accumulators live in memory: a plain -O2 build would
// run at a third of the speed. Target attributes stand on every function of an instruction set, so that no -march is
// needed.
#pragma once

#if defined(__FAST_MATH__) && !defined(GEMWRIGHT_ALLOW_FAST_MATH)
#error \
    "-ffast-math changes the bits of results and what becomes of NaN and infinity; define GEMWRIGHT_ALLOW_FAST_MATH to build all the same"
#endif

#define GEMWRIGHT_PRAGMA(text) _Pragma(#text)
#define GEMWRIGHT_UNROLL GEMWRIGHT_PRAGMA(GCC unroll 32)
#define GEMWRIGHT_INLINE inline __attribute__((always_inline))
