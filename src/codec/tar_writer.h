#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::codec {

// One member of a tar archive. Its time is 1970-01-01, so that equal members make equal archives.
struct TarMember {
  enum class Kind : uint8_t { file, folder, link };

  std::string path;  // Without a slash at either end.
  Kind kind = Kind::file;
  uint64_t size = 0;     // Of a file.
  std::string target{};  // Of a symbolic link, as it is read.
  uint32_t mode = 0644;
  uint32_t owner = 0;  // User and group, by number.
};

// Writes a tar archive piece by piece: ustar, with pax headers where a name or a size does not fit
// (POSIX.1-2017, pax; written by libarchive). Used by one thread.
class TarWriter {
 public:
  // Gets the archive's bytes in order; its error ends the writing and is handed on.
  using Sink = std::function<Status(ByteView)>;

  static Result<std::unique_ptr<TarWriter>> open(Sink sink);
  virtual ~TarWriter() = default;

  // The next member; of a file exactly `size` bytes follow. bad_request for a path that leads out.
  virtual Status begin(const TarMember& member) = 0;
  virtual Status write(ByteView bytes) = 0;
  // After the last member. conflict where one got fewer bytes than it said.
  virtual Status finish() = 0;
};

}  // namespace holdfast::codec
