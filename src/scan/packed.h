#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "scan/source.h"

namespace holdfast::scan {

// A member of an archive that is read from its beginning to its end.
struct PackedMember {
  enum class Kind : uint8_t { file, folder, link, other };
  std::string name{};
  Kind kind = Kind::file;
  std::string target{};  // Of a link, symbolic or hard.
};

// Reads tar in all its dialects, 7z, rar, cpio, and plain streams of xz, bzip2, zstd, lz4 and compress, each
// of them maybe packed in another, by libarchive; zip archives too, whose members are packed in
// ways that zip.h does not read. A stream that holds no archive is one member without a
// name. One thread; borrows the source.
class PackedReader {
 public:
  virtual ~PackedReader() = default;
  // The next member, nothing at the end. Code::corrupt where the archive is damaged, or locked by a password.
  virtual Result<std::optional<PackedMember>> next() = 0;
  // The current member's bytes. body_too_large beyond `bytes_max`.
  virtual Result<Bytes> read(uint64_t bytes_max) = 0;
};
Result<std::unique_ptr<PackedReader>> open_packed(Source& source);

// Whether the file begins like one of these. Zip and gzip have readers of their own (zip.h, codec/gzip.h).
bool looks_packed(ByteView head);

}  // namespace holdfast::scan
