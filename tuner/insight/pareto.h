// Which measured configs give the best speed for their error: the front of error against speed.
//
// Errors that differ by less than 1 % are one error: rounding of the same computation, no precision bought.
//
// A point is dominated when another is at least as exact and at least as fast, and better in one of the two. What is
// not dominated is the front. Of points equal in both the first stands, so that the front is a strict staircase: with
// growing error its speed grows.
//
// Units: any; the error is smaller where it is better, the speed larger. Points that lack one of them, or whose figures
// are no finite numbers, negative errors or speeds of 0, are on no front.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace gemwright::tuner {

struct ErrorAndSpeed {
  std::optional<double> error;
  std::optional<double> speed;

  bool usable() const;
};

// Indices of the front, by growing error.
std::vector<std::size_t> pareto_front(const std::vector<ErrorAndSpeed>& points);

}  // namespace gemwright::tuner
