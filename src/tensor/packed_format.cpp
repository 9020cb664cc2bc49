#include "tensor/packed_format.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "codec/blake3.h"
#include "tensor/blocks.h"

namespace holdfast::tensor {
namespace {

constexpr size_t digest_bytes = sizeof(codec::Blake3Digest);
constexpr uint8_t not_in_blocks = 255;

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
  entry.form.precision = static_cast<Precision>(precision);
  LinearShape& shape = entry.form.shape;
  shape.layout = static_cast<OutputLayout>(layout);
  TRY(const uint8_t blocks, reader.u8());
  if (blocks != not_in_blocks) {
    entry.form.blocks = static_cast<codec::GgmlType>(blocks);
    if (!block_format(*entry.form.blocks)) return broken("blocks of a type that there is none of");
  }
  TRY(shape.outputs, reader.u64());
  TRY(shape.inputs, reader.u64());
  TRY(entry.offset, reader.u64());
  TRY(entry.numbers, reader.u64());
  TRY(entry.sum, reader.u64());
  if (shape.outputs > packed_side_max || shape.inputs > packed_side_max)
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

// Sixteen sums of words and as many of those sums, so that a word counts by its place too; then a digest.
uint64_t packed_sum(ByteView numbers) {
  constexpr size_t lanes = 16, line = lanes * sizeof(uint32_t);
  struct {
    std::array<uint32_t, lanes> words{}, places{};
    uint64_t bytes = 0;
  } sums;
  sums.bytes = numbers.size();
  std::array<uint32_t, lanes> now{};
  const auto add = [&] {
    for (size_t i = 0; i < lanes; ++i) sums.words[i] += now[i];
    for (size_t i = 0; i < lanes; ++i) sums.places[i] += sums.words[i];
  };
  while (numbers.size() >= line) {
    std::memcpy(now.data(), numbers.data(), line);
    add();
    numbers = numbers.subspan(line);
  }
  if (!numbers.empty()) {
    now = {};
    std::memcpy(now.data(), numbers.data(), numbers.size());
    add();
  }
  const codec::Blake3Digest digest = codec::blake3(std::as_bytes(std::span(&sums, 1)));
  uint64_t out = 0;
  std::memcpy(&out, digest.data(), sizeof out);
  return out;
}

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
  uint64_t left = table_at;  // Numbers are nobody's twice, so that reading all of them ends soon.
  for (uint32_t i = 0; i < count; ++i) {
    TRY(PackedEntry entry, read_entry(table, table_at));
    if (entry.numbers * sizeof(float) > left) return broken("layers that share numbers");
    left -= entry.numbers * sizeof(float);
    entries.push_back(std::move(entry));
  }
  const ByteView read = file.subspan(table_at, table.position());
  TRY(const ByteView digest, table.take(digest_bytes));
  if (table.left() != 0 || !std::ranges::equal(digest, digest_of(file.first(packed_head_bytes), read)))
    return broken("a digest that does not fit");
  for (const PackedEntry& entry : entries)
    if (packed_sum(file.subspan(entry.offset, entry.numbers * sizeof(float))) != entry.sum)
      return broken("numbers that are not those that were written");
  return entries;
}

PackedEnds write_packed_ends(const std::vector<PackedEntry>& entries, uint64_t table_at,
                             std::string_view key) {
  ByteWriter table;
  for (const PackedEntry& entry : entries) {
    table.u16(static_cast<uint16_t>(entry.name.size()));
    table.text(entry.name);
    table.u8(static_cast<uint8_t>(entry.form.precision));
    table.u8(static_cast<uint8_t>(entry.form.shape.layout));
    table.u8(entry.form.blocks ? static_cast<uint8_t>(*entry.form.blocks) : not_in_blocks);
    table.u64(entry.form.shape.outputs);
    table.u64(entry.form.shape.inputs);
    table.u64(entry.offset);
    table.u64(entry.numbers);
    table.u64(entry.sum);
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
