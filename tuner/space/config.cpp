#include "tuner/space/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace gemwright::tuner {
namespace {

using gemwright::a_packing;
using gemwright::fusion;
using gemwright::isa;
using gemwright::loop_order;
using gemwright::prefetch;

// The fields of a config's JSON object, in the order they are listed to a reader.
constexpr std::array<std::string_view, 21> kKeys = {
    "mode",  "isa",         "mr",     "nv", "ku", "ka", "hint",          "panel",  "mc",   "nc",   "kc",
    "order", "rows_inside", "pack_a", "tm", "tn", "tk", "prefetch_rows", "fusion", "pair", "along"};
// Only pairs of products have the one, only tiles whose vectors run along K the other.
constexpr std::array<std::string_view, 2> kOptionalKeys = {"pair", "along"};

constexpr std::string_view kAlongSuffix = "_along_k", kPanelsSuffix = "_p";  // of a tile's name

// A hostile key or value as a short quoted text without control characters.
std::string shown(const nlohmann::json& value) {
  if (value.is_structured()) return value.is_array() ? "an array" : "an object";
  constexpr std::size_t kLongest = 40;
  std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text;
}

template <class Enum>
std::optional<Enum> find_name(std::string_view text, int count, const char* (*name)(Enum)) {
  for (int i = 0; i < count; ++i) {
    if (text == name(static_cast<Enum>(i))) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

// Reads the fields of one object and keeps the first complaint.
class Reader {
 public:
  explicit Reader(const nlohmann::json& object) : object_(object) {}

  std::int64_t integer(const char* name, std::int64_t low, std::int64_t high) {
    const nlohmann::json& value = object_.at(name);
    const bool fits = value.is_number_unsigned() ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(high)
                                                 : value.is_number_integer() && value.get<std::int64_t>() <= high;
    if (fits && value.get<std::int64_t>() >= low) return value.get<std::int64_t>();
    complain(fmt::format("config: \"{}\" must be a whole number from {} to {}, not {}", name, low, high, shown(value)));
    return low;
  }

  bool boolean(const char* name) {
    const nlohmann::json& value = object_.at(name);
    if (value.is_boolean()) return value.get<bool>();
    complain(fmt::format("config: \"{}\" must be true or false, not {}", name, shown(value)));
    return false;
  }

  // Where a text is expected that once was true or false.
  std::optional<bool> old_boolean(const char* name) const {
    const nlohmann::json& value = object_.at(name);
    return value.is_boolean() ? std::optional(value.get<bool>()) : std::nullopt;
  }

  std::string text(const char* name) {
    const nlohmann::json& value = object_.at(name);
    if (value.is_string()) return value.get<std::string>();
    complain(fmt::format("config: \"{}\" must be a text, not {}", name, shown(value)));
    return "";
  }

  template <class Enum>
  Enum name_of(const char* name, int count, const char* (*name_function)(Enum)) {
    if (auto found = find_name<Enum>(text(name), count, name_function)) return *found;
    complain(fmt::format("config: \"{}\" has the unknown value {}", name, shown(object_.at(name))));
    return Enum{};
  }

  void complain(std::string message) {
    if (!complaint_) complaint_ = std::move(message);
  }
  const std::optional<std::string>& complaint() const { return complaint_; }

 private:
  const nlohmann::json& object_;
  std::optional<std::string> complaint_;
};

std::optional<std::string> wrong_keys(const nlohmann::json& j) {
  if (!j.is_object()) return "config: must be a JSON object, not " + shown(j);
  for (const auto& item : j.items()) {
    if (std::find(kKeys.begin(), kKeys.end(), item.key()) == kKeys.end()) {
      return "config: unknown key " + shown(item.key());
    }
  }
  for (std::string_view name : kKeys) {
    const bool optional = std::find(kOptionalKeys.begin(), kOptionalKeys.end(), name) != kOptionalKeys.end();
    if (!optional && !j.contains(std::string(name))) return fmt::format("config: the key \"{}\" is missing", name);
  }
  return std::nullopt;
}

gemwright::tile read_tile(Reader& reader, bool says_along) {
  constexpr int kMax = 64;  // the offered tiles are checked afterwards
  gemwright::tile t{};
  t.family = reader.name_of<isa>("isa", gemwright::family_count, gemwright::isa_name);
  t.mr = static_cast<int>(reader.integer("mr", 1, kMax));
  t.nv = static_cast<int>(reader.integer("nv", 1, kMax));
  t.ku = static_cast<int>(reader.integer("ku", 1, kMax));
  t.ka = static_cast<int>(reader.integer("ka", 1, kMax));
  t.hint = reader.name_of<prefetch>("hint", gemwright::prefetch_count, gemwright::prefetch_name);
  t.along_k = says_along && reader.name_of<bool>("along", 2, along_name);
  return t;
}

// Version 2 of the space had two ways: the first, false, and the second of those that the mode then had.
gemwright::a_packing read_packing_of_a(Reader& reader, ComputeMode mode) {
  if (const auto second = reader.old_boolean("pack_a")) {
    return static_cast<gemwright::a_packing>((*second ? 1 : 0) + (mode == ComputeMode::f32 ? 0 : 1));
  }
  return reader.name_of<gemwright::a_packing>("pack_a", gemwright::a_packing_count, gemwright::a_packing_name);
}

gemwright::blocking read_blocking(Reader& reader, ComputeMode mode) {
  gemwright::blocking b{};
  b.mc = reader.integer("mc", 1, kMaxSize);
  b.nc = reader.integer("nc", 1, kMaxSize);
  b.kc = reader.integer("kc", 1, kMaxSize);
  b.order = reader.name_of<loop_order>("order", gemwright::loop_order_count, gemwright::loop_order_name);
  b.rows_inside = reader.boolean("rows_inside");
  b.pack_a = read_packing_of_a(reader, mode);
  b.tm = static_cast<int>(reader.integer("tm", 1, kMaxGridThreads));
  b.tn = static_cast<int>(reader.integer("tn", 1, kMaxGridThreads));
  b.tk = static_cast<int>(reader.integer("tk", 1, kMaxGridThreads));
  b.prefetch_rows = reader.integer("prefetch_rows", 0, kMaxPrefetchRows);
  b.chain_at = reader.name_of<fusion>("fusion", gemwright::fusion_count, gemwright::fusion_name);
  if (std::int64_t{b.tm} * b.tn * b.tk > kMaxGridThreads) {
    reader.complain(
        fmt::format("config: the grid {}x{}x{} has more than {} threads", b.tm, b.tn, b.tk, kMaxGridThreads));
  }
  return b;
}

// Takes a whole number off the front of the text.
std::optional<int> take_number(std::string_view& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

bool take(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool take_back(std::string_view& text, std::string_view suffix) {
  if (text.size() < suffix.size() || text.substr(text.size() - suffix.size()) != suffix) return false;
  text.remove_suffix(suffix.size());
  return true;
}

bool take_count(std::string_view& text, std::string_view prefix, int& out) {
  if (!take(text, prefix)) return false;
  const auto value = take_number(text);
  if (value) out = *value;
  return value.has_value();
}

std::string hint_text(const Config& c) {
  const char* name = gemwright::prefetch_name(c.tile.hint);
  if (c.tile.hint == prefetch::none) return name;
  if (c.blocking.prefetch_rows == gemwright::next_panel_rows) return fmt::format("{}@panel", name);
  return fmt::format("{}@{}", name, c.blocking.prefetch_rows);
}

const char* packing_text(a_packing p) {
  return p == a_packing::none ? "plaina" : p == a_packing::job ? "packa" : "sharea";
}

}  // namespace

void settle_panels(Config& c) {
  const int columns = nr(c.tile), panel = c.format.panel;
  const bool may = c.tile.family != isa::scalar && !c.tile.along_k;
  const bool whole = panel > 0 && panel < columns && columns % panel == 0 && panel % vector_width(c.tile.family) == 0;
  const int panels = may && whole ? columns / panel : 1;
  c.tile.panels = panels <= most_panels(c.mode) ? panels : 1;
}

bool operator==(const Config& x, const Config& y) {
  return x.mode == y.mode && x.tile == y.tile && x.format == y.format && x.blocking == y.blocking;
}

nlohmann::json to_json(const Config& c) {
  const auto& t = c.tile;
  const auto& b = c.blocking;
  nlohmann::json j = {{"mode", to_text(c.mode)},
                      {"isa", gemwright::isa_name(t.family)},
                      {"mr", t.mr},
                      {"nv", t.nv},
                      {"ku", t.ku},
                      {"ka", t.ka},
                      {"hint", gemwright::prefetch_name(t.hint)},
                      {"panel", c.format.panel},
                      {"mc", b.mc},
                      {"nc", b.nc},
                      {"kc", b.kc},
                      {"order", gemwright::loop_order_name(b.order)},
                      {"rows_inside", b.rows_inside},
                      {"pack_a", gemwright::a_packing_name(b.pack_a)},
                      {"tm", b.tm},
                      {"tn", b.tn},
                      {"tk", b.tk},
                      {"prefetch_rows", b.prefetch_rows},
                      {"fusion", gemwright::fusion_name(b.chain_at)}};
  if (c.format.pair > 0) j["pair"] = c.format.pair;
  if (t.along_k) j["along"] = along_name(true);
  return j;
}

Result<Config> config_from_json(const nlohmann::json& j) {
  if (auto wrong = wrong_keys(j)) return fail(*wrong);
  Reader reader(j);
  Config c;
  const auto mode = parse_compute_mode(reader.text("mode"));
  if (mode) c.mode = *mode;
  if (!mode) reader.complain("config: \"mode\" has the unknown value " + shown(j.at("mode")));
  c.tile = read_tile(reader, j.contains("along"));
  c.format.panel = static_cast<int>(reader.integer("panel", 0, kMaxPanel));
  if (j.contains("pair")) c.format.pair = static_cast<int>(reader.integer("pair", 1, kMaxPanel / 2));
  c.blocking = read_blocking(reader, c.mode);
  if (reader.complaint()) return fail(*reader.complaint());
  settle_panels(c);
  if (auto why = violated(c.mode, c.tile)) return fail("config: " + *why);
  return c;
}

namespace {

// "p32", or of a pair whose columns take turns "p32/16".
std::string panel_text(const Config& c) {
  return c.format.pair > 0 ? fmt::format("p{}/{}", c.format.panel, c.format.pair) : fmt::format("p{}", c.format.panel);
}

}  // namespace

std::string key(const Config& c) {
  const auto& b = c.blocking;
  return fmt::format("{} {} {} mc{} nc{} kc{} {} {} {} {}x{}x{} pf{} {}", to_text(c.mode), tile_name(c.tile),
                     panel_text(c), b.mc, b.nc, b.kc, gemwright::loop_order_name(b.order),
                     b.rows_inside ? "rows" : "columns", packing_text(b.pack_a), b.tm, b.tn, b.tk, b.prefetch_rows,
                     gemwright::fusion_name(b.chain_at));
}

std::string label(const Config& c) {
  const auto& t = c.tile;
  const auto& b = c.blocking;
  const std::string mode = c.mode == ComputeMode::f32 ? "" : fmt::format("{} ", to_text(c.mode));
  const std::string chain =
      b.chain_at == fusion::registers ? "" : fmt::format(" chain@{}", gemwright::fusion_name(b.chain_at));
  return fmt::format(
      "{}{} {}x{}{} ku{}{} {} {} mc{} nc{} kc{} {} {}{} grid {}x{}x{}{}", mode, gemwright::isa_name(t.family), t.mr,
      t.nv, t.along_k ? " along-k" : "", t.ku, t.ka > 1 ? fmt::format(" ka{}", t.ka) : "", hint_text(c), panel_text(c),
      b.mc, b.nc, b.kc, gemwright::loop_order_name(b.order), b.rows_inside ? "rows" : "columns",
      b.pack_a == a_packing::none ? "" : fmt::format(" {}", packing_text(b.pack_a)), b.tm, b.tn, b.tk, chain);
}

std::string tile_name(const gemwright::tile& t) {
  return fmt::format("{}_{}x{}_u{}_a{}_{}{}{}", gemwright::isa_name(t.family), t.mr, t.nv, t.ku, t.ka,
                     gemwright::prefetch_name(t.hint), t.along_k ? kAlongSuffix : "",
                     t.panels > 1 ? fmt::format("{}{}", kPanelsSuffix, t.panels) : "");
}

Result<gemwright::tile> parse_tile_name(ComputeMode mode, std::string_view text) {
  gemwright::tile t{};
  std::string_view rest = text;
  bool good = false;
  for (int i = 0; i < gemwright::family_count && !good; ++i) {
    // Names of families have underscores themselves; none is another one followed by an underscore.
    t.family = static_cast<isa>(i);
    rest = text;
    good = take(rest, gemwright::isa_name(t.family)) && take_count(rest, "_", t.mr);
  }
  good = good && take_count(rest, "x", t.nv) && take_count(rest, "_u", t.ku) && take_count(rest, "_a", t.ka) &&
         take(rest, "_");
  if (const auto at = rest.rfind(kPanelsSuffix); good && at != std::string_view::npos) {
    std::string_view panels = rest.substr(at);
    good = take_count(panels, kPanelsSuffix, t.panels) && panels.empty();
    rest = rest.substr(0, at);
  }
  t.along_k = good && take_back(rest, kAlongSuffix);
  const auto hint =
      good ? find_name<prefetch>(rest, gemwright::prefetch_count, gemwright::prefetch_name) : std::nullopt;
  good = good && hint;
  if (good) t.hint = *hint;
  // Only the canonical spelling: no leading zeros or signs.
  if (!good || tile_name(t) != text) {
    return fail("not the name of a tile (like avx512f_8x2_u1_a1_t0): " + shown(std::string(text)));
  }
  if (auto why = violated(mode, t)) return fail(fmt::format("tile {}: {}", text, *why));
  return t;
}

}  // namespace gemwright::tuner
