#include <algorithm>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "content/xorb.h"

// Bytes as a client might send them as a xorb, in pieces whose size the first byte chooses.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast;
  using namespace holdfast::content;
  if (size == 0) return 0;
  const size_t piece = 1 + data[0] * 7U;
  const ByteView bytes = std::as_bytes(std::span(data + 1, size - 1));
  XorbParser parser;
  for (size_t at = 0; at < bytes.size(); at += piece)
    if (!parser.write(bytes.subspan(at, std::min(piece, bytes.size() - at))).ok()) return 0;
  // Only the true name is accepted; that of no chunks cannot be one.
  CHECK(!parser.finish(XorbHash{}).ok());
  auto unpacked = XorbTable::unpack(bytes);
  if (unpacked.ok()) CHECK(std::ranges::equal(unpacked.value().pack(), bytes));
  return 0;
}
