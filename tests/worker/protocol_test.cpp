#include "tuner/worker/protocol.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <limits>
#include <string>

#include "tuner/worker/channel.h"

namespace gemwright::tuner {
namespace {

Config some_config() {
  Config c;
  c.tile = {gemwright::isa::avx2, 4, 2, 1, 1, gemwright::prefetch::t0};
  c.format = {32};
  c.blocking = {64, 128, 256, gemwright::loop_order::nkm, true, gemwright::a_packing::none, 1, 2, 1, 32};
  return c;
}

MeasureSetup some_setup() {
  MeasureSetup s;
  s.problem.n = 96;
  s.problem.k = 64;
  s.problem.chain = {EpilogueOp::bias, EpilogueOp::relu};
  s.m = 8;
  s.threads = 2;
  s.seed = std::numeric_limits<std::uint64_t>::max();
  s.cache_bytes = 2e8;
  s.compiler = "g++";
  s.further = {"openblas", "blas:/a/lib.so"};
  return s;
}

template <class T>
T round_trip(const T& body) {
  const auto parsed = parse_request(to_line(Request{7, 2.5, body}));
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
  if (!parsed) return T{};
  EXPECT_EQ(parsed->id, 7);
  EXPECT_EQ(parsed->deadline_s, 2.5);
  return std::get<T>(parsed->body);
}

template <class T>
T reply_round_trip(const T& body) {
  const auto parsed = parse_message(to_line(Message(Reply{9, true, body})));
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
  if (!parsed) return T{};
  const Reply& reply = std::get<Reply>(*parsed);
  EXPECT_EQ(reply.id, 9);
  EXPECT_TRUE(reply.lost);
  return std::get<T>(reply.body);
}

std::string request_error(const std::string& line) {
  const auto r = parse_request(line);
  EXPECT_FALSE(r) << line;
  return r ? "" : r.error().message;
}

std::string message_error(const std::string& line) {
  const auto r = parse_message(line);
  EXPECT_FALSE(r) << line;
  return r ? "" : r.error().message;
}

TEST(Protocol, RequestsComeBackAsTheyWereSent) {
  const MeasureSetup s = round_trip(SetupRequest{some_setup()}).setup;
  EXPECT_EQ(s.problem, some_setup().problem);
  EXPECT_EQ(s.m, 8);
  EXPECT_EQ(s.threads, 2);
  EXPECT_EQ(s.seed, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(s.cache, CacheState::cold);
  EXPECT_EQ(s.cache_bytes, 2e8);
  EXPECT_EQ(s.compiler, "g++");
  EXPECT_EQ(s.further, some_setup().further);
  EXPECT_EQ(round_trip(PrefetchRequest{{some_config(), some_config()}}).configs.size(), 2u);
  const auto admit = round_trip(AdmitRequest{some_config(), false});
  EXPECT_TRUE(admit.config == some_config());
  EXPECT_FALSE(admit.verify);
  EXPECT_FALSE(admit.timed);
  EXPECT_TRUE(round_trip(AdmitRequest{some_config(), true, false, true}).timed);
  EXPECT_TRUE(round_trip(LoadRequest{some_config(), "/x.so", true, false, true}).timed);
  const auto header = round_trip(AdmitHeaderRequest{"a\n\"b\"\t", "tuned::x", true});
  EXPECT_EQ(header.text, "a\n\"b\"\t");
  EXPECT_EQ(header.run_namespace, "tuned::x");
  EXPECT_FALSE(round_trip(LoadRequest{std::nullopt, "/x.so", true}).config);
  EXPECT_TRUE(round_trip(LoadRequest{some_config(), "/x.so", true}).config);
  EXPECT_EQ(round_trip(BlockRequest{3, 100}).calls, 100);
  EXPECT_EQ(round_trip(DropRequest{3}).handle, 3);
  round_trip(QuitRequest{});
}

TEST(Protocol, FurtherBaselinesThatCannotBeAreRefused) {
  const auto with = [](std::vector<std::string> further) {
    MeasureSetup s = some_setup();
    s.further = std::move(further);
    return to_line(Request{1, 1, SetupRequest{s}});
  };
  EXPECT_NE(request_error(with({"mkl"})).find("no baseline \"mkl\""), std::string::npos);
  EXPECT_NE(request_error(with({"blas:"})).find("needs a library"), std::string::npos);
  EXPECT_NE(request_error(with({"blas:/a\x01"})).find("not the path"), std::string::npos);
  EXPECT_NE(request_error(with({"openblas", "openblas"})).find("twice"), std::string::npos);
  std::vector<std::string> many;
  for (std::size_t i = 0; i <= kMaxFurtherBaselines; ++i) many.push_back("blas:" + std::to_string(i));
  EXPECT_NE(request_error(with(many)).find("at most 8"), std::string::npos);
  std::string line = with({});
  line.replace(line.find("\"further\":[]"), 12, "\"further\":[1]");
  EXPECT_NE(request_error(line).find("no baseline"), std::string::npos);

  const auto reply = [](FurtherBaseline b) {
    SetupReply r;
    r.further.push_back(std::move(b));
    return to_line(Message(Reply{1, false, r}));
  };
  EXPECT_NE(message_error(reply({"", "", 0})).find("needs a reason"), std::string::npos);
  EXPECT_NE(message_error(reply({"openblas", "", 0})).find("needs a handle"), std::string::npos);
}

TEST(Protocol, RepliesComeBackAsTheyWereSent) {
  const auto setup = reply_round_trip(
      SetupReply{"onednn 2.6.3", "", 2, 1, {{"openblas 0.3.21", "", 3}, {"", "not installed", 0}}, 2e6});
  EXPECT_EQ(setup.baseline, "onednn 2.6.3");
  ASSERT_EQ(setup.further.size(), 2u);
  EXPECT_EQ(setup.further[0].name, "openblas 0.3.21");
  EXPECT_EQ(setup.further[0].handle, 3);
  EXPECT_EQ(setup.further[1].reason, "not installed");
  EXPECT_EQ(setup.baseline_handle, 2);
  EXPECT_EQ(setup.baseline_ns, 2e6);
  EXPECT_FALSE(reply_round_trip(SetupReply{}).baseline_ns);
  Admission a;
  a.handle = 5;
  a.error_fro = 1e-7;
  a.compile_ns = 12;
  const auto admission = reply_round_trip(a);
  EXPECT_EQ(admission.handle, 5);
  EXPECT_EQ(admission.error_fro, 1e-7);
  EXPECT_EQ(admission.compile_ns, 12);
  EXPECT_FALSE(admission.error_max || admission.block);
  a.block = Block{TrialState::ok, "", 7, 1, {}, {}, {}, false};
  ASSERT_TRUE(reply_round_trip(a).block);
  EXPECT_EQ(reply_round_trip(a).block->ns, 7);
  Block b;
  b.ns = 1000;
  b.calls = 3;
  b.cpu = 0;
  b.migrated = true;
  const auto block = reply_round_trip(b);
  EXPECT_EQ(block.ns, 1000);
  EXPECT_EQ(block.cpu, 0);
  EXPECT_TRUE(block.migrated);
  EXPECT_FALSE(block.steal_ticks);
  EXPECT_EQ(reply_round_trip(Error{"no", ErrorKind::usage}).kind, ErrorKind::usage);
}

TEST(Protocol, HelloAndEventsComeBackAsTheyWereSent) {
  Device d;
  d.fingerprint = "abc";
  d.name = "a CPU";
  d.threads = 4;
  const auto hello = parse_message(to_line(Message(Hello{"1.2", d})));
  ASSERT_TRUE(hello);
  EXPECT_EQ(std::get<Hello>(*hello).device, d);
  const auto waiting = parse_message(to_line(Message(Waiting{12, 1001, "gemm at M=8"})));
  ASSERT_TRUE(waiting);
  EXPECT_EQ(std::get<Waiting>(*waiting).pid, 12);
  EXPECT_EQ(std::get<Waiting>(*waiting).uid, 1001u);
  EXPECT_EQ(std::get<Waiting>(*waiting).study, "gemm at M=8");
  const auto unknown = parse_message(to_line(Message(Waiting{})));
  ASSERT_TRUE(unknown);
  EXPECT_FALSE(std::get<Waiting>(*unknown).pid || std::get<Waiting>(*unknown).uid);
  EXPECT_FALSE(parse_message(R"({"type":"waiting","for":"","pid":0})"));
  EXPECT_FALSE(parse_message(R"({"type":"waiting","for":"","uid":-1})"));
  EXPECT_TRUE(parse_message(to_line(Message(Alive{}))));
}

TEST(Protocol, ErrorsThatAreNotNumbersAreAbsent) {
  Admission a;
  a.error_fro = std::numeric_limits<double>::quiet_NaN();
  a.error_max = std::numeric_limits<double>::infinity();
  const auto back = reply_round_trip(a);
  EXPECT_FALSE(back.error_fro);
  EXPECT_FALSE(back.error_max);
}

TEST(Protocol, TheBlockOfAnAdmissionIsOneCallThatSucceeded) {
  const auto with = [](TrialState state, const Block& block) {
    Admission a;
    a.state = state;
    a.reason = state == TrialState::ok ? "" : "no";
    a.block = block;
    return to_line(Message(Reply{1, false, a}));
  };
  const Block good{TrialState::ok, "", 7, 1, {}, {}, {}, false};
  ASSERT_TRUE(parse_message(with(TrialState::ok, good)));
  Block two = good, crashed = good, none = good;
  two.calls = 2;
  none.calls = 0;
  crashed.state = TrialState::crashed;
  crashed.reason = "signal 11";
  EXPECT_NE(message_error(with(TrialState::ok, two)).find("one call"), std::string::npos);
  EXPECT_NE(message_error(with(TrialState::ok, crashed)).find("one call"), std::string::npos);
  EXPECT_NE(message_error(with(TrialState::correctness, good)).find("one call"), std::string::npos);
  EXPECT_FALSE(message_error(with(TrialState::ok, none)).empty());
}

TEST(Protocol, AnotherVersionIsNamed) {
  const auto error = message_error(R"({"type":"hello","version":99,"tool":"9","news":[]})");
  EXPECT_NE(error.find("version 99"), std::string::npos) << error;
}

TEST(Protocol, HostileRequestsGetASentence) {
  const std::string good = R"({"type":"drop","id":1,"deadline_s":1,"handle":2})";
  ASSERT_TRUE(parse_request(good));
  for (const std::string line : {
           "",
           "{",
           "null",
           "[]",
           "7",
           "\"x\"",
           "{}",
           "\xff\xfe",
           R"({"type":"drop"})",
           R"({"type":"drop","id":1,"deadline_s":1,"handle":2,"more":1})",
           R"({"type":"drop","id":1,"deadline_s":1,"handle":2,"handle":3})",
           R"({"type":"drop","id":1,"deadline_s":1,"handle":0})",
           R"({"type":"drop","id":1,"deadline_s":1,"handle":-2})",
           R"({"type":"drop","id":1,"deadline_s":1,"handle":2.5})",
           R"({"type":"drop","id":1,"deadline_s":1,"handle":"2"})",
           R"({"type":"drop","id":1,"deadline_s":1,"handle":99999999999999999999})",
           R"({"type":"drop","id":1,"deadline_s":1e999,"handle":2})",
           R"({"type":"drop","id":1,"deadline_s":-1,"handle":2})",
           R"({"type":"drop","id":1,"deadline_s":NaN,"handle":2})",
           R"({"type":"drop","id":18446744073709551615,"deadline_s":1,"handle":2})",
           R"({"type":["drop"],"id":1,"deadline_s":1,"handle":2})",
           R"({"type":"rm -rf","id":1,"deadline_s":1})",
           R"({"type":"block","id":1,"deadline_s":1,"handle":2,"calls":0})",
           R"({"type":"admit","id":1,"deadline_s":1,"config":{},"verify":true})",
           R"({"type":"admit","id":1,"deadline_s":1,"config":7,"verify":true})",
           R"({"type":"setup","id":1,"deadline_s":1,"setup":[]})",
           R"({"type":"prefetch","id":1,"deadline_s":1,"configs":{}})",
       }) {
    EXPECT_FALSE(request_error(line).empty()) << line;
    EXPECT_LT(request_error(line).size(), 400u) << line;
  }
}

TEST(Protocol, DeepAndWideMessagesAreRefused) {
  EXPECT_NE(request_error(R"({"type":)" + std::string(1'000'000, '[')).find("deep"), std::string::npos);
  std::string wide = R"({"type":"prefetch","id":1,"deadline_s":1,"configs":[0)";
  for (int i = 0; i < 300'000; ++i) wide += ",0";
  EXPECT_NE(request_error(wide + "]}").find("values"), std::string::npos);
}

TEST(Protocol, HostileRepliesGetASentence) {
  for (
      const std::string line : {
          R"({"type":"reply","id":1})",
          R"({"type":"reply","id":1,"lost":false,"killed":false,"setup":{},"block":{}})",
          R"({"type":"reply","id":1,"lost":false,"killed":false,)"
          R"("block":{"state":"ok","reason":"","ns":0,"calls":1,"migrated":false}})",
          R"({"type":"reply","id":1,"lost":false,"killed":false,)"
          R"("block":{"state":"ok","reason":"","ns":5,"calls":-1,"migrated":false}})",
          R"({"type":"reply","id":1,"lost":false,"killed":false,)"
          R"("block":{"state":"crashed","reason":"","ns":0,"calls":0,"migrated":false}})",
          R"({"type":"reply","id":1,"lost":false,"killed":false,"admission":{"state":"great","reason":"","handle":1}})",
          R"({"type":"reply","id":1,"lost":false,"killed":false,"error":{"message":"x","kind":"y"}})",
          R"({"type":"waiting","pid":"x","for":"y"})",
      }) {
    EXPECT_FALSE(message_error(line).empty()) << line;
  }
}

class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe(fds_), 0); }
  ~Pipe() {
    close(fds_[0]);
    finish();
  }
  int reader() const { return fds_[0]; }
  void write(const std::string& text) { EXPECT_TRUE(write_all(fds_[1], text)); }
  void finish() {
    if (fds_[1] >= 0) close(fds_[1]);
    fds_[1] = -1;
  }

