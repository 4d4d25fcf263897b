// A scripted study as this build would have begun it, so that its header can be exported.
#pragma once

#include "tests/app/scripted_study.h"
#include "tuner/space/space.h"
#include "tuner/toolchain/kernel_source.h"

namespace gemwright::app {

inline tuner::StudyKey exportable_key() {
  tuner::StudyKey key = scripted_key();
  key.space_version = tuner::kSpaceVersion;
  key.build.source_digest = tuner::source_digest();
  return key;
}

}  // namespace gemwright::app
