#include "tuner/toolchain/library_text.h"

#include <fmt/format.h>

#include <set>

#include "interface_text.h"
#include "tuner/problem/input_text.h"

namespace gemwright::tuner {

std::string_view struct_text(std::string_view name) {
  const std::string_view all = kInterfaceText;
  const auto begin = all.find(fmt::format("struct {} {{", name));
  return all.substr(begin, all.find("};", begin) + 2 - begin);
}

std::string system_includes(std::string_view text) {
  std::set<std::string_view> seen;
  std::string out;
  for (std::string_view line : split(text, '\n')) {
    line = trimmed(line);
    if (line.substr(0, 10) != "#include <" || line.substr(0, 20) == "#include <gemwright/") continue;
    const std::string_view file = line.substr(9, line.find('>') + 1 - 9);
    if (!seen.insert(file).second) continue;
    out += fmt::format("#if __has_include({0})\n#include {0}\n#endif\n", file);
  }
  return out;
}

std::string hidden_from_here(std::string_view text) {
  return system_includes(text) + "#pragma GCC visibility push(hidden)\n";
}

std::string visible_entry(std::string_view api, std::string_view symbol, std::string_view table) {
  return fmt::format(
      "#pragma GCC visibility pop\n"
      "extern \"C\" __attribute__((visibility(\"default\"))) const {}* {}() {{ return &{}; }}\n",
      api, symbol, table);
}

}  // namespace gemwright::tuner
