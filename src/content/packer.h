#pragma once

#include "base/bytes.h"
#include "content/xet_format.h"

namespace holdfast::content {

// Decides how a chunk is stored: compressed where that saves at least an eighth, else as it is. Looks at
// samples first, and at fewer of them while nothing compresses, so that random bytes cost next to nothing.
// One a stream, one thread.
class ChunkPacker {
 public:
  struct Packed {
    Scheme scheme = Scheme::raw;
    ByteView bytes;  // The chunk itself, or bytes that live until the next call.
  };
  Packed pack(ByteView chunk);

 private:
  bool worth_trying(ByteView chunk);

  int hopeless_ = 0;  // Samples in a row that did not compress.
  int skip_ = 0;
  Bytes packed_, grouped_;
};

}  // namespace holdfast::content
