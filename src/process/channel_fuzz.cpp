#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "process/channel.h"

using namespace holdfast;
using namespace holdfast::process;

// The same frames come out whatever the pieces the stream arrives in, and formatting them again gives the
// stream back.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t step = 1 + data[0] % 64;
  const ByteView stream = std::as_bytes(std::span(data + 1, size - 1));
  FrameParser parser(1 << 16);
  Bytes again;
  for (size_t at = 0; at < stream.size(); at += step) {
    parser.push(stream.subspan(at, std::min(step, stream.size() - at)));
    while (true) {
      const auto frame = parser.next();
      if (!frame.ok()) return 0;
      if (!frame.value()) break;
      const Bytes text = format_frame(frame.value()->kind, frame.value()->payload);
      again.insert(again.end(), text.begin(), text.end());
    }
  }
  CHECK(again.size() <= stream.size());
  CHECK(std::equal(again.begin(), again.end(), stream.begin()));
  return 0;
}
