#include "model/int8_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <deque>
#include <set>

#include "codec/safetensors.h"

namespace holdfast::model {
namespace {

using tensor::Dtype;
using tensor::TensorView;

constexpr std::string_view weight = ".weight";

bool is_float(Dtype dtype) {
  return dtype == Dtype::f32 || dtype == Dtype::f16 || dtype == Dtype::bf16 || dtype == Dtype::f64;
}

// All spellings that a WeightReader of this plan would find a name under.
void add_spellings(const EncoderPlan& plan, const std::string& name, std::set<std::string>& out) {
  std::vector<std::string> spelled = {name};
  std::string renamed = name;
  for (const auto& [now, before] : plan.renames)
    if (const size_t at = renamed.find(now); at != std::string::npos) renamed.replace(at, now.size(), before);
  if (renamed != name) spelled.push_back(renamed);
  for (const std::string& one : spelled) {
    out.insert(one + std::string(weight));
    for (const std::string& prefix : plan.prefixes) out.insert(prefix + one + std::string(weight));
  }
}

std::set<std::string> layer_matrices(const EncoderPlan& plan) {
  std::set<std::string> out;
  for (const EncoderPlan::LayerKind& kind : plan.layers)
    for (const std::string* name : {&plan.query, &plan.key, &plan.value, &plan.query_key_value,
                                    &plan.attention_out, &plan.up, &plan.gate, &plan.gate_up, &plan.out})
      if (!name->empty()) add_spellings(plan, kind.prefix + *name, out);
  return out;
}

std::set<std::string> tables(const EncoderPlan& plan) {
  std::set<std::string> out;
  for (const std::string* name : {&plan.words, &plan.position_table, &plan.type_table})
    if (!name->empty()) add_spellings(plan, *name, out);
  return out;
}

// The bytes of a matrix [rows, each] and a scale a row: the greatest magnitude becomes 127.
Status to_bytes(const std::string& name, const TensorView& view, Bytes& bytes, std::vector<float>& scales) {
  TRY(const std::vector<float> numbers, tensor::to_floats(view));
  const size_t rows = view.shape[0], each = rows == 0 ? 0 : numbers.size() / rows;
  bytes.resize(numbers.size());
  scales.resize(rows);
  for (size_t row = 0; row < rows; ++row) {
    float most = 0;
    for (size_t i = 0; i < each; ++i) {
      const float x = numbers[row * each + i];
      if (!std::isfinite(x))
        return fail(Reason::bad_request, fmt::format("'{}' holds a number that is not finite", name));
      most = std::max(most, std::abs(x));
    }
    scales[row] = most / 127.0F;
    const float inverse = most > 0 ? 127.0F / most : 0.0F;
    for (size_t i = 0; i < each; ++i) {
      const float whole = std::clamp(std::nearbyint(numbers[row * each + i] * inverse), -127.0F, 127.0F);
      bytes[row * each + i] = static_cast<std::byte>(static_cast<int8_t>(whole));
    }
  }
  return Done{};
}

Result<Bytes> to_bf16(const TensorView& view) {
  TRY(const std::vector<float> numbers, tensor::to_floats(view));
  Bytes out;
  out.reserve(2 * numbers.size());
  for (float x : numbers) {
    const uint32_t bits = std::bit_cast<uint32_t>(x);
    const uint32_t half = std::isnan(x) ? 0x7FC0U : (bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16;
    out.push_back(static_cast<std::byte>(half & 0xFFU));
    out.push_back(static_cast<std::byte>(half >> 8));
  }
  return out;
}

}  // namespace

Result<Int8Weights> make_int8_weights(const tensor::Weights& weights, const EncoderPlan& plan) {
  const std::set<std::string> matrices = layer_matrices(plan), halved = tables(plan);
  Int8Weights out;
  std::deque<Bytes> owned;  // What `tensors` borrows; a deque, as its elements stay where they are.
  std::deque<std::vector<float>> scales;
  std::vector<codec::SafetensorsTensor> tensors;
  for (const std::string& name : weights.names()) {
    const TensorView& view = *weights.find(name);
    out.bytes_before += view.bytes.size();
    const bool matrix = view.shape.size() == 2 && is_float(view.dtype) && name.ends_with(weight);
    const std::string module = matrix ? name.substr(0, name.size() - weight.size()) : "";
    if (matrix && matrices.contains(name)) {
      TRY_DONE(to_bytes(name, view, owned.emplace_back(), scales.emplace_back()));
      tensors.push_back({name, Dtype::i8, view.shape, owned.back()});
      tensors.push_back({name + std::string(int8_scale_suffix),
                         Dtype::f32,
                         {view.shape[0], 1},
                         std::as_bytes(std::span(scales.back()))});
      out.matrices.push_back(module);
    } else if (matrix && halved.contains(name) && view.dtype != Dtype::bf16 && view.dtype != Dtype::f16) {
      TRY(owned.emplace_back(), to_bf16(view));
      tensors.push_back({name, Dtype::bf16, view.shape, owned.back()});
    } else {
      if (matrix && !halved.contains(name)) out.kept.push_back(module);
      tensors.push_back({name, view.dtype, view.shape, view.bytes});
    }
  }
  if (out.matrices.empty())
    return fail(Reason::model_unsupported, "the weights have no matrix of a layer that could become bytes");
  const std::pair<std::string, std::string> metadata[] = {{"format", "pt"}};
  TRY(out.file, codec::write_safetensors(tensors, metadata));
  return out;
}

}  // namespace holdfast::model
