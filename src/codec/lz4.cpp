#include "codec/lz4.h"

#include <lz4.h>
#include <lz4frame.h>

#include <memory>

#include "base/check.h"

namespace holdfast::codec {
namespace {

struct FreeDecoder {
  void operator()(LZ4F_dctx* decoder) const { LZ4F_freeDecompressionContext(decoder); }
};

}  // namespace

Bytes lz4_frame_compress(ByteView bytes, size_t bytes_max) {
  LZ4F_preferences_t wish{};
  wish.frameInfo.blockSizeID = LZ4F_max256KB;
  wish.frameInfo.blockMode = LZ4F_blockIndependent;
  Bytes out(LZ4F_compressFrameBound(bytes.size(), &wish));
  const size_t written = LZ4F_compressFrame(out.data(), out.size(), bytes.data(), bytes.size(), &wish);
  CHECK(!LZ4F_isError(written));
  out.resize(written > bytes_max ? 0 : written);
  return out;
}

size_t lz4_estimate(ByteView sample) {
  Bytes out(static_cast<size_t>(LZ4_compressBound(static_cast<int>(sample.size()))));
  const int size =
      LZ4_compress_default(reinterpret_cast<const char*>(sample.data()), reinterpret_cast<char*>(out.data()),
                           static_cast<int>(sample.size()), static_cast<int>(out.size()));
  return static_cast<size_t>(size);
}

Status lz4_frame_decompress(ByteView frame, std::span<std::byte> into) {
  // Kept between calls, because a fresh one allocates half a megabyte a frame.
  static thread_local std::unique_ptr<LZ4F_dctx, FreeDecoder> decoder = [] {
    LZ4F_dctx* made = nullptr;
    CHECK(!LZ4F_isError(LZ4F_createDecompressionContext(&made, LZ4F_VERSION)));
    return std::unique_ptr<LZ4F_dctx, FreeDecoder>(made);
  }();
  LZ4F_resetDecompressionContext(decoder.get());
  size_t hint = 1;
  while (hint != 0) {
    size_t wrote = into.size(), read = frame.size();
    hint = LZ4F_decompress(decoder.get(), into.data(), &wrote, frame.data(), &read, nullptr);
    if (LZ4F_isError(hint)) return fail(Reason::bad_request, "not a valid LZ4 frame");
    into = into.subspan(wrote);
    frame = frame.subspan(read);
    // No progress: the frame wants more input than there is, or has more output than was announced.
    if (hint != 0 && wrote == 0 && read == 0)
      return fail(Reason::bad_request, "the LZ4 frame is not of the announced size");
  }
  if (!into.empty() || !frame.empty())
    return fail(Reason::bad_request, "the LZ4 frame is not of the announced size");
  return Done{};
}

}  // namespace holdfast::codec
