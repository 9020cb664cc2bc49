#include "model/packed_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "codec/safetensors.h"
#include "tensor/blocks.h"
#include "tensor/four_bits.h"
#include "tensor/quantize_blocks.h"

namespace holdfast::model {
namespace {

using codec::GgmlType;
using tensor::Dtype;
using tensor::TensorView;

constexpr std::string_view weight = ".weight", packed_ending = ".weight_packed";
constexpr size_t scale_bytes = 2;

bool is_float(Dtype dtype) { return dtype == Dtype::f32 || dtype == Dtype::f16 || dtype == Dtype::bf16; }

GgmlType type_of(size_t bits) { return bits == 4 ? GgmlType::q4_0 : GgmlType::q8_0; }

// The code of input i, without sign, in a row of little-endian words.
unsigned code_at(const std::byte* row, size_t bits, size_t i) {
  if (bits == 8) return static_cast<unsigned>(row[i]);
  return static_cast<unsigned>(row[i / 2]) >> (i % 2 * 4) & 15U;
}
void put_code(std::byte* row, size_t bits, size_t i, unsigned code) {
  if (bits == 8)
    row[i] = static_cast<std::byte>(code);
  else
    row[i / 2] |= static_cast<std::byte>(code << (i % 2 * 4));
}

// Modules of the layers' matrices, with every prefix they may have.
std::set<std::string> layer_modules(const DecoderPlan& plan) {
  std::vector<std::string> each = {plan.query, plan.key, plan.value, plan.query_key_value, plan.attention_out,
                                   plan.gate,  plan.up,  plan.down,  plan.gate_up};
  if (plan.latent)
    for (const char* name : {"q_a_proj", "q_b_proj", "q_proj", "kv_a_proj_with_mqa", "kv_b_proj"})
      each.push_back(std::string("self_attn.") + name);
  if (plan.experts && plan.experts->layout == ExpertsPlan::Layout::each) {
    for (const std::string* part : {&plan.experts->gate, &plan.experts->up, &plan.experts->down})
      for (size_t i = 0; i < plan.experts->count; ++i)
        each.push_back(fmt::format("{}.{}.{}", plan.experts->experts, i, *part));
    if (!plan.experts->shared.empty())
      for (const char* part : {"gate_proj", "up_proj", "down_proj"})
        each.push_back(fmt::format("{}.{}", plan.experts->shared, part));
  }
  std::vector<std::string> prefixes = plan.prefixes;
  prefixes.emplace_back();
  std::set<std::string> out;
  for (size_t layer = 0; layer < plan.layers.size(); ++layer)
    for (const std::string& name : each)
      if (!name.empty())
        for (const std::string& prefix : prefixes)
          out.insert(fmt::format("{}{}{}.{}", prefix, plan.layer_prefix, layer, name));
  return out;
}

// What one matrix becomes.
struct Packed {
  Bytes words, scales, shape;
  std::vector<uint64_t> words_shape, scales_shape;
};

Result<Packed> pack(const TensorView& view, size_t bits) {
  TRY(const std::vector<float> numbers, tensor::to_floats(view));
  const size_t rows = view.shape[0], inputs = view.shape[1], groups = inputs / packed_group;
  if (bits == 4 && !std::all_of(numbers.begin(), numbers.end(), [](float x) { return std::isfinite(x); }))
    return fail(Reason::bad_request, "a weight holds a number that is not finite");
  const size_t row_bytes = inputs * bits / 8;
  Packed out;
  out.words.resize(rows * row_bytes);
  out.scales.resize(rows * groups * scale_bytes);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t g = 0; g < groups; ++g) {
      const auto from = std::span(numbers).subspan(r * inputs + g * packed_group, packed_group);
      int8_t codes[packed_group];
      uint16_t scale = 0;
      if (bits == 4) {
        scale = tensor::to_half(tensor::fit_four_bits(from, codes));
      } else {
        TRY(const Bytes block, tensor::quantize_blocks(GgmlType::q8_0, from));
        std::memcpy(&scale, block.data(), scale_bytes);
        std::memcpy(codes, block.data() + scale_bytes, packed_group);
      }
      for (size_t i = 0; i < packed_group; ++i)
        put_code(out.words.data() + r * row_bytes, bits, g * packed_group + i,
                 static_cast<unsigned>(codes[i] + (1 << (bits - 1))));
      std::memcpy(out.scales.data() + (r * groups + g) * scale_bytes, &scale, scale_bytes);
    }
  }
  const int64_t shape[] = {static_cast<int64_t>(rows), static_cast<int64_t>(inputs)};
  const ByteView shape_bytes = std::as_bytes(std::span(shape));
  out.shape.assign(shape_bytes.begin(), shape_bytes.end());
  out.words_shape = {rows, row_bytes / sizeof(int32_t)};
  out.scales_shape = {rows, groups};
  return out;
}

