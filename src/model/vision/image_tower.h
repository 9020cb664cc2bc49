#pragma once

#include "model/encoder.h"
#include "model/vision/patches.h"
#include "model/vision/position_grid.h"

namespace holdfast::model {

// A transformer over the patches of an image, in the words of the shared encoder block, and what the
// checkpoint calls its tensors.
struct ImageTowerPlan {
  // What happens to an image of another size than the table of positions is for.
  enum class OtherSizes : uint8_t {
    on_request,  // Refused unless the call says interpolate_pos_encoding.
    always,      // The table is brought to its grid.
  };
  EncoderPlan encoder;  // Without words.
  PatchPlan patches;
  Extent image;                     // That the table of positions is for.
  std::vector<std::string> tokens;  // Before the patches, with positions: those of the class, of a teacher.
  std::string registers;            // After these, without positions; empty: none.
  size_t register_count = 0;
  std::string positions;            // [1, tokens + patches, E]; empty: none.
  bool positions_are_rows = false;  // NAME.weight [tokens + patches, E].
  OtherSizes other_sizes = OtherSizes::on_request;
  Resampling resampling = Resampling::bicubic;
  bool turns_by_place = false;  // Patches have rotary positions by where in the image their middle is.

  size_t leading() const { return tokens.size() + register_count; }  // Rows before the first patch's.
};

// Hidden rows of images, [images, rows, E].
struct ImageRows {
  size_t images = 0, rows = 0, width = 0;
  tensor::Floats data;
  const float* of(size_t image, size_t row) const { return data.data() + (image * rows + row) * width; }
};

// Such a transformer, loaded. Immutable but for scratch memory; safe from any thread, each with its own
// Threads. Borrows the weights. An image's bits do not depend on the batch around it, nor on the number of
// threads.
class ImageTower {
 public:
  static Result<ImageTower> load(ImageTowerPlan plan, const WeightReader& reader);

  const ImageTowerPlan& plan() const { return plan_; }
  const Encoder& encoder() const { return *encoder_; }
  // bad_request for a size that the plan does not take.
  Result<ImageRows> forward(const Images& images, bool interpolates, tensor::Threads& threads) const;

 private:
  ImageTower() = default;
  Result<std::vector<float>> positions_for(Extent image, bool interpolates) const;
  std::vector<float> places(Extent grid, size_t images) const;

  ImageTowerPlan plan_;
  std::unique_ptr<Patches> patches_;
  std::unique_ptr<Encoder> encoder_;
  std::vector<float> tokens_;     // [tokens, E]
  std::vector<float> registers_;  // [registers, E]
  std::vector<float> positions_;  // [tokens + patches, E], or empty.
};

}  // namespace holdfast::model
