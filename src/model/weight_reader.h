#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/block_source.h"
#include "tensor/linear.h"
#include "tensor/packed_layers.h"
#include "tensor/weights.h"

namespace holdfast::model {

// A normalization's scale and shift; the shift is zeros where there is none.
struct Norm {
  std::vector<float> gamma, beta;
};

enum class Bias : uint8_t { with, without, if_there };

using LinearLayer = std::unique_ptr<const tensor::Linear>;

// Reads tensors by name and checks their shapes, so that a family file lists names and shapes only. Names are
// tried with each of the family's prefixes and bare, as checkpoints of a bare model lack it, and then in the
// family's older spellings. A missing tensor or a wrong shape is bad_request. Borrows the weights.
class WeightReader {
 public:
  // A piece of a name and what an older spelling has in its place.
  using Renames = std::vector<std::pair<std::string, std::string>>;

  WeightReader(const tensor::Weights& weights, std::vector<std::string> prefixes, tensor::Compute compute,
               Renames renames = {}, tensor::PackedLayers* packed = nullptr)
      : weights_(weights),
        prefixes_(std::move(prefixes)),
        compute_(compute),
        renames_(std::move(renames)),
        packed_(packed) {}
  // Tensors of a GGUF file. Linear layers stay in their blocks.
  WeightReader(const tensor::Weights& none, const BlockSource& blocks, tensor::Compute compute,
               tensor::PackedLayers* packed = nullptr)
      : weights_(none), compute_(compute), blocks_(&blocks), packed_(packed) {}
  // A folder some of whose matrices are in blocks, known with and without prefix.
  WeightReader(const tensor::Weights& weights, std::vector<std::string> prefixes, const BlockSource& blocks,
               tensor::Compute compute, tensor::PackedLayers* packed = nullptr)
      : weights_(weights),
        prefixes_(std::move(prefixes)),
        compute_(compute),
        blocks_(&blocks),
        packed_(packed) {}

  tensor::Compute compute() const { return compute_; }
  // Whether these weights were read and found sound before: their packed layers are there.
  bool are_known() const { return packed_ != nullptr && packed_->is_mapped(); }
  // The same tensors for products in another precision, none of them kept.
  WeightReader with(tensor::Precision precision) const {
    return {weights_, prefixes_, {compute_.isa, precision}, renames_};
  }

  bool has(std::string_view name) const { return find(name) != nullptr || block(name) != nullptr; }
  // Null where that tensor is not in blocks.
  const BlockView* block(std::string_view name) const {
    return blocks_ != nullptr ? blocks_->find(name) : nullptr;
  }
  // The same, of the given shape.
  Result<const BlockView*> block(std::string_view name, const std::vector<uint64_t>& shape) const;
  // Whether LinearLayers of it can stay in blocks.
  bool stays_in_blocks(std::string_view name) const;
  // A layer in its blocks.
  Result<LinearLayer> block_linear(std::string_view name, size_t outputs, size_t inputs, Bias bias) const;
  // Several of one input as one layer, their outputs in order; null where they are of different types.
  struct BlockPart {
    std::string name;
    size_t outputs = 0;
  };
  Result<LinearLayer> joined_blocks(const std::vector<BlockPart>& parts, size_t inputs, Bias bias,
                                    tensor::OutputLayout layout = tensor::OutputLayout::plain) const;
  Result<const tensor::TensorView*> view(std::string_view name, std::vector<uint64_t> shape) const;
  Result<std::vector<float>> floats(std::string_view name, std::vector<uint64_t> shape) const;
  // [outputs, inputs], also of a convolution of one tap, perhaps in groups, which is then filled up with
  // zeros.
  Result<std::vector<float>> matrix(std::string_view name, size_t outputs, size_t inputs) const;
  // NAME.weight [outputs, inputs] and NAME.bias [outputs]. `peaks`: as LinearWeights::peaks.
  Result<LinearLayer> linear(std::string_view name, size_t outputs, size_t inputs, Bias bias = Bias::with,
                             std::span<const float> peaks = {}) const;
  // Several layers of one input as one, their outputs in order.
  Result<LinearLayer> joined(const std::vector<std::string>& names, const std::vector<size_t>& outputs,
                             size_t inputs, Bias bias = Bias::with,
                             tensor::OutputLayout layout = tensor::OutputLayout::plain,
                             std::span<const float> peaks = {}) const;
  // The kept layer of this name, which is the checkpoint's own in this model; else what `make` gives, from
  // now on kept. `blocks`: the type of weights that stay in their blocks.
  template <class Make>
  Result<LinearLayer> kept(std::string name, const tensor::LinearShape& shape, Make make,
                           std::optional<codec::GgmlType> blocks = {}) const {
    if (packed_ == nullptr) return make();
    const tensor::PackedForm form{shape, compute_.precision, blocks};
    if (LinearLayer found = packed_->find(name, form, compute_.isa); found != nullptr) return found;
    TRY(LinearLayer layer, make());
    return packed_->keep(std::move(name), form, compute_.isa, std::move(layer));
  }
  // NAME.weight and NAME.bias, or gamma and beta as early checkpoints call them.
  Result<Norm> norm(std::string_view name, size_t width, Bias bias = Bias::with) const;

 private:
  Result<LinearLayer> join(const std::vector<std::string>& names, const std::vector<size_t>& outputs,
                           size_t inputs, Bias bias, tensor::OutputLayout layout,
                           std::span<const float> peaks) const;
  Result<LinearLayer> join_blocks(const std::vector<BlockPart>& parts, size_t inputs, Bias bias,
                                  tensor::OutputLayout layout) const;
  Result<std::vector<float>> int8_scales(std::string_view name, uint64_t rows) const;
  Result<std::vector<float>> widen_int8(std::string_view name, const tensor::TensorView& bytes) const;
  const tensor::TensorView* find(std::string_view name) const;
  const tensor::TensorView* find_spelled(const std::string& name) const;

  const tensor::Weights& weights_;
  std::vector<std::string> prefixes_;
  tensor::Compute compute_;
  Renames renames_;
  const BlockSource* blocks_ = nullptr;
  tensor::PackedLayers* packed_ = nullptr;  // Null: nothing is kept.
};

}  // namespace holdfast::model
