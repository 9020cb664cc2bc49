#include "model/experts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "model/layer_parts.h"
#include "tensor/buffer.h"

namespace holdfast::model {
namespace {

// The `count` largest, the largest first; of equal ones the first.
std::vector<size_t> largest(std::span<const float> scores, size_t count) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  count = std::min(count, order.size());
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
      [&](size_t a, size_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  order.resize(count);
  return order;
}

void softmax(std::span<float> scores) {
  const float peak = *std::max_element(scores.begin(), scores.end());
  float sum = 0;
  for (float& x : scores) sum += x = std::exp(x - peak);
  for (float& x : scores) x /= sum;
}

}  // namespace

Result<Experts> Experts::load(const DecoderPlan& plan, const DecoderWeights& weights,
                              const std::string& layer) {
  Experts out;
  out.plan_ = *plan.experts;
  out.activation_ = plan.activation;
  out.width_ = plan.width;
  const ExpertsPlan& experts = out.plan_;
  if (experts.picked > experts.count)
    return fail(Reason::bad_request, "config.json: more experts are picked than there are");
  tensor::Compute exact = weights.reader().compute();
  exact.precision = tensor::Precision::f32;  // A choice must not hang on a rounding.
  TRY(const Matrix router, weights.matrix(layer + experts.router, experts.count, plan.width, Bias::if_there));
  out.router_ = router.pack(exact);
  if (experts.scores == ExpertsPlan::Scores::softmax_corrected) {
    TRY(out.correction_, weights.reader().floats(layer + experts.correction, {1, experts.count}));
  }
  const std::string correction =
      layer + (experts.correction.empty() ? experts.router + ".e_score_correction_bias" : experts.correction);
  if (experts.scores == ExpertsPlan::Scores::sigmoid_grouped && !experts.corrected) {
    out.correction_.resize(experts.count);
  } else if (experts.scores == ExpertsPlan::Scores::sigmoid_grouped) {
    TRY(out.correction_, weights.reader().floats(correction, {experts.count}));
  }
  TRY_DONE(out.load_experts(plan, weights, layer));
  if (!experts.shared.empty()) {
    const std::string at = layer + experts.shared + ".";
    if (experts.gated) {
      TRY(out.shared_.gate_up,
          weights.gate_up(at + "gate_proj", at + "up_proj",
                          experts.shared_gate_up.empty() ? "" : at + experts.shared_gate_up,
                          experts.shared_inner, experts.shared_bias, false));
    } else {
      TRY(out.shared_.gate_up,
          weights.linear(at + "up_proj", experts.shared_inner, plan.width, experts.shared_bias));
    }
    TRY(out.shared_.down,
        weights.linear(at + experts.shared_down, plan.width, experts.shared_inner, experts.shared_bias));
  }
  if (!experts.shared_gate.empty()) {
    TRY(out.shared_gate_, weights.linear(layer + experts.shared_gate, 1, plan.width, Bias::without));
  }
  return out;
}

Status Experts::load_experts(const DecoderPlan& plan, const DecoderWeights& weights,
                             const std::string& layer) {
  const std::string at = layer + plan_.experts;
  if (plan_.layout == ExpertsPlan::Layout::stacked_transposed) return load_transposed(plan, weights, at);
  if (plan_.layout == ExpertsPlan::Layout::stacked_inputs_first) return load_inputs_first(plan, weights, at);
  if (plan_.layout == ExpertsPlan::Layout::stacked)
    return load_stacked(plan, weights, fmt::format("{}.{}.weight", at, plan_.up),
                        fmt::format("{}.{}.weight", at, plan_.down));
  if (weights.reader().has(at + ".gate_up_proj"))  // As some are published, whatever the family's way.
    return load_stacked(plan, weights, at + ".gate_up_proj", at + ".down_proj");
  for (size_t i = 0; i < plan_.count; ++i) {
    const std::string one = fmt::format("{}{}{}.", at, plan_.before_number, i);
    Expert expert;
    if (plan_.gated) {
      TRY(expert.gate_up,
          weights.gate_up(one + plan_.gate, one + plan_.up, "", plan_.inner, Bias::without, false));
    } else {
      TRY(expert.gate_up, weights.linear(one + plan_.up, plan_.inner, plan.width, Bias::without));
    }
    TRY(expert.down, weights.linear(one + plan_.down, plan.width, plan_.inner, Bias::without));
    experts_.push_back(std::move(expert));
  }
  return Done{};
}

Status Experts::load_stacked(const DecoderPlan& plan, const DecoderWeights& weights,
                             const std::string& gate_up, const std::string& down_name) {
  const size_t width = plan.width, inner = plan_.inner;
  const WeightReader& reader = weights.reader();
  TRY(const std::vector<float> both, reader.floats(gate_up, {plan_.count, 2 * inner, width}));
  TRY(const std::vector<float> down, reader.floats(down_name, {plan_.count, width, inner}));
  for (size_t expert = 0; expert < plan_.count; ++expert) {
    const auto part = [&](const std::vector<float>& all, size_t outputs, size_t inputs) {
      const auto from = all.begin() + static_cast<std::ptrdiff_t>(expert * outputs * inputs);
      Matrix one;
      one.outputs = outputs;
      one.inputs = inputs;
      one.weight.assign(from, from + static_cast<std::ptrdiff_t>(outputs * inputs));
      return one;
    };
    experts_.push_back({part(both, 2 * inner, width).pack(reader.compute(), tensor::OutputLayout::gated),
                        part(down, width, inner).pack(reader.compute())});
  }
  return Done{};
}

Status Experts::load_inputs_first(const DecoderPlan& plan, const DecoderWeights& weights,
                                  const std::string& at) {
  const size_t width = plan.width, inner = plan_.inner;
  const WeightReader& reader = weights.reader();
  TRY(const std::vector<float> both, reader.floats(at + ".gate_up_proj", {plan_.count, width, 2 * inner}));
  TRY(const std::vector<float> down, reader.floats(at + ".down_proj", {plan_.count, inner, width}));
  const auto turned = [](const std::vector<float>& all, size_t expert, size_t outputs, size_t inputs) {
    Matrix out;
    out.outputs = outputs;
    out.inputs = inputs;
    out.weight.resize(outputs * inputs);
    for (size_t in = 0; in < inputs; ++in)
      for (size_t i = 0; i < outputs; ++i)
        out.weight[i * inputs + in] = all[(expert * inputs + in) * outputs + i];
    return out;
  };
  for (size_t i = 0; i < plan_.count; ++i)
    experts_.push_back({turned(both, i, 2 * inner, width).pack(reader.compute(), tensor::OutputLayout::gated),
                        turned(down, i, width, inner).pack(reader.compute())});
  return Done{};
}

Status Experts::load_transposed(const DecoderPlan& plan, const DecoderWeights& weights,
                                const std::string& at) {
  const size_t width = plan.width, inner = plan_.inner, count = plan_.count;
  const WeightReader& reader = weights.reader();
  TRY(const std::vector<float> both, reader.floats(at + ".gate_up_proj", {count, width, 2 * inner}));
  TRY(const std::vector<float> both_bias, reader.floats(at + ".gate_up_proj_bias", {count, 2 * inner}));
  TRY(const std::vector<float> down, reader.floats(at + ".down_proj", {count, inner, width}));
  TRY(const std::vector<float> down_bias, reader.floats(at + ".down_proj_bias", {count, width}));
  for (size_t expert = 0; expert < count; ++expert) {
    Matrix first, second;
    first.outputs = 2 * inner;
    first.inputs = second.outputs = width;
    second.inputs = inner;
    for (size_t i = 0; i < 2 * inner; ++i) {
      const size_t beside = i < inner ? 2 * i : 2 * (i - inner) + 1;
      const size_t from = plan_.alternates ? beside : i;
      for (size_t k = 0; k < width; ++k)
        first.weight.push_back(both[(expert * width + k) * 2 * inner + from]);
      first.bias.push_back(both_bias[expert * 2 * inner + from]);
    }
    for (size_t i = 0; i < width; ++i) {
      for (size_t k = 0; k < inner; ++k) second.weight.push_back(down[(expert * inner + k) * width + i]);
      second.bias.push_back(down_bias[expert * width + i]);
    }
    experts_.push_back({first.pack(reader.compute()), second.pack(reader.compute())});
  }
  return Done{};
}

std::vector<Experts::Pick> Experts::pick(std::span<const float> logits) const {
  std::vector<float> scores(logits.begin(), logits.end());
  std::vector<Pick> out;
  switch (plan_.scores) {
    case ExpertsPlan::Scores::softmax:
      softmax(scores);
      for (size_t i : largest(scores, plan_.picked)) out.push_back({i, scores[i]});
      break;
    case ExpertsPlan::Scores::softmax_picked: {
      std::vector<float> shares;
      for (size_t i : largest(scores, plan_.picked)) {
        out.push_back({i, 0});
        shares.push_back(scores[i]);
      }
      softmax(shares);
      for (size_t i = 0; i < out.size(); ++i) out[i].share = shares[i];
      break;
    }
    case ExpertsPlan::Scores::softmax_grouped:
    case ExpertsPlan::Scores::softmax_by_pairs: {
      softmax(scores);
      const size_t size = plan_.count / plan_.groups;
      const bool pairs = plan_.scores == ExpertsPlan::Scores::softmax_by_pairs;
      std::vector<float> groups;
      for (size_t i = 0; i < plan_.groups; ++i) {
        const std::span<const float> group(scores.data() + i * size, size);
        const std::vector<size_t> best = largest(group, 2);
        groups.push_back(group[best[0]] + (pairs ? group[best[1]] : 0.0F));
      }
      std::vector<bool> kept(plan_.groups);
      for (size_t i : largest(groups, plan_.groups_picked)) kept[i] = true;
      for (size_t i = 0; i < scores.size(); ++i)
        if (!kept[i / size]) scores[i] = 0;
      for (size_t i : largest(scores, plan_.picked)) out.push_back({i, scores[i]});
      break;
    }
    case ExpertsPlan::Scores::softmax_corrected: {
      softmax(scores);
      std::vector<float> choice(scores);
      for (size_t i = 0; i < choice.size(); ++i) choice[i] += correction_[i];
      for (size_t i : largest(choice, plan_.picked)) out.push_back({i, scores[i]});
      break;
    }
    case ExpertsPlan::Scores::sigmoid_of_input:
      for (size_t i : largest(scores, plan_.picked)) out.push_back({i, 1.0F / (1.0F + std::exp(-scores[i]))});
      break;
    case ExpertsPlan::Scores::sparse_mixer: {
      std::vector<float> left(scores);
      for (size_t round = 0; round < plan_.picked; ++round) {
        const size_t best = largest(left, 1)[0];
        std::vector<float> near(left);
        for (size_t i = 0; i < near.size(); ++i)
          if ((left[best] - scores[i]) / std::max(std::abs(scores[i]), left[best]) > plan_.nearness)
            near[i] = -INFINITY;
        softmax(near);
        out.push_back({best, near[best]});
        left[best] = -INFINITY;
      }
      break;
    }
    case ExpertsPlan::Scores::sigmoid_grouped: {
      for (float& x : scores) x = 1.0F / (1.0F + std::exp(-x));
      std::vector<float> choice(scores);
      for (size_t i = 0; i < choice.size(); ++i) choice[i] += correction_[i];
      const size_t size = plan_.count / plan_.groups;
      std::vector<float> groups;
      for (size_t i = 0; i < plan_.groups; ++i) {
        const std::span<const float> group(choice.data() + i * size, size);
        const std::vector<size_t> two = largest(group, 2);
        groups.push_back(group[two[0]] + group[two[1]]);
      }
      std::vector<bool> kept(plan_.groups);
      for (size_t i : largest(groups, plan_.groups_picked)) kept[i] = true;
      for (size_t i = 0; i < choice.size(); ++i)
        if (!kept[i / size]) choice[i] = -INFINITY;
      for (size_t i : largest(choice, plan_.picked)) out.push_back({i, scores[i]});
      break;
    }
  }
  if (plan_.normalized) {
    float sum = plan_.scores == ExpertsPlan::Scores::sigmoid_grouped ? 1e-20F : 0.0F;
    sum += plan_.share_more;
    for (const Pick& one : out) sum += one.share;
    sum = std::max(sum, plan_.share_min);
    for (Pick& one : out) one.share /= sum;
  }
  for (Pick& one : out) one.share *= plan_.factor;
  return out;
}

void Experts::run_expert(const tensor::Kernels& kernels, const Expert& expert, const float* in, float* out,
                         size_t rows, tensor::Threads& threads) const {
  (void)kernels;
  if (plan_.layout != ExpertsPlan::Layout::stacked_transposed) {
    tensor::Floats inner(rows * expert.gate_up->width());
    multiply(*expert.gate_up, in, inner.data(), rows, threads, nullptr, activation_);
    return multiply(*expert.down, inner.data(), out, rows, threads);
  }
  const size_t width = plan_.inner;
  tensor::Floats both(rows * 2 * width), inner(rows * width);
  multiply(*expert.gate_up, in, both.data(), rows, threads);
  for (size_t row = 0; row < rows; ++row) {
    const float* gates = both.data() + row * 2 * width;
    for (size_t i = 0; i < width; ++i) {
      const float gate = std::min(gates[i], plan_.clamp);
      const float value = std::clamp(gates[width + i], -plan_.clamp, plan_.clamp);
      inner.data()[row * width + i] = (value + 1.0F) * (gate / (1.0F + std::exp(-plan_.alpha * gate)));
    }
  }
  multiply(*expert.down, inner.data(), out, rows, threads);
}

// Tokens of a sequence that come when an expert of theirs has its fill go without.
void Experts::fill(std::vector<std::pair<size_t, float>>& rows, std::span<const size_t> starts) const {
  size_t sequence = 0, taken = 0;
  std::erase_if(rows, [&](const auto& one) {
    while (one.first >= starts[sequence + 1]) {
      ++sequence;
      taken = 0;
    }
    return ++taken > plan_.capacity;
  });
}

void Experts::run(const tensor::Kernels& kernels, const float* in, float* out, size_t rows,
                  tensor::Threads& threads, std::span<const size_t> starts) const {
  tensor::Floats logits(rows * plan_.count);
  multiply(*router_, in, logits.data(), rows, threads);
  std::vector<std::vector<std::pair<size_t, float>>> rows_of(plan_.count);
  for (size_t row = 0; row < rows; ++row)
    for (const Pick& one : pick({logits.data() + row * plan_.count, plan_.count}))
      rows_of[one.expert].emplace_back(row, one.share);
  std::fill_n(out, rows * width_, 0.0F);
  std::vector<float> gathered, answers;
  const bool of_input = plan_.scores == ExpertsPlan::Scores::sigmoid_of_input;
  for (size_t i = 0; i < plan_.count; ++i) {
    auto& picked = rows_of[i];
    if (plan_.capacity > 0 && !starts.empty()) fill(picked, starts);
    if (picked.empty()) continue;
    gathered.resize(picked.size() * width_);
    answers.resize(picked.size() * width_);
    for (size_t k = 0; k < picked.size(); ++k)
      for (size_t d = 0; d < width_; ++d)
        gathered[k * width_ + d] = in[picked[k].first * width_ + d] * (of_input ? picked[k].second : 1.0F);
    run_expert(kernels, experts_[i], gathered.data(), answers.data(), picked.size(), threads);
    for (size_t k = 0; k < picked.size(); ++k)
      for (size_t d = 0; d < width_; ++d)
        out[picked[k].first * width_ + d] += answers[k * width_ + d] * (of_input ? 1.0F : picked[k].second);
  }
  if (shared_.down == nullptr) return;
  tensor::Floats inner(rows * shared_.gate_up->width()), more(rows * width_), gates(rows);
  multiply(*shared_.gate_up, in, inner.data(), rows, threads, nullptr, activation_);
  multiply(*shared_.down, inner.data(), more.data(), rows, threads);
  std::fill_n(gates.data(), rows, 1.0F);
  if (shared_gate_ != nullptr)
    multiply(*shared_gate_, in, gates.data(), rows, threads, nullptr, tensor::Activation::sigmoid);
  for (size_t row = 0; row < rows; ++row)
    for (size_t d = 0; d < width_; ++d)
      out[row * width_ + d] += gates.data()[row] * more.data()[row * width_ + d];
}

}  // namespace holdfast::model
