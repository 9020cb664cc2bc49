#pragma once

#include <openssl/types.h>

#include <array>
#include <cstddef>
#include <memory>

#include "base/bytes.h"

namespace holdfast::codec {

using Sha1Digest = std::array<std::byte, 20>;

// SHA-1 over OpenSSL's EVP, for git object names only: it does not protect against a forger. One thread.
class Sha1 {
 public:
  Sha1();
  void update(ByteView bytes);
  Sha1Digest finish();  // Once; nothing may follow.

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const;
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

Sha1Digest sha1(ByteView bytes);
// The name git gives these bytes as a blob: SHA-1 of "blob LENGTH\0" and the bytes.
Sha1Digest git_blob_sha1(ByteView bytes);

}  // namespace holdfast::codec
