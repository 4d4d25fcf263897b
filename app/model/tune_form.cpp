#include "app/model/tune_form.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "app/model/tuning.h"
#include "tuner/problem/input_text.h"
#include "tuner/study/budget.h"

namespace gemwright::app {
namespace {

constexpr std::size_t kMaxSentence = 600;
constexpr const char* kSeparators = " ,;\t\n\r";

// "8x64x64, 1x64x64" as a list; blanks, commas and semicolons separate.
std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = text.find_first_not_of(kSeparators); at != std::string::npos;) {
    const std::size_t end = std::min(text.find_first_of(kSeparators, at), text.size());
    out.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kSeparators, end);
  }
  return out;
}

std::string plain(const std::string& text) { return std::string(tuner::trimmed(text)); }

const char* source_field(TuneSource source) {
  return source == TuneSource::sizes ? "gemm" : source == TuneSource::preset ? "preset" : "shapes";
}

tl::expected<void, FormError> take_source(const TuneForm& form, TuneOptions& o) {
  const auto missing = [&](const char* sentence) {
    return tl::unexpected(FormError{source_field(form.source), sentence});
  };
  switch (form.source) {
    case TuneSource::sizes:
      o.gemm = words(form.sizes);
      if (o.gemm.empty()) return missing("give a size as MxNxK, for example 8x1024x1024");
      return {};
    case TuneSource::preset:
      o.preset = plain(form.preset);
      if (o.preset.empty()) return missing("choose a preset");
      return {};
    case TuneSource::file:
      break;
  }
  o.shapes = plain(form.file);
  if (o.shapes.empty()) return missing("name a file of shapes: JSON, CSV or a oneDNN log");
  return {};
}

}  // namespace

TuneForm example_form() {
  TuneForm f;
  f.sizes = "1x1024x1024, 8x1024x1024";
  f.budget = "5s";
  f.protocol = "quick";
  return f;
}

std::string example_sentence(const std::string& database) {
  return fmt::format("Tunes a 1024 x 1024 layer for one and for eight rows, 5 s of search each, and records it in {}.",
                     database);
}

FormError form_error(const TuneForm& form, const tuner::Error& error) {
  std::string sentence = tuner::printable(error.message, kMaxSentence);
  if (!sentence.starts_with("--")) return {source_field(form.source), sentence};
  sentence.erase(0, 2);
  return {sentence.substr(0, sentence.find_first_of(" :")), sentence};
}

tl::expected<TuneOptions, FormError> options_of(const TuneForm& f) {
  TuneOptions o;
  if (const auto r = take_source(f, o); !r) return tl::unexpected(r.error());
  const auto count = [](const std::string& text, const char* field) -> tl::expected<std::int64_t, FormError> {
    const auto n = tuner::parse_count(plain(text));
    if (n) return *n;
    return tl::unexpected(FormError{field, "give a whole number from 0"});
  };
  const auto batch = count(f.batch, "batch"), seed = count(f.seed, "seed");
  if (!batch) return tl::unexpected(batch.error());
  if (!seed) return tl::unexpected(seed.error());
  o.batch = *batch;
  o.seed = static_cast<std::uint64_t>(*seed);
  if (!plain(f.max_error).empty()) {
    o.max_error = tuner::parse_number(plain(f.max_error));
    if (!o.max_error) return tl::unexpected(FormError{"max-error", "give a positive number, for example 2e-2"});
  }
  o.m = plain(f.m);
  o.layout = f.layout;
  o.weights = f.weights;
  o.epilogue = plain(f.epilogue).empty() ? "none" : plain(f.epilogue);
  o.beta = f.beta ? 1 : 0;
  o.interface = f.interface;
  o.precision = plain(f.precision);
  o.data = f.data;
  o.batch_invariant = f.batch_invariant;
  o.device = plain(f.device);
  o.threads = plain(f.threads);
  o.compiler = plain(f.compiler);
  o.budget = plain(f.budget);
  o.strategy = f.strategy;
  o.protocol = f.protocol;
  o.cache = f.cache;
  o.fresh = f.fresh;
  return o;
}

