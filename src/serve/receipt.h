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
  std::string base;             // "ns/name@commit" of what the model is an adapter of; empty for others.
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
// Of a body that was sent in pieces: `output_digest` as body_digest, `answer_digest` as below.
Receipt make_receipt(const ServedCall& call, std::string output_digest, std::string answer_digest,
                     std::string_view runtime, WallTime at, const identity::CheckpointKey& key);
// data_corrupt unless `key` signed it.
Status verify_receipt(const Receipt& receipt, std::string_view key);

std::string body_digest(std::string_view body);
// What every replay of an answer has in common: of a JSON object, or of the objects of an event stream,
// without members "created" and "created_at", and without "id", "item_id" and "call_id" that are texts, at
// any depth; else as body_digest.
std::string answer_digest(std::string_view body);

// Behind the last event of a stream: a comment, which readers of events pass over.
std::string receipt_comment(const Receipt& receipt);
// A stream as it was received: what the model said, and the text of its receipt; empty where it has none.
struct StreamParts {
  std::string_view output, receipt;
};
StreamParts split_stream(std::string_view body);

}  // namespace holdfast::serve
