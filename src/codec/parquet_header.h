#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "codec/parquet.h"

namespace holdfast::codec {

// Numbers are those of parquet.thrift (apache/parquet-format 2.10).
enum class ParquetType : uint8_t { boolean, int32, int64, int96, real32, real64, bytes, fixed_bytes };
enum class ParquetCodec : uint8_t { none, snappy, gzip, lzo, brotli, lz4, zstd, lz4_raw };
enum class ParquetEncoding : uint8_t { plain = 0, plain_dictionary = 2, rle = 3, rle_dictionary = 8 };

// A column of values. `readable` is false where they are nested or of a type that is not read.
struct ParquetLeaf {
  std::string name;  // Of the column; of nested values the outermost one's.
  std::string path;  // "user.emails": all names, save those that lists and maps put between.
  ParquetType type = ParquetType::bytes;
  ParquetKind kind = ParquetKind::text;
  uint32_t length = 0, scale = 0;  // As ParquetLeafValues'.
  bool optional = false, readable = true;
  // Levels of a value that is there (parquet-format, Nested Encoding).
  uint8_t repetition_max = 0, definition_max = 0;

  // Whether levels say more than which rows have no value.
  bool is_nested() const { return repetition_max > 0 || definition_max > 1; }
};

struct ParquetChunk {
  ParquetType type = ParquetType::bytes;
  ParquetCodec codec = ParquetCodec::none;
  uint64_t values = 0, offset = 0, size = 0;  // Where its pages are in the file.
};

struct ParquetFile {
  uint64_t rows = 0;
  std::vector<ParquetLeaf> leaves;
  struct RowGroup {
    uint64_t rows = 0;
    std::vector<ParquetChunk> chunks;  // One a leaf.
  };
  std::vector<RowGroup> groups;
  std::map<std::string, std::string> notes;  // "huggingface": what `datasets` knows of the columns.
};
Result<ParquetFile> read_parquet_footer(ByteView file);

struct ParquetPage {
  enum class Kind : uint8_t { data, index, dictionary, data2 } kind = Kind::data;
  uint64_t packed = 0, unpacked = 0;  // Bytes.
  uint64_t values = 0;
  uint32_t encoding = 0;
  // Of data2: levels stand before the values and are never compressed.
  uint64_t definition_bytes = 0, repetition_bytes = 0;
  bool compressed = true;
};
struct ParquetPageAt {
  ParquetPage page;
  size_t header_bytes = 0;
};
Result<ParquetPageAt> read_parquet_page(ByteView bytes);

}  // namespace holdfast::codec
