// Heads and chunked bodies as they come from the wire. Input: a head up to its blank line, then chunks.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "net/request_reader.h"

using namespace holdfast::net;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = input.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  const auto head = parse_request_head(input.substr(0, end + 4), 32);
  if (head.ok()) {
    const Request& request = head.value().request;
    if (head.value().chunked && request.content_length) std::abort();
    if (request.headers.fields().size() > 32 || request.target.empty()) std::abort();
    for (const auto& [name, value] : request.headers.fields())
      if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) std::abort();
  }
  // The body comes in pieces of five bytes into eleven: every state is met at a border.
  const auto reader = make_chunked_reader();
  std::string waiting;
  std::array<std::byte, 11> into;
  for (size_t at = end + 4; at < size; at += 5) {
    waiting += input.substr(at, 5);
    for (int step_count = 0; step_count < 100; ++step_count) {
      const auto step = reader->read(waiting, into);
      if (!step.ok() || step.value().ended) return 0;
      if (step.value().used > waiting.size() || step.value().written > into.size()) std::abort();
      waiting.erase(0, step.value().used);
      if (step.value().used == 0 && step.value().written == 0) break;
    }
  }
  return 0;
}
