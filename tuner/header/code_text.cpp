#include "tuner/header/code_text.h"

#include <cmath>

#include "tuner/header/text.h"

namespace gemwright::tuner {

using gemwright::element;
using gemwright::layout;

const char* layout_name(layout l) { return l == layout::row_major ? "layout::row_major" : "layout::col_major"; }

const char* bool_name(bool b) { return b ? "true" : "false"; }

const char* element_type(element e) {
  return e == element::f32 ? "float" : e == element::bf16 ? "bf16" : e == element::u8 ? "std::uint8_t" : "std::int8_t";
}

const char* reads(const Problem& p, EpilogueOp op) { return bool_name(has_op(p, op)); }

std::string optional_double(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? double_literal(*value) : "std::nullopt";
}

}  // namespace gemwright::tuner
