#include "codec/parquet_chunk.h"

#include <fmt/format.h>
#include <snappy-c.h>
#include <zstd.h>

#include <bit>
#include <cstring>

#include "codec/gzip.h"

namespace holdfast::codec {
namespace {

constexpr uint64_t page_bytes_max = 256 << 20;

Error broken(std::string what) { return fail(Code::corrupt, std::move(what)); }
Error too_large() { return fail(Reason::body_too_large, "the Parquet file holds more than is read at once"); }

Result<Bytes> unpack(ByteView packed, uint64_t size, ParquetCodec codec) {
  if (size > page_bytes_max) return too_large();
  if (codec == ParquetCodec::none) return Bytes(packed.begin(), packed.end());
  if (codec == ParquetCodec::gzip) return inflate(packed, Deflate::gzip, size);
  Bytes out(size);
  size_t written = size;
  if (codec == ParquetCodec::snappy) {
    // Checked first: snappy itself trusts the length that the input claims.
    const auto* from = reinterpret_cast<const char*>(packed.data());
    size_t claimed = 0;
    if (snappy_uncompressed_length(from, packed.size(), &claimed) != SNAPPY_OK || claimed != size ||
        snappy_uncompress(from, packed.size(), reinterpret_cast<char*>(out.data()), &written) != SNAPPY_OK)
      return broken("a page does not unpack");
  } else if (codec == ParquetCodec::zstd) {
    written = ZSTD_decompress(out.data(), out.size(), packed.data(), packed.size());
    if (ZSTD_isError(written) != 0) return broken("a page does not unpack");
  } else {
    return fail(Reason::bad_request,
                "this compression of Parquet is not read: Snappy, zstd, gzip or none are");
  }
  if (written != size) return broken("a page is not as long as it says");
  return out;
}

// Runs of equal numbers and of packed ones, as levels and dictionary indices are written.
class RunReader {
 public:
  RunReader(ByteView bytes, unsigned width) : bytes_(bytes), width_(width) {}

  Result<uint32_t> next() {
    if (left_ == 0) TRY_DONE(open_run());
    --left_;
    if (!packed_) return value_;
    uint32_t value = 0;
    for (unsigned bit = 0; bit < width_; ++bit, ++bit_) {
      const auto byte = static_cast<unsigned>(group_[bit_ / 8]);
      value |= (byte >> (bit_ % 8) & 1U) << bit;
    }
    return value;
  }

 private:
  Status open_run() {
    uint64_t head = 0;
    for (unsigned shift = 0;; shift += 7) {
      if (shift > 35) return broken("a run is too long");
      TRY(const uint8_t byte, bytes_.u8());
      head |= static_cast<uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80) break;
    }
    packed_ = (head & 1U) != 0;
    if (packed_) {
      const uint64_t bytes = (head >> 1U) * width_;
      left_ = (head >> 1U) * 8;
      if (bytes > bytes_.left()) {  // The last run may be cut to what is used.
        left_ = width_ == 0 ? left_ : bytes_.left() * 8 / width_;
        TRY(group_, bytes_.take(bytes_.left()));
      } else {
        TRY(group_, bytes_.take(bytes));
      }
      bit_ = 0;
    } else {
      left_ = head >> 1U;
      value_ = 0;
      for (unsigned byte = 0; byte < (width_ + 7) / 8; ++byte) {
        TRY(const uint8_t part, bytes_.u8());
        value_ |= static_cast<uint32_t>(part) << (8 * byte);
      }
    }
    return left_ == 0 ? Status(broken("a run is empty")) : Status(Done{});
  }

  ByteReader bytes_;
  unsigned width_;
  uint64_t left_ = 0;
  bool packed_ = false;
  uint32_t value_ = 0;
  ByteView group_;
  size_t bit_ = 0;
};

// PLAIN values one after the other.
class PlainReader {
 public:
  PlainReader(ByteView bytes, ParquetType type, uint32_t length)
      : bytes_(bytes), type_(type), length_(length) {}

  Result<ParquetValue> next() {
    switch (type_) {
      case ParquetType::boolean: {
        if (bit_ % 8 == 0) {
          TRY(byte_, bytes_.u8());
        }
        return ParquetValue((byte_ >> (bit_++ % 8) & 1U) != 0);
      }
      case ParquetType::int32: {
        TRY(const uint32_t raw, bytes_.u32());
        return ParquetValue(static_cast<int64_t>(static_cast<int32_t>(raw)));
      }
      case ParquetType::int64: {
        TRY(const uint64_t raw, bytes_.u64());
        return ParquetValue(static_cast<int64_t>(raw));
      }
      case ParquetType::real32: {
        TRY(const uint32_t raw, bytes_.u32());
        return ParquetValue(static_cast<double>(std::bit_cast<float>(raw)));
      }
      case ParquetType::real64: {
        TRY(const uint64_t raw, bytes_.u64());
        return ParquetValue(std::bit_cast<double>(raw));
      }
      case ParquetType::bytes: {
        TRY(const uint32_t size, bytes_.u32());
        TRY(const ByteView text, bytes_.take(size));
        return ParquetValue(std::string(as_text(text)));
      }
      case ParquetType::int96:
      case ParquetType::fixed_bytes: {
        if (length_ == 0) break;
        TRY(const ByteView text, bytes_.take(length_));
        return ParquetValue(std::string(as_text(text)));
      }
    }
    return broken("a column is of a type that is not read");
  }

