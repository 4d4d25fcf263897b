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
  in.host.steal_ticks = {250, ""};
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
  EXPECT_EQ(line_of(lines, "machine", "stolen time since boot").value, "2.50 s");
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
  EXPECT_EQ(sections, (std::vector<std::string>{"cpu", "clock", "machine", "measuring", "counters", "ceilings",
                                                "compilers", "libraries", "database"}));
}

TEST(Doctor, TheNoiseFloorIsTheFarEndOfItsInterval) {
  DoctorInput in = input();
  in.measured.emplace();
  in.measured->noise.compute = std::vector<double>(20, 0.01);
  in.measured->noise.memory = profilers::missing<std::vector<double>>("too little memory");
  in.measured->ceilings = {{"fma.avx2.f32", 1, "GFLOP/s", 133.25, "", 0.004, {}},
                           {"read.l3", 2, "GB/s", {}, "its size is not known", 0, {}}};
  const auto lines = doctor(in);
  EXPECT_EQ(line_of(lines, "measuring", "noise floor, computing").value, "1 %");
  EXPECT_EQ(line_of(lines, "measuring", "noise floor, memory").reason, "too little memory");
  EXPECT_EQ(line_of(lines, "ceilings", "fma.avx2.f32, 1 thread").value, "133.2 GFLOP/s");
  EXPECT_FALSE(line_of(lines, "ceilings", "read.l3, 2 threads").value);
}

TEST(Doctor, WhatWasNotMeasuredIsMissingWithTheReason) {
  DoctorInput in = input();
  in.allowed_cpus = {0, 1, 2, 5};
  in.lock = {"machine lock", "/tmp/lock: process 7 measures study 3", ""};
  in.not_measured = "another process measures";
  in.counters = {{"perf", 30, 0, "missing: no PMU"}, {"rusage", 6, 6, "6 counters"}};
  const auto lines = doctor(in);
  EXPECT_EQ(line_of(lines, "measuring", "CPUs to pin threads to").value, "0-2,5");
  EXPECT_EQ(line_of(lines, "measuring", "machine lock").value, "/tmp/lock: process 7 measures study 3");
  EXPECT_EQ(line_of(lines, "measuring", "noise floor, memory").reason, "another process measures");
  EXPECT_EQ(line_of(lines, "ceilings", "ceilings").reason, "another process measures");
  EXPECT_EQ(line_of(lines, "counters", "perf"), (DoctorLine{"counters", "perf", std::nullopt, "no PMU"}));
  EXPECT_EQ(line_of(lines, "counters", "rusage").value, "6 counters");
}

TEST(Doctor, CountsStudiesAndNamesThoseWhoseProcessIsGone) {
  DoctorInput in = input();
  in.studies.resize(3);
  in.studies[0].study.state = tuner::StudyState::finished;
  in.studies[1].study.id = 4;
  in.studies[1].runner_alive = false;
  in.studies[2].study.id = 5;
  in.studies[2].runner_alive = true;
  in.studies[2].study.runner = tuner::Runner{77, "boot"};
  const auto lines = doctor(in);
  EXPECT_EQ(line_of(lines, "database", "studies").value, "1 abandoned, 1 finished, 1 running");
  EXPECT_EQ(line_of(lines, "database", "running studies").value, "5 (process 77)");
  EXPECT_EQ(line_of(lines, "database", "abandoned studies").value, "4");
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
