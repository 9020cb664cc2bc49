#include "codec/parquet_rewrite.h"

#include <algorithm>
#include <span>

#include "codec/parquet_header.h"
#include "codec/thrift_value.h"

namespace holdfast::codec {
namespace {

using Type = ThriftValue::Type;

constexpr std::string_view magic = "PAR1";
constexpr size_t page_bytes = 1 << 20;
constexpr int64_t unpacked_max = int64_t{1} << 40;  // Of one chunk, as its footer says.
// Fields of ColumnMetaData, ColumnChunk and RowGroup (parquet.thrift).
constexpr int32_t encodings = 2, codec = 4, unpacked_size = 6, packed_size = 7, data_page = 9,
                  index_page = 10, dictionary_page = 11, statistics = 12, encoding_statistics = 13,
                  bloom_offset = 14, bloom_length = 15, size_statistics = 16;
constexpr int32_t chunk_offset = 2, chunk_data = 3, indexes_first = 4, indexes_last = 7;
constexpr int32_t group_columns = 1, group_bytes = 2, group_offset = 5, group_packed = 6;
constexpr int32_t footer_groups = 4;

Error broken() { return fail(Reason::bad_request, "the Parquet file is damaged"); }

void put_u32(std::string& out, size_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift));
}

ThriftValue structure(std::vector<std::pair<int32_t, ThriftValue>> fields) {
  ThriftValue out;
  out.type = Type::structure;
  out.fields = std::move(fields);
  return out;
}
ThriftValue i32(int64_t value) { return ThriftValue::of_number(value, Type::i32); }

bool is_missing(const ParquetValue& value) { return std::holds_alternative<std::monostate>(value); }

// Levels of 0 and 1 as runs: their length, doubled, then the level.
std::string levels_of(std::span<const ParquetValue> values) {
  std::string out;
  for (size_t at = 0; at < values.size();) {
    const bool missing = is_missing(values[at]);
    size_t end = at;
    while (end < values.size() && is_missing(values[end]) == missing) ++end;
    for (uint64_t head = (end - at) << 1; true; head >>= 7) {
      out.push_back(static_cast<char>(head >= 128 ? head | 128 : head));
      if (head < 128) break;
    }
    out.push_back(missing ? '\0' : '\1');
    at = end;
  }
  return out;
}

void put_page(std::string& out, std::span<const ParquetValue> values, bool optional) {
  std::string body;
  if (optional) {
    const std::string levels = levels_of(values);
    put_u32(body, levels.size());
    body += levels;
  }
  for (const ParquetValue& value : values)
    if (const auto* text = std::get_if<std::string>(&value)) {
      put_u32(body, text->size());
      body += *text;
    }
  const auto size = static_cast<int64_t>(body.size());
  out += write_thrift(structure(
      {{1, i32(0)},
       {2, i32(size)},
       {3, i32(size)},
       {5,
        structure({{1, i32(static_cast<int64_t>(values.size()))}, {2, i32(0)}, {3, i32(3)}, {4, i32(3)}})}}));
  out += body;
}

std::string chunk_of(std::span<const ParquetValue> values, bool optional) {
  std::string out;
  do {
    size_t bytes = 0, count = 0;
    for (; count < values.size() && bytes < page_bytes; ++count)
      if (const auto* text = std::get_if<std::string>(&values[count])) bytes += text->size() + 4;
    put_page(out, values.first(count), optional);
    values = values.subspan(count);
  } while (!values.empty());
  return out;
}

struct ChangedColumn {
  bool changed = false, optional = false;
  std::vector<ParquetValue> values{};
};

// Writes the groups anew and mends the footer to them.
class Writer {
 public:
  Writer(ByteView file, const ParquetFile& known, const std::vector<ChangedColumn>& columns)
      : file_(file), known_(known), columns_(columns), out_(magic) {}

  Result<std::string> write(ThriftValue footer) {
    ThriftValue* groups = footer.field(footer_groups);
    if (groups == nullptr || groups->items.size() != known_.groups.size()) return broken();
    for (size_t i = 0; i < known_.groups.size(); ++i) TRY_DONE(put_group(groups->items[i], known_.groups[i]));
    const std::string end = write_thrift(footer);
    out_ += end;
    put_u32(out_, end.size());
    out_ += magic;
    return std::move(out_);
  }

