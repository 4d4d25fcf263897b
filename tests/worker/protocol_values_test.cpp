// Counters and ceilings in messages: they come back as they were sent, and nothing else is taken for them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "tuner/worker/protocol.h"

namespace gemwright::tuner {
namespace {

using profilers::Ceiling;
using profilers::Counter;
using profilers::CounterStatus;
using Counters = std::vector<Counter>;
using Ceilings = std::vector<Ceiling>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Counter counted(const std::string& name, double value) {
  return {"perf", name, "events", CounterStatus::counted, value, 5, ""};
}
Counter missing(CounterStatus status, const std::string& reason) {
  return {"perf", "cycles", "events", status, std::nullopt, 5, reason};
}

template <class T>
T sent(const T& body) {
  const auto parsed = parse_message(to_line(Message(Reply{9, false, body})));
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
  if (!parsed) return T{};
  const auto* const back = std::get_if<T>(&std::get<Reply>(*parsed).body);
  EXPECT_NE(back, nullptr);
  return back != nullptr ? *back : T{};
}

// The complaint about a reply that carries this list, or "" where it is taken.
std::string complaint(const std::string& key, const std::string& list) {
  const auto parsed =
      parse_message(R"({"type":"reply","id":1,"lost":false,"killed":false,")" + key + "\":" + list + "}");
  return parsed ? "" : parsed.error().message;
}

const std::string kCounter =
    R"({"provider":"perf","name":"cycles","unit":"events","status":"counted","value":1.5,"calls":1,"reason":""})";
const std::string kCeiling =
    R"({"name":"read.l1","threads":2,"unit":"GB/s","value":100.5,"spread":0.1,"anchor_ns":2e4,"reason":""})";

std::string with(std::string text, const std::string& part, const std::string& other) {
  const auto at = text.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  return text.replace(at, part.size(), other);
}

std::string list_of(const std::string& items) { return fmt::format("[{}]", items); }

TEST(ProtocolValues, RequestsComeBackAsTheyWereSent) {
  const auto count = parse_request(to_line(Request{7, 2.5, CountRequest{3, 100}}));
  ASSERT_TRUE(count) << count.error().message;
  EXPECT_EQ(std::get<CountRequest>(count->body).handle, 3);
  EXPECT_EQ(std::get<CountRequest>(count->body).calls, 100);
  const auto ceilings = parse_request(to_line(Request{7, 2.5, CeilingsRequest{}}));
  ASSERT_TRUE(ceilings) << ceilings.error().message;
  EXPECT_TRUE(std::holds_alternative<CeilingsRequest>(ceilings->body));
}

TEST(ProtocolValues, HostileRequestsGetASentence) {
  for (const std::string line : {
           R"({"type":"count","id":1,"deadline_s":1,"handle":2,"calls":0})",
           R"({"type":"count","id":1,"deadline_s":1,"handle":2,"calls":-1})",
           R"({"type":"count","id":1,"deadline_s":1,"handle":2,"calls":1e3})",
           R"({"type":"count","id":1,"deadline_s":1,"handle":2,"calls":99999999999999999999})",
           R"({"type":"count","id":1,"deadline_s":1,"handle":0,"calls":1})",
           R"({"type":"count","id":1,"deadline_s":1,"handle":2})",
           R"({"type":"count","id":1,"deadline_s":1,"handle":2,"calls":1,"calls":2})",
           R"({"type":"count","id":1,"deadline_s":1,"handle":2,"calls":1,"events":["cycles"]})",
           R"({"type":"ceilings","id":1,"deadline_s":1,"threads":2})",
           R"({"type":"ceilings","id":1})",
       }) {
    const auto r = parse_request(line);
    ASSERT_FALSE(r) << line;
    EXPECT_LT(r.error().message.size(), 400u) << line;
  }
}

TEST(ProtocolValues, RepliesComeBackAsTheyWereSent) {
  Counter scaled{"perf", "l1d.fills.dram", "events", CounterStatus::scaled, 1e12, 64, "counted for 40 % of the pass"};
  const Counters counters{counted("instructions", 0), missing(CounterStatus::denied, "perf_event_paranoid is 4"),
                          scaled};
  EXPECT_EQ(sent(counters), counters);
  Ceiling known{"fma.avx2.f32", 2, "GFLOP/s", 99.25, "", 0.01, 20123.5};
  Ceiling unknown{"read.l3", 1, "GB/s", std::nullopt, "the size of the L3 is not known", 0, std::nullopt};
  const Ceilings ceilings{known, unknown};
  EXPECT_EQ(sent(ceilings), ceilings);
  EXPECT_EQ(sent(Counters{}), Counters{});
  EXPECT_EQ(sent(Ceilings{}), Ceilings{});
}

TEST(ProtocolValues, EachStatusComesBack) {
  for (const auto status :
       {CounterStatus::counted, CounterStatus::scaled, CounterStatus::simulated, CounterStatus::computed,
        CounterStatus::unsupported, CounterStatus::denied, CounterStatus::not_counted, CounterStatus::failed}) {
    Counter c = missing(status, "why");
    if (has_value(status)) c.value = 3;
    EXPECT_EQ(sent(Counters{c}), Counters{c});
  }
}

TEST(ProtocolValues, WhatHasNoSenseIsSentAsMissing) {
  for (const double value : {kNan, std::numeric_limits<double>::infinity(), -1.0}) {
    const Counters back = sent(Counters{counted("cycles", value), counted("instructions", 1)});
    ASSERT_EQ(back.size(), 2u);
    EXPECT_EQ(back[0].status, CounterStatus::failed);
    EXPECT_FALSE(back[0].value);
    EXPECT_FALSE(back[0].reason.empty());
    EXPECT_EQ(back[1].value, 1);
  }
  Counter both = missing(CounterStatus::denied, "");
  both.value = 0;
  const Counters back = sent(Counters{both});
  ASSERT_EQ(back.size(), 1u);
  EXPECT_FALSE(back[0].value) << "a counter that was denied has no value";
  EXPECT_FALSE(back[0].reason.empty());
  const Ceilings ceilings = sent(Ceilings{{"read.l1", 1, "GB/s", 0.0, "", kNan, kNan}});
  ASSERT_EQ(ceilings.size(), 1u);
  EXPECT_FALSE(ceilings[0].value || ceilings[0].anchor_ns);
  EXPECT_FALSE(ceilings[0].reason.empty());
}

TEST(ProtocolValues, LongListsAndReasonsAreCut) {
  Counters many;
  for (int i = 0; i < 1000; ++i) many.push_back(counted(fmt::format("event{}", i), i));
  EXPECT_EQ(sent(many).size(), 256u);
  const Counters back = sent(Counters{missing(CounterStatus::failed, "\x1b[2J" + std::string(100'000, '"'))});
  ASSERT_EQ(back.size(), 1u);
  EXPECT_LT(back[0].reason.size(), 1000u);
  EXPECT_EQ(back[0].reason.find('\x1b'), std::string::npos);
  Counters largest;
  for (int i = 0; i < 256; ++i) {
    largest.push_back(missing(CounterStatus::failed, std::string(100'000, '\\')));
    largest.back().name = std::string(60, '"') + std::to_string(i);
  }
  EXPECT_LT(to_line(Message(Reply{1, false, largest})).size(), kMaxMessageLine);
  EXPECT_EQ(sent(largest).size(), 256u);
}

TEST(ProtocolValues, HostileCountersGetASentence) {
  ASSERT_EQ(complaint("counters", list_of(kCounter)), "");
  const auto refused = [](const std::string& list) {
    const std::string why = complaint("counters", list);
    EXPECT_FALSE(why.empty()) << list;
    EXPECT_LT(why.size(), 500u) << list;
    EXPECT_EQ(why.find('\x1b'), std::string::npos);
  };
  for (const char* const list : {"{}", "null", "7", "\"x\"", "[null]", "[[]]", "[{}]", "[7]"}) refused(list);
  const auto changed = [&](const std::string& part, const std::string& other) {
    refused(list_of(with(kCounter, part, other)));
  };
  changed(R"("value":1.5,)", "");
  changed(R"("value":1.5)", R"("value":null)");
  changed(R"("value":1.5)", R"("value":"1.5")");
  changed(R"("value":1.5)", R"("value":-1)");
  changed(R"("value":1.5)", R"("value":1e999)");
  changed(R"("value":1.5)", R"("value":NaN)");
  changed(R"("value":1.5)", R"("value":1.5,"value":2)");
  changed(R"("status":"counted")", R"("status":"denied")");
  changed(R"("status":"counted")", R"("status":"guessed")");
  changed(R"("status":"counted")", R"("status":1)");
  changed(R"("status":"counted","value":1.5)", R"("status":"denied")");  // without a reason
  changed(R"("calls":1)", R"("calls":0)");
  changed(R"("calls":1)", R"("calls":1.5)");
  changed(R"("provider":"perf")", R"("provider":"")");
  changed(R"("provider":"perf")", R"("provider":["perf"])");
  changed(R"("name":"cycles")", R"("name":"\u001b[2J")");
  changed(R"("name":"cycles")", fmt::format(R"("name":"{:x<65}")", ""));
  changed(R"("unit":"events")", fmt::format(R"("unit":"{:x<33}")", ""));
  changed(R"("unit":"events",)", "");
  changed(R"("reason":"")", fmt::format(R"("reason":"{:x<321}")", ""));
  changed(R"("reason":"")", R"("reason":"\u001b[2J")");
  changed(R"("reason":"")", R"("reason":"","more":1)");
  refused(list_of(kCounter + "," + kCounter));  // the same counter twice
  std::string many = kCounter;
  for (int i = 0; i < 256; ++i) many += fmt::format(",{}", with(kCounter, "cycles", fmt::format("c{}", i)));
  refused(list_of(many));
}

TEST(ProtocolValues, HostileCeilingsGetASentence) {
  ASSERT_EQ(complaint("ceilings", list_of(kCeiling)), "");
  const auto refused = [](const std::string& list) {
    const std::string why = complaint("ceilings", list);
    EXPECT_FALSE(why.empty()) << list;
    EXPECT_LT(why.size(), 500u) << list;
  };
  for (const char* const list : {"{}", "null", "[null]", "[[]]", "[{}]"}) refused(list);
  const auto changed = [&](const std::string& part, const std::string& other) {
    refused(list_of(with(kCeiling, part, other)));
  };
  changed(R"("value":100.5,)", "");  // absent without a reason
  changed(R"("value":100.5)", R"("value":0)");
  changed(R"("value":100.5)", R"("value":-3)");
  changed(R"("value":100.5)", R"("value":1e999)");
  changed(R"("value":100.5)", R"("value":true)");
  changed(R"("threads":2)", R"("threads":0)");
  changed(R"("threads":2)", R"("threads":4097)");
  changed(R"("spread":0.1)", R"("spread":-0.1)");
  changed(R"("spread":0.1,)", "");
  changed(R"("anchor_ns":2e4)", R"("anchor_ns":0)");
  changed(R"("name":"read.l1")", R"("name":"")");
  changed(R"("unit":"GB/s")", R"("unit":"\n")");
  changed(R"("reason":"")", R"("reason":"","bytes":1)");
  refused(list_of(kCeiling + "," + kCeiling));
  std::string many = kCeiling;
  for (int i = 0; i < 256; ++i) many += fmt::format(",{}", with(kCeiling, "read.l1", fmt::format("read.{}", i)));
  refused(list_of(many));
}

TEST(ProtocolValues, WhatWasKilledIsLost) {
  const auto text = [](const Reply& r) { return parse_message(to_line(Message(r))); };
  const auto killed = text(Reply{1, true, Done{}, true});
  ASSERT_TRUE(killed);
  EXPECT_TRUE(std::get<Reply>(*killed).killed);
  EXPECT_FALSE(text(Reply{1, false, Done{}, true}));
  EXPECT_FALSE(parse_message(R"({"type":"reply","id":1,"lost":true})"));
  EXPECT_FALSE(parse_message(R"({"type":"reply","id":1,"lost":false,"killed":false,"counters":[],"ceilings":[]})"));
}

}  // namespace
}  // namespace gemwright::tuner
