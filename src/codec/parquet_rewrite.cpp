#include "codec/parquet_rewrite.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <span>

#include "codec/parquet_chunk.h"
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

// The entries of one chunk; levels are there for nested columns alone.
struct Entries {
  std::span<const ParquetValue> values;
  std::span<const uint8_t> repetition, definition;

  Entries part(size_t begin, size_t count) const {
    const auto cut = [&](std::span<const uint8_t> levels) {
      return levels.empty() ? levels : levels.subspan(begin, count);
    };
    return {values.subspan(begin, count), cut(repetition), cut(definition)};
  }
};

// Levels as runs: how many, doubled, then the level in a byte.
template <class LevelAt>
void put_levels(std::string& out, size_t count, LevelAt level_at) {
  std::string runs;
  for (size_t at = 0; at < count;) {
    const uint8_t level = level_at(at);
    size_t end = at;
    while (end < count && level_at(end) == level) ++end;
    for (uint64_t head = (end - at) << 1; true; head >>= 7) {
      runs.push_back(static_cast<char>(head >= 128 ? head | 128 : head));
      if (head < 128) break;
    }
    runs.push_back(static_cast<char>(level));
    at = end;
  }
  put_u32(out, runs.size());
  out += runs;
}

template <class Number>
void put_number(std::string& out, Number value) {
  const auto bytes = std::bit_cast<std::array<char, sizeof(Number)>>(value);
  out.append(bytes.data(), bytes.size());
}

Status put_value(std::string& out, const ParquetValue& value, const ParquetLeaf& leaf) {
  const ParquetType type = leaf.type;
  const auto* text = std::get_if<std::string>(&value);
  const auto* whole = std::get_if<int64_t>(&value);
  const auto* real = std::get_if<double>(&value);
  if (type == ParquetType::bytes && text != nullptr) {
    put_u32(out, text->size());
    out += *text;
  } else if (leaf.length > 0 && text != nullptr && text->size() == leaf.length) {
    out += *text;
  } else if (type == ParquetType::int64 && whole != nullptr) {
    put_number(out, *whole);
  } else if (type == ParquetType::int32 && whole != nullptr && *whole >= INT32_MIN && *whole <= INT32_MAX) {
    put_number(out, static_cast<int32_t>(*whole));
  } else if (type == ParquetType::real64 && real != nullptr) {
    put_number(out, *real);
  } else if (type == ParquetType::real32 && real != nullptr) {
    put_number(out, static_cast<float>(*real));
  } else {
    return fail(Code::internal, "a value of a column became one of another kind");
  }
  return Done{};
}

// What was there and is no more lacks the last level.
Status put_page(std::string& out, const Entries& entries, const ParquetLeaf& leaf) {
  std::string body;
  if (leaf.repetition_max > 0)
    put_levels(body, entries.values.size(), [&](size_t i) { return entries.repetition[i]; });
  if (leaf.definition_max > 0)
    put_levels(body, entries.values.size(), [&](size_t i) {
      const uint8_t was = leaf.is_nested() ? entries.definition[i] : leaf.definition_max;
      const bool gone = is_missing(entries.values[i]) && was == leaf.definition_max;
      return static_cast<uint8_t>(gone ? was - 1 : was);
    });
  for (const ParquetValue& value : entries.values)
    if (!is_missing(value)) TRY_DONE(put_value(body, value, leaf));
  const auto size = static_cast<int64_t>(body.size());
  out += write_thrift(structure({{1, i32(0)},
                                 {2, i32(size)},
                                 {3, i32(size)},
                                 {5, structure({{1, i32(static_cast<int64_t>(entries.values.size()))},
                                                {2, i32(0)},
                                                {3, i32(3)},
                                                {4, i32(3)}})}}));
  out += body;
  return Done{};
}

