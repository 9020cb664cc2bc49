#include "media/webp.h"

#include <fmt/format.h>
#include <webp/demux.h>

#include <memory>

#include "media/image_bounds.h"

namespace holdfast::media {
namespace {

struct Deleter {
  void operator()(WebPAnimDecoder* decoder) const { WebPAnimDecoderDelete(decoder); }
};

Error broken() {
  return fail(Reason::bad_request, "the WebP cannot be read: it is broken or ends too early");
}

}  // namespace

bool looks_like_webp(ByteView bytes) {
  const std::string_view text = as_text(bytes);
  return text.size() >= 16 && text.starts_with("RIFF") && text.substr(8, 4) == "WEBP";
}

// Through the decoder of animations, as Pillow: a still picture is one of a single frame.
Result<Image> decode_webp(ByteView bytes, size_t pixels_max) {
  WebPBitstreamFeatures features{};
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  if (WebPGetFeatures(data, bytes.size(), &features) != VP8_STATUS_OK) return broken();
  TRY_DONE(check_image_size(static_cast<size_t>(features.width), static_cast<size_t>(features.height),
                            pixels_max));

  WebPAnimDecoderOptions options{};
  if (WebPAnimDecoderOptionsInit(&options) == 0) return fail(Code::internal, "libwebp does not start");
  options.color_mode = MODE_RGBA;
  options.use_threads = 0;
  const WebPData view{data, bytes.size()};
  const std::unique_ptr<WebPAnimDecoder, Deleter> decoder(WebPAnimDecoderNew(&view, &options));
  if (!decoder) return broken();
  WebPAnimInfo info{};
  if (WebPAnimDecoderGetInfo(decoder.get(), &info) == 0) return broken();
  TRY_DONE(check_image_size(info.canvas_width, info.canvas_height, pixels_max));
  uint8_t* frame = nullptr;  // [H, W, 4], the decoder's own.
  int shown_until = 0;
  if (WebPAnimDecoderGetNext(decoder.get(), &frame, &shown_until) == 0) return broken();

  Image image{.width = info.canvas_width, .height = info.canvas_height, .pixels = {}};
  const size_t pixels = image.width * image.height;
  image.pixels.resize(pixels * 3);
  for (size_t i = 0; i < pixels; ++i)
    for (size_t c = 0; c < 3; ++c) image.pixels[i * 3 + c] = frame[i * 4 + c];
  return image;
}

}  // namespace holdfast::media
