#include "model/decoder_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "model/stacked_linear.h"

namespace holdfast::model {
namespace {

void append(Matrix& to, const Matrix& more) {
  to.weight.insert(to.weight.end(), more.weight.begin(), more.weight.end());
  if (!to.bias.empty() || !more.bias.empty()) {  // Where one of them has none, as Whisper's keys, zeros.
    to.bias.resize(to.outputs, 0.0F);
    to.bias.insert(to.bias.end(), more.bias.begin(), more.bias.end());
    to.bias.resize(to.outputs + more.outputs, 0.0F);
  }
  to.outputs += more.outputs;
}

Matrix with_rows(const Matrix& from, const std::vector<size_t>& rows) {
  Matrix out;
  out.outputs = rows.size();
  out.inputs = from.inputs;
  out.weight.reserve(rows.size() * from.inputs);
  for (size_t row : rows) {
    const auto at = from.weight.begin() + static_cast<std::ptrdiff_t>(row * from.inputs);
    out.weight.insert(out.weight.end(), at, at + static_cast<std::ptrdiff_t>(from.inputs));
    if (!from.bias.empty()) out.bias.push_back(from.bias[row]);
  }
  return out;
}

}  // namespace

LinearLayer Matrix::pack(tensor::Compute compute, tensor::OutputLayout layout) const {
  return tensor::make_linear({weight, bias, outputs, inputs, layout}, compute);
}

Result<Matrix> DecoderWeights::matrix(const std::string& name, size_t outputs, size_t inputs,
                                      Bias bias) const {
  Matrix out;
  out.outputs = outputs;
  out.inputs = inputs;
  if (plan_.order == DecoderPlan::WeightOrder::inputs_first) {
    TRY(const std::vector<float> stored, reader_.floats(name + ".weight", {inputs, outputs}));
    out.weight.resize(stored.size());
    for (size_t in = 0; in < inputs; ++in)
      for (size_t i = 0; i < outputs; ++i) out.weight[i * inputs + in] = stored[in * outputs + i];
  } else {
    TRY(out.weight, reader_.floats(name + ".weight", {outputs, inputs}));
  }
  if (bias == Bias::with || (bias == Bias::if_there && reader_.has(name + ".bias"))) {
    TRY(out.bias, reader_.floats(name + ".bias", {outputs}));
  }
  return out;
}

Result<LinearLayer> DecoderWeights::linear(const std::string& name, size_t outputs, size_t inputs,
                                           Bias bias) const {
  if (reader_.stays_in_blocks(name + ".weight")) return reader_.block_linear(name, outputs, inputs, bias);
  return kept(name, {outputs, inputs}, [&] { return matrix(name, outputs, inputs, bias); });
}

std::vector<size_t> joined_rows(const DecoderPlan& plan, DecoderPlan::JoinedOrder order) {
  const size_t width = plan.head_width;
  std::vector<size_t> out;
  if (order == DecoderPlan::JoinedOrder::blocks) {
    out.resize((plan.heads + 2 * plan.key_heads) * width);
    std::iota(out.begin(), out.end(), size_t{0});
    return out;
  }
  const auto head = [&](size_t at) {
    for (size_t i = 0; i < width; ++i) out.push_back(at * width + i);
  };
  if (order == DecoderPlan::JoinedOrder::by_quarter) {
    const size_t quarter = plan.heads / 4;
    for (const size_t part : {0, 2, 1})
      for (size_t i = 0; i < plan.heads; ++i) head((i / quarter * 3 + part) * quarter + i % quarter);
    return out;
  }
  const size_t group = plan.heads / plan.key_heads;  // by_head is by_group with one query each.
  for (size_t i = 0; i < plan.heads; ++i) head(i / group * (group + 2) + i % group);
  for (size_t i = 0; i < plan.key_heads; ++i) head(i * (group + 2) + group);
  for (size_t i = 0; i < plan.key_heads; ++i) head(i * (group + 2) + group + 1);
  return out;
}

// The first or second half of each head's rows.
Result<Matrix> DecoderWeights::half_of_queries(const std::string& layer, size_t half) const {
  const size_t width = plan_.head_width;
  TRY(const Matrix both, matrix(layer + plan_.query, 2 * plan_.heads * width, plan_.width, plan_.query_bias));
  std::vector<size_t> rows;
  for (size_t head = 0; head < plan_.heads; ++head)
    for (size_t i = 0; i < width; ++i) rows.push_back((2 * head + half) * width + i);
  return with_rows(both, rows);
}

Result<LinearLayer> DecoderWeights::query_gates(const std::string& layer) const {
  return kept(layer + plan_.query + " gates", {plan_.heads * plan_.head_width, plan_.width},
              [&] { return half_of_queries(layer, 1); });
}

Result<LinearLayer> DecoderWeights::query_key_value(const std::string& layer) const {
  const size_t queries = plan_.heads * plan_.head_width, keys = plan_.key_heads * plan_.head_width;
  if (!plan_.query_key_value.empty() && reader_.has(layer + plan_.query_key_value + ".weight")) {
    if (plan_.joined_order == DecoderPlan::JoinedOrder::blocks)
      return linear(layer + plan_.query_key_value, queries + 2 * keys, plan_.width, plan_.query_bias);
    return kept(layer + plan_.query_key_value, {queries + 2 * keys, plan_.width}, [&]() -> Result<Matrix> {
      TRY(const Matrix joined,
          matrix(layer + plan_.query_key_value, queries + 2 * keys, plan_.width, plan_.query_bias));
      return with_rows(joined, joined_rows(plan_, plan_.joined_order));
    });
  }
  if (reader_.stays_in_blocks(layer + plan_.query + ".weight") && !plan_.query_gates) {
    TRY(LinearLayer joined,
        reader_.joined_blocks(
            {{layer + plan_.query, queries}, {layer + plan_.key, keys}, {layer + plan_.value, keys}},
            plan_.width, plan_.query_bias));
    if (joined != nullptr) return joined;
    // Types may differ between them, as converters keep values in more bits.
    std::vector<LinearLayer> parts;
    for (const auto& [name, outputs] :
         {std::pair(plan_.query, queries), std::pair(plan_.key, keys), std::pair(plan_.value, keys)}) {
      TRY(LinearLayer part, linear(layer + name, outputs, plan_.width, plan_.query_bias));
      parts.push_back(std::move(part));
    }
    return stack_linears(std::move(parts));
  }
  const std::string name = fmt::format("{0}{1}+{0}{2}+{0}{3}", layer, plan_.query, plan_.key, plan_.value);
  return kept(name, {queries + 2 * keys, plan_.width}, [&]() -> Result<Matrix> {
    TRY(Matrix all, plan_.query_gates ? half_of_queries(layer, 0)
                                      : matrix(layer + plan_.query, queries, plan_.width, plan_.query_bias));
    for (const std::string& part : {plan_.key, plan_.value}) {
      TRY(const Matrix one, matrix(layer + part, keys, plan_.width, plan_.query_bias));
      append(all, one);
    }
    return all;
  });
}

Result<LinearLayer> DecoderWeights::gate_up(const std::string& gate, const std::string& up,
                                            const std::string& joined, size_t inner, Bias bias,
                                            bool apart) const {
  const auto layout = apart ? tensor::OutputLayout::plain : tensor::OutputLayout::gated;
  const tensor::LinearShape shape{2 * inner, plan_.width, layout};
  const auto both = [&]() -> Result<Matrix> {
    TRY(Matrix all, matrix(gate, inner, plan_.width, bias));
    if (plan_.gate_scale != 1.0F)
      for (std::vector<float>* part : {&all.weight, &all.bias})
        for (float& x : *part) x *= plan_.gate_scale;
    TRY(const Matrix second, matrix(up, inner, plan_.width, bias));
    append(all, second);
    return all;
  };
  if (plan_.gate_scale != 1.0F) return kept(gate + "+" + up, shape, both);  // Gates out of their blocks.
  if (!joined.empty() && reader_.has(joined + ".weight")) {
    if (reader_.stays_in_blocks(joined + ".weight"))
      return reader_.joined_blocks({{joined, 2 * inner}}, plan_.width, bias, layout);
    return kept(joined, shape, [&] { return matrix(joined, 2 * inner, plan_.width, bias); });
  }
  if (reader_.stays_in_blocks(gate + ".weight")) {
    TRY(LinearLayer gated, reader_.joined_blocks({{gate, inner}, {up, inner}}, plan_.width, bias, layout));
    if (gated != nullptr) return gated;
    TRY(LinearLayer first, linear(gate, inner, plan_.width, bias));
    TRY(LinearLayer second, linear(up, inner, plan_.width, bias));
    if (apart) {
      std::vector<LinearLayer> parts;
      parts.push_back(std::move(first));
      parts.push_back(std::move(second));
      return stack_linears(std::move(parts));
    }
    return gate_linears(std::move(first), std::move(second));
  }
  return kept(gate + "+" + up, shape, both);
}

Result<Norm> DecoderWeights::norm(const std::string& name, size_t width, DecoderPlan::NormKind kind,
                                  Bias bias) const {
  if (!plan_.norm_scales) return Norm{std::vector<float>(width, 1.0F), std::vector<float>(width, 0.0F)};
  TRY(Norm out, reader_.norm(name, width, bias));
  if (kind == DecoderPlan::NormKind::root_mean_square_plus_one ||
      kind == DecoderPlan::NormKind::layer_plus_one)
    for (float& x : out.gamma) x += 1.0F;
  return out;
}

}  // namespace holdfast::model
