// Where a logarithmic axis is labelled: whole decades, and 1-2-5 or every digit between them where the axis shows few.
#pragma once

#include <vector>

namespace gemwright::app {

// Ascending, inside [low, high]; none so near the right end that its label would cross the border of the plot, and no
// two nearer than `apart`, a share of the axis: whole decades stay, then twos and fives. Nothing where the limits are
// no such range.
std::vector<double> log_ticks(double low, double high, double apart);

}  // namespace gemwright::app
