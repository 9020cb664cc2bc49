#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "content/hash.h"
#include "content/term.h"

// The metadata shard, both ways: as clients upload it (no footer) and as answers to a dedup query carry it:
// docs/formats/shard.md.
namespace holdfast::content {

struct ShardTerm {
  Term term;
  std::optional<RangeHash> range_hash{};
};
struct ShardFile {
  FileHash hash{};
  std::vector<ShardTerm> terms{};
  std::optional<Sha256Digest> sha256{};
};
struct ShardChunk {
  ChunkHash hash;
  uint32_t begin = 0, length = 0;  // Within the uncompressed xorb.
};
struct ShardXorb {
  XorbHash hash;
  uint32_t bytes = 0, stored_bytes = 0;
  std::vector<ShardChunk> chunks{};
};
struct ShardFooter {
  std::array<std::byte, 32> hmac_key{};  // Zero: chunk hashes are plain.
  uint64_t created = 0, expiry = 0;      // Unix seconds.
};
struct Shard {
  std::vector<ShardFile> files;
  std::vector<ShardXorb> xorbs;
  std::optional<ShardFooter> footer;
};

// bad_request for anything that is not exactly a shard; body_too_large over 64 MiB. What the hashes name is
// not checked here.
Result<Shard> parse_shard(ByteView bytes);
Bytes write_shard(const Shard& shard);

}  // namespace holdfast::content
