#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "identity/audit.h"

namespace holdfast::io {
class Disk;
}

namespace holdfast::identity {

// Where the audit chain stood, signed by the instance (docs/formats/audit-checkpoint.md): handed outside, it
// finds a database that was rewritten as a whole, by a verifier that has only the public key.
struct SignedCheckpoint {
  AuditCheckpoint checkpoint;
  WallTime at{};
  std::string key{}, signature{};  // Hexadecimal: 32 and 64 bytes of Ed25519.
};

// {"number", "hash", "at", "key", "signature"}, one line.
std::string checkpoint_text(const SignedCheckpoint& checkpoint);
// bad_request for what is none; a checkpoint without a signature (number and hash alone) has an empty one.
Result<SignedCheckpoint> parse_checkpoint(std::string_view text);
// data_corrupt unless this key signed it.
Status verify_signature(const SignedCheckpoint& checkpoint, std::string_view key);

// data_corrupt unless this key (64 hexadecimal digits) made this signature (128) of this text.
Status verify_text(std::string_view text, std::string_view signature, std::string_view key);

// The instance's key for checkpoints and receipts: data_layout::checkpoint_key, made at first use, readable
// by the owner only. Immutable, safe from any thread.
class CheckpointKey {
 public:
  static Result<CheckpointKey> open(io::Disk& data, Random& random);
  const std::string& public_key() const { return public_key_; }
  SignedCheckpoint sign(const AuditCheckpoint& checkpoint, WallTime at) const;
  // Of any text whose first line says what kind it is; no two kinds begin alike.
  std::string signature_of(std::string_view text) const;

 private:
  CheckpointKey(Secret seed, std::string public_key)
      : seed_(std::move(seed)), public_key_(std::move(public_key)) {}
  Secret seed_;  // Hexadecimal.
  std::string public_key_;
};

}  // namespace holdfast::identity
