// What embed.cmake generates: the kernel headers as text.
#pragma once

#include "tuner/toolchain/kernel_source.h"

namespace gemwright::tuner::embedded {

extern const SourceFile kFiles[];
extern const int kFileCount;
extern const char kDigest[];

}  // namespace gemwright::tuner::embedded
