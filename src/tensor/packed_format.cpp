#include "tensor/packed_format.h"

#include <algorithm>

#include "base/check.h"
#include "codec/blake3.h"

namespace holdfast::tensor {
namespace {

constexpr size_t digest_bytes = sizeof(codec::Blake3Digest);

Error broken(std::string_view what) { return fail(Code::corrupt, std::string(what)); }

Result<PackedEntry> read_entry(ByteReader& reader, uint64_t size) {
  PackedEntry entry;
  TRY(const uint16_t name_bytes, reader.u16());
  if (name_bytes > packed_name_bytes_max) return broken("a name that is too long");
  TRY(const ByteView name, reader.take(name_bytes));
  entry.name = as_text(name);
  TRY(const uint8_t precision, reader.u8());
  TRY(const uint8_t layout, reader.u8());
  if (precision > static_cast<uint8_t>(Precision::int8) || layout > static_cast<uint8_t>(OutputLayout::gated))
    return broken("a form that there is none of");
  entry.precision = static_cast<Precision>(precision);
  entry.shape.layout = static_cast<OutputLayout>(layout);
  TRY(entry.shape.outputs, reader.u64());
  TRY(entry.shape.inputs, reader.u64());
  TRY(entry.offset, reader.u64());
  TRY(entry.numbers, reader.u64());
  if (entry.shape.outputs > packed_side_max || entry.shape.inputs > packed_side_max)
    return broken("a layer larger than there can be");
  if (entry.offset % packed_alignment != 0 || entry.offset > size ||
      entry.numbers > (size - entry.offset) / sizeof(float))
    return broken("numbers past the file's end");
  return entry;
}

codec::Blake3Digest digest_of(ByteView head, ByteView table) {
  codec::Blake3 hash;
  hash.update(head);
  hash.update(table);
  return hash.finish();
}

}  // namespace

Result<std::vector<PackedEntry>> read_packed_table(ByteView file, std::string_view key) {
  ByteReader head(file);
  TRY(const ByteView magic, head.take(packed_magic.size()));
  if (as_text(magic) != packed_magic) return broken("not a file of packed layers");
  TRY(const uint32_t version, head.u32());
  TRY(const uint32_t count, head.u32());
  TRY(const uint64_t size, head.u64());
  TRY(const uint64_t table_at, head.u64());
  TRY(const ByteView key_digest, head.take(digest_bytes));
  if (version != packed_version || size != file.size() || table_at < packed_head_bytes || table_at > size)
    return broken("another version, or cut short");
  if (!std::ranges::equal(key_digest, codec::blake3(as_bytes(key)))) return broken("of other weights");
  if (count > packed_layers_max) return broken("more layers than there can be");
  ByteReader table(file.subspan(table_at));
  std::vector<PackedEntry> entries;
  for (uint32_t i = 0; i < count; ++i) {
    TRY(PackedEntry entry, read_entry(table, table_at));
    entries.push_back(std::move(entry));
  }
  const ByteView read = file.subspan(table_at, table.position());
  TRY(const ByteView digest, table.take(digest_bytes));
  if (table.left() != 0 || !std::ranges::equal(digest, digest_of(file.first(packed_head_bytes), read)))
    return broken("a digest that does not fit");
  return entries;
}

PackedEnds write_packed_ends(const std::vector<PackedEntry>& entries, uint64_t table_at,
                             std::string_view key) {
  ByteWriter table;
  for (const PackedEntry& entry : entries) {
    table.u16(static_cast<uint16_t>(entry.name.size()));
    table.text(entry.name);
    table.u8(static_cast<uint8_t>(entry.precision));
    table.u8(static_cast<uint8_t>(entry.shape.layout));
    table.u64(entry.shape.outputs);
    table.u64(entry.shape.inputs);
    table.u64(entry.offset);
    table.u64(entry.numbers);
  }
  ByteWriter head;
  head.text(packed_magic);
  head.u32(packed_version);
  head.u32(static_cast<uint32_t>(entries.size()));
  head.u64(table_at + table.size() + digest_bytes);
  head.u64(table_at);
  head.bytes(codec::blake3(as_bytes(key)));
  CHECK(head.size() == packed_head_bytes);
  table.bytes(digest_of(head.view(), table.view()));
  return {std::move(head).take(), std::move(table).take()};
}

}  // namespace holdfast::tensor
