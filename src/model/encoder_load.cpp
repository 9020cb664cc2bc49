#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>

#include "model/encoder.h"
#include "model/picture_grid.h"
#include "model/steps.h"

namespace holdfast::model {
namespace {

void raise(std::vector<float>& peaks, const float* rows, size_t stride, size_t count, size_t width) {
  peaks.resize(width, 0.0F);
  for (size_t row = 0; row < count; ++row)
    for (size_t i = 0; i < width; ++i) peaks[i] = std::max(peaks[i], std::abs(rows[row * stride + i]));
}

void raise(std::vector<float>& peaks, const tensor::ReadyRows& rows, const tensor::Linear& reader,
           size_t count) {
  raise(peaks, rows.words.data(), reader.row_words(), count, reader.inputs());
}

// Calls when the first product has read its rows, which others take the place of later.
class FirstInput final : public tensor::WorkWatch {
 public:
  explicit FirstInput(std::function<void()> look) : look_(std::move(look)) {}
  void worked(double /*operations*/, const void* /*weights*/, size_t /*bytes*/) override {}
  void ended(size_t /*layer*/, std::string_view what) override {
    if (what == step::query_key_value) look_();
  }
  std::string_view enter(std::string_view part) override { return part; }

 private:
  std::function<void()> look_;
};

// Ids as good as any: what stands out does so for every text. Short and long sequences between the ids that
// vocabularies begin and end texts with, as these stand out most.
TokenBatch trial(const EncoderPlan& plan) {
  constexpr std::array<std::pair<int64_t, int64_t>, 4> ends = {{{0, 2}, {1, 2}, {2, 3}, {101, 102}}};
  constexpr size_t lengths[] = {2, 10, 24, 40};
  TokenBatch out;
  uint64_t state = 1;
  const auto last = static_cast<int64_t>(plan.vocabulary) - 1;
  for (const auto& [first, end] : ends)
    for (const size_t wish : lengths) {
      const size_t length = std::min(wish, std::max<size_t>(plan.positions, 1));
      std::vector<int64_t> ids;
      for (size_t i = 0; i < length; ++i) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        const auto any = static_cast<int64_t>((state >> 33) % plan.vocabulary);
        ids.push_back(std::min(i == 0 ? first : i + 1 == length ? end : any, last));
      }
      const std::vector<int64_t> positions = positions_of(plan, ids);
      for (size_t i = 0; i < length; ++i) out.add(ids[i], 0, positions[i], static_cast<int64_t>(i));
      out.end_sequence(length);
    }
  return out;
}

}  // namespace

// The trial's rows on their way through the layers, each of which is computed in f32 before it is packed.
struct Encoder::Trial {
  TokenBatch batch;
  tensor::Floats x;
  std::vector<float> embedded;
  Space space;
  std::unique_ptr<tensor::Threads> threads = tensor::make_threads(1);
  Part whole() const { return {0, batch.sequences()}; }
};

Status Encoder::load_embeddings(const WeightReader& reader) {
  const size_t width = plan_.embedding_width;
  if (!plan_.words.empty()) {
    TRY(words_, RowTable::load(reader, plan_.words + ".weight", plan_.vocabulary, width));
  }
  const std::string position_name = plan_.position_table + ".weight";
  const bool computed = plan_.sinusoid != Sinusoid::none && !reader.has(position_name);
  if (!plan_.position_table.empty() && !computed) {
    TRY(positions_, RowTable::load(reader, position_name, plan_.position_rows, width));
  }
  if (computed) positions_ = RowTable::of(sinusoid_rows(plan_.sinusoid, plan_.position_rows, width), width);
  if (plan_.types > 0) {
    TRY(types_, RowTable::load(reader, plan_.type_table + ".weight", plan_.types, width));
  }
  if (!plan_.kind_table.empty()) {
    TRY(kinds_, RowTable::load(reader, plan_.kind_table + ".weight", plan_.kinds, width));
  }
  if (plan_.boxes) {
    const BoxTables& boxes = *plan_.boxes;
    TRY(across_, RowTable::load(reader, boxes.across + ".weight", boxes.rows, width));
    TRY(down_, RowTable::load(reader, boxes.down + ".weight", boxes.rows, width));
    TRY(box_height_, RowTable::load(reader, boxes.height + ".weight", boxes.rows, width));
    TRY(box_width_, RowTable::load(reader, boxes.width + ".weight", boxes.rows, width));
  }
  if (!plan_.embedding_projection.empty()) {
    TRY(projection_, reader.linear(plan_.embedding_projection, plan_.width, width, plan_.projection_bias));
  }
  if (!plan_.embedding_norm.empty()) {
    const size_t normed = plan_.projects_first ? plan_.width : width;
    TRY(embedding_norm_, reader.norm(plan_.embedding_norm, normed, plan_.norm_bias));
  }
  if (!plan_.final_norm.empty()) {
    TRY(final_norm_, reader.norm(plan_.final_norm, plan_.width, plan_.norm_bias));
  }
  if (plan_.distance_bias && !plan_.distance_bias->own) {
    TRY(distance_bias_, DistanceBiasTable::load(*plan_.distance_bias, plan_.heads, reader));
  }
  if (plan_.convolution) {
    Convolution conv;
    const size_t each = plan_.width / plan_.convolution->groups;
    TRY(conv.weight,
        reader.floats("encoder.conv.conv.weight", {plan_.width, each, plan_.convolution->kernel}));
    TRY(conv.bias, reader.floats("encoder.conv.conv.bias", {plan_.width}));
    TRY(conv.norm, reader.norm("encoder.conv.LayerNorm", plan_.width));
    convolution_ = std::move(conv);
  }
  return Done{};
}

