#include "model/packed_weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <iterator>

#include "codec/safetensors.h"
#include "io/temporary_folder.h"
#include "model/decoder_model.h"
#include "tensor/blocks.h"

namespace holdfast::model {
namespace {

constexpr std::string_view llama = "tests/golden/models/llama/gqa";

struct Tensor {
  std::string name;
  tensor::Dtype dtype;
  std::vector<uint64_t> shape;
  Bytes bytes;
};

std::vector<Tensor> tensors_of(const tensor::Weights& weights) {
  std::vector<Tensor> out;
  for (const std::string& name : weights.names()) {
    const tensor::TensorView& view = *weights.find(name);
    out.push_back({name, view.dtype, view.shape, Bytes(view.bytes.begin(), view.bytes.end())});
  }
  return out;
}

void write(io::Disk& disk, const std::vector<Tensor>& tensors) {
  std::vector<codec::SafetensorsTensor> views;
  for (const Tensor& one : tensors) views.push_back({one.name, one.dtype, one.shape, one.bytes});
  const auto file = codec::write_safetensors(views);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(io::publish_text(disk, "model.safetensors", as_text(file.value())).ok());
  const auto original = io::open_posix_disk(llama).value();
  ASSERT_TRUE(
      io::publish_text(disk, "config.json", io::read_text(*original, "config.json", 1 << 20).value()).ok());
}

// The packed form of the committed llama.
tensor::Weights packed_llama(io::Disk& disk, PackedBits bits) {
  const auto original = io::open_posix_disk(llama).value();
  const auto model = DecoderModel::open(*original, ".").value();
  const auto weights = tensor::Weights::open(*original, ".").value();
  const auto made = make_packed_weights(weights, model.plan(), bits).value();
  EXPECT_EQ(made.matrices.size(), 12U);  // Six of two layers: `down` has 44 inputs.
  EXPECT_LT(made.file.size(), made.bytes_before);
  EXPECT_TRUE(io::publish_text(disk, "model.safetensors", as_text(made.file)).ok());
  return tensor::Weights::open(disk, ".").value();
}

Bytes float_bytes(const std::vector<float>& numbers) {
  const ByteView view = std::as_bytes(std::span(numbers));
  return {view.begin(), view.end()};
}

// The same weights as floats, by the format's own words.
std::vector<Tensor> widened(std::vector<Tensor> tensors, PackedBits kind) {
  const size_t bits = static_cast<size_t>(kind);
  std::vector<Tensor> out;
  const auto find = [&](const std::string& name) {
    for (const Tensor& one : tensors)
      if (one.name == name) return &one;
    return static_cast<const Tensor*>(nullptr);
  };
  for (const Tensor& one : tensors) {
    if (one.name.ends_with("_scale") || one.name.ends_with("_shape")) continue;
    if (!one.name.ends_with("_packed")) {
      out.push_back(one);
      continue;
    }
    const std::string module = one.name.substr(0, one.name.size() - std::strlen(".weight_packed"));
    const Tensor& scales = *find(module + ".weight_scale");
    const auto scale = tensor::to_floats({scales.dtype, scales.shape, scales.bytes}).value();
    const size_t rows = one.shape[0], inputs = one.shape[1] * 32 / bits, group = inputs / scales.shape[1];
    std::vector<float> numbers;
    for (size_t row = 0; row < rows; ++row)
      for (size_t i = 0; i < inputs; ++i) {
        uint32_t word;
        std::memcpy(&word, one.bytes.data() + (row * one.shape[1] + i * bits / 32) * 4, 4);
        const int code = static_cast<int>(word >> (i * bits % 32) & ((1U << bits) - 1)) - (1 << (bits - 1));
        numbers.push_back(static_cast<float>(code) * scale[row * scales.shape[1] + i / group]);
      }
    out.push_back({module + ".weight", tensor::Dtype::f32, {rows, inputs}, float_bytes(numbers)});
  }
  return out;
}

std::vector<float> logits_of(const DecoderModel& model) {
  TokenBatch batch;
  for (int64_t i = 0; i < 20; ++i) batch.add(i * 37 % 120, 0, i);
  batch.end_sequence();
  const auto threads = tensor::make_threads(1);
  const auto states = model.decoder().forward(batch, {}, *threads);
  std::vector<float> out(20 * model.head_width());
  model.run_head(states.value().last.data(), 20, out.data(), *threads);
  return out;
}

float distance(const std::vector<float>& a, const std::vector<float>& b) {
  float out = 0;
  for (size_t i = 0; i < a.size(); ++i) out = std::max(out, std::abs(a[i] - b[i]));
  return out;
}

// The length of the difference by the length of `b`.
double relative(const std::vector<float>& a, const std::vector<float>& b) {
  double off = 0, all = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    off += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
    all += double(b[i]) * b[i];
  }
  return std::sqrt(off / all);
}

TEST(PackedWeights, GiveTheLogitsOfTheNumbersTheyStandFor) {
  for (const PackedBits bits : {PackedBits::four, PackedBits::eight}) {
    const io::TemporaryFolder packed_folder, wide_folder;
    const auto packed = io::open_posix_disk(packed_folder.path()).value();
    const auto wide = io::open_posix_disk(wide_folder.path()).value();
    write(*packed, tensors_of(packed_llama(*packed, bits)));
    write(*wide, widened(tensors_of(tensor::Weights::open(*packed, ".").value()), bits));
    const auto model = DecoderModel::open(*packed, ".");
    ASSERT_TRUE(model.ok()) << model.error().message;
    const auto expected = logits_of(DecoderModel::open(*wide, ".").value());
    EXPECT_LT(distance(logits_of(model.value()), expected), 1e-5F);
    // What rounding these random weights changes, and then what rounding rows (and `down`) does.
    const auto original = io::open_posix_disk(llama).value();
    const double change = relative(expected, logits_of(DecoderModel::open(*original, ".").value()));
    EXPECT_GT(change, 0.0);
    EXPECT_LT(change, bits == PackedBits::four ? 0.5 : 0.03);
    tensor::Compute bytes;
    bytes.precision = tensor::Precision::int8;
    const auto quick = DecoderModel::open(*packed, ".", bytes);
    ASSERT_TRUE(quick.ok());
    EXPECT_LT(relative(logits_of(quick.value()), expected), 0.04);
  }
}

// Another program's groups and scales: what no block of ggml holds.
TEST(PackedWeights, OfOtherGroupsAndScalesAreWidened) {
  const io::TemporaryFolder packed_folder, wide_folder;
  const auto packed = io::open_posix_disk(packed_folder.path()).value();
  const auto wide = io::open_posix_disk(wide_folder.path()).value();
  auto tensors = tensors_of(packed_llama(*packed, PackedBits::four));
  for (Tensor& one : tensors) {
    if (!one.name.ends_with("_scale")) continue;
    std::vector<float> scales;
    const auto before = tensor::to_floats({one.dtype, one.shape, one.bytes}).value();
    for (float scale : before)
      for (float factor : {1.0001F, 0.7F}) scales.push_back(scale * factor);
    one.dtype = tensor::Dtype::f32;
    one.shape[1] *= 2;
    one.bytes = float_bytes(scales);
  }
  write(*packed, tensors);
  write(*wide, widened(tensors, PackedBits::four));
  const auto model = DecoderModel::open(*packed, ".");
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_LT(distance(logits_of(model.value()), logits_of(DecoderModel::open(*wide, ".").value())), 1e-5F);
}

// What "ignore" of other programs' configurations leaves as floats beside matrices that are packed.
TEST(PackedWeights, MayLieBesideFloatsOfTheSameLayer) {
  for (const std::string_view kept : {"k_proj", "q_proj", "up_proj"}) {
    const io::TemporaryFolder packed_folder, wide_folder;
    const auto packed = io::open_posix_disk(packed_folder.path()).value();
    const auto wide = io::open_posix_disk(wide_folder.path()).value();
    auto tensors = tensors_of(packed_llama(*packed, PackedBits::four));
    const auto as_floats = widened(tensors, PackedBits::four);
    const auto is_kept = [&](const Tensor& one) { return one.name.find(kept) != std::string::npos; };
    std::erase_if(tensors, is_kept);
    std::copy_if(as_floats.begin(), as_floats.end(), std::back_inserter(tensors), is_kept);
    write(*packed, tensors);
    write(*wide, as_floats);
    const auto model = DecoderModel::open(*packed, ".");
    ASSERT_TRUE(model.ok()) << kept << ": " << model.error().message;
    EXPECT_LT(distance(logits_of(model.value()), logits_of(DecoderModel::open(*wide, ".").value())), 1e-4F);
  }
}

TEST(PackedWeights, ThatDoNotFitAreRefused) {
  const std::string module = "model.layers.0.self_attn.q_proj";
  using Change = std::function<void(std::vector<Tensor>&, Tensor & words, Tensor & scale, Tensor & shape)>;
  struct Row {
    std::string_view name;
    Change change;
    std::string_view says;
  };
  const auto set_shape = [](Tensor& shape, std::vector<int64_t> sizes) {
    std::memcpy(shape.bytes.data(), sizes.data(), 16);
  };
  const Row rows[] = {
      {"no scales", [](auto&, Tensor&, Tensor& scale, Tensor&) { scale.name = "other"; }, "lacks its scales"},
      {"no shape", [](auto&, Tensor&, Tensor&, Tensor& shape) { shape.name = "other"; }, "lacks its scales"},
      {"a negative shape", [&](auto&, Tensor&, Tensor&, Tensor& shape) { set_shape(shape, {32, -32}); },
       "does not fit"},
      {"more rows than words", [&](auto&, Tensor&, Tensor&, Tensor& shape) { set_shape(shape, {64, 32}); },
       "does not fit"},
      {"an absurd width",
       [&](auto&, Tensor&, Tensor&, Tensor& shape) { set_shape(shape, {32, int64_t{1} << 62}); },
       "neither four nor eight"},
      {"five bits", [&](auto&, Tensor&, Tensor&, Tensor& shape) { set_shape(shape, {32, 20}); },
       "neither four nor eight"},
      {"words of another type",
       [](auto&, Tensor& words, Tensor&, Tensor&) { words.dtype = tensor::Dtype::f32; }, "does not fit"},
      {"groups that are no part of the inputs",
       [](auto&, Tensor&, Tensor& scale, Tensor&) {
         scale.dtype = tensor::Dtype::f32;
         scale.shape = {32, 3};
         scale.bytes = Bytes(32 * 3 * 4);
       },
       "scales of another shape"},
      {"a scale that is not a number",
       [](auto&, Tensor&, Tensor& scale, Tensor&) { std::memset(scale.bytes.data(), 0xFF, 2); },
       "not finite"},
      {"zero points",
       [&](std::vector<Tensor>& all, Tensor&, Tensor& scale, Tensor&) {
         Tensor more = scale;
         more.name = module + ".weight_zero_point";
         all.push_back(more);
       },
       "weight_zero_point' is not read"},
  };
  for (const Row& row : rows) {
    const io::TemporaryFolder folder;
    const auto disk = io::open_posix_disk(folder.path()).value();
    auto tensors = tensors_of(packed_llama(*disk, PackedBits::four));
    const auto find = [&](std::string_view ending) -> Tensor& {
      return *std::find_if(tensors.begin(), tensors.end(),
                           [&](const Tensor& one) { return one.name == module + std::string(ending); });
    };
    tensors.reserve(tensors.size() + 1);
    row.change(tensors, find(".weight_packed"), find(".weight_scale"), find(".weight_shape"));
    write(*disk, tensors);
    const auto model = DecoderModel::open(*disk, ".");
    ASSERT_FALSE(model.ok()) << row.name;
    EXPECT_NE(model.error().message.find(row.says), std::string::npos)
        << row.name << ": " << model.error().message;
  }
}

}  // namespace
}  // namespace holdfast::model
