#pragma once

#include "model/config_reader.h"
#include "model/signal_model.h"
#include "model/vision/convolution.h"

namespace holdfast::model {

// A network of convolutions that ends in one picture of features.
class PictureNet {
 public:
  virtual ~PictureNet() = default;
  virtual size_t channels() const = 0;  // Of an image.
  virtual size_t width() const = 0;     // Channels of what it ends in.
  virtual FeatureMap run(const float* image, Extent size, tensor::Threads& threads) const = 0;
  // What of such a picture is judged, [width].
  virtual std::vector<float> pool(const FeatureMap& picture) const = 0;
};

// What a checkpoint of such a network answers, in transformers' shapes.
struct PictureAnswers {
  bool pooled_is_picture = false;  // pooler_output is [B, width, 1, 1].
  std::string classifier;          // Of the pooled features; empty: they are answered themselves.
};
Result<std::unique_ptr<SignalModel>> make_picture_model(std::unique_ptr<PictureNet> net,
                                                        const PictureAnswers& answers, SignalPurpose purpose,
                                                        const WeightReader& reader);

// A list of sizes, one a stage, each 1 to `most`.
std::vector<size_t> read_stages(ConfigReader& config, std::string_view name, std::vector<size_t> fallback,
                                size_t most);

}  // namespace holdfast::model
