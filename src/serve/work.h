#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace holdfast::serve {

// What one request's way through a model took, as Ticks measured it, and what it was made of. The stages add
// up to the time that the model's answer took: queue is all that is not one of the others.
struct Work {
  std::chrono::nanoseconds queue{};  // In the queue, behind others in the batch, and to the worker and back.
  std::chrono::nanoseconds load{};   // Waiting for the model to be loaded.
  std::chrono::nanoseconds tokenize{};  // Of the batch that it went with.
  std::chrono::nanoseconds model{};     // As tokenize.
  std::chrono::nanoseconds post{};      // In the worker, after the model.
  std::chrono::nanoseconds guard{};     // At the endpoint's guardrails, before the model and after.
  std::chrono::nanoseconds busy{};      // Its share of the worker's time: what it costs.
  uint64_t inputs = 0, tokens = 0, unknown_tokens = 0;
  uint64_t written_tokens = 0;  // Of `tokens`, those that the model wrote.
  // Of an answer that is written: until something of it was there, and from one token to the next on average.
  std::chrono::nanoseconds first_token{}, between_tokens{};
  std::optional<uint64_t> seed;                   // Of the first answer that was written.
  uint64_t cached_inputs = 0, missed_inputs = 0;  // Looked for among kept answers, and found or not.
  std::chrono::milliseconds retry_after{};        // Of a refusal: when it may be worth asking again.

  bool cold() const { return load.count() > 0; }  // It met a model that was not loaded yet.
  bool asked() const { return inputs > 0; }       // It came as far as a model's queue.
  void add(const Work& more) {
    queue += more.queue;
    load += more.load;
    tokenize += more.tokenize;
    model += more.model;
    post += more.post;
    guard += more.guard;
    busy += more.busy;
    inputs += more.inputs;
    tokens += more.tokens;
    unknown_tokens += more.unknown_tokens;
    written_tokens += more.written_tokens;
    if (first_token.count() == 0) first_token = more.first_token;
    if (between_tokens.count() == 0) between_tokens = more.between_tokens;
    if (!seed) seed = more.seed;
    cached_inputs += more.cached_inputs;
    missed_inputs += more.missed_inputs;
    retry_after = more.retry_after.count() > 0 ? more.retry_after : retry_after;
  }
};

}  // namespace holdfast::serve
