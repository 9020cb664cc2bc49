#pragma once

#include <vector>

#include "base/random.h"
#include "content/packer.h"
#include "content/xorb.h"

namespace holdfast::content {

// A xorb as a client would send it, with its chunks. For tests.
struct SampleXorb {
  std::vector<Bytes> chunks;
  Bytes bytes;
  XorbHash hash;
};

inline SampleXorb make_sample_xorb(Random& random, size_t chunk_count) {
  SampleXorb sample;
  std::vector<ChunkLeaf> leaves;
  for (size_t i = 0; i < chunk_count; ++i) {
    Bytes chunk(1 + random.below(chunk_bytes_max));
    random.fill(chunk);
    const uint64_t kind = random.below(3);
    for (size_t at = 0; kind > 0 && at < chunk.size(); ++at)
      if (kind == 1 || at % 4 == 3) chunk[at] = static_cast<std::byte>(kind == 1 ? at / 100 : 0x3f);
    ChunkPacker packer;
    const ChunkPacker::Packed packed = packer.pack(chunk);
    const ChunkHeaderBytes header = write_chunk_header({.scheme = packed.scheme,
                                                        .stored = static_cast<uint32_t>(packed.bytes.size()),
                                                        .length = static_cast<uint32_t>(chunk.size())});
    sample.bytes.insert(sample.bytes.end(), header.begin(), header.end());
    sample.bytes.insert(sample.bytes.end(), packed.bytes.begin(), packed.bytes.end());
    leaves.push_back({hash_chunk(chunk), chunk.size()});
    sample.chunks.push_back(std::move(chunk));
  }
  sample.hash = hash_xorb(leaves);
  return sample;
}

}  // namespace holdfast::content
