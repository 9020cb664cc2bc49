#include "codec/sha256.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace holdfast::codec {
namespace {

EVP_MD_CTX* context(void* state) { return static_cast<EVP_MD_CTX*>(state); }

// Looked up once: fetching the algorithm by name costs more than hashing a small file.
const EVP_MD* algorithm() {
  static const EVP_MD* const found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  CHECK(found != nullptr);
  return found;
}

}  // namespace

void Sha256::Free::operator()(void* state) const { EVP_MD_CTX_free(context(state)); }

Sha256::Sha256() : state_(EVP_MD_CTX_new()) {
  CHECK(state_ != nullptr);
  CHECK(EVP_DigestInit_ex2(context(state_.get()), algorithm(), nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(ByteView bytes) {
  CHECK(EVP_DigestUpdate(context(state_.get()), bytes.data(), bytes.size()) == 1);
}

Sha256 Sha256::copy() const {
  Sha256 other;
  CHECK(EVP_MD_CTX_copy_ex(context(other.state_.get()), context(state_.get())) == 1);
  return other;
}

Sha256Digest Sha256::finish() {
  Sha256Digest digest;
  unsigned length = 0;
  CHECK(EVP_DigestFinal_ex(context(state_.get()), reinterpret_cast<unsigned char*>(digest.data()), &length) ==
        1);
  CHECK(length == digest.size());
  return digest;
}

Sha256Digest sha256(ByteView bytes) {
  Sha256 state;
  state.update(bytes);
  return state.finish();
}

}  // namespace holdfast::codec