// One matrix with queries, keys and values of each head together, brought into the order of the others.
Result<LinearLayer> Encoder::load_interleaved(const WeightReader& reader, const std::string& layer,
                                              const Peaks& peaks) const {
  const size_t width = plan_.width, each = plan_.head_width, all = plan_.heads * each;
  const std::string name = layer + plan_.query_key_value;
  const auto make = [&]() -> Result<LinearLayer> {
    TRY(const std::vector<float> by_head, reader.floats(name + ".weight", {3 * all, width}));
    std::vector<float> weight(by_head.size());
    for (size_t head = 0; head < plan_.heads; ++head)
      for (size_t kind = 0; kind < 3; ++kind)
        std::copy_n(by_head.data() + (3 * head + kind) * each * width, each * width,
                    weight.data() + (kind * plan_.heads + head) * each * width);
    const std::string beside = name.substr(0, name.rfind('.') + 1);
    TRY(std::vector<float> bias, reader.floats(beside + "q_bias", {all}));
    TRY(const std::vector<float> values, reader.floats(beside + "v_bias", {all}));
    bias.resize(2 * all, 0.0F);
    bias.insert(bias.end(), values.begin(), values.end());
    return tensor::make_linear({weight, bias, 3 * all, width, tensor::OutputLayout::plain, peaks.input},
                               reader.compute());
  };
  return reader.kept(name, {3 * all, width}, make);
}

// One matrix whose gate comes last.
Result<LinearLayer> Encoder::load_up_gate(const WeightReader& reader, const std::string& layer,
                                          const Peaks& peaks) const {
  constexpr auto gated = tensor::OutputLayout::gated;
  const size_t width = plan_.width, inner = plan_.inner;
  const std::string name = layer + plan_.up_gate;
  const auto make = [&]() -> Result<LinearLayer> {
    TRY(std::vector<float> weight, reader.floats(name + ".weight", {2 * inner, width}));
    std::rotate(weight.begin(), weight.begin() + static_cast<ptrdiff_t>(inner * width), weight.end());
    const std::vector<float> bias(2 * inner, 0.0F);
    return tensor::make_linear({weight, bias, 2 * inner, width, gated, peaks.middle}, reader.compute());
  };
  return reader.kept(name, {2 * inner, width, gated}, make);
}

// A layer whose outputs are multiplied by the numbers of a tensor, which is as good as done to its weights.
Result<LinearLayer> Encoder::load_scaled(const WeightReader& reader, const std::string& name,
                                         const std::string& scale, size_t inputs, Bias bias,
                                         std::span<const float> peaks) const {
  const size_t width = plan_.width;
  const auto make = [&]() -> Result<LinearLayer> {
    TRY(std::vector<float> weight, reader.floats(name + ".weight", {width, inputs}));
    TRY(const std::vector<float> factors, reader.floats(scale, {width}));
    std::vector<float> added(width, 0.0F);
    if (bias == Bias::with || (bias == Bias::if_there && reader.has(name + ".bias"))) {
      TRY(added, reader.floats(name + ".bias", {width}));
    }
    for (size_t row = 0; row < width; ++row) {
      added[row] *= factors[row];
      for (size_t i = 0; i < inputs; ++i) weight[row * inputs + i] *= factors[row];
    }
    return tensor::make_linear({weight, added, width, inputs, tensor::OutputLayout::plain, peaks},
                               reader.compute());
  };
  return reader.kept(name, {width, inputs}, make);
}

