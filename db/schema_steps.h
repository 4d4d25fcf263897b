// The text of each version's migration, a file each. Internal to the schema.
#pragma once

#include <string_view>

namespace gemwright::db {

extern const std::string_view kVersion1;
extern const std::string_view kVersion2;
extern const std::string_view kVersion3;

}  // namespace gemwright::db