// A matrix as read, before it becomes blocks.
struct Reading {
  size_t rows = 0, inputs = 0, groups = 0, bits = 0;
  ByteView words;
  std::vector<float> scales;  // [rows, groups]

  size_t row_bytes() const { return words.size() / rows; }
  size_t group() const { return inputs / groups; }
};

Result<Reading> read_matrix(const tensor::Weights& weights, const std::string& module) {
  const auto odd = [&](std::string_view what) {
    return fail(Reason::bad_request, fmt::format("'{}{}' {}", module, packed_ending, what));
  };
  for (std::string_view ending : {".weight_zero_point", ".weight_g_idx"})
    if (weights.find(module + std::string(ending)) != nullptr)
      return fail(Reason::model_unsupported, fmt::format("'{}{}' is not read", module, ending));
  const TensorView* words = weights.find(module + std::string(packed_ending));
  const TensorView* scales = weights.find(module + ".weight_scale");
  const TensorView* shape = weights.find(module + ".weight_shape");
  if (scales == nullptr || shape == nullptr) return odd("lacks its scales or its shape");
  TRY(const std::vector<int64_t> sizes, tensor::to_integers(*shape));
  if (words->dtype != Dtype::i32 || words->shape.size() != 2 || sizes.size() != 2 || sizes[0] <= 0 ||
      sizes[1] <= 0 || static_cast<uint64_t>(sizes[0]) != words->shape[0])
    return odd("has a shape that does not fit its weight_shape");
  Reading out;
  out.rows = words->shape[0];
  out.inputs = static_cast<uint64_t>(sizes[1]);
  for (size_t bits : {4U, 8U}) {
    const size_t each = 32 / bits;
    if (words->shape[1] == out.inputs / each + (out.inputs % each != 0 ? 1 : 0)) out.bits = bits;
  }
  if (out.bits == 0) return odd("has neither four nor eight bits a number");
  if (!is_float(scales->dtype) || scales->shape.size() != 2 || scales->shape[0] != out.rows ||
      scales->shape[1] == 0 || out.inputs % scales->shape[1] != 0)
    return odd("has scales of another shape");
  out.groups = scales->shape[1];
  out.words = words->bytes;
  TRY(out.scales, tensor::to_floats(*scales));
  for (float scale : out.scales)
    if (!std::isfinite(scale)) return odd("has a scale that is not finite");
  return out;
}

bool fits_blocks(const Reading& matrix) {
  return matrix.group() % packed_group == 0 &&
         std::all_of(matrix.scales.begin(), matrix.scales.end(),
                     [](float scale) { return tensor::from_half(tensor::to_half(scale)) == scale; });
}

Bytes to_blocks(const Reading& matrix) {
  const size_t blocks = matrix.inputs / packed_group, a_group = matrix.group() / packed_group;
  const size_t block_bytes = scale_bytes + packed_group * matrix.bits / 8;
  Bytes out(matrix.rows * blocks * block_bytes);
  std::byte* at = out.data();
  for (size_t row = 0; row < matrix.rows; ++row) {
    const std::byte* from = matrix.words.data() + row * matrix.row_bytes();
    for (size_t block = 0; block < blocks; ++block, at += block_bytes) {
      const uint16_t scale = tensor::to_half(matrix.scales[row * matrix.groups + block / a_group]);
      std::memcpy(at, &scale, scale_bytes);
      for (size_t i = 0; i < packed_group; ++i) {
        const unsigned code = code_at(from, matrix.bits, block * packed_group + i);
        if (matrix.bits == 8)
          at[scale_bytes + i] = static_cast<std::byte>(code ^ 128U);
        else
          at[scale_bytes + i % 16] |= static_cast<std::byte>(code << (i / 16 * 4));
      }
    }
  }
  return out;
}