Status Encoder::load_layer(const WeightReader& reader, const EncoderPlan::LayerKind& kind, const Peaks& peaks,
                           Layer& layer) const {
  constexpr auto gated = tensor::OutputLayout::gated;
  const std::string& at = kind.prefix;
  const size_t width = plan_.width, all_heads = plan_.heads * plan_.head_width, inner = plan_.inner;
  const size_t all_keys = key_heads() * plan_.head_width;
  if (plan_.interleaved) {
    TRY(layer.query_key_value, load_interleaved(reader, at, peaks));
  } else if (!plan_.query_key_value.empty() && reader.has(at + plan_.query_key_value + ".weight")) {
    TRY(layer.query_key_value,
        reader.linear(at + plan_.query_key_value, joined_width(), width, plan_.attention_bias, peaks.input));
  } else {
    TRY(layer.query_key_value,
        reader.joined({at + plan_.query, at + plan_.key, at + plan_.value}, {all_heads, all_keys, all_keys},
                      width, plan_.attention_bias, tensor::OutputLayout::plain, peaks.input));
  }
  if (plan_.attention_scale.empty()) {
    TRY(layer.attention_out,
        reader.linear(at + plan_.attention_out, width, all_heads, plan_.attention_bias, peaks.context));
  } else {
    TRY(layer.attention_out, load_scaled(reader, at + plan_.attention_out, at + plan_.attention_scale,
                                         all_heads, plan_.attention_bias, peaks.context));
  }
  if (kind.attention_norm) {
    TRY(layer.attention_norm, reader.norm(at + plan_.attention_norm, width, plan_.norm_bias));
  }
  if (!plan_.gated) {
    TRY(layer.inner, reader.linear(at + plan_.up, inner, width, plan_.inner_bias, peaks.middle));
  } else if (!plan_.up_gate.empty()) {
    TRY(layer.inner, load_up_gate(reader, at, peaks));
  } else if (!plan_.gate_up.empty() && reader.has(at + plan_.gate_up + ".weight")) {
    TRY(layer.inner,
        reader.joined({at + plan_.gate_up}, {2 * inner}, width, plan_.inner_bias, gated, peaks.middle));
  } else {
    TRY(layer.inner, reader.joined({at + plan_.gate, at + plan_.up}, {inner, inner}, width, plan_.inner_bias,
                                   gated, peaks.middle));
  }
  if (plan_.out_scale.empty()) {
    TRY(layer.out, reader.linear(at + plan_.out, width, inner, plan_.inner_bias, peaks.inner));
  } else {
    TRY(layer.out,
        load_scaled(reader, at + plan_.out, at + plan_.out_scale, inner, plan_.inner_bias, peaks.inner));
  }
  TRY(layer.out_norm, reader.norm(at + plan_.out_norm, width, plan_.norm_bias));
  if (plan_.far_seeing) {
    const FarSeeing& far = *plan_.far_seeing;
    TRY(layer.far_query, reader.linear(at + far.query, all_heads, width, plan_.attention_bias, peaks.input));
    TRY(layer.far_key_value, reader.joined({at + far.key, at + far.value}, {all_heads, all_heads}, width,
                                           plan_.attention_bias, tensor::OutputLayout::plain, peaks.input));
  }
  if (plan_.distance_gate) {
    TRY(layer.gate, OpenedDistances::load(plan_, reader, at));
  }
  return Done{};
}

std::unique_ptr<Encoder::Trial> Encoder::begin_trial() const {
  auto out = std::make_unique<Trial>();
  out->batch = trial(plan_);
  out->x = tensor::Floats(out->batch.tokens() * plan_.width);
  embed(out->batch, 0, out->batch.tokens(), *out->threads, out->space, out->x.data());
  if (convolution_) out->embedded.assign(out->x.data(), out->x.data() + out->x.size());
  return out;
}

// Takes the trial's rows through the last layer that is there.
void Encoder::step_trial(Trial& trial) const {
  const size_t index = layers_.size() - 1, rows = trial.batch.tokens();
  make_room(rows, trial.space);
  begin(index, trial.x.data(), {0, rows}, trial.space);
  run_layer(trial.batch, trial.whole(), index, trial.space, *trial.threads, trial.x.data());
  if (index == 0 && convolution_) convolve(trial.batch, trial.whole(), trial.embedded.data(), trial.x.data());
}

