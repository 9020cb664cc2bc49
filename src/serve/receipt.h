#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "serve/release_gate.h"

namespace holdfast::identity {
class CheckpointKey;
}

namespace holdfast::serve {

// What answered one request, and what came in and went out, signed by the instance
// (docs/formats/receipt.md). Whoever has the public key can check it without the server.
struct Receipt {
  std::string request;  // Its id.
  WallTime at{};
  std::string door;             // The route's name.
  std::string model, revision;  // "ns/name" and the commit, which fixes weights, configuration and templates.
  std::string tokenizer;        // SHA-256 of tokenizer.json; empty where there is none.
  std::string deployment;       // "demo/support/2/canary", "on-demand"
  std::string record;           // With the release it fixes prompt and settings; empty: no record governs it.
  int64_t release = 0;
  std::string runtime;         // Program, version and the machine's kind.
  std::string input, output;   // SHA-256 of the bodies.
  std::string answer;          // Of what output says but for its own id and time: the same in every replay.
  std::string key, signature;  // Hexadecimal, of Ed25519.

  friend bool operator==(const Receipt&, const Receipt&) = default;
};

inline constexpr size_t receipt_bytes_max = 16 << 10;

// One line of JSON, and the same for a header.
std::string receipt_text(const Receipt& receipt);
std::string receipt_header(const Receipt& receipt);
// Either form; bad_request for what is none.
Result<Receipt> parse_receipt(std::string_view text);

// As a call was served; `runtime` as above.
Receipt make_receipt(const ServedCall& call, std::string_view runtime, WallTime at,
                     const identity::CheckpointKey& key);
// data_corrupt unless `key` signed it.
Status verify_receipt(const Receipt& receipt, std::string_view key);

std::string body_digest(std::string_view body);
// Of a JSON object without its "id", "created" and "created_at"; else as body_digest.
std::string answer_digest(std::string_view body);

}  // namespace holdfast::serve
