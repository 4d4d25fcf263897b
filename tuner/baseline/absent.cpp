#include "tuner/baseline/baseline.h"

namespace gemwright::tuner {

Result<std::unique_ptr<Baseline>> make_onednn() { return fail("gemwright was built without oneDNN"); }

}  // namespace gemwright::tuner
