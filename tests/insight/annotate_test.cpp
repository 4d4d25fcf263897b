#include "tuner/insight/annotate.h"

#include <gtest/gtest.h>

#include <string>

namespace gemwright::tuner {
namespace {

// Two rows of one vector; each row's element broadcast.
constexpr const char* kPlain = R"(	.text
	.globl	kernel
kernel:
.LFB0:
	.cfi_startproc
	vxorps	%xmm0, %xmm0, %xmm0
	testq	%rdx, %rdx
	jle	.L2
	.p2align 4,,10
.L3:
	vmovups	(%rsi), %zmm2
	prefetcht0	1024(%rsi)
	vbroadcastss	(%rdi), %zmm3
	vfmadd231ps	%zmm2, %zmm3, %zmm0	# zmm0 += zmm3 * zmm2
	vbroadcastss	(%rdi,%rcx,4), %zmm3
	vfmadd231ps	%zmm2, %zmm3, %zmm1
	addq	$64, %rsi
	addq	$4, %rdi
	cmpq	%rsi, %rdx
	jne	.L3
.L2:
	vmovups	%zmm0, (%r8)
	vmovups	%zmm1, 64(%r8)
	ret
	.cfi_endproc
)";

HotLoop loop_of(const std::string& text) {
  const auto loop = hot_loop(text);
  EXPECT_TRUE(loop) << (loop ? "" : loop.error().message);
  return loop ? *loop : HotLoop{};
}

TEST(Annotate, CountsWhatStandsInTheLoop) {
  const HotLoop loop = loop_of(kPlain);
  EXPECT_EQ(loop.function, "kernel");
  EXPECT_EQ(loop.instructions, 10);
  EXPECT_EQ(loop.multiply_adds, 2);
  EXPECT_EQ(loop.loads, 1);
  EXPECT_EQ(loop.broadcasts, 2);
  EXPECT_EQ(loop.embedded_broadcasts, 0);
  EXPECT_EQ(loop.prefetches, 1);
  EXPECT_EQ(loop.stores, 0) << "those behind the loop do not count";
  EXPECT_EQ(loop.spills, 0);
  EXPECT_EQ(loop.vector_registers, 4);
  EXPECT_DOUBLE_EQ(*loop.multiply_adds_per_load(), 2.0 / 3);
  ASSERT_EQ(loop.lines.size(), 11U);
  EXPECT_EQ(loop.lines[0].text, ".L3:");
  EXPECT_EQ(loop.lines[1].note, "load");
  EXPECT_EQ(loop.lines[4].text, "vfmadd231ps %zmm2, %zmm3, %zmm0") << "without its comment";
  EXPECT_EQ(loop.lines[4].note, "multiply-add");
}

// One loop body between a label and its jump.
std::string looped(const std::string& body) { return "f:\n.L1:\n" + body + "\tjne\t.L1\n\tret\n"; }

TEST(Annotate, OperandsFromMemoryAreLoadsOrEmbeddedBroadcasts) {
  const HotLoop loop =
      loop_of(looped("\tvfmadd231ps\t(%rdi){1to16}, %zmm1, %zmm2\n"
                     "\tvfmadd231ps\t64(%rsi,%rax,4), %zmm1, %zmm3\n"
                     "\tvaddps\t(%rdx), %zmm1, %zmm1\n"
                     "\tleaq\t(%rdi,%rax), %rdi\n"
                     "\tmovq\t8(%rdi), %rax\n"));
  EXPECT_EQ(loop.multiply_adds, 2);
  EXPECT_EQ(loop.embedded_broadcasts, 1);
  EXPECT_EQ(loop.loads, 2);
  EXPECT_EQ(loop.lines[1].note, "multiply-add, embedded broadcast");
}

TEST(Annotate, StackAccessesOfVectorsAreSpillsAndOfAddressesAreNot) {
  const HotLoop loop =
      loop_of(looped("\tvmovaps\t%zmm1, -64(%rsp)\n"
                     "\tvfmadd231ps\t128(%rsp), %zmm1, %zmm2\n"
                     "\tmovq\t-8(%rsp), %rcx\n"
                     "\tvmovups\t(%rbp), %zmm4\n"));
  EXPECT_EQ(loop.spills, 2);
  EXPECT_EQ(loop.address_reloads, 1);
  EXPECT_EQ(loop.stores, 0);
  EXPECT_EQ(loop.loads, 1) << "without a frame %rbp is a register like others";
  const HotLoop framed = loop_of("f:\n\tmovq\t%rsp, %rbp\n.L1:\n\tvfmadd231ps\t-96(%rbp), %ymm1, %ymm2\n\tjne\t.L1\n");
  EXPECT_EQ(framed.spills, 1);
  EXPECT_EQ(framed.loads, 0);
}

TEST(Annotate, StoresInTheLoopCount) {
  const HotLoop loop = loop_of(looped("\tvfmadd213ps\t%ymm0, %ymm1, %ymm2\n\tvmovups\t%ymm2, (%rdi)\n"));
  EXPECT_EQ(loop.stores, 1);
  EXPECT_EQ(loop.loads, 0);
  EXPECT_FALSE(loop.multiply_adds_per_load());
}

TEST(Annotate, FullestInnermostLoopIsTheHotOne) {
  const HotLoop loop = loop_of(
      "small:\n.L1:\n\tvfmadd231ps\t%ymm0, %ymm1, %ymm2\n\tjne\t.L1\n"
      "large:\n.L5:\n\tvfmadd231ps\t%ymm0, %ymm1, %ymm2\n"
      ".L6:\n\tvfmadd231ps\t%ymm0, %ymm1, %ymm2\n\tvfmadd231ps\t%ymm0, %ymm1, %ymm3\n\tja\t.L6\n"
      "\tvfmadd231ps\t%ymm0, %ymm1, %ymm2\n\tjmp\t.L5\n");
  EXPECT_EQ(loop.function, "large");
  EXPECT_EQ(loop.multiply_adds, 2);
  EXPECT_EQ(loop.lines.front().text, ".L6:");
}

TEST(Annotate, ScalarProductsCountWhereNothingIsFused) {
  const HotLoop loop = loop_of(looped("\tmovss\t(%rsi), %xmm1\n\tmulss\t(%rdi), %xmm1\n\taddss\t%xmm1, %xmm0\n"));
  EXPECT_EQ(loop.multiply_adds, 1);
  EXPECT_EQ(loop.loads, 2);
  EXPECT_EQ(loop.vector_registers, 2);
}

TEST(Annotate, DotProductsAreMultiplyAdds) {
  const HotLoop loop =
      loop_of(looped("\tvpbroadcastd\t(%rdi), %zmm1\n"
                     "\tvdpbf16ps\t%zmm1, %zmm2, %zmm3\n"
                     "\tvpdpbusd\t64(%rsi), %zmm2, %zmm3\n"
                     "\t{vex} vpdpbusd\t%ymm1, %ymm2, %ymm4\n"
                     "\tvpmaddwd\t(%rsi){1to16}, %zmm2, %zmm3\n"));
  EXPECT_EQ(loop.multiply_adds, 4);
  EXPECT_EQ(loop.dot_products, 4);
  EXPECT_EQ(loop.broadcasts, 1);
  EXPECT_EQ(loop.loads, 1);
  EXPECT_EQ(loop.embedded_broadcasts, 1);
  EXPECT_EQ(loop.vector_registers, 4);
  EXPECT_EQ(loop.lines[2].note, "dot product");
  EXPECT_EQ(loop.lines[3].note, "dot product, load");
  EXPECT_EQ(loop.lines[4].text, "{vex} vpdpbusd %ymm1, %ymm2, %ymm4");
  EXPECT_NE(to_text(loop).find("4 dot products, 1 load"), std::string::npos) << to_text(loop);
  EXPECT_NE(to_text(loop).find("1.33 dot products a load"), std::string::npos) << to_text(loop);
  EXPECT_EQ(loop_of(kPlain).dot_products, 0);
}

TEST(Annotate, ALoopOfDotProductsIsHotterThanAnActivation) {
  const HotLoop loop = loop_of(
      "f:\n.L1:\n\tvpdpbusd\t%ymm1, %ymm2, %ymm3\n\tjne\t.L1\n"
      ".L2:\n\tvfmadd231ps\t%ymm0, %ymm1, %ymm2\n\tvfmadd231ps\t%ymm0, %ymm1, %ymm3\n\tjne\t.L2\n");
  EXPECT_EQ(loop.lines.front().text, ".L1:");
  EXPECT_EQ(loop.multiply_adds, 1);
}

TEST(Annotate, IntegerProductsCountWhereNothingElseMultiplies) {
  EXPECT_EQ(
      loop_of(looped("\timull\t%eax, %ecx\n\tpmulld\t%xmm0, %xmm1\n\tvpmulld\t%ymm0, %ymm1, %ymm2\n")).multiply_adds,
      3);
  EXPECT_EQ(loop_of(looped("\timulq\t%rax, %rcx\n\tmulss\t%xmm0, %xmm1\n")).multiply_adds, 1) << "an address";
}

TEST(Annotate, OtherTextGivesASentence) {
  const std::string mib(1 << 20, 'j');
  std::string nested;
  for (int i = 0; i < 20000; ++i) nested += ".L" + std::to_string(i) + ":\n";
  for (int i = 0; i < 20000; ++i) nested += "\tjne\t.L" + std::to_string(19999 - i) + "\n";
  for (const std::string& text :
       {std::string(), std::string("hello\nworld\n"), std::string("\0:\n\0\n", 5), std::string(":\n::\n,\n(\n)\n%\n"),
        mib, nested, std::string("f:\n.L1:\n\taddq\t$1, %rax\n\tjne\t.L1\n"), std::string("f:\n.L1:\n\tjmp\t.L2\n"),
        std::string("f:\n.L1:\n\tvfmadd231ps\t%ymm0, %ymm1, %ymm2\ng:\n\tjne\t.L1\n"),
        std::string(".L3:\n\tfmla\tv0.4s, v1.4s, v2.s[0]\n\tbne\t.L3\n")}) {
    const auto loop = hot_loop(text);
    ASSERT_FALSE(loop) << text.substr(0, 40);
    EXPECT_NE(loop.error().message.find("no loop with multiply-adds"), std::string::npos);
  }
}

TEST(Annotate, HostileLinesStayPrintable) {
  const HotLoop loop = loop_of(looped("\tvfmadd231ps\t" + std::string(5000, '(') + "\x1b[31m%zmm99, %zmm\n"));
  EXPECT_EQ(loop.multiply_adds, 1);
  EXPECT_EQ(loop.vector_registers, 0);
  EXPECT_LT(loop.lines[1].text.size(), 200U);
  EXPECT_EQ(to_text(loop).find('\x1b'), std::string::npos);
}

TEST(Annotate, TextForPeopleHasTheFiguresAndTheLoop) {
  const std::string text = to_text(loop_of(kPlain));
  EXPECT_NE(
      text.find("10 instructions in the loop: 2 multiply-adds, 1 load, 2 broadcasts, 0 embedded, 0 stores, 1 "
                "prefetch\n4 vector registers, 0 spills, 0 addresses from the stack, 0.67 multiply-adds a load\n"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("\n.L3:\n  vmovups (%rsi), %zmm2 "), std::string::npos) << text;
}

}  // namespace
}  // namespace gemwright::tuner
