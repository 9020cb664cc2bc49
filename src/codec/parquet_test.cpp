#include "codec/parquet.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <fstream>
#include <iterator>

#include "codec/json.h"

namespace holdfast::codec {
namespace {

namespace json = boost::json;

std::string golden(const std::string& name) {
  std::ifstream file("tests/golden/parquet/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool same(const ParquetValue& value, const json::value& wanted) {
  if (wanted.is_null()) return std::holds_alternative<std::monostate>(value);
  if (wanted.is_string()) return std::get<std::string>(value) == wanted.get_string();
  if (wanted.is_bool()) return std::get<bool>(value) == wanted.get_bool();
  if (wanted.is_int64() && std::holds_alternative<int64_t>(value))
    return std::get<int64_t>(value) == wanted.get_int64();
  return std::get<double>(value) == static_cast<double>(static_cast<float>(wanted.to_number<double>()));
}

TEST(Parquet, AFileIsReadAsItsWriterMeantIt) {
  const json::array rows = parse_json(golden("rows.json")).value().as_array();
  for (const char* name : {"datasets.parquet", "plain.parquet", "zstd_v2.parquet", "gzip.parquet"}) {
    const std::string file = golden(name);
    const auto table = read_parquet(as_bytes(file));
    ASSERT_TRUE(table.ok()) << name << ": " << table.error().message;
    EXPECT_EQ(table.value().rows, std::string_view(name) == "datasets.parquet" ? 300 : 40) << name;
    ASSERT_EQ(table.value().columns.size(), 5) << name;
    for (const ParquetColumn& column : table.value().columns)
      for (size_t row = 0; row < table.value().rows; ++row)
        EXPECT_TRUE(same(column.values[row], rows[row].get_object().at(column.name)))
            << name << ", row " << row << ", " << column.name;
    EXPECT_NE(table.value().notes.at("huggingface").find("ClassLabel"), std::string::npos);
  }
}

TEST(Parquet, NestedColumnsAreLeftOutAndTheOthersRead) {
  const std::string file = golden("nested.parquet");
  const ParquetTable table = read_parquet(as_bytes(file)).value();
  ASSERT_EQ(table.columns.size(), 3);
  EXPECT_EQ(table.columns[0].name, "text");
  EXPECT_EQ(std::get<std::string>(table.columns[0].values[1]), "b");
  EXPECT_EQ(std::get<int64_t>(table.columns[1].values[1]), 2);   // Microseconds.
  EXPECT_EQ(std::get<int64_t>(table.columns[2].values[1]), -2);  // Of 32 bits.
  EXPECT_EQ(table.left_out, (std::vector<std::string>{"tags", "inner"}));
}

TEST(Parquet, AnotherEncodingIsRefusedByName) {
  const std::string file = golden("delta.parquet");
  const auto table = read_parquet(as_bytes(file));
  ASSERT_FALSE(table.ok());
  EXPECT_NE(table.error().message.find("'label' has Parquet's encoding 5"), std::string::npos)
      << table.error().message;
}

TEST(Parquet, LimitsHold) {
  const std::string file = golden("datasets.parquet");
  EXPECT_EQ(read_parquet(as_bytes(file), {.rows_max = 299}).error().reason, Reason::body_too_large);
  EXPECT_EQ(read_parquet(as_bytes(file), {.bytes_max = 5'000}).error().reason, Reason::body_too_large);
}

// Cut anywhere or with any byte changed, a file is read or refused, and never read beyond its end.
TEST(Parquet, ABrokenFileIsRefused) {
  const std::string whole = golden("gzip.parquet");
  for (size_t size = 0; size < whole.size(); size += 7)
    EXPECT_FALSE(read_parquet(as_bytes(std::string_view(whole).substr(0, size))).ok()) << size;
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x55);
    const auto table = read_parquet(as_bytes(changed), {.rows_max = 10'000, .bytes_max = 1 << 20});
    if (!table.ok()) continue;
    for (const ParquetColumn& column : table.value().columns)
      EXPECT_EQ(column.values.size(), table.value().rows) << at;
  }
}

}  // namespace
}  // namespace holdfast::codec
