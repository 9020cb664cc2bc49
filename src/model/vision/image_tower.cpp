#include "model/vision/image_tower.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/steps.h"

namespace holdfast::model {
namespace {

// A token is [1, 1, E], or [E] as CLIP has it.
Result<std::vector<float>> load_token(const WeightReader& reader, const std::string& name, size_t width) {
  auto flat = reader.view(name, {width});
  if (flat.ok()) return reader.floats(name, {width});
  return reader.floats(name, {1, 1, width});
}

}  // namespace

Result<ImageTower> ImageTower::load(ImageTowerPlan plan, const WeightReader& reader) {
  ImageTower out;
  out.plan_ = std::move(plan);
  const ImageTowerPlan& own = out.plan_;
  const size_t width = own.encoder.width;
  const Extent kernel = own.patches.kernel;
  const Extent grid = {own.image.height / kernel.height, own.image.width / kernel.width};
  if (grid.area() == 0)
    return fail(Reason::bad_request,
                fmt::format("config.json: an image of {}x{} has no patch of {}x{}", own.image.height,
                            own.image.width, kernel.height, kernel.width));
  TRY(Patches patches, Patches::load(own.patches, reader));
  out.patches_ = std::make_unique<Patches>(std::move(patches));
  for (const std::string& name : own.tokens) {
    TRY(const std::vector<float> token, load_token(reader, name, width));
    out.tokens_.insert(out.tokens_.end(), token.begin(), token.end());
  }
  if (own.register_count > 0) {
    TRY(out.registers_, reader.floats(own.registers, {1, own.register_count, width}));
  }
  const size_t rows = own.tokens.size() + grid.area();
  if (!own.positions.empty() && own.positions_are_rows) {
    TRY(out.positions_, reader.floats(own.positions + ".weight", {rows, width}));
  } else if (!own.positions.empty()) {
    TRY(out.positions_, reader.floats(own.positions, {1, rows, width}));
  }
  TRY(Encoder encoder, Encoder::load(own.encoder, reader));
  out.encoder_ = std::make_unique<Encoder>(std::move(encoder));
  return out;
}

Result<std::vector<float>> ImageTower::positions_for(Extent image, bool interpolates) const {
  const Extent kernel = plan_.patches.kernel, to = patches_->grid(image);
  if (to.area() == 0)
    return fail(Reason::bad_request, fmt::format("an image of {}x{} has no patch of {}x{}", image.height,
                                                 image.width, kernel.height, kernel.width));
  const bool brought = interpolates || plan_.other_sizes == ImageTowerPlan::OtherSizes::always;
  const bool is_square = image.height == image.width;
  if (image == plan_.image && (!brought || is_square)) return positions_;
  if (!brought)
    return fail(Reason::bad_request,
                fmt::format("images of {}x{} do not fit a model for {}x{} without interpolate_pos_encoding",
                            image.height, image.width, plan_.image.height, plan_.image.width));
  if (positions_.empty()) return positions_;
  const size_t width = plan_.encoder.width, skipped = plan_.tokens.size() * width;
  const Extent from = patches_->grid(plan_.image);
  if (to.area() == from.area() && is_square) return positions_;
  if (from.height != from.width)  // transformers takes every table for a square's.
    return fail(Reason::model_unsupported, "positions of images that are no squares fit no other size");
  const auto begin = positions_.begin(), patches = begin + static_cast<ptrdiff_t>(skipped);
  std::vector<float> out(begin, patches);
  const std::vector<float> moved =
      resample_grid({patches, positions_.end()}, width, from, to, plan_.resampling);
  out.insert(out.end(), moved.begin(), moved.end());
  return out;
}

// Of all rows of so many images: where each patch's middle is, -1 to 1; those before the patches stand at 0.
std::vector<float> ImageTower::places(Extent grid, size_t images) const {
  std::vector<float> one(2 * plan_.leading(), 0.0F), out;
  const auto middle = [](size_t index, size_t count) {
    return 2.0F * ((static_cast<float>(index) + 0.5F) / static_cast<float>(count)) - 1.0F;
  };
  for (size_t row = 0; row < grid.height; ++row)
    for (size_t column = 0; column < grid.width; ++column) {
      one.push_back(middle(row, grid.height));
      one.push_back(middle(column, grid.width));
    }
  for (size_t i = 0; i < images; ++i) out.insert(out.end(), one.begin(), one.end());
  return out;
}

Result<ImageRows> ImageTower::forward(const Images& images, bool interpolates,
                                      tensor::Threads& threads) const {
  const tensor::PartScope part(step::image);
  TRY(const std::vector<float> positions, positions_for(images.size, interpolates));
  const size_t width = plan_.encoder.width, lead = plan_.tokens.size();
  const size_t patches = patches_->grid(images.size).area(), rows = plan_.leading() + patches;
  TokenBatch batch;
  for (size_t image = 0; image < images.count; ++image) {
    for (size_t row = 0; row < rows; ++row) batch.add(0, 0, static_cast<int64_t>(row));
    batch.end_sequence(rows);
  }
  if (plan_.turns_by_place) batch.places = places(patches_->grid(images.size), images.count);
  batch.embedded.resize(batch.tokens() * width);
  threads.run(images.count, [&](size_t image) {
    float* out = batch.embedded.data() + image * rows * width;
    std::copy(tokens_.begin(), tokens_.end(), out);
    std::copy(registers_.begin(), registers_.end(), out + lead * width);
    float* first = out + plan_.leading() * width;
    patches_->run(images.image(image), images.size, first, threads);
    if (positions.empty()) return;
    for (size_t i = 0; i < lead * width; ++i) out[i] += positions[i];
    for (size_t i = 0; i < patches * width; ++i) first[i] += positions[lead * width + i];
  });
  ImageRows out{images.count, rows, width, {}};
  TRY(out.data, encoder_->forward(batch, threads));
  return out;
}

}  // namespace holdfast::model
