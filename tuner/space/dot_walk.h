// How the loop nest of the dot modes (kernels/gemwright/dot_nest.h) cuts rows, columns and K: what decides which of
// their configs run the same program, and what they cost.
//
// A is packed whole rows of K at a time, or read where it lies, in chunks of rows that a job works through one after
// the other; in a chunk the columns are cut into even blocks, and in these K into blocks whose raw accumulators wait in
// scratch memory. With slices of K, and where a pair does not meet in registers, all jobs work on one chunk at a time,
// since its sums wait for a further phase (sums_wait).
#pragma once

#include "tuner/space/space.h"

namespace gemwright::tuner {

Geometry dot_geometry_of(const SpaceInput& in, const Config& c);
// See `canonical`; for configs whose numbers mean something.
Config canonical_dot(const SpaceInput& in, Config c);

// The fewest rows, in whole tiles, that cut the rows of every job into as many chunks as c.blocking.mc does.
std::int64_t chunk_rows(const SpaceInput& in, const Config& c);
// The fewest columns, in whole panels, that cut the columns of every job into the same blocks as c.blocking.nc does;
// all N where they are one.
std::int64_t block_columns(const SpaceInput& in, const Config& c);

// Most rows of a chunk, in whole tiles, so that its packed A stays within kMaxPackedABytes; at least one tile. No limit
// where A is not packed.
std::int64_t most_chunk_rows(const SpaceInput& in, const Config& c);
// Bytes of the accumulators that wait while the next block of K is read, a job; 0 where K is one block, and where they
// lie among those of slice_bytes.
std::int64_t partial_bytes(const SpaceInput& in, const Config& c);
// Bytes of the accumulators of a chunk, of all slices of K; 0 where none wait for a further phase.
std::int64_t slice_bytes(const SpaceInput& in, const Config& c);
// Most rows of a chunk, in whole tiles, so that these stay within kMaxSplitBytes; 0 where one tile's are more.
std::int64_t most_waiting_rows(const SpaceInput& in, Config c);

}  // namespace gemwright::tuner
