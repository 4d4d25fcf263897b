#include "app/model/write_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

namespace gemwright::app {
namespace {

class WriteFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("gemwright_write_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  static std::string content(const std::filesystem::path& p) {
    std::ifstream in(p);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::filesystem::path folder_;
};

TEST_F(WriteFile, ReplacesTheWholeFileAndLeavesNothingElse) {
  ASSERT_TRUE(write_file(folder_ / "a.h", "a long first text"));
  ASSERT_TRUE(write_file(folder_ / "a.h", "short"));
  EXPECT_EQ(content(folder_ / "a.h"), "short");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(WriteFile, AFolderOrAMissingParentIsOneSentence) {
  for (const auto& path : {folder_, folder_ / "missing" / "a.h"}) {
    const auto r = write_file(path, "x");
    ASSERT_FALSE(r);
    EXPECT_NE(r.error().message.find(path.string()), std::string::npos) << r.error().message;
  }
}

}  // namespace
}  // namespace gemwright::app
