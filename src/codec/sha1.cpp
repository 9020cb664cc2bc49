#include "codec/sha1.h"

#include <fmt/core.h>
#include <openssl/evp.h>

#include "base/check.h"

namespace holdfast::codec {

void Sha1::Free::operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }

Sha1::Sha1() : context_(EVP_MD_CTX_new()) {
  CHECK(context_ != nullptr);
  CHECK(EVP_DigestInit_ex(context_.get(), EVP_sha1(), nullptr) == 1);
}

void Sha1::update(ByteView bytes) {
  CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Sha1Digest Sha1::finish() {
  Sha1Digest digest;
  unsigned length = 0;
  CHECK(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), &length) == 1);
  CHECK(length == digest.size());
  return digest;
}

Sha1Digest sha1(ByteView bytes) {
  Sha1 hash;
  hash.update(bytes);
  return hash.finish();
}

Sha1Digest git_blob_sha1(ByteView bytes) {
  std::string head = fmt::format("blob {}", bytes.size());
  head += '\0';
  Sha1 hash;
  hash.update(as_bytes(head));
  hash.update(bytes);
  return hash.finish();
}

}  // namespace holdfast::codec
