#include "content/shard.h"

#include <algorithm>

#include "content/xet_format.h"

namespace holdfast::content {
namespace {

constexpr auto bookend = [] {
  std::array<std::byte, 32> bytes;
  bytes.fill(std::byte{0xFF});
  return bytes;
}();

Error malformed(const char* why) { return fail(Reason::bad_request, why); }

Result<std::array<std::byte, 32>> read_hash(ByteReader& reader) {
  TRY(const ByteView raw, reader.take(32));
  std::array<std::byte, 32> hash;
  std::copy(raw.begin(), raw.end(), hash.begin());
  return hash;
}

// A SHA-256 is kept in the field as if it were a hash of this protocol: turned in groups of eight bytes.
Sha256Digest turned(const std::array<std::byte, 32>& bytes) {
  Sha256Digest out;
  for (size_t group = 0; group < 32; group += 8)
    std::reverse_copy(bytes.begin() + group, bytes.begin() + group + 8, out.begin() + group);
  return out;
}

Result<ShardFile> read_file(ByteReader& reader, const std::array<std::byte, 32>& hash) {
  ShardFile file{.hash = {hash}};
  TRY(const uint32_t flags, reader.u32());
  TRY(const uint32_t count, reader.u32());
  TRY_DONE(reader.skip(8));
  if ((flags & ~(shard_file_has_verification | shard_file_has_metadata)) != 0)
    return malformed("a file of the shard has unknown flags");
  const uint64_t entries = uint64_t{count} * ((flags & shard_file_has_verification) != 0 ? 2 : 1) +
                           ((flags & shard_file_has_metadata) != 0 ? 1 : 0);
  if (entries > reader.left() / shard_entry_bytes) return malformed("the shard ends inside a file");
  file.terms.resize(count);
  for (auto& [term, range_hash] : file.terms) {
    TRY(term.xorb.bytes, read_hash(reader));
    TRY_DONE(reader.skip(4));
    TRY(term.length, reader.u32());
    TRY(term.chunks.first, reader.u32());
    TRY(term.chunks.end, reader.u32());
  }
  if ((flags & shard_file_has_verification) != 0)
    for (auto& [term, range_hash] : file.terms) {
      TRY(auto bytes, read_hash(reader));
      range_hash = RangeHash{bytes};
      TRY_DONE(reader.skip(16));
    }
  if ((flags & shard_file_has_metadata) != 0) {
    TRY(const auto bytes, read_hash(reader));
    file.sha256 = turned(bytes);
    TRY_DONE(reader.skip(16));
  }
  return file;
}

Result<ShardXorb> read_xorb(ByteReader& reader, const std::array<std::byte, 32>& hash) {
  ShardXorb xorb{.hash = {hash}};
  TRY_DONE(reader.skip(4));
  TRY(const uint32_t count, reader.u32());
  TRY(xorb.bytes, reader.u32());
  TRY(xorb.stored_bytes, reader.u32());
  if (count > reader.left() / shard_entry_bytes) return malformed("the shard ends inside a xorb");
  if (count > xorb_chunks_max) return malformed("a xorb of the shard has more than 8192 chunks");
  xorb.chunks.resize(count);
  for (ShardChunk& chunk : xorb.chunks) {
    TRY(chunk.hash.bytes, read_hash(reader));
    TRY(chunk.begin, reader.u32());
    TRY(chunk.length, reader.u32());
    TRY_DONE(reader.skip(8));
  }
  return xorb;
}

// Entries up to the bookend, each read by `one` after its hash.
template <class Item, class One>
Result<std::vector<Item>> read_section(ByteReader& reader, One one) {
  std::vector<Item> items;
  while (true) {
    TRY(const auto hash, read_hash(reader));
    if (hash == bookend) {
      TRY_DONE(reader.skip(shard_entry_bytes - 32));
      return items;
    }
    TRY(Item item, one(reader, hash));
    items.push_back(std::move(item));
  }
}

Result<ShardFooter> read_footer(ByteReader& reader) {
  ShardFooter footer;
  TRY(const uint64_t version, reader.u64());
  if (version != shard_footer_version) return malformed("the shard's footer has an unknown version");
  TRY_DONE(reader.skip(64));
  TRY(footer.hmac_key, read_hash(reader));
  TRY(footer.created, reader.u64());
  TRY(footer.expiry, reader.u64());
  TRY_DONE(reader.skip(80));
  return footer;
}

Result<Shard> read_shard(ByteReader& reader) {
  TRY(const ByteView tag, reader.take(shard_tag.size()));
  if (!std::equal(tag.begin(), tag.end(), std::as_bytes(std::span(shard_tag)).begin()))
    return malformed("this is not a shard");
  TRY(const uint64_t version, reader.u64());
  TRY(const uint64_t footer_size, reader.u64());
  if (version != shard_version) return malformed("the shard has an unknown version");
  if (footer_size != 0 && footer_size != shard_footer_bytes)
    return malformed("the shard's footer has an unknown length");

  Shard shard;
  TRY(shard.files, read_section<ShardFile>(reader, read_file));
  TRY(shard.xorbs, read_section<ShardXorb>(reader, read_xorb));
  if (footer_size != 0) {
    if (reader.left() < shard_footer_bytes) return malformed("the shard ends inside its footer");
    TRY_DONE(reader.skip(reader.left() - shard_footer_bytes));  // Look-up tables of older writers.
    TRY(shard.footer, read_footer(reader));
  }
  if (reader.left() != 0) return malformed("the shard goes on after its end");
  return shard;
}

}  // namespace

Result<Shard> parse_shard(ByteView bytes) {
  if (bytes.size() > shard_bytes_max) return fail(Reason::body_too_large, "a shard is longer than 64 MiB");
  ByteReader reader(bytes);
  Result<Shard> shard = read_shard(reader);
  // The reader's own error says that the input is corrupt; here it is what the caller sent.
  if (!shard.ok() && shard.error().code == Code::corrupt) return malformed("the shard ends too early");
  return shard;
}

Bytes write_shard(const Shard& shard) {
  ByteWriter out;
  const auto end_section = [&out] {
    out.bytes(bookend);
    out.zeros(shard_entry_bytes - bookend.size());
  };
  out.bytes(std::as_bytes(std::span(shard_tag)));
  out.u64(shard_version);
  out.u64(shard.footer ? shard_footer_bytes : 0);
  const uint64_t files_at = out.size();
  for (const ShardFile& file : shard.files) {
    const bool verified = !file.terms.empty() && file.terms[0].range_hash.has_value();
    out.bytes(file.hash.bytes);
    out.u32((verified ? shard_file_has_verification : 0) | (file.sha256 ? shard_file_has_metadata : 0));
    out.u32(static_cast<uint32_t>(file.terms.size()));
    out.zeros(8);
    for (const auto& [term, range_hash] : file.terms) {
      out.bytes(term.xorb.bytes);
      out.u32(0);
      out.u32(static_cast<uint32_t>(term.length));
      out.u32(term.chunks.first);
      out.u32(term.chunks.end);
    }
    if (verified)
      for (const auto& [term, range_hash] : file.terms) {
        out.bytes(range_hash.value_or(RangeHash{}).bytes);
        out.zeros(16);
      }
    if (file.sha256) {
      out.bytes(turned(*file.sha256));
      out.zeros(16);
    }
  }
  end_section();
  const uint64_t xorbs_at = out.size();
  for (const ShardXorb& xorb : shard.xorbs) {
    out.bytes(xorb.hash.bytes);
    out.u32(0);
    out.u32(static_cast<uint32_t>(xorb.chunks.size()));
    out.u32(xorb.bytes);
    out.u32(xorb.stored_bytes);
    for (const ShardChunk& chunk : xorb.chunks) {
      out.bytes(chunk.hash.bytes);
      out.u32(chunk.begin);
      out.u32(chunk.length);
      out.zeros(8);
    }
  }
  end_section();
  if (!shard.footer) return std::move(out).take();
  const uint64_t footer_at = out.size();
  out.u64(shard_footer_version);
  out.u64(files_at);
  out.u64(xorbs_at);
  // Three look-up tables that we leave out. Their places must be named all the same: hf_xet takes the first
  // for the end of the xorbs, and a zero there makes it ask for exabytes of memory and die.
  for (int table = 0; table < 3; ++table) {
    out.u64(footer_at);
    out.u64(0);
  }
  out.bytes(shard.footer->hmac_key);
  out.u64(shard.footer->created);
  out.u64(shard.footer->expiry);
  out.zeros(72);
  out.u64(footer_at);
  return std::move(out).take();
}

}  // namespace holdfast::content