 private:
  ByteReader bytes_;
  ParquetType type_;
  const uint32_t length_;  // Of values of one length.
  unsigned bit_ = 0;
  uint8_t byte_ = 0;
};

uint64_t bytes_of(const ParquetValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  return sizeof value + (text == nullptr ? 0 : text->size());
}

// One leaf of one row group, page after page.
class ChunkReader {
 public:
  ChunkReader(const ParquetLeaf& leaf, const ParquetChunk& chunk, uint64_t& bytes_left, ParquetEntries& into)
      : leaf_(leaf), chunk_(chunk), bytes_left_(bytes_left), into_(into) {}

  Status read(ByteView file, uint64_t rows) {
    if (chunk_.offset > file.size() || chunk_.size > file.size() - chunk_.offset)
      return broken("a column lies outside the file");
    if (chunk_.type != leaf_.type || (leaf_.repetition_max == 0 && chunk_.values != rows))
      return broken("a column is not what the schema says");
    ByteView bytes = file.subspan(chunk_.offset, chunk_.size);
    const size_t before = into_.values.size();
    if (chunk_.values > UINT64_MAX - before) return broken("a column has too many values");
    const size_t wanted = before + chunk_.values;
    while (into_.values.size() < wanted) {
      TRY(const ParquetPageAt at, read_parquet_page(bytes));
      const ParquetPage& page = at.page;
      if (page.packed > bytes.size() - at.header_bytes) return broken("a page ends too early");
      const ByteView body = bytes.subspan(at.header_bytes, page.packed);
      bytes = bytes.subspan(at.header_bytes + page.packed);
      if (page.kind == ParquetPage::Kind::index) continue;
      if (page.kind == ParquetPage::Kind::dictionary) {
        TRY_DONE(read_dictionary(page, body));
        continue;
      }
      if (page.values > wanted - into_.values.size()) return broken("a page has too many values");
      TRY_DONE(read_values(page, body));
    }
    if (leaf_.repetition_max > 0 && rows_ != rows) return broken("a column has not as many rows as others");
    return Done{};
  }

 private:
  Status read_dictionary(const ParquetPage& page, ByteView body) {
    TRY(const Bytes bytes, unpack(body, page.unpacked, chunk_.codec));
    if (page.values > bytes.size() + 1) return broken("a dictionary ends too early");
    dictionary_.clear();
    PlainReader reader(bytes, chunk_.type, leaf_.length);
    for (uint64_t i = 0; i < page.values; ++i) {
      TRY(ParquetValue value, reader.next());
      TRY_DONE(count(value));
      dictionary_.push_back(std::move(value));
    }
    return Done{};
  }

  Status read_values(const ParquetPage& page, ByteView body) {
    Bytes unpacked;
    ByteView repetition, definition, values;
    if (page.kind == ParquetPage::Kind::data2) {
      const uint64_t before = page.definition_bytes + page.repetition_bytes;
      if (page.definition_bytes > body.size() || page.repetition_bytes > body.size() ||
          before > body.size() || before > page.unpacked)
        return broken("a page's levels end too early");
      repetition = body.first(page.repetition_bytes);
      definition = body.subspan(page.repetition_bytes, page.definition_bytes);
      values = body.subspan(before);
      if (page.compressed) {
        TRY(unpacked, unpack(values, page.unpacked - before, chunk_.codec));
        values = unpacked;
      }
    } else {
      TRY(unpacked, unpack(body, page.unpacked, chunk_.codec));
      values = unpacked;
      if (leaf_.repetition_max > 0) TRY_DONE(take_levels(values, repetition));
      if (leaf_.definition_max > 0) TRY_DONE(take_levels(values, definition));
    }
    return read_page(page, repetition, definition, values);
  }

  // Behind their length, as pages of the first version have them.
  static Status take_levels(ByteView& from, ByteView& levels) {
    ByteReader reader(from);
    TRY(const uint32_t size, reader.u32());
    TRY(levels, reader.take(size));
    from = from.subspan(reader.position());
    return Done{};
  }

