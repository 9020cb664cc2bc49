#include "identity/checkpoint.h"

#include <fmt/format.h>
#include <sodium.h>

#include <boost/json/object.hpp>

#include "base/check.h"
#include "base/data_layout.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "io/disk.h"

namespace holdfast::identity {
namespace {

constexpr uint64_t key_bytes_max = 1024;

unsigned char* raw(Bytes& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }
const unsigned char* raw(ByteView bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

// What the signature covers.
std::string signed_text(const SignedCheckpoint& checkpoint) {
  return fmt::format("holdfast audit checkpoint\n{}\n{}\n{}\n", checkpoint.checkpoint.number,
                     codec::to_hex(checkpoint.checkpoint.hash), format_time(checkpoint.at));
}

struct KeyPair {
  Bytes public_key, secret_key;
};
KeyPair pair_of(ByteView seed) {
  CHECK(sodium_init() >= 0);
  KeyPair pair{Bytes(crypto_sign_PUBLICKEYBYTES), Bytes(crypto_sign_SECRETKEYBYTES)};
  crypto_sign_seed_keypair(raw(pair.public_key), raw(pair.secret_key), raw(seed));
  return pair;
}

}  // namespace

std::string checkpoint_text(const SignedCheckpoint& checkpoint) {
  return codec::to_text(boost::json::object{{"number", checkpoint.checkpoint.number},
                                            {"hash", codec::to_hex(checkpoint.checkpoint.hash)},
                                            {"at", format_time(checkpoint.at)},
                                            {"key", checkpoint.key},
                                            {"signature", checkpoint.signature}}) +
         "\n";
}

Result<SignedCheckpoint> parse_checkpoint(std::string_view text) {
  TRY(const boost::json::object object, codec::parse_json_object(text));
  SignedCheckpoint parsed;
  TRY(parsed.checkpoint.number, codec::json_integer(object, "number"));
  TRY(const std::string_view digits, codec::json_text(object, "hash"));
  TRY(const Bytes hash, codec::from_hex(digits));
  if (hash.size() != parsed.checkpoint.hash.size() || parsed.checkpoint.number < 0)
    return fail(Reason::bad_request, "the checkpoint's hash is not 32 bytes, or its number is negative");
  std::copy(hash.begin(), hash.end(), parsed.checkpoint.hash.begin());
  TRY(const auto signature, codec::json_text_if(object, "signature"));
  if (!signature) return parsed;
  parsed.signature = *signature;
  TRY(parsed.key, codec::json_text(object, "key"));
  TRY(const std::string_view at, codec::json_text(object, "at"));
  TRY(parsed.at, parse_time(at));
  return parsed;
}

Status verify_text(std::string_view text, std::string_view signature_hex, std::string_view key) {
  CHECK(sodium_init() >= 0);
  const Error wrong = fail(Reason::data_corrupt, "this was not signed by that key");
  const auto signature = codec::from_hex(signature_hex);
  const auto public_key = codec::from_hex(key);
  if (!signature.ok() || !public_key.ok() || signature.value().size() != crypto_sign_BYTES ||
      public_key.value().size() != crypto_sign_PUBLICKEYBYTES)
    return wrong;
  if (crypto_sign_verify_detached(raw(ByteView(signature.value())), raw(as_bytes(text)), text.size(),
                                  raw(ByteView(public_key.value()))) != 0)
    return wrong;
  return Done{};
}

Status verify_signature(const SignedCheckpoint& checkpoint, std::string_view key) {
  if (!verify_text(signed_text(checkpoint), checkpoint.signature, key).ok())
    return fail(Reason::data_corrupt, "the checkpoint was not signed by this instance");
  return Done{};
}

Result<CheckpointKey> CheckpointKey::open(io::Disk& data, Random& random) {
  auto stored = io::read_text(data, data_layout::checkpoint_key, key_bytes_max);
  if (!stored.ok() && stored.error().code != Code::not_found) return stored.error();
  std::string seed_text;
  if (stored.ok()) {
    seed_text = stored.value();
    while (seed_text.ends_with('\n')) seed_text.pop_back();
  } else {
    TRY_DONE(data.make_directories(data_layout::keys));
    seed_text = random.hex(crypto_sign_SEEDBYTES);
    TRY_DONE(io::publish_text(data, data_layout::checkpoint_key, seed_text + "\n"));
    TRY_DONE(data.restrict_to_owner(data_layout::checkpoint_key));
  }
  TRY(const Bytes seed, codec::from_hex(seed_text));
  if (seed.size() != crypto_sign_SEEDBYTES)
    return fail(Reason::data_corrupt, "the key of checkpoints is damaged");
  return CheckpointKey(Secret(seed_text), codec::to_hex(pair_of(seed).public_key));
}

std::string CheckpointKey::signature_of(std::string_view text) const {
  const auto seed = codec::from_hex(seed_.reveal());
  CHECK(seed.ok());
  const KeyPair pair = pair_of(seed.value());
  Bytes signature(crypto_sign_BYTES);
  crypto_sign_detached(raw(signature), nullptr, raw(as_bytes(text)), text.size(),
                       raw(ByteView(pair.secret_key)));
  return codec::to_hex(signature);
}

SignedCheckpoint CheckpointKey::sign(const AuditCheckpoint& checkpoint, WallTime at) const {
  SignedCheckpoint out{.checkpoint = checkpoint, .at = at, .key = public_key_};
  out.signature = signature_of(signed_text(out));
  return out;
}

}  // namespace holdfast::identity