 private:
  int fds_[2] = {-1, -1};
};

TEST(LineReader, JoinsPiecesAndSplitsLines) {
  Pipe p;
  LineReader lines(p.reader(), 100);
  p.write("one\ntw");
  EXPECT_TRUE(lines.fill());
  EXPECT_EQ(lines.next(), "one");
  EXPECT_EQ(lines.next(), std::nullopt);
  p.write("o\n\nthree\n");
  EXPECT_TRUE(lines.fill());
  EXPECT_EQ(lines.next(), "two");
  EXPECT_EQ(lines.next(), "");
  EXPECT_EQ(lines.next(), "three");
  p.finish();
  EXPECT_FALSE(lines.fill());
  EXPECT_TRUE(lines.ended());
  EXPECT_FALSE(lines.too_long());
}

TEST(LineReader, RefusesALineWithoutEnd) {
  Pipe p;
  LineReader lines(p.reader(), 100);
  p.write(std::string(101, 'x'));
  EXPECT_FALSE(lines.fill());
  EXPECT_TRUE(lines.too_long());
}

TEST(LineReader, DoesNotHoardLinesThatNobodyAsksFor) {
  Pipe p;
  LineReader lines(p.reader(), 100);
  for (int i = 0; i < 300 && !lines.ended(); ++i) {
    p.write("x\n");
    lines.fill();
  }
  EXPECT_TRUE(lines.too_long());
}

}  // namespace
}  // namespace gemwright::tuner