Bytes to_wide(const Reading& matrix) {
  Bytes out(matrix.rows * matrix.inputs * sizeof(float));
  std::byte* at = out.data();
  const int zero = 1 << (matrix.bits - 1);
  for (size_t row = 0; row < matrix.rows; ++row)
    for (size_t i = 0; i < matrix.inputs; ++i, at += sizeof(float)) {
      const unsigned code = code_at(matrix.words.data() + row * matrix.row_bytes(), matrix.bits, i);
      const float number = static_cast<float>(static_cast<int>(code) - zero) *
                           matrix.scales[row * matrix.groups + i / matrix.group()];
      std::memcpy(at, &number, sizeof(float));
    }
  return out;
}

}  // namespace

Result<PackedWeights> make_packed_weights(const tensor::Weights& weights, const DecoderPlan& plan,
                                          PackedBits bits) {
  PackedWeights out;
  const std::set<std::string> modules =
      plan.order == DecoderPlan::WeightOrder::outputs_first ? layer_modules(plan) : std::set<std::string>{};
  std::deque<Packed> owned;  // What `tensors` borrows; a deque, as its elements stay where they are.
  std::vector<codec::SafetensorsTensor> tensors;
  for (const std::string& name : weights.names()) {
    const TensorView& view = *weights.find(name);
    out.bytes_before += view.bytes.size();
    const bool matrix = view.shape.size() == 2 && is_float(view.dtype) && name.ends_with(weight);
    const std::string module = matrix ? name.substr(0, name.size() - weight.size()) : "";
    if (!matrix || !modules.contains(module) || view.shape[1] == 0 || view.shape[1] % packed_group != 0) {
      if (matrix) out.kept.push_back(module);
      tensors.push_back({name, view.dtype, view.shape, view.bytes});
      continue;
    }
    TRY(owned.emplace_back(), pack(view, static_cast<size_t>(bits)));
    const Packed& one = owned.back();
    tensors.push_back({module + std::string(packed_ending), Dtype::i32, one.words_shape, one.words});
    tensors.push_back({module + ".weight_scale", Dtype::f16, one.scales_shape, one.scales});
    tensors.push_back({module + ".weight_shape", Dtype::i64, {2}, one.shape});
    out.matrices.push_back(module);
  }
  if (out.matrices.empty())
    return fail(Reason::model_unsupported,
                "the weights have no matrix of a layer that could become whole numbers");
  const std::pair<std::string, std::string> metadata[] = {{"format", "pt"}};
  TRY(out.file, codec::write_safetensors(tensors, metadata));
  return out;
}

Result<std::unique_ptr<PackedBlocks>> PackedBlocks::read(const tensor::Weights& weights,
                                                         const std::vector<std::string>& prefixes) {
  std::unique_ptr<PackedBlocks> out;
  for (const std::string& name : weights.names()) {
    if (!name.ends_with(packed_ending)) continue;
    if (out == nullptr) out.reset(new PackedBlocks);
    TRY_DONE(out->add(weights, name.substr(0, name.size() - packed_ending.size()), prefixes));
  }
  return out;
}

Status PackedBlocks::add(const tensor::Weights& weights, const std::string& module,
                         const std::vector<std::string>& prefixes) {
  TRY(const Reading matrix, read_matrix(weights, module));
  BlockView view;
  view.shape = {matrix.rows, matrix.inputs};
  const bool blocks = fits_blocks(matrix);
  view.type = blocks ? type_of(matrix.bits) : GgmlType::f32;
  owned_.push_back(blocks ? to_blocks(matrix) : to_wide(matrix));
  view.bytes = owned_.back();
  tensors_[module + std::string(weight)] = view;
  for (const std::string& prefix : prefixes)
    if (module.starts_with(prefix)) tensors_[module.substr(prefix.size()) + std::string(weight)] = view;
  return Done{};
}

const BlockView* PackedBlocks::find(std::string_view name) const {
  const auto found = tensors_.find(std::string(name));
  return found == tensors_.end() ? nullptr : &found->second;
}

}  // namespace holdfast::model
