#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "git/pkt_line.h"

using namespace holdfast;

// Every packet taken off formats to as many bytes as were taken, and reads back the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteView rest = std::as_bytes(std::span(data, size));
  while (true) {
    const size_t before = rest.size();
    const auto pkt = git::take_pkt(rest);
    if (!pkt.ok() || !pkt.value()) {
      CHECK(rest.size() == before);
      return 0;
    }
    if (pkt.value()->kind != git::PktKind::data) continue;
    const std::string text = git::format_pkt(pkt.value()->payload);
    CHECK(text.size() == before - rest.size());
    ByteView again = as_bytes(text);
    CHECK(git::take_pkt(again).value()->payload == pkt.value()->payload);
  }
}
