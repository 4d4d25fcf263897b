// What can be wrong with a library of tiles; see tile_module.cpp.
#pragma once

#define GEMWRIGHT_FAULT_NONE 0
#define GEMWRIGHT_FAULT_ELEMENT 1      // the last element of a large result is off by little
#define GEMWRIGHT_FAULT_ROW 2          // an element inside a large result
#define GEMWRIGHT_FAULT_NAN 3          // a NaN in a large result
#define GEMWRIGHT_FAULT_SMALL 4        // wrong for some numbers of rows
#define GEMWRIGHT_FAULT_WRITE 5        // writes one element behind the last row
#define GEMWRIGHT_FAULT_WRITE_LARGE 6  // the same, large results only
#define GEMWRIGHT_FAULT_READ 7         // reads one element behind A
#define GEMWRIGHT_FAULT_SUBNORMAL 8    // flushes subnormal numbers to zero
#define GEMWRIGHT_FAULT_VERSION 9      // another interface version
#define GEMWRIGHT_FAULT_STATUS 10      // asks for an operand that its chain does not name

// What can be wrong with a library of dot tiles, chosen while it runs; see dot_module.cpp.
#define DOT_FAULT_NONE 0
#define DOT_FAULT_ELEMENT 1     // an element of a large result is off by little
#define DOT_FAULT_WRITE 2       // writes one element behind the last row
#define DOT_FAULT_ZERO 3        // large problems: the zero point is off by one
#define DOT_FAULT_SMALL_ZERO 4  // a zero point of 255 is taken for 254
#define DOT_FAULT_SYMMETRIC 5   // rows of A are quantised symmetrically
#define DOT_FAULT_SHORT 6       // the last elements along K of a column are lost
#define DOT_FAULT_SCALES 7      // the scales of two columns are swapped
#define DOT_FAULT_STEP 8        // a C of u8 is one step too low everywhere
#define DOT_FAULT_C_ZERO 9      // the zero point of a C of u8 is left out
#define DOT_FAULT_WRAP 10       // what lies beyond the largest u8 wraps around
#define DOT_FAULT_MARK 11       // marks the weights that it reads, and counts calls that read marked ones