  Status read_page(const ParquetPage& page, ByteView repetition, ByteView definition, ByteView values) {
    const bool indexed = page.encoding == static_cast<uint32_t>(ParquetEncoding::rle_dictionary) ||
                         page.encoding == static_cast<uint32_t>(ParquetEncoding::plain_dictionary);
    const bool runs =
        page.encoding == static_cast<uint32_t>(ParquetEncoding::rle) && chunk_.type == ParquetType::boolean;
    if (!indexed && !runs && page.encoding != static_cast<uint32_t>(ParquetEncoding::plain))
      return fail(Reason::bad_request,
                  fmt::format("the column '{}' has Parquet's encoding {}, which is not read: PLAIN and "
                              "dictionaries are",
                              leaf_.path, page.encoding));
    unsigned width = 1;
    ByteView packed = values;
    if (indexed && !values.empty()) {
      width = static_cast<unsigned>(values.front());
      if (width > 32) return broken("a dictionary's index is too wide");
      packed = values.subspan(1);
    } else if (runs) {
      if (values.size() < 4) return broken("a page ends too early");
      packed = values.subspan(4);
    }
    RunReader index(packed, width);
    PlainReader plain(values, chunk_.type, leaf_.length);
    RunReader repeated(repetition, static_cast<unsigned>(std::bit_width(leaf_.repetition_max)));
    RunReader defined(definition, static_cast<unsigned>(std::bit_width(leaf_.definition_max)));
    for (uint64_t i = 0; i < page.values; ++i) {
      TRY(const bool there, read_levels(repeated, defined));
      if (!there) {
        TRY_DONE(count(ParquetValue()));
        into_.values.emplace_back();
        continue;
      }
      if (indexed || runs) {
        TRY(const uint32_t number, index.next());
        if (indexed && number >= dictionary_.size()) return broken("an index is outside its dictionary");
        into_.values.push_back(indexed ? dictionary_[number] : ParquetValue(number != 0));
      } else {
        TRY(ParquetValue value, plain.next());
        into_.values.push_back(std::move(value));
      }
      TRY_DONE(count(into_.values.back()));
    }
    return Done{};
  }

  // Whether a value follows.
  Result<bool> read_levels(RunReader& repeated, RunReader& defined) {
    uint32_t repetition = 0, definition = 0;
    if (leaf_.repetition_max > 0) {
      TRY(repetition, repeated.next());
      if (repetition > leaf_.repetition_max || (repetition > 0 && rows_ == 0))
        return broken("a level is higher than the schema's");
      if (repetition == 0) ++rows_;
    }
    if (leaf_.definition_max > 0) {
      TRY(definition, defined.next());
      if (definition > leaf_.definition_max) return broken("a level is higher than the schema's");
    }
    if (leaf_.is_nested()) {
      into_.repetition.push_back(static_cast<uint8_t>(repetition));
      into_.definition.push_back(static_cast<uint8_t>(definition));
    }
    return definition == leaf_.definition_max;
  }

  Status count(const ParquetValue& value) {
    const uint64_t bytes = bytes_of(value);
    if (bytes > bytes_left_) return too_large();
    bytes_left_ -= bytes;
    return Done{};
  }

  const ParquetLeaf& leaf_;
  const ParquetChunk& chunk_;
  uint64_t& bytes_left_;
  ParquetEntries& into_;
  uint64_t rows_ = 0;  // That began; counted of repeated ones alone.
  std::vector<ParquetValue> dictionary_;
};

}  // namespace

Status read_parquet_chunk(ByteView file, const ParquetLeaf& leaf, const ParquetChunk& chunk, uint64_t rows,
                          uint64_t& bytes_left, ParquetEntries& into) {
  return ChunkReader(leaf, chunk, bytes_left, into).read(file, rows);
}

ParquetLeafValues values_of_leaf(const ParquetLeaf& leaf, ParquetEntries& entries) {
  ParquetLeafValues out{.path = leaf.path,
                        .kind = leaf.kind,
                        .optional = leaf.optional,
                        .length = leaf.length,
                        .scale = leaf.scale,
                        .values = std::move(entries.values),
                        .rows = {}};
  if (leaf.repetition_max == 0) return out;
  out.rows.reserve(out.values.size());
  uint32_t row = 0;
  for (size_t i = 0; i < out.values.size(); ++i) {
    if (i > 0 && entries.repetition[i] == 0) ++row;
    out.rows.push_back(row);
  }
  return out;
}

Result<std::optional<std::string>> read_parquet_leaf(ByteView file, const ParquetFile& known, size_t leaf,
                                                     uint64_t& bytes_left, ParquetEntries& into) {
  if (known.leaves[leaf].kind == ParquetKind::other)
    return std::optional<std::string>("is of a type that is not read");
  for (const ParquetFile::RowGroup& group : known.groups) {
    const Status read =
        read_parquet_chunk(file, known.leaves[leaf], group.chunks[leaf], group.rows, bytes_left, into);
    if (read.ok()) continue;
    if (read.error().code == Code::too_large) return read.error();
    return std::optional<std::string>(read.error().message);
  }
  return std::optional<std::string>();
}

}  // namespace holdfast::codec