tl::expected<TunePreview, FormError> preview(const TuneForm& form, const Workplace& place) {
  const auto options = options_of(form);
  if (!options) return tl::unexpected(options.error());
  const auto suite = resolve_suite(*options, place.presets);
  if (!suite) return tl::unexpected(form_error(form, suite.error()));
  const auto studies = plan_studies(*options, *suite, place);
  if (!studies) return tl::unexpected(form_error(form, studies.error()));
  TunePreview out;
  out.notes = notes(*studies);
  for (const PlannedStudy& s : *studies) {
    out.titles.push_back(title(s));
    const tuner::Budget& b = s.request.attributes.budget;
    if (b.trials) {
      ++out.counted;
    } else {
      out.seconds += tuner::seconds_of(b);
    }
  }
  return out;
}

std::string preview_text(const TunePreview& p) {
  std::string text = fmt::format("{} stud{}", p.titles.size(), p.titles.size() == 1 ? "y" : "ies");
  if (p.seconds > 0) text += fmt::format(", about {}", duration_text(p.seconds));
  if (p.counted > 0 && p.seconds > 0) text += fmt::format(" and {} that count configs", p.counted);
  return text;
}

std::string command_text(const TuneForm& form, const std::string& database) {
  std::string text = "gemwright tune";
  const auto quoted = [](const std::string& value) {
    if (!value.empty() && value.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                                  "_./,+-=:%") == std::string::npos) {
      return value;
    }
    std::string out = "'";
    for (const char c : value) out += c == '\'' ? "'\\''" : std::string(1, c);
    return out + "'";
  };
  const auto add = [&](const char* option, const std::string& value, const std::string& normal) {
    if (plain(value) != normal) text += fmt::format(" --{} {}", option, quoted(plain(value)));
  };
  const TuneForm normal;
  if (form.source == TuneSource::sizes) {
    for (const std::string& size : words(form.sizes)) add("gemm", size, "");
  } else {
    add(source_field(form.source), form.source == TuneSource::preset ? form.preset : form.file, "");
  }
  add("m", form.m, normal.m);
  add("layout", form.layout, normal.layout);
  add("weights", form.weights, normal.weights);
  add("batch", form.batch, normal.batch);
  if (form.beta) text += " --beta 1";
  add("epilogue", form.epilogue, normal.epilogue);
  add("interface", form.interface, normal.interface);
  add("precision", form.precision, normal.precision);
  add("max-error", form.max_error, normal.max_error);
  add("data", form.data, normal.data);
  if (form.batch_invariant) text += " --batch-invariant";
  add("device", form.device, normal.device);
  add("threads", form.threads, normal.threads);
  add("compiler", form.compiler, normal.compiler);
  add("budget", form.budget, normal.budget);
  add("strategy", form.strategy, normal.strategy);
  add("seed", form.seed, normal.seed);
  add("protocol", form.protocol, normal.protocol);
  add("cache", form.cache, normal.cache);
  if (form.fresh) text += " --fresh";
  add("db", database, "");
  return text;
}

std::string device_text(const profilers::CpuInfo& cpu) {
  const std::string name = tuner::printable(profilers::display_name(cpu), kMaxSentence);
  return fmt::format("{}{}{} thread{}", name, name.empty() ? "" : ", ", cpu.allowed_cpus,
                     cpu.allowed_cpus == 1 ? "" : "s");
}

std::string form_title(const TuneOptions& o) {
  if (!o.preset.empty()) return "preset " + o.preset;
  if (!o.shapes.empty()) return std::filesystem::path(o.shapes).filename().string();
  if (o.gemm.empty()) return "nothing";
  return o.gemm.size() == 1 ? o.gemm.front() : fmt::format("{} and {} more", o.gemm.front(), o.gemm.size() - 1);
}

std::string duration_text(double s) {
  if (s < 90) return fmt::format("{:.0f} s", s);
  return s < 5400 ? fmt::format("{:.0f} min", s / 60) : fmt::format("{:.1f} h", s / 3600);
}

}  // namespace gemwright::app
