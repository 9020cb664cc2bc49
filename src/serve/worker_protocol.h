#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "serve/generation.h"

namespace holdfast::serve {

// What the server and its worker processes say to each other, in frames of process/channel.h;
// docs/formats/worker-frames.md. The worker speaks first: ready or failed. Then each ask is answered.
enum class FrameKind : uint8_t {
  ready = 1,     // WorkerFacts
  failed = 2,    // An error; the worker ends.
  ask = 3,       // A list of EmbedItem
  answer = 4,    // One EmbedAnswer or error for each item, in order
  generate = 5,  // A GenerateAsk; answered by pieces, the last one says that it is
  piece = 6,     // A GenerateEvent
  cancel = 7,    // Of a GenerateAsk, by its id; nothing more comes of it
  beat = 8,      // Nothing; from the worker between any two frames, as long as it lives
};

inline constexpr size_t items_max = 4096;
inline constexpr size_t answer_floats_max = 12 << 20;  // Of one item: 48 MiB, below a frame's bound.

enum class Wanted : uint8_t {
  vectors,   // One a text, pooled and normalized as the model's folder says.
  features,  // The hidden states of each token.
  task,      // A task of the Inference API: the one text is as serve/task_text.h has it.
};
enum class LongText : uint8_t { cut_right, cut_left, refuse };

// Texts, or ids of the model's own vocabulary where `ids` is not empty.
struct EmbedItem {
  Wanted wanted = Wanted::vectors;
  LongText long_text = LongText::cut_right;
  std::vector<std::string> texts;
  std::vector<std::vector<uint32_t>> ids;
  std::string adapter;  // Folder of the one that changes the model; empty: none.

  size_t size() const { return ids.empty() ? texts.size() : ids.size(); }
};

// What a worker says of its own way to an answer. Inputs that went through the model together have its time
// alike; `busy` is this item's share of it, by tokens.
struct WorkerWork {
  uint64_t tokenize_ns = 0, model_ns = 0, post_ns = 0, busy_ns = 0;
  uint64_t tokens = 0, unknown_tokens = 0;  // Unknown: the vocabulary has none for what was written.
};

// Columns of the same length, one row an input; none of a task.
struct EmbedAnswer {
  std::vector<uint32_t> tokens;             // Of each input, special tokens included.
  std::vector<std::vector<float>> vectors;  // [dimensions], or [tokens, dimensions] for features.
  std::string json;                         // Of a task; else empty.
  WorkerWork work{};
};

struct WorkerFacts {
  uint32_t dimensions = 0;
  uint32_t tokens_max = 0;
  bool sentence_model = false;  // Its folder says how to pool.
  bool normalizes = false;
  std::string task;  // What the model is for, as the hub names tasks: "text-classification".
};

// An error as the peer told it. A type of its own, so that it cannot be taken for a failure to read it.
struct PeerError {
  Error error;
};

struct GenerateAsk {
  uint64_t id = 0;
  std::string request;  // JSON
  std::string adapter;  // Folder of the one that changes the model; empty: none.
};

Bytes encode_facts(const WorkerFacts& facts);
Bytes encode_error(const Error& error);
Bytes encode_ask(std::span<const EmbedItem> items);
Bytes encode_answers(std::span<const Result<EmbedAnswer>> answers);
Bytes encode_generate(const GenerateAsk& ask);
Bytes encode_piece(const GenerateEvent& event);
Bytes encode_cancel(uint64_t id);

// corrupt for what the peer cannot have meant.
Result<WorkerFacts> decode_facts(ByteView payload);
Result<PeerError> decode_error(ByteView payload);
Result<std::vector<EmbedItem>> decode_ask(ByteView payload);
Result<std::vector<Result<EmbedAnswer>>> decode_answers(ByteView payload);
Result<GenerateAsk> decode_generate(ByteView payload);
Result<GenerateEvent> decode_piece(ByteView payload);
Result<uint64_t> decode_cancel(ByteView payload);

}  // namespace holdfast::serve
