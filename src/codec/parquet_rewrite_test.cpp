#include "codec/parquet_rewrite.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/random.h"

namespace holdfast::codec {
namespace {

std::string golden(const std::string& name) {
  std::ifstream file("tests/golden/parquet/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ParquetRewrite, OneColumnChangesAndNothingElse) {
  for (const char* name :
       {"datasets.parquet", "plain.parquet", "zstd_v2.parquet", "gzip.parquet", "nested.parquet"}) {
    const std::string file = golden(name);
    const auto before = read_parquet(as_bytes(file));
    ASSERT_TRUE(before.ok()) << name;
    std::string changed;
    const auto rewritten =
        rewrite_parquet(as_bytes(file), [&](std::string_view column, std::vector<ParquetValue>& values) {
          if (!changed.empty()) return false;
          changed = column;
          for (ParquetValue& value : values)
            if (auto* text = std::get_if<std::string>(&value)) *text = "<" + *text + ">";
          return true;
        });
    ASSERT_TRUE(rewritten.ok()) << name << ": " << rewritten.error().message;
    ASSERT_FALSE(changed.empty()) << name;
    EXPECT_EQ(rewritten.value().left_out, before.value().left_out);
    const auto after = read_parquet(as_bytes(rewritten.value().file));
    ASSERT_TRUE(after.ok()) << name << ": " << after.error().message;
    EXPECT_EQ(after.value().notes, before.value().notes);
    ASSERT_EQ(after.value().columns.size(), before.value().columns.size());
    for (size_t i = 0; i < after.value().columns.size(); ++i) {
      const ParquetColumn &was = before.value().columns[i], &is = after.value().columns[i];
      EXPECT_EQ(is.name, was.name);
      ASSERT_EQ(is.values.size(), was.values.size());
      for (size_t row = 0; row < is.values.size(); ++row) {
        ParquetValue wanted = was.values[row];
        if (auto* text = std::get_if<std::string>(&wanted); text != nullptr && was.name == changed)
          *text = "<" + *text + ">";
        EXPECT_EQ(is.values[row], wanted) << name << ", " << was.name << ", row " << row;
      }
    }
  }
}

TEST(ParquetRewrite, WithoutAChangeThereIsNoFile) {
  const auto same = rewrite_parquet(as_bytes(golden("plain.parquet")),
                                    [](std::string_view, std::vector<ParquetValue>&) { return false; });
  ASSERT_TRUE(same.ok());
  EXPECT_TRUE(same.value().file.empty());
  EXPECT_FALSE(rewrite_parquet(as_bytes("PAR1 no PAR1"), [](auto, auto&) { return true; }).ok());
}

TEST(ParquetRewrite, WhatIsCutOffIsAnErrorAndNoCrash) {
  const std::string file = golden("nested.parquet");
  for (size_t size = 0; size < file.size(); size += 7) {
    std::string cut = file.substr(size);
    EXPECT_FALSE(
        rewrite_parquet(as_bytes(cut.substr(0, cut.size() - 1)), [](auto, auto&) { return true; }).ok());
    // From the front: the footer is whole and points before it.
    (void)rewrite_parquet(as_bytes(cut), [](auto, auto&) { return true; });
  }
}

TEST(ParquetRewrite, FlippedBytesAreErrorsAtMost) {
  SeededRandom random(5);
  for (const char* name : {"plain.parquet", "nested.parquet", "zstd_v2.parquet"}) {
    const std::string file = golden(name);
    for (int round = 0; round < 400; ++round) {
      std::string other = file;
      // Most flips in the footer, which holds all lengths and places.
      for (uint64_t i = 0; i <= random.below(3); ++i)
        other[other.size() - 1 - random.below(std::min<size_t>(other.size(), 1500))] =
            static_cast<char>(random.below(256));
      (void)rewrite_parquet(as_bytes(other), [](auto, auto&) { return true; },
                            {.rows_max = 10'000, .bytes_max = 1 << 20});
    }
  }
}

}  // namespace
}  // namespace holdfast::codec
