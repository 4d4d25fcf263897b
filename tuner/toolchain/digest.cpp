#include "tuner/toolchain/digest.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <cstdint>

namespace gemwright::tuner {

std::string digest_of(std::initializer_list<std::string_view> parts) {
  std::string all;
  for (const std::string_view part : parts) {
    all += fmt::format("{}:", part.size());
    all += part;
  }
  const XXH128_hash_t hash = XXH3_128bits(all.data(), all.size());
  return fmt::format("{:016x}{:016x}", std::uint64_t{hash.high64}, std::uint64_t{hash.low64});
}

}  // namespace gemwright::tuner
