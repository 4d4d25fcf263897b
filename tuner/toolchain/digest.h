// Digests that name things (cache entries, builds). They guard against accidents, not against forgery.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace gemwright::tuner {

// 32 hex digits over the parts; where one part ends and the next begins counts.
std::string digest_of(std::initializer_list<std::string_view> parts);

}  // namespace gemwright::tuner
