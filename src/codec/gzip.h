#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::codec {

enum class Deflate : uint8_t {
  gzip,  // RFC 1952; several members one after the other are one stream.
  zlib,  // RFC 1950: HTTP's Content-Encoding "deflate".
  raw,   // RFC 1951: inside zip and git packs of our own making.
};

// Undoes a compressed stream that arrives in pieces; what comes out is bounded however small the input. One
// thread; after an error it stays in error.
class Inflater {
 public:
  virtual ~Inflater() = default;
  // Appends to `out`. bad_request for a broken stream, body_too_large beyond `bytes_max` in all.
  virtual Status update(ByteView piece, Bytes& out) = 0;
  // bad_request when the stream is not complete.
  virtual Status finish() = 0;
};
std::unique_ptr<Inflater> make_inflater(Deflate format, uint64_t bytes_max);

// All at once. Bytes after the end of a zlib or raw stream are bad_request.
Result<Bytes> inflate(ByteView compressed, Deflate format, size_t bytes_max);
Bytes deflate(ByteView bytes, Deflate format, int level = 6);

// Whether the bytes start as a gzip member does.
bool looks_gzipped(ByteView bytes);

}  // namespace holdfast::codec
