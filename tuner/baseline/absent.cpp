#include "tuner/baseline/baseline.h"

namespace gemwright::tuner {

Result<std::unique_ptr<Baseline>> make_onednn(std::optional<PairWay>) {
  return fail("gemwright was built without oneDNN");
}

}  // namespace gemwright::tuner
