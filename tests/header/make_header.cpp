// Writes the hand-made headers that the consumer test compiles: make_header FOLDER
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>

#include "tests/header/samples.h"

int main(int argc, char** argv) {
  using namespace gemwright::tuner;
  if (argc != 2) {
    std::fputs("usage: make_header FOLDER\n", stderr);
    return 2;
  }
  const std::pair<const char*, HeaderSpec> headers[] = {
      {"wide_standalone.h", samples::wide_spec("wide", HeaderStyle::standalone)},
      {"small_standalone.h", samples::small_spec("engine::small", HeaderStyle::standalone)},
      {"wide_library.h", samples::wide_spec("wide", HeaderStyle::library)},
      {"modes_standalone.h", samples::modes_spec("modes", HeaderStyle::standalone)},
      {"modes_library.h", samples::modes_spec("modes", HeaderStyle::library)},
      {"small_library.h", samples::small_spec("engine::small", HeaderStyle::library)},
      {"hostile_standalone.h", samples::hostile_spec("hostile", HeaderStyle::standalone)},
      {"hostile_library.h", samples::hostile_spec("hostile", HeaderStyle::library)},
  };
  for (const auto& [name, spec] : headers) {
    const auto text = write_header(spec);
    if (!text) {
      std::fprintf(stderr, "%s: %s\n", name, text.error().message.c_str());
      return 1;
    }
    std::ofstream file(std::string(argv[1]) + "/" + name, std::ios::binary);
    file << *text;
    if (!file.flush()) {
      std::fprintf(stderr, "%s/%s cannot be written\n", argv[1], name);
      return 1;
    }
  }
  return 0;
}
