#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"

namespace holdfast::serve {

// A piece of an answer that a model writes, as it comes from its worker.
struct GenerateEvent {
  struct End {
    std::string reason;  // "stop" or "length".
    uint32_t prompt_tokens = 0, new_tokens = 0;
  };

  uint64_t id = 0;    // Of the request, by the slot that asked.
  std::string text;   // New, whole characters; may be empty.
  std::string extra;  // JSON array of log-probabilities, one object a token, where they were asked for.
  std::optional<End> end = {};
  std::optional<Error> error = {};  // The answer failed; nothing follows.

  bool last() const { return end.has_value() || error.has_value(); }
};

// Called on the model's thread for each event, the last one included; false: nobody wants more, and nothing
// follows. Must not block.
using OnGenerate = std::function<bool(const GenerateEvent& event)>;

// One answer to be written: the JSON of a completion call (worker_completion.h of the program's commands).
struct Generation {
  std::string request;
  OnGenerate on_event;
};

}  // namespace holdfast::serve
