#include "app/model/database_name.h"

#include <gtest/gtest.h>

namespace gemwright::app {
namespace {

TEST(DatabaseName, IsTheFileNameWhereNoOtherHasIt) {
  EXPECT_EQ(telling_name("/home/a/gemwright.db", {}), "gemwright.db");
  EXPECT_EQ(telling_name("/home/a/gemwright.db", {"/home/a/other.db", "/home/b/my_gemwright.db"}), "gemwright.db");
}

TEST(DatabaseName, HasAsManyFoldersAsTellItApart) {
  EXPECT_EQ(telling_name("/home/a/gemwright.db", {"/home/b/gemwright.db"}), "a/gemwright.db");
  EXPECT_EQ(telling_name("/home/a/data/gemwright.db", {"/home/b/data/gemwright.db"}), "a/data/gemwright.db");
  EXPECT_EQ(telling_name("/home/a/gemwright.db", {"/srv/a/gemwright.db", "/home/b/gemwright.db"}),
            "home/a/gemwright.db");
}

TEST(DatabaseName, OfAPathThatEndsAnotherIsAllOfIt) {
  EXPECT_EQ(telling_name("/a/gemwright.db", {"/home/a/gemwright.db"}), "/a/gemwright.db");
  EXPECT_EQ(telling_name("/home/a/gemwright.db", {"/a/gemwright.db"}), "home/a/gemwright.db");
  EXPECT_EQ(telling_name("/gemwright.db", {"/gemwright.db"}), "gemwright.db");
}

TEST(DatabaseName, OfAClosedDatabaseCountsNoMore) {
  Snapshot s;
  s.databases.push_back({"/home/a/gemwright.db", true, "", {}});
  s.databases.push_back({"/home/b/gemwright.db", true, "", {}});
  EXPECT_EQ(database_name(s, s.databases.front()), "a/gemwright.db");
  EXPECT_EQ(database_name(s, s.databases.back()), "b/gemwright.db");
  s.databases.back().closed = true;
  EXPECT_EQ(database_name(s, s.databases.front()), "gemwright.db");
}

}  // namespace
}  // namespace gemwright::app
