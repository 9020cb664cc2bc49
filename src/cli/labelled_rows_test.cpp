#include "cli/labelled_rows.h"

#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

std::string golden(const char* name) {
  const auto disk = io::open_posix_disk("tests/golden/parquet").value();
  return io::read_text(*disk, name, 1 << 20).value();
}

std::unique_ptr<io::Disk> disk_of(std::initializer_list<std::pair<const char*, std::string>> files) {
  auto disk = io::make_memory_disk();
  for (const auto& [path, text] : files) {
    EXPECT_TRUE(disk->make_directories(io::Path(path).parent_path() / ".").ok());
    EXPECT_TRUE(io::publish_text(*disk, path, text).ok());
  }
  return disk;
}

TEST(LabelledRows, WhatDatasetsPushesIsReadWithItsClassNames) {
  const std::string file = golden("datasets.parquet");
  const auto disk =
      disk_of({{"data/train-00000-of-00002.parquet", file}, {"data/train-00001-of-00002.parquet", file}});
  const auto rows = read_rows(*disk, "train", {});
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  ASSERT_EQ(rows.value().size(), 600);
  EXPECT_EQ(rows.value()[301].text, "message 1 ü");
  EXPECT_EQ(rows.value()[301].label, "delivery");
  EXPECT_EQ(rows.value()[301].others.at("note"), "n1");
  EXPECT_FALSE(rows.value()[300].others.contains("note"));  // There is none.
  EXPECT_EQ(measure::labels_of(rows.value()), (std::vector<std::string>{"billing", "delivery", "refund"}));
}

TEST(LabelledRows, EveryFormatGivesTheSameRows) {
  const RowColumns columns{"text", "intent"};
  const auto lines = disk_of({{"test.jsonl", R"({"id":"a","text":"x, y","intent":"refund","kind":"edge"})"
                                             "\n"}});
  const auto table = disk_of({{"data/test.csv", "id,text,intent,kind\na,\"x, y\",refund,edge\n"}});
  for (io::Disk* disk : {lines.get(), table.get()}) {
    const auto rows = read_rows(*disk, "test", columns);
    ASSERT_TRUE(rows.ok()) << rows.error().message;
    ASSERT_EQ(rows.value().size(), 1);
    EXPECT_EQ(rows.value()[0].id, "a");
    EXPECT_EQ(rows.value()[0].text, "x, y");
    EXPECT_EQ(rows.value()[0].label, "refund");
    EXPECT_EQ(rows.value()[0].others.at("kind"), "edge");
  }
}

TEST(LabelledRows, WhatIsMissingIsNamed) {
  const auto none = disk_of({{"train.jsonl", "{}\n"}});
  EXPECT_EQ(read_rows(*none, "test", {}).error().code, Code::not_found);
  EXPECT_NE(read_rows(*none, "train", {}).error().message.find("train.jsonl, line 1"), std::string::npos);
  const auto half = disk_of({{"data/train-00001-of-00002.parquet", golden("plain.parquet")}});
  EXPECT_NE(read_rows(*half, "train", {}).error().message.find("1 files of 2"), std::string::npos);
  const auto unnamed = disk_of({{"train.parquet", golden("plain.parquet")}});
  EXPECT_NE(read_rows(*unnamed, "train", {"text", "intent"}).error().message.find("no column 'intent'"),
            std::string::npos);
  EXPECT_NE(read_rows(*unnamed, "train", {"text", "score"}).error().message.find("'score' is no text"),
            std::string::npos);
}

}  // namespace
}  // namespace holdfast::cli
