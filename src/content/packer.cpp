#include "content/packer.h"

#include <algorithm>

#include "codec/lz4.h"

namespace holdfast::content {
namespace {

constexpr size_t sample_bytes = 4096;
constexpr int hopeless_many = 8, skip_most = 7;

size_t worthwhile(size_t length) { return length - length / 8; }

// Bytes by their index mod 4: the like-valued bytes of four-byte numbers come together.
void group(ByteView bytes, Bytes& into) {
  into.resize(bytes.size());
  std::byte* out = into.data();
  for (size_t first = 0; first < 4; ++first)
    for (size_t i = first; i < bytes.size(); i += 4) *out++ = bytes[i];
}

}  // namespace

// The middle, since what a file starts with often says little of the rest.
bool ChunkPacker::worth_trying(ByteView chunk) {
  if (skip_ > 0) {
    --skip_;
    return false;
  }
  if (chunk.size() < 4 * sample_bytes) return true;
  const ByteView sample = chunk.subspan(chunk.size() / 2 & ~size_t{3}, sample_bytes);
  group(sample, grouped_);
  const size_t best = std::min(codec::lz4_estimate(sample), codec::lz4_estimate(grouped_));
  if (best < worthwhile(sample.size())) {
    hopeless_ = 0;
    return true;
  }
  hopeless_ = std::min(hopeless_ + 1, hopeless_many);
  if (hopeless_ == hopeless_many) skip_ = skip_most;
  return false;
}

ChunkPacker::Packed ChunkPacker::pack(ByteView chunk) {
  if (!worth_trying(chunk)) return {Scheme::raw, chunk};
  Packed best = {Scheme::raw, chunk};
  const size_t limit = worthwhile(chunk.size());
  Bytes plain = codec::lz4_frame_compress(chunk, limit);
  if (!plain.empty()) best = {Scheme::lz4, plain};
  group(chunk, grouped_);
  Bytes grouped = codec::lz4_frame_compress(grouped_, plain.empty() ? limit : plain.size() - 1);
  if (!grouped.empty()) {
    packed_ = std::move(grouped);
    return {Scheme::bg4_lz4, packed_};
  }
  if (best.scheme == Scheme::raw) return best;
  packed_ = std::move(plain);
  return {Scheme::lz4, packed_};
}

}  // namespace holdfast::content