 private:
  Status put_group(ThriftValue& group, const ParquetFile::RowGroup& known) {
    ThriftValue* chunks = group.field(group_columns);
    if (chunks == nullptr || chunks->items.size() != columns_.size() ||
        known.chunks.size() != columns_.size())
      return broken();
    const size_t begin = out_.size();
    int64_t unpacked = 0;
    for (size_t leaf = 0; leaf < columns_.size(); ++leaf) {
      ThriftValue& chunk = chunks->items[leaf];
      ThriftValue* data = chunk.field(chunk_data);
      if (data == nullptr) return broken();
      for (int32_t id = indexes_first; id <= indexes_last; ++id) chunk.remove(id);
      for (const int32_t id : {bloom_offset, bloom_length, index_page}) data->remove(id);
      chunk.set(chunk_offset, ThriftValue::of_number(static_cast<int64_t>(out_.size())));
      if (columns_[leaf].changed) {
        put_changed(*data, columns_[leaf], known.rows);
      } else {
        TRY_DONE(copy(*data, known.chunks[leaf]));
      }
      const ThriftValue* size = data->field(unpacked_size);
      if (size == nullptr || size->number < 0 || size->number > unpacked_max) return broken();
      unpacked += size->number;
    }
    done_ += known.rows;
    group.set(group_bytes, ThriftValue::of_number(unpacked));
    group.set(group_offset, ThriftValue::of_number(static_cast<int64_t>(begin)));
    group.set(group_packed, ThriftValue::of_number(static_cast<int64_t>(out_.size() - begin)));
    return Done{};
  }

  void put_changed(ThriftValue& data, const ChangedColumn& column, uint64_t rows) {
    const std::string chunk = chunk_of(std::span(column.values).subspan(done_, rows), column.optional);
    ThriftValue list;
    list.type = Type::list;
    list.element = Type::i32;
    list.items = {i32(0), i32(3)};
    data.set(encodings, std::move(list));
    data.set(codec, i32(0));
    data.set(unpacked_size, ThriftValue::of_number(static_cast<int64_t>(chunk.size())));
    data.set(packed_size, ThriftValue::of_number(static_cast<int64_t>(chunk.size())));
    data.set(data_page, ThriftValue::of_number(static_cast<int64_t>(out_.size())));
    for (const int32_t id : {dictionary_page, statistics, encoding_statistics, size_statistics})
      data.remove(id);
    out_ += chunk;
  }

  Status copy(ThriftValue& data, const ParquetChunk& chunk) {
    if (chunk.offset > file_.size() || chunk.size > file_.size() - chunk.offset) return broken();
    const int64_t moved = static_cast<int64_t>(out_.size()) - static_cast<int64_t>(chunk.offset);
    for (const int32_t id : {data_page, dictionary_page}) {
      ThriftValue* offset = data.field(id);
      if (offset == nullptr || offset->number <= 0) continue;
      if (static_cast<uint64_t>(offset->number) > file_.size()) return broken();
      offset->number += moved;
    }
    out_ += as_text(file_.subspan(chunk.offset, chunk.size));
    return Done{};
  }

  const ByteView file_;
  const ParquetFile& known_;
  const std::vector<ChangedColumn>& columns_;
  std::string out_;
  uint64_t done_ = 0;  // Rows of the groups before.
};

}  // namespace

Result<ParquetRewrite> rewrite_parquet(ByteView file, const ParquetChange& change,
                                       const ParquetLimits& limits) {
  TRY(ParquetTable table, read_parquet(file, limits));
  const auto known = read_parquet_footer(file);
  if (!known.ok()) return broken();
  ParquetRewrite out{.file = {}, .left_out = std::move(table.left_out)};
  std::vector<ChangedColumn> columns(known.value().leaves.size());
  size_t read = 0;
  bool changed = false;
  for (size_t leaf = 0; leaf < columns.size(); ++leaf) {
    const ParquetLeaf& one = known.value().leaves[leaf];
    if (!one.readable) continue;
    if (read >= table.columns.size()) return broken();
    std::vector<ParquetValue>& values = table.columns[read++].values;
    if (one.type != ParquetType::bytes || !change(one.name, values)) continue;
    columns[leaf] = {.changed = true, .optional = one.optional, .values = std::move(values)};
    if (columns[leaf].values.size() != known.value().rows) return broken();
    changed = true;
  }
  if (!changed) return out;
  const ByteView tail = file.last(8);
  ByteReader size_reader(tail);
  TRY(const uint32_t footer_size, size_reader.u32());
  if (footer_size > file.size() - 8) return broken();
  auto footer = read_thrift(file.subspan(file.size() - 8 - footer_size, footer_size));
  if (!footer.ok()) return broken();
  TRY(out.file, Writer(file, known.value(), columns).write(std::move(footer).value()));
  return out;
}

}  // namespace holdfast::codec