// In pages of whole rows.
Result<std::string> chunk_of(const Entries& entries, const ParquetLeaf& leaf) {
  std::string out;
  size_t begin = 0;
  do {
    size_t bytes = 0, end = begin;
    const auto row_begins = [&](size_t at) {
      return entries.repetition.empty() || entries.repetition[at] == 0;
    };
    for (; end < entries.values.size() && (bytes < page_bytes || !row_begins(end)); ++end) {
      const auto* text = std::get_if<std::string>(&entries.values[end]);
      bytes += (text == nullptr ? 0 : text->size()) + 4;
    }
    TRY_DONE(put_page(out, entries.part(begin, end - begin), leaf));
    begin = end;
  } while (begin < entries.values.size());
  return out;
}

struct ChangedColumn {
  bool changed = false;
  ParquetEntries entries{};
  size_t written = 0;  // Entries of the groups before.
};

// Writes the groups anew and mends the footer to them.
class Writer {
 public:
  Writer(ByteView file, const ParquetFile& known, std::vector<ChangedColumn>& columns)
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
        TRY_DONE(put_changed(*data, columns_[leaf], known_.leaves[leaf], known.chunks[leaf].values));
      } else {
        TRY_DONE(copy(*data, known.chunks[leaf]));
      }
      const ThriftValue* size = data->field(unpacked_size);
      if (size == nullptr || size->number < 0 || size->number > unpacked_max) return broken();
      unpacked += size->number;
    }
    group.set(group_bytes, ThriftValue::of_number(unpacked));
    group.set(group_offset, ThriftValue::of_number(static_cast<int64_t>(begin)));
    group.set(group_packed, ThriftValue::of_number(static_cast<int64_t>(out_.size() - begin)));
    return Done{};
  }

  Status put_changed(ThriftValue& data, ChangedColumn& column, const ParquetLeaf& leaf, uint64_t count) {
    const Entries all{column.entries.values, column.entries.repetition, column.entries.definition};
    if (count > all.values.size() - column.written) return broken();
    TRY(const std::string chunk, chunk_of(all.part(column.written, count), leaf));
    column.written += count;
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
    return Done{};
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
  std::vector<ChangedColumn>& columns_;
  std::string out_;
};

}  // namespace

Result<ParquetRewrite> rewrite_parquet(ByteView file, const ParquetChange& change,
                                       const ParquetLimits& limits) {
  const auto footer_read = read_parquet_footer(file);
  if (!footer_read.ok()) return broken();
  const ParquetFile& known = footer_read.value();
  if (known.rows > limits.rows_max)
    return fail(Reason::body_too_large, "the Parquet file holds more than is read at once");
  ParquetRewrite out;
  std::vector<ChangedColumn> columns(known.leaves.size());
  bool changed = false;
  uint64_t bytes_left = limits.bytes_max;  // What is not changed gives back what it took.
  for (size_t leaf = 0; leaf < columns.size(); ++leaf) {
    uint64_t left = bytes_left;
    ParquetEntries& entries = columns[leaf].entries;
    TRY(const std::optional<std::string> unread, read_parquet_leaf(file, known, leaf, left, entries));
    if (unread) {
      out.left_out.push_back({known.leaves[leaf].path, *unread});
      entries = {};
      continue;
    }
    ParquetLeafValues values = values_of_leaf(known.leaves[leaf], entries);
    columns[leaf].changed = change(values);
    if (!columns[leaf].changed) {
      entries = {};
      continue;
    }
    entries.values = std::move(values.values);
    bytes_left = left;
    changed = true;
  }
  if (!changed) return out;
  const ByteView tail = file.last(8);
  ByteReader size_reader(tail);
  TRY(const uint32_t footer_size, size_reader.u32());
  if (footer_size > file.size() - 8) return broken();
  auto footer = read_thrift(file.subspan(file.size() - 8 - footer_size, footer_size));
  if (!footer.ok()) return broken();
  TRY(out.file, Writer(file, known, columns).write(std::move(footer).value()));
  return out;
}

}  // namespace holdfast::codec
