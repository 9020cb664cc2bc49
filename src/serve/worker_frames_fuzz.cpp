#include <cstddef>
#include <cstdint>

#include "serve/worker_protocol.h"

// The first byte chooses the frame, the rest is its payload. A worker is a child of ours, but it may be a
// broken one.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast;
  if (size == 0) return 0;
  const ByteView payload(reinterpret_cast<const std::byte*>(data + 1), size - 1);
  switch (data[0] % 8) {
    case 0:
      (void)serve::decode_facts(payload).ok();
      break;
    case 1:
      (void)serve::decode_error(payload).ok();
      break;
    case 2:
      (void)serve::decode_ask(payload).ok();
      break;
    case 4:
      (void)serve::decode_generate(payload).ok();
      break;
    case 5:
      (void)serve::decode_piece(payload).ok();
      break;
    case 6:
      (void)serve::decode_cancel(payload).ok();
      break;
    default:
      (void)serve::decode_answers(payload).ok();
      break;
  }
  return 0;
}
