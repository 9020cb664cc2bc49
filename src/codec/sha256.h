#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "base/bytes.h"

namespace holdfast::codec {

using Sha256Digest = std::array<std::byte, 32>;

// SHA-256 of bytes that come in pieces, by OpenSSL (SHA instructions where the machine has them). Used by one
// thread at a time.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(ByteView bytes);
  // Another that has taken the same bytes.
  Sha256 copy() const;
  // Once; the object takes no more bytes afterwards.
  Sha256Digest finish();

 private:
  struct Free {
    void operator()(void* state) const;
  };
  std::unique_ptr<void, Free> state_;
};

Sha256Digest sha256(ByteView bytes);

}  // namespace holdfast::codec
