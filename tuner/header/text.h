// Text from outside (databases, presets, the command line) made fit for generated C++: nothing that was stored can end
// a comment or a string, hide a line, or become code. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "tuner/result.h"

namespace gemwright::tuner {

// Printable ASCII without question marks (trigraphs), '\\' as '/', comment openers and closers torn apart, everything
// else as
// '_'; cut after kMaxProvenanceText characters. It may stand in a comment, in a string literal and in JSON.
constexpr std::size_t kMaxProvenanceText = 500;
std::string harmless(std::string_view text);
// "..." around harmless text.
std::string string_literal(std::string_view text);

// The identifier (suite.h) of any text that a header can use: neither a keyword nor a name that the header needs
// itself. Empty when nothing of the text can be used.
std::string header_name(std::string_view text);

// A namespace as the user gives it ("tuned", "engine::kernels"); refused with a sentence when it is none.
Result<std::string> parse_namespace(std::string_view text);

// A finite double as a C++ literal.
std::string double_literal(double value);

}  // namespace gemwright::tuner
