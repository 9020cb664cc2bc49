#include "codec/hmac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>

#include "base/check.h"

namespace holdfast::codec {

namespace {

// Of each thread, so that a call allocates nothing. Looked up once: OpenSSL 3's HMAC() looks both algorithms
// up by name at every call, which costs more than to hash what requests are counted under.
class Hash {
 public:
  Hash() : context_(EVP_MD_CTX_new()), algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)) {
    CHECK(context_ != nullptr && algorithm_ != nullptr);
  }
  ~Hash() {
    EVP_MD_CTX_free(context_);
    EVP_MD_free(algorithm_);
  }
  Hash(const Hash&) = delete;

  std::array<std::byte, 32> of(ByteView first, ByteView second) {
    std::array<std::byte, 32> digest;
    unsigned length = 0;
    CHECK(EVP_DigestInit_ex2(context_, algorithm_, nullptr) == 1);
    CHECK(EVP_DigestUpdate(context_, first.data(), first.size()) == 1);
    CHECK(EVP_DigestUpdate(context_, second.data(), second.size()) == 1);
    CHECK(EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(digest.data()), &length) == 1);
    CHECK(length == digest.size());
    return digest;
  }

 private:
  EVP_MD_CTX* context_;
  EVP_MD* algorithm_;
};

}  // namespace

// RFC 2104.
std::array<std::byte, 32> hmac_sha256(ByteView key, ByteView message) {
  thread_local Hash hash;
  constexpr size_t block_bytes = 64;
  constexpr std::byte inner_pad{0x36}, outer_pad{0x5c};
  std::array<std::byte, block_bytes> block{};
  if (key.size() > block_bytes) {
    const auto shortened = hash.of(key, {});
    std::copy(shortened.begin(), shortened.end(), block.begin());
  } else {
    std::copy(key.begin(), key.end(), block.begin());
  }
  const auto padded_with = [&](std::byte pad) {
    std::array<std::byte, block_bytes> padded{};
    for (size_t i = 0; i < block_bytes; ++i) padded[i] = block[i] ^ pad;
    return padded;
  };
  auto padded = padded_with(inner_pad);
  const auto inner = hash.of(padded, message);
  padded = padded_with(outer_pad);
  const auto outer = hash.of(padded, inner);
  OPENSSL_cleanse(padded.data(), padded.size());
  OPENSSL_cleanse(block.data(), block.size());
  return outer;
}

bool equal_in_constant_time(ByteView left, ByteView right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace holdfast::codec
