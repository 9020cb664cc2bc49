#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "git/hook_message.h"

using namespace holdfast;

// What parses formats to a text that parses to the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text(std::as_bytes(std::span(data, size)));
  if (const auto ask = git::parse_hook_ask(text); ask.ok()) {
    const std::string again = git::format_hook_ask(ask.value());
    CHECK(git::format_hook_ask(git::parse_hook_ask(again).value()) == again);
  }
  if (const auto outcomes = git::parse_hook_outcomes(text); outcomes.ok()) {
    const std::string again = git::format_hook_outcomes(outcomes.value());
    CHECK(git::format_hook_outcomes(git::parse_hook_outcomes(again).value()) == again);
  }
  return 0;
}
