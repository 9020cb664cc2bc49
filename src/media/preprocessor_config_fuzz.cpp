// Any configuration: refused, or steps that a small picture and a short sound go through without harm.
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "codec/json.h"
#include "media/image_processor.h"
#include "media/sound_processor.h"

namespace {

using namespace holdfast;
constexpr size_t values_max = 1 << 20;  // What is computed here; larger is only read.

void look(const media::ImageProcessor& processor) {
  const media::Image image{.width = 5, .height = 3, .pixels = std::vector<uint8_t>(45, 200)};
  const auto size = processor.size_after({.height = 3, .width = 5});
  if (!size.ok() || size.value().height * size.value().width > values_max) return;
  const auto& pad = processor.steps().pad;
  if (pad && pad->height * pad->width > values_max) return;
  const auto pixels = processor.run(image);
  if (!pixels.ok()) return;
  CHECK(pixels.value().data.size() == 3 * pixels.value().height * pixels.value().width);
}

void listen(const media::SoundProcessor& processor) {
  if (processor.window() > values_max / 8) return;
  const auto features = processor.run(std::vector<float>(500, 0.25F));
  if (!features.ok()) return;
  size_t values = 1;
  for (const size_t edge : features.value().shape) values *= edge;
  CHECK(features.value().data.size() == values);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto config = codec::parse_json_object({reinterpret_cast<const char*>(data), size});
  if (!config.ok()) return 0;
  if (const auto processor = media::ImageProcessor::parse(config.value()); processor.ok())
    look(processor.value());
  if (const auto processor = media::SoundProcessor::parse(config.value()); processor.ok())
    listen(processor.value());
  return 0;
}
