#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace holdfast::serve {

class AdapterCopy;

// A token of an answer or of a prompt, where a call asks for them.
struct WrittenToken {
  struct Other {
    uint32_t id = 0;
    float log_probability = 0;
    std::string text;
  };

  uint32_t id = 0;
  bool special = false;
  std::optional<float> log_probability = {};  // Natural logarithm; none of a prompt's first token.
  std::string text;                           // Its bytes, which need not be whole characters.
  std::vector<Other> others = {};             // The likeliest, where they were asked for.
};

// A part of a call of one of the reader's tools. Id and name come with its first part, arguments are JSON
// text to be put together.
struct ToolCallPart {
  uint32_t index = 0;
  std::string id, name, arguments;
};

// A piece of an answer that a model writes, as it comes from its worker.
struct GenerateEvent {
  struct End {
    // "stop": an end token, or all that was asked for. "stop_sequence", "length", "tool_calls".
    std::string reason;
    std::string stop;  // The text that ended it; empty: none did.
    uint32_t prompt_tokens = 0, new_tokens = 0;
    uint64_t seed = 0;
    uint32_t reused_tokens = 0;  // Of the prompt, which a cache had.
    uint32_t prompt_steps = 0;   // In which the rest of it was read.
  };

  uint64_t id = 0;             // Of the request, by the slot that asked.
  std::string text = {};       // New, whole characters; may be empty.
  std::string reasoning = {};  // As text, of what the model thinks before it answers.
  std::vector<ToolCallPart> calls = {};
  std::vector<WrittenToken> tokens = {};  // What the text was made of, where asked for.
  std::vector<WrittenToken> prompt = {};  // In the first event, where asked for.
  // With every piece, as who leaves before the end has had the prompt read, too. 0: is not said.
  uint32_t prompt_tokens = 0;
  std::optional<End> end = {};
  std::optional<Error> error = {};  // The answer failed; nothing follows.
  // Its share of the worker's time since the event before: of who listens to the worker, not of the worker.
  std::chrono::nanoseconds busy = {};

  bool last() const { return end.has_value() || error.has_value(); }
  bool says_something() const {
    return !text.empty() || !reasoning.empty() || !calls.empty() || !tokens.empty() || !prompt.empty() ||
           last();
  }
};

// Called on the model's thread for each event, the last one included; false: nobody wants more, and nothing
// follows. Must not block.
using OnGenerate = std::function<bool(const GenerateEvent& event)>;

// What a reader has of an answer, so that another worker, which writes the same once more, sends only what
// comes behind it.
class Delivered {
 public:
  bool anything() const { return anything_; }
  // Leaves of the event what is new, and counts it.
  void pass(GenerateEvent& event);
  // The next events are the answer's first ones again.
  void from_the_start() { seen_ = {}; }

 private:
  struct Part {
    size_t text = 0, reasoning = 0, tokens = 0;
    bool prompt = false;
    std::vector<size_t> calls;  // Bytes of each one's arguments.
  };

  Part had_, seen_;
  bool anything_ = false;
};

// One answer to be written: the JSON of a completion call (completion_call.h of the program's commands).
struct Generation {
  std::string request;
  OnGenerate on_event;
  // Asked on the model's thread between steps, also before the first event: true ends it. May be empty.
  std::function<bool()> gone = {};
  std::chrono::milliseconds deadline = std::chrono::milliseconds::max();  // On the Clock; ends it too.
  // Set by the models: request_cost.h, and the adapter that changes the model; null for none.
  double cost = 1;
  std::shared_ptr<const AdapterCopy> adapter{};
  // The queue's own: workers that died with it, when it came, on the Clock, when it was given to one, on the
  // Ticks, and what was told of it.
  size_t attempts = 0;
  std::chrono::milliseconds pushed{};
  std::chrono::nanoseconds foreseen{-1};     // As a slice's.
  std::chrono::nanoseconds begun{}, busy{};  // Busy: what was not told yet of its share of the worker's time.
  Delivered delivered{};
};

}  // namespace holdfast::serve
