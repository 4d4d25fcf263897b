// The form of a new study: every option of `gemwright tune` as the text that a person types, turned into the same
// TuneOptions and checked by the same functions as the command line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/model/plan.h"

namespace gemwright::app {

enum class TuneSource { sizes, preset, file };

struct TuneForm {
  TuneSource source = TuneSource::sizes;
  std::string sizes = "8x1024x1024", preset, file;
  std::string m, epilogue = "none", layout = "nn", weights = "constant", batch = "1";
  std::string device = "cpu";
  std::string interface = "f32", precision = "f32", max_error, data = "normal", threads, cache = "auto", budget;
  std::string strategy = "local", protocol = "normal", compiler = "g++", seed = "1";
  bool beta = false, batch_invariant = false, fresh = false;

  bool operator==(const TuneForm&) const = default;
};

// What the first start offers: two products that every machine tunes within seconds.
TuneForm example_form();
// In one sentence, with the file that it is recorded in.
std::string example_sentence(const std::string& database);

// Why the form cannot be started, and beside which field that is said: the option's name without dashes.
struct FormError {
  std::string field, sentence;
};
// An error of the planning functions, whose sentences begin with the option they are about.
FormError form_error(const TuneForm& form, const tuner::Error& error);

tl::expected<TuneOptions, FormError> options_of(const TuneForm& form);

// What would run.
struct TunePreview {
  std::vector<std::string> titles;  // of the studies, in order
  std::vector<std::string> notes;
  double seconds = 0;       // of all their budgets; those that count configs are not in it
  std::size_t counted = 0;  // studies whose budget counts configs
};
tl::expected<TunePreview, FormError> preview(const TuneForm& form, const Workplace& place);
// This CPU as the device of a study: its name and how many threads it has here.
std::string device_text(const profilers::CpuInfo& cpu);
// "6 studies, about 1 min"
std::string preview_text(const TunePreview& preview);

// The same as a command line, with what differs from its defaults.
std::string command_text(const TuneForm& form, const std::string& database);

// "preset qwen3-0.6b", "8x1024x1024 and 3 more", "shapes.csv"
std::string form_title(const TuneOptions& options);
// "45 s", "3 min", "1.5 h"
std::string duration_text(double seconds);

}  // namespace gemwright::app
