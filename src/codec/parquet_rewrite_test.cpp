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
    const auto rewritten = rewrite_parquet(as_bytes(file), [&](ParquetLeafValues& column) {
      if (!changed.empty() || column.kind != ParquetKind::text || !column.rows.empty()) return false;
      changed = column.path;
      for (ParquetValue& value : column.values)
        if (auto* text = std::get_if<std::string>(&value)) *text = "<" + *text + ">";
      return true;
    });
    ASSERT_TRUE(rewritten.ok()) << name << ": " << rewritten.error().message;
    ASSERT_FALSE(changed.empty()) << name;
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

struct Leaves {
  std::vector<ParquetLeafValues> all;
  explicit Leaves(const std::string& file) {
    const auto left =
        look_at_parquet(as_bytes(file), [&](const ParquetLeafValues& leaf) { all.push_back(leaf); });
    EXPECT_TRUE(left.ok() && left.value().empty());
  }
};

TEST(ParquetRewrite, NestedColumnsKeepTheirShape) {
  const std::string file = golden("nested.parquet");
  const Leaves before(file);
  std::string paths;
  for (const ParquetLeafValues& leaf : before.all) paths += leaf.path + " ";
  EXPECT_EQ(paths, "text tags at n inner.k ") << "lists and maps put names between, which nobody gave";
  const auto rewritten = rewrite_parquet(as_bytes(file), [](ParquetLeafValues& leaf) {
    if (leaf.path == "tags") leaf.values[0] = std::string(3'000'000, 'y');
    if (leaf.path == "inner.k") leaf.values[1] = ParquetValue();
    if (leaf.path == "n") leaf.values[0] = int64_t{INT32_MIN};
    return leaf.path != "text";
  });
  ASSERT_TRUE(rewritten.ok()) << rewritten.error().message;
  const Leaves after(rewritten.value().file);
  ASSERT_EQ(after.all.size(), before.all.size());
  for (size_t i = 0; i < after.all.size(); ++i) {
    ParquetLeafValues wanted = before.all[i];
    if (wanted.path == "tags") wanted.values[0] = std::string(3'000'000, 'y');
    if (wanted.path == "inner.k") wanted.values[1] = ParquetValue();
    if (wanted.path == "n") wanted.values[0] = int64_t{INT32_MIN};
    EXPECT_EQ(after.all[i].values, wanted.values) << wanted.path;
    EXPECT_EQ(after.all[i].rows, wanted.rows) << wanted.path;
    EXPECT_EQ(after.all[i].kind, wanted.kind) << wanted.path;
  }
  EXPECT_EQ(before.all[2].kind, ParquetKind::microseconds);
  const auto widened = rewrite_parquet(as_bytes(file), [](ParquetLeafValues& leaf) {
    if (leaf.path == "n") leaf.values[0] = int64_t{INT32_MAX} + 1;
    return leaf.path == "n";
  });
  EXPECT_FALSE(widened.ok()) << "a number that its column cannot hold";
}

// Decimals of several widths, bytes of one length and INT96, written by pyarrow.
TEST(ParquetRewrite, DecimalsOldMomentsAndBytesOfOneLengthKeepTheirs) {
  const std::string file = golden("odd.parquet");
  const Leaves before(file);
  ASSERT_EQ(before.all.size(), 5U);
  struct Case {
    const char* path;
    ParquetKind kind;
    uint32_t length, scale;
  };
  for (size_t i = 0; const auto& [path, kind, length, scale] :
                     {Case{"small", ParquetKind::decimal, 3, 2}, Case{"number", ParquetKind::decimal, 7, 0},
                      Case{"long", ParquetKind::decimal, 16, 4}, Case{"code", ParquetKind::text, 16, 0},
                      Case{"seen", ParquetKind::old_moment, 12, 0}}) {
    EXPECT_EQ(before.all[i].path, path);
    EXPECT_EQ(before.all[i].kind, kind) << path;
    EXPECT_EQ(before.all[i].length, length) << path;
    EXPECT_EQ(before.all[i].scale, scale) << path;
    EXPECT_TRUE(before.all[i].optional) << path;
    ++i;
  }
  EXPECT_EQ(before.all[3].values[0], ParquetValue(std::string("a@b.example.org ")));
  EXPECT_EQ(before.all[0].values[0], ParquetValue(std::string("\x00\x04\xB0", 3)));
  const auto rewritten = rewrite_parquet(as_bytes(file), [](ParquetLeafValues& leaf) {
    leaf.values[0] = leaf.path == "code" ? ParquetValue(std::string("<EMAIL_ADDRESS> ")) : ParquetValue();
    return true;
  });
  ASSERT_TRUE(rewritten.ok()) << rewritten.error().message;
  const Leaves after(rewritten.value().file);
  for (size_t i = 0; i < after.all.size(); ++i)
    for (size_t row = 0; row < 3; ++row) {
      ParquetValue wanted = before.all[i].values[row];
      if (row == 0) wanted = i == 3 ? ParquetValue(std::string("<EMAIL_ADDRESS> ")) : ParquetValue();
      EXPECT_EQ(after.all[i].values[row], wanted) << after.all[i].path << ", row " << row;
    }
  const auto longer = rewrite_parquet(as_bytes(file), [](ParquetLeafValues& leaf) {
    if (leaf.path == "code") leaf.values[0] = std::string("longer than all the others are");
    return leaf.path == "code";
  });
  EXPECT_FALSE(longer.ok()) << "a text that its column cannot hold";
}

TEST(ParquetRewrite, WithoutAChangeThereIsNoFile) {
  const auto same =
      rewrite_parquet(as_bytes(golden("plain.parquet")), [](ParquetLeafValues&) { return false; });
  ASSERT_TRUE(same.ok());
  EXPECT_TRUE(same.value().file.empty());
  EXPECT_FALSE(rewrite_parquet(as_bytes("PAR1 no PAR1"), [](auto&) { return true; }).ok());
}

TEST(ParquetRewrite, WhatIsCutOffIsAnErrorAndNoCrash) {
  const std::string file = golden("nested.parquet");
  for (size_t size = 0; size < file.size(); size += 7) {
    std::string cut = file.substr(size);
    EXPECT_FALSE(rewrite_parquet(as_bytes(cut.substr(0, cut.size() - 1)), [](auto&) { return true; }).ok());
    // From the front: the footer is whole and points before it.
    (void)rewrite_parquet(as_bytes(cut), [](auto&) { return true; });
  }
}

TEST(ParquetRewrite, FlippedBytesAreErrorsAtMost) {
  SeededRandom random(5);
  for (const char* name : {"plain.parquet", "nested.parquet", "zstd_v2.parquet", "odd.parquet"}) {
    const std::string file = golden(name);
    for (int round = 0; round < 400; ++round) {
      std::string other = file;
      // Most flips in the footer, which holds all lengths and places.
      for (uint64_t i = 0; i <= random.below(3); ++i)
        other[other.size() - 1 - random.below(std::min<size_t>(other.size(), 1500))] =
            static_cast<char>(random.below(256));
      (void)rewrite_parquet(as_bytes(other), [](auto&) { return true; },
                            {.rows_max = 10'000, .bytes_max = 1 << 20});
    }
  }
}

}  // namespace
}  // namespace holdfast::codec
