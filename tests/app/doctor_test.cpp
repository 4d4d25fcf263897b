#include "app/model/doctor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

namespace gemwright::app {
namespace {

DoctorInput input() {
  DoctorInput in;
  in.cpu.vendor = "AuthenticAMD";
  in.cpu.brand = "AMD EPYC";
  in.cpu.allowed_cpus = 2;
  in.cpu.total_cpus = 8;
  in.cpu.l2_bytes = 1 << 20;
  in.cpu.instruction_sets = {"fma", "avx2"};
  in.host.governor = profilers::missing<std::string>("not readable here");
  in.host.steal_ticks = {0, ""};
  in.compilers = {{"g++", "12.2.0", ""}, {"clang++", std::nullopt, "not in PATH"}};
  in.libraries = {{"oneDNN", std::nullopt, "not found when this was built"}};
  in.database = {{"gemwright.db", "healthy", ""}};
  return in;
}

DoctorLine line_of(const std::vector<DoctorLine>& lines, const std::string& section, const std::string& name) {
  const auto at = std::find_if(lines.begin(), lines.end(),
                               [&](const DoctorLine& l) { return l.section == section && l.name == name; });
  return at == lines.end() ? DoctorLine{} : *at;
}

TEST(Doctor, AValueOrTheReasonWhyThereIsNone) {
  const auto lines = doctor(input());
  EXPECT_EQ(line_of(lines, "cpu", "logical CPUs").value, "2 of 8 allowed");
  EXPECT_EQ(line_of(lines, "cpu", "kernel families").value, "avx2, scalar");
  EXPECT_EQ(line_of(lines, "cpu", "L2").value, "1 MiB");
  EXPECT_EQ(line_of(lines, "machine", "frequency governor"),
            (DoctorLine{"machine", "frequency governor", std::nullopt, "not readable here"}));
  EXPECT_EQ(line_of(lines, "machine", "stolen time since boot").value, "0 ticks");
  EXPECT_EQ(line_of(lines, "compilers", "clang++"), (DoctorLine{"compilers", "clang++", std::nullopt, "not in PATH"}));
  for (const DoctorLine& l : doctor(DoctorInput{})) {
    EXPECT_TRUE(l.section != "cpu" || l.value || !l.reason.empty()) << l.name;
  }
}

TEST(Doctor, SectionsStandTogetherAndInOrder) {
  std::vector<std::string> sections;
  for (const DoctorLine& l : doctor(input())) {
    if (sections.empty() || sections.back() != l.section) sections.push_back(l.section);
  }
  EXPECT_EQ(sections, (std::vector<std::string>{"cpu", "clock", "machine", "compilers", "libraries", "database"}));
}

TEST(Doctor, TheTableAlignsAndKeepsForeignTextOnItsLine) {
  const std::string text = doctor_table(
      {{"tools", "g++", "12\n\x1b[31m", ""}, {"tools", "clang++", {}, "not\tthere"}, {"db", "x", "ok", "old"}});
  EXPECT_EQ(text,
            "tools\n"
            "  g++      12  [31m\n"
            "  clang++  missing: not there\n"
            "\n"
            "db\n"
            "  x        ok  (old)\n");
}

TEST(Doctor, JsonLinesBeginWithTheVersionAndKeepAbsentValuesNull) {
  std::istringstream text(doctor_json({{"tools", "g++", "12 \"\xff", ""}, {"tools", "clang++", {}, "not there"}}));
  std::vector<nlohmann::json> rows;
  for (std::string line; std::getline(text, line);) rows.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].at("type"), "doctor");
  EXPECT_EQ(rows[0].at("version"), 1);
  EXPECT_EQ(rows[1].at("name"), "g++");
  EXPECT_FALSE(rows[1].contains("reason"));
  EXPECT_TRUE(rows[2].at("value").is_null());
  EXPECT_EQ(rows[2].at("reason"), "not there");
}

}  // namespace
}  // namespace gemwright::app
