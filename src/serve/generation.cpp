#include "serve/generation.h"

#include <algorithm>

namespace holdfast::serve {
namespace {

// Of what is `seen` with `piece`, that which goes beyond what they `had`.
void cut(std::string& piece, size_t& seen, size_t& had) {
  const size_t known = std::min(piece.size(), had - std::min(had, seen));
  seen += piece.size();
  had = std::max(had, seen);
  piece.erase(0, known);
}

}  // namespace

void Delivered::pass(GenerateEvent& event) {
  cut(event.text, seen_.text, had_.text);
  cut(event.reasoning, seen_.reasoning, had_.reasoning);
  const size_t known = std::min(event.tokens.size(), had_.tokens - std::min(had_.tokens, seen_.tokens));
  seen_.tokens += event.tokens.size();
  had_.tokens = std::max(had_.tokens, seen_.tokens);
  event.tokens.erase(event.tokens.begin(), event.tokens.begin() + static_cast<std::ptrdiff_t>(known));
  if (!event.prompt.empty()) {
    if (had_.prompt) event.prompt.clear();
    had_.prompt = true;
  }
  for (ToolCallPart& part : event.calls) {
    const size_t calls = size_t{part.index} + 1;
    // Ids are made anew each time: the reader keeps the first.
    if (had_.calls.size() >= calls && seen_.calls.size() < calls) {
      part.id.clear();
      part.name.clear();
    }
    seen_.calls.resize(std::max(seen_.calls.size(), calls));
    had_.calls.resize(std::max(had_.calls.size(), calls));
    cut(part.arguments, seen_.calls[part.index], had_.calls[part.index]);
  }
  std::erase_if(event.calls, [](const ToolCallPart& part) {
    return part.id.empty() && part.name.empty() && part.arguments.empty();
  });
  anything_ = anything_ || event.says_something();
}

}  // namespace holdfast::serve
