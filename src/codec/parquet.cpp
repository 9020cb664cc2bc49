#include "codec/parquet.h"

#include "codec/parquet_chunk.h"
#include "codec/parquet_header.h"

namespace holdfast::codec {
namespace {

Error broken(const Error& error) {
  return fail(Reason::bad_request, "the Parquet file is broken: " + error.message);
}
Error too_large() { return fail(Reason::body_too_large, "the Parquet file holds more than is read at once"); }

Status read_leaf(ByteView file, const ParquetFile& known, size_t leaf, uint64_t& bytes_left,
                 ParquetEntries& into) {
  for (const ParquetFile::RowGroup& group : known.groups) {
    const Status read =
        read_parquet_chunk(file, known.leaves[leaf], group.chunks[leaf], group.rows, bytes_left, into);
    if (!read.ok() && read.error().code == Code::corrupt) return broken(read.error());
    TRY_DONE(read);
  }
  return Done{};
}

}  // namespace

Result<ParquetTable> read_parquet(ByteView file, const ParquetLimits& limits) {
  auto footer = read_parquet_footer(file);
  if (!footer.ok()) return broken(footer.error());
  ParquetFile& known = footer.value();
  if (known.rows > limits.rows_max) return too_large();
  ParquetTable table;
  table.rows = known.rows;
  table.notes = std::move(known.notes);
  uint64_t bytes_left = limits.bytes_max;
  for (size_t leaf = 0; leaf < known.leaves.size(); ++leaf) {
    const ParquetLeaf& one = known.leaves[leaf];
    if (!one.readable) {
      if (table.left_out.empty() || table.left_out.back() != one.name) table.left_out.push_back(one.name);
      continue;
    }
    ParquetEntries entries;
    TRY_DONE(read_leaf(file, known, leaf, bytes_left, entries));
    table.columns.push_back({.name = one.name, .values = std::move(entries.values)});
  }
  return table;
}

Result<std::vector<ParquetLeft>> look_at_parquet(ByteView file, const ParquetLook& look,
                                                 const ParquetLimits& limits) {
  auto footer = read_parquet_footer(file);
  if (!footer.ok()) return broken(footer.error());
  const ParquetFile& known = footer.value();
  if (known.rows > limits.rows_max) return too_large();
  std::vector<ParquetLeft> left;
  for (size_t leaf = 0; leaf < known.leaves.size(); ++leaf) {
    ParquetEntries entries;
    uint64_t bytes_left = limits.bytes_max;
    TRY(const auto unread, read_parquet_leaf(file, known, leaf, bytes_left, entries));
    if (unread) {
      left.push_back({known.leaves[leaf].path, *unread});
      continue;
    }
    look(values_of_leaf(known.leaves[leaf], entries));
  }
  return left;
}

}  // namespace holdfast::codec
