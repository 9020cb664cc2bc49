// The first byte chooses the format and the pieces, the rest is a compressed stream: pieces and the whole
// agree, and nothing grows beyond its limit.
#include <cstdint>

#include "base/check.h"
#include "codec/gzip.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast;
  if (size < 1) return 0;
  constexpr size_t bytes_max = 100'000;
  const auto format = static_cast<codec::Deflate>(data[0] % 3);
  const ByteView packed = std::as_bytes(std::span(data, size)).subspan(1);
  const auto whole = codec::inflate(packed, format, bytes_max);

  const auto inflater = codec::make_inflater(format, bytes_max);
  Bytes out;
  bool going = true;
  for (size_t at = 0; going && at < packed.size();) {
    const size_t count = std::min<size_t>(1 + data[0] / 3, packed.size() - at);
    going = inflater->update(packed.subspan(at, count), out).ok();
    at += count;
  }
  CHECK(out.size() <= bytes_max + 1);
  CHECK((going && inflater->finish().ok()) == whole.ok());
  if (whole.ok()) CHECK(whole.value() == out);
  return 0;
}
