#include "identity/sealed.h"

#include <sodium.h>

#include <span>

#include "base/bytes.h"
#include "base/check.h"
#include "base/data_layout.h"
#include "codec/base64.h"
#include "codec/hex.h"

namespace holdfast::identity {
namespace {

constexpr size_t key_bytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t mark_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::byte version{1};

const unsigned char* raw(const void* bytes) { return static_cast<const unsigned char*>(bytes); }
unsigned char* raw(void* bytes) { return static_cast<unsigned char*>(bytes); }

Result<Secret> checked_key(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  if (!codec::is_lower_hex(text, 2 * key_bytes))
    return fail(Reason::data_corrupt, "the key of the secrets store is not 64 hexadecimal digits");
  return Secret(std::move(text));
}

Result<Secret> read_key(io::Disk& data) {
  TRY(std::string text, io::read_text(data, data_layout::sealing_key, 4096));
  return checked_key(std::move(text));
}

Result<Bytes> key_of(const Secret& key) {
  CHECK(sodium_init() >= 0);
  return codec::from_hex(key.reveal());
}

}  // namespace

Result<Secret> open_sealing_key(io::Disk& data, Random& random, const Secret& given) {
  if (!given.empty()) return checked_key(given.reveal());
  auto found = read_key(data);
  if (!found.ok() && found.error().code == Code::not_found) {
    TRY_DONE(io::publish_text(data, data_layout::sealing_key, random.hex(key_bytes) + "\n"));
    TRY_DONE(data.restrict_to_owner(data_layout::sealing_key));
    found = read_key(data);  // Another process may have been first by a hair: then its key is the one.
  }
  return found;
}

Result<std::string> seal(const Secret& key, std::string_view name, const Secret& text, Random& random) {
  TRY(const Bytes secret, key_of(key));
  const std::string& plain = text.reveal();
  Bytes out(1 + nonce_bytes + plain.size() + mark_bytes);
  out[0] = version;
  random.fill(std::span(out).subspan(1, nonce_bytes));
  unsigned long long written = 0;
  CHECK(crypto_aead_xchacha20poly1305_ietf_encrypt(
            raw(out.data() + 1 + nonce_bytes), &written, raw(plain.data()), plain.size(), raw(name.data()),
            name.size(), nullptr, raw(out.data() + 1), raw(secret.data())) == 0);
  return codec::base64_encode(out);
}

Result<Secret> unseal(const Secret& key, std::string_view name, std::string_view sealed) {
  TRY(const Bytes secret, key_of(key));
  TRY(const Bytes bytes, codec::base64_decode(sealed));
  const Error wrong =
      fail(Reason::data_corrupt, "a secret does not open: it was stored under another key, or changed");
  if (bytes.size() < 1 + nonce_bytes + mark_bytes || bytes[0] != version) return wrong;
  const size_t sealed_bytes = bytes.size() - 1 - nonce_bytes;
  std::string plain(sealed_bytes - mark_bytes, '\0');
  unsigned long long written = 0;
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          raw(plain.data()), &written, nullptr, raw(bytes.data() + 1 + nonce_bytes), sealed_bytes,
          raw(name.data()), name.size(), raw(bytes.data() + 1), raw(secret.data())) != 0)
    return wrong;
  return Secret(std::move(plain));
}

}  // namespace holdfast::identity
