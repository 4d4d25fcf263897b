// What the texts of all libraries that the tuner compiles have in common (tile_library.h).
#pragma once

#include <string>
#include <string_view>

namespace gemwright::tuner {

// The definition of one struct of tile_library.h.
std::string_view struct_text(std::string_view name);

// The system headers that a text includes.
std::string system_includes(std::string_view text);

// The same, and after them hidden visibility. Two libraries of one process would otherwise share the inline variables
// of templates that both instantiate, and a candidate would run another one's code.
std::string hidden_from_here(std::string_view text);

// The visible end of such a text: a function `symbol` that gives the address of `table`, an `api`.
std::string visible_entry(std::string_view api, std::string_view symbol, std::string_view table);

}  // namespace gemwright::tuner