// What stands out among the inputs of a layer's four products; the layer is left out again.
Result<Encoder::Peaks> Encoder::try_layer(const WeightReader& floats, const EncoderPlan::LayerKind& kind,
                                          const std::vector<float>& distances, Trial& trial) {
  const tensor::Compute compute = compute_;
  compute_.precision = tensor::Precision::f32;
  auto layer = std::make_shared<Layer>();
  Status loaded = load_whole_layer(floats, kind, {}, distances, *layer);
  Peaks out;
  if (loaded.ok()) {
    const size_t rows = trial.batch.tokens();
    FirstInput seen{[&] { raise(out.input, trial.space.input, *layer->query_key_value, rows); }};
    layers_.push_back(layer);
    {
      const tensor::WatchScope watched(seen);
      step_trial(trial);
    }
    layers_.pop_back();
    if (writes_contexts(*layer))
      raise(out.context, trial.space.contexts, *layer->attention_out, rows);
    else
      raise(out.context, trial.space.context.data(), layer->attention_out->inputs(), rows,
            layer->attention_out->inputs());
    raise(out.middle, trial.space.input, *layer->inner, rows);
    raise(out.inner, trial.space.inner, *layer->out, rows);
  }
  compute_ = compute;
  TRY_DONE(std::move(loaded));
  return out;
}

Status Encoder::load_whole_layer(const WeightReader& reader, const EncoderPlan::LayerKind& kind,
                                 const Peaks& peaks, const std::vector<float>& distances,
                                 Layer& layer) const {
  TRY_DONE(load_layer(reader, kind, peaks, layer));
  if (plan_.disentangled) {
    TRY(layer.disentangled, DisentangledBias::load(plan_, reader, kind.prefix, distances));
  }
  if (plan_.distance_bias && plan_.distance_bias->own) {
    DistanceBias own = *plan_.distance_bias;
    own.table = kind.prefix + own.table;
    TRY(layer.distances, DistanceBiasTable::load(own, plan_.heads, reader));
  }
  if (plan_.grid_bias) {
    TRY(layer.grid_bias, load_grid_bias(*plan_.grid_bias, plan_.heads, reader, kind.prefix));
  }
  return Done{};
}

Status Encoder::load_own(const WeightReader& reader) {
  if (plan_.make_embedding) {
    TRY(own_embedding_, plan_.make_embedding(reader, plan_, 0));
  }
  for (size_t i = 0; plan_.make_layer && i < plan_.layers.size(); ++i) {
    TRY(std::unique_ptr<TokenLayer> layer, plan_.make_layer(reader, plan_, i));
    own_layers_.push_back(std::move(layer));
  }
  return Done{};
}

Status Encoder::load_layers(const WeightReader& reader) {
  if (plan_.make_layer) return Done{};
  std::vector<float> distances;
  if (plan_.disentangled) {
    TRY(distances, load_distance_table(plan_, reader, *kernels_));
  }
  // Layers that are kept know what stands out already.
  std::unique_ptr<Trial> trial;
  if (compute_.precision == tensor::Precision::int8 && !reader.are_known() && plan_.vocabulary > 0)
    trial = begin_trial();
  const WeightReader floats = reader.with(tensor::Precision::f32);
  std::map<std::string, std::shared_ptr<const Layer>> known;
  for (const EncoderPlan::LayerKind& kind : plan_.layers) {
    std::shared_ptr<const Layer>& slot = known[kind.prefix];
    if (slot == nullptr) {
      Peaks peaks;
      if (trial != nullptr) {
        TRY(peaks, try_layer(floats, kind, distances, *trial));
      }
      auto layer = std::make_shared<Layer>();
      TRY_DONE(load_whole_layer(reader, kind, peaks, distances, *layer));
      slot = std::move(layer);
    }
    layers_.push_back(slot);
  }
  return Done{};
}

Result<Encoder> Encoder::load(EncoderPlan plan, const WeightReader& reader) {
  Encoder out;
  out.plan_ = std::move(plan);
  out.compute_ = reader.compute();
  out.kernels_ = &tensor::kernels_for(out.compute_.isa);
  out.spaces_ = std::make_unique<ScratchPool<Space>>();
  TRY_DONE(out.load_embeddings(reader));
  TRY_DONE(out.load_layers(reader));
  TRY_DONE(out.load_own(reader));
  return out;
}

}  // namespace holdfast::model
