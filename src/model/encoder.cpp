#include "model/encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/check.h"
#include "model/far_seeing.h"
#include "model/layer_parts.h"
#include "model/page_boxes.h"
#include "model/picture_grid.h"
#include "model/steps.h"

namespace holdfast::model {
namespace {

using tensor::Floats;

// Tokens that go through all layers together: their activations (the inner layer's are the widest) should
// stay in the second-level cache. Measured on MiniLM.
constexpr size_t part_tokens = 256;

void ensure(Floats& buffer, size_t count) {
  if (buffer.size() < count) buffer = Floats(count);
}

Status check_below(const std::vector<int64_t>& numbers, size_t bound, std::string_view what) {
  for (int64_t number : numbers)
    if (number < 0 || static_cast<uint64_t>(number) >= bound)
      return fail(Reason::bad_request, fmt::format("{} {} is outside 0 to {}", what, number, bound - 1));
  return Done{};
}

// Whether every sequence's columns follow each other, so that distances are those of its rows.
bool without_holes(const TokenBatch& batch, size_t first, size_t last) {
  for (size_t i = first; i < last; ++i)
    if (batch.length(i) > 0 && batch.columns[batch.starts[i + 1] - 1] - batch.columns[batch.starts[i]] + 1 !=
                                   static_cast<int64_t>(batch.length(i)))
      return false;
  return true;
}

bool is_odd(const TokenBatch& batch, size_t sequence) {
  return hides_tokens(batch, sequence, sequence + 1) || !without_holes(batch, sequence, sequence + 1);
}

}  // namespace

std::vector<int64_t> positions_of(const EncoderPlan& plan, std::span<const int64_t> ids) {
  std::vector<int64_t> out(ids.size());
  int64_t count = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (plan.position_kind == EncoderPlan::Positions::past_padding)
      out[i] = ids[i] == plan.pad_id ? plan.pad_id : plan.pad_id + ++count;
    else
      out[i] = static_cast<int64_t>(plan.position_offset + i);
  }
  return out;
}

Status Encoder::check(const TokenBatch& batch) const {
  if (words_.there() || own_embedding_ != nullptr) {
    TRY_DONE(check_below(batch.ids, plan_.vocabulary, "token id"));
  } else {
    CHECK(batch.embedded.size() == batch.tokens() * plan_.embedding_width);
  }
  if (types_.there()) TRY_DONE(check_below(batch.types, plan_.types, "token type"));
  if (positions_.there()) TRY_DONE(check_below(batch.positions, plan_.position_rows, "position"));
  if (own_embedding_ != nullptr) TRY_DONE(own_embedding_->check(batch));
  if (!own_layers_.empty()) TRY_DONE(own_layers_.front()->check(batch));
  TRY_DONE(check_boxes(plan_, batch));
  TRY_DONE(check_far_seeing(plan_, batch));
  if (plan_.length_max > 0)
    for (size_t length : batch.lengths)
      if (length > plan_.length_max)
        return fail(
            Reason::model_unsupported,
            fmt::format("{} tokens need this family's sparse attention, which is not there; at most {} "
                        "are possible",
                        length, plan_.length_max));
  return Done{};
}

// Whole sequences, up to part_tokens together and at least one part a thread. Those that attention takes
// another way are alone, so that no other goes with them.
std::vector<Encoder::Part> Encoder::split(const TokenBatch& batch, size_t threads) const {
  const size_t most = std::clamp<size_t>((batch.tokens() + threads - 1) / threads, 1, part_tokens);
  std::vector<Part> parts;
  for (size_t i = 0; i < batch.sequences(); ++i) {
    if (parts.empty() || batch.starts[i + 1] - batch.starts[parts.back().first] > most || is_odd(batch, i) ||
        is_odd(batch, i - 1))
      parts.push_back({i, i});
    parts.back().last = i + 1;
  }
  return parts;
}

void Encoder::normalize(const Norm& norm, const float* in, float* out, size_t rows, size_t width) const {
  const tensor::LayerNormJob job{in, out, norm.gamma.data(), norm.beta.data(), rows, width, plan_.epsilon};
  if (plan_.norm_kind == EncoderPlan::NormKind::root_mean_square) return kernels_->rms_norm(job);
  kernels_->layer_norm(job);
}

// As if the embedding of the dropped id had been left out in training (Rives et al. 2021), where 12 % were.
void Encoder::drop(const TokenBatch& batch, size_t token, float* embedding) const {
  const auto next = std::upper_bound(batch.starts.begin(), batch.starts.end(), token);
  const auto first = batch.ids.begin() + static_cast<ptrdiff_t>(*(next - 1)),
             last = batch.ids.begin() + static_cast<ptrdiff_t>(*next);
  const auto dropped = static_cast<float>(std::count(first, last, *plan_.dropped_id));
  const bool is_dropped = batch.ids[token] == *plan_.dropped_id;
  const float rest = 1 - dropped / static_cast<float>(last - first);
  for (size_t i = 0; i < plan_.embedding_width; ++i)
    embedding[i] = is_dropped ? 0.0F : embedding[i] * (1 - 0.15F * 0.8F) / rest;
}

void Encoder::embed(const TokenBatch& batch, size_t row, size_t rows, tensor::Threads& threads, Space& space,
                    float* out) const {
  const size_t width = plan_.embedding_width;
  ensure(space.start, rows * width);
  float* sum = projection_ ? space.start.data() : out;
  std::fill_n(sum, rows * width, 0.0F);
  for (size_t i = 0; i < rows; ++i) {
    float* into = sum + i * width;
    if (words_.there())
      words_.add_row(static_cast<size_t>(batch.ids[row + i]), into);
    else
      std::copy_n(batch.embedded.data() + (row + i) * width, width, into);
    if (plan_.embedding_scale != 1.0F)
      for (size_t column = 0; column < width; ++column) into[column] *= plan_.embedding_scale;
    if (plan_.dropped_id) drop(batch, row + i, into);
    if (types_.there()) types_.add_row(static_cast<size_t>(batch.types[row + i]), into);
    if (kinds_.there()) kinds_.add_row(0, into);
    if (plan_.boxes) add_box(batch, row + i, into);
    if (positions_.there()) positions_.add_row(static_cast<size_t>(batch.positions[row + i]), into);
  }
  const auto project = [&] {
    if (projection_) multiply(*projection_, sum, out, rows, threads);
  };
  if (plan_.projects_first) project();
  float* normed = plan_.projects_first ? out : sum;
  if (embedding_norm_)
    normalize(*embedding_norm_, normed, normed, rows, plan_.projects_first ? plan_.width : width);
  if (!plan_.projects_first) project();
}

void Encoder::rotate(const tensor::RopeTable& table, tensor::RopePairs pairs, size_t rows,
                     float* joined) const {
  std::vector<int64_t> places(rows);
  std::iota(places.begin(), places.end(), 0);
  tensor::RopeJob job;
  job.data = joined;
  // Queries, keys and values lie beside each other.
  job.heads = plan_.heads + (plan_.rotates_values ? 2 : 1) * key_heads();
  job.head_width = plan_.head_width;
  job.stride = joined_width();
  job.positions = places;
  job.pairs = pairs;
  tensor::rotate(table, job);
}

// Whether attention leaves its outputs as the next product reads them.
bool Encoder::writes_contexts(const Layer& layer) const {
  return compute_.precision != tensor::Precision::int8 && plan_.head_width % 16 == 0 && !plan_.far_seeing &&
         layer.attention_out->writes_for(*layer.attention_out);
}

// Whether queries, keys and values go to attention as bfloat16: where nothing changes them between.
bool Encoder::joins_halves(size_t index) const {
  const Layer& layer = *layers_[index];
  return plan_.layers[index].rope < 0 && plan_.grid_theta == 0 && !layer.disentangled &&
         plan_.head_width % 32 == 0 && layer.query_key_value->writes_halves();
}

// A bias by distance of which each token lets a part through. Of signals, whose rows follow each other.
void Encoder::set_gated_bias(const TokenBatch& batch, Part part, const Space& space, tensor::Attention& job,
                             const std::vector<float>& by_distance, size_t reach) const {
  job.bias.add = [this, &batch, &space, &by_distance, part,
                  reach](const tensor::AttentionBias::Block& block) {
    const size_t row = batch.starts[part.first + block.sequence] - batch.starts[part.first];
    const float* table = by_distance.data() + block.head * (2 * reach + 1) + reach;
    for (size_t i = 0; i < block.queries; ++i) {
      const size_t query = block.query_from + i;
      const float gate = space.gates.data()[(row + query) * plan_.heads + block.head];
      float* scores = block.scores + i * block.stride;
      for (size_t key = 0; key < block.keys; ++key)
        scores[key] += gate * table[static_cast<ptrdiff_t>(key) - static_cast<ptrdiff_t>(query)];
      for (size_t key = 0; !batch.padding.empty() && key < block.keys; ++key)
        if (batch.padding[batch.starts[part.first] + row + key] != 0)
          scores[key] = -std::numeric_limits<float>::infinity();
    }
  };
}

void Encoder::set_grid_bias(const std::vector<float>& table, tensor::Attention& job) const {
  const size_t side = plan_.grid_bias->height * plan_.grid_bias->width + 1;
  job.bias.add = [&table, side](const tensor::AttentionBias::Block& block) {
    for (size_t i = 0; i < block.queries; ++i) {
      const float* row = table.data() + (block.head * side + block.query_from + i) * side;
      for (size_t key = 0; key < block.keys; ++key) block.scores[i * block.stride + key] += row[key];
    }
  };
}

void Encoder::add_between(const TokenBatch& batch, Part part, const std::vector<float>& rows,
                          float* x) const {
  for (size_t i = part.first; i < part.last; ++i) {
    float* at = x + (batch.starts[i] - batch.starts[part.first]) * plan_.width;
    kernels_->add(at, rows.data(), batch.length(i) * plan_.width);
  }
}

// What each row's heads let through of the bias by distance; x: what the layer reads.
void Encoder::open_gates(const Layer& layer, const float* x, size_t rows, Space& space) const {
  ensure(space.gates, rows * plan_.heads);
  if (plan_.norm_place == EncoderPlan::NormPlace::before) {
    ensure(space.normed, rows * plan_.width);
    normalize(*layer.attention_norm, x, space.normed.data(), rows, plan_.width);
    x = space.normed.data();
  }
  layer.gate->run(x, rows, space.gates.data());
}

// The window where columns do not follow each other, and what distances add to scores.
void Encoder::set_bias(const TokenBatch& batch, Part part, size_t index, const Space& space,
                       tensor::Attention& job, std::vector<float>& by_distance) const {
  if (!layers_[index]->grid_bias.empty()) return set_grid_bias(layers_[index]->grid_bias, job);
  const size_t window = plan_.layers[index].window;
  const auto* disentangled = layers_[index]->disentangled ? &*layers_[index]->disentangled : nullptr;
  const bool whole = without_holes(batch, part.first, part.last);
  const bool reaches = window > 0 && whole && !plan_.far_seeing;
  if (reaches) job.before = job.after = window;
  const bool gated = layers_[index]->gate.has_value();
  const auto& own = layers_[index]->distances;
  const DistanceBiasTable* distances = own ? &*own : distance_bias_ ? &*distance_bias_ : nullptr;
  if (distances != nullptr && (whole || gated)) {
    size_t longest = 1;
    for (size_t i = part.first; i < part.last; ++i) longest = std::max(longest, batch.length(i));
    by_distance = distances->by_distance(longest - 1);
    if (gated) return set_gated_bias(batch, part, space, job, by_distance, longest - 1);
    job.bias.by_distance = by_distance.data();
    job.bias.reach = longest - 1;
  }
  const bool masks = window > 0 && !reaches, hides = hides_tokens(batch, part.first, part.last);
  const bool by_columns = distances != nullptr && !whole;
  if (!masks && !hides && !by_columns && disentangled == nullptr) return;
  const tensor::Attention plain = job;
  const auto far = static_cast<int64_t>(window);
  job.bias.add = [this, &batch, plain, part, masks, hides, by_columns, far, distances,
                  disentangled](const tensor::AttentionBias::Block& block) {
    const size_t sequence = part.first + block.sequence, row = batch.starts[sequence];
    const std::span<const int64_t> columns(batch.columns.data() + row, batch.length(sequence));
    if (by_columns) distances->add(columns, block);
    for (size_t key = 0; hides && key < block.keys; ++key)
      for (size_t i = 0; batch.padding[row + key] != 0 && i < block.queries; ++i)
        block.scores[i * block.stride + key] = -std::numeric_limits<float>::infinity();
    const size_t at = (row - batch.starts[part.first]) * plain.query_stride + block.head * plain.head_width;
    if (disentangled != nullptr)
      disentangled->add(columns, block, plain.query + at, plain.key + at, plain.query_stride, plain.scale);
    if (!masks) return;
    const size_t known = far_seeing_tokens(plan_, batch, sequence);
    for (size_t i = 0; i < block.queries; ++i)
      for (size_t key = known; key < block.keys; ++key)
        if (std::abs(columns[key] - columns[block.query_from + i]) > far)
          block.scores[i * block.stride + key] = -std::numeric_limits<float>::infinity();
  };
}

void Encoder::attend_all(const TokenBatch& batch, Part part, size_t index, Space& space,
                         tensor::Threads& threads) const {
  const size_t width = plan_.heads * plan_.head_width, first_row = batch.starts[part.first];
  const size_t rows = batch.starts[part.last] - first_row;
  if (const int kind = plan_.layers[index].rope; kind >= 0) {
    const RopeSpec& rope = plan_.ropes[static_cast<size_t>(kind)];
    rotate(rope_rows(rope, std::span(batch.positions).subspan(first_row, rows),
                     std::span(batch.lengths).subspan(first_row, rows)),
           rope.pairs, rows, space.joined());
  } else if (plan_.grid_theta > 0) {
    const std::span<const float> places = std::span(batch.places).subspan(2 * first_row, 2 * rows);
    rotate(grid_rope_rows(plan_.grid_theta, plan_.head_width, places), tensor::RopePairs::halves, rows,
           space.joined());
  }
  tensor::Attention job;
  std::vector<size_t> starts;  // Of the part's sequences in its buffers.
  for (size_t i = part.first; i <= part.last; ++i) starts.push_back(batch.starts[i] - first_row);
  job.query_starts = job.key_starts = starts;
  if (joins_halves(index)) {
    job.query_halves = reinterpret_cast<const uint16_t*>(space.joined());
    job.key_halves = job.query_halves + width;
    job.value_halves = job.key_halves + key_heads() * plan_.head_width;
  } else {
    job.query = space.joined();
    job.key = job.query + width;
    job.value = job.key + key_heads() * plan_.head_width;
  }
  const tensor::Linear& reader = *layers_[index]->attention_out;
  if (writes_contexts(*layers_[index])) {
    job.words = reinterpret_cast<uint32_t*>(space.contexts.words.data());
    job.row_words = reader.row_words();
  }
  job.out = space.context.data();
  job.query_stride = job.key_stride = job.value_stride = joined_width();
  job.out_stride = width;
  job.heads = plan_.heads;
  job.key_heads = key_heads();
  job.head_width = plan_.head_width;
  job.scale = plan_.scale > 0 ? plan_.scale : 1.0F / std::sqrt(static_cast<float>(plan_.head_width));
  std::vector<float> by_distance;
  set_bias(batch, part, index, space, job, by_distance);
  tensor::attend(job, compute_, threads);
}

// x = norm(x + activation(convolution of `in`)): rows of `in` and x are the part's tokens.
void Encoder::convolve(const TokenBatch& batch, Part part, const float* in, float* x) const {
  const size_t width = plan_.width, kernel = plan_.convolution->kernel;
  const size_t each = width / plan_.convolution->groups;
  const auto reach = static_cast<int64_t>(kernel / 2);
  std::vector<float> sums(width);
  for (size_t sequence = part.first; sequence < part.last; ++sequence) {
    const size_t base = batch.starts[part.first];
    for (size_t token = batch.starts[sequence]; token < batch.starts[sequence + 1]; ++token) {
      std::copy(convolution_->bias.begin(), convolution_->bias.end(), sums.begin());
      for (size_t other = batch.starts[sequence]; other < batch.starts[sequence + 1]; ++other) {
        const int64_t tap = batch.columns[other] - batch.columns[token] + reach;
        if (tap < 0 || tap >= static_cast<int64_t>(kernel)) continue;
        for (size_t channel = 0; channel < width; ++channel) {
          const float* row = in + (other - base) * width + channel / each * each;
          const float* weight = convolution_->weight.data() + channel * each * kernel;
          float sum = 0;
          for (size_t i = 0; i < each; ++i) sum += row[i] * weight[i * kernel + static_cast<size_t>(tap)];
          sums[channel] += sum;
        }
      }
      tensor::activate(*kernels_, plan_.convolution->activation, sums.data(), sums.size());
      float* out = x + (token - base) * width;
      for (size_t i = 0; i < width; ++i) out[i] += sums[i];
      normalize(convolution_->norm, out, out, 1, width);
    }
  }
}

tensor::RowNorm Encoder::row_norm(const Norm& norm) const {
  const bool plain = plan_.norm_kind == EncoderPlan::NormKind::layer;
  return {plain ? tensor::RowNorm::Kind::layer : tensor::RowNorm::Kind::root_mean_square, norm.gamma.data(),
          norm.beta.data(), plan_.epsilon};
}

// Makes ready what the layer's first product reads of these rows of x: through its norm where norms come
// first.
void Encoder::begin(size_t index, const float* x, Rows rows, LayerRows& ready) const {
  const Layer& layer = *layers_[index];
  tensor::RowNorm norm;
  tensor::NormRun run;
  if (plan_.norm_place == EncoderPlan::NormPlace::before && layer.attention_norm) {
    norm = row_norm(*layer.attention_norm);
    run.norm = &norm;
  }
  run.in = x + rows.first * plan_.width;
  run.in_stride = plan_.width;
  run.rows = rows.count;
  run.width = plan_.width;
  run.reader = layer.query_key_value.get();
  run.next = &ready.input;
  tensor::normalize_rows(*kernels_, run);
}

// Queries, keys and values of rows that are in ready.input as the layer's first product reads them.
void Encoder::join(size_t index, Rows rows, const LayerRows& ready, Space& space,
                   tensor::Threads& threads) const {
  tensor::LinearRun run;
  run.rows = rows.count;
  run.ready = &ready.input;
  const size_t first = rows.first * joined_width();
  if (joins_halves(index))
    run.halves = reinterpret_cast<uint16_t*>(space.joined()) + first;
  else
    run.out = space.joined() + first;
  layers_[index]->query_key_value->run(run, threads);
  tensor::step_ended(index, step::query_key_value);
}

// What follows attention on these rows of x; leaves in ready.input those of the next layer. Each product ends
// with what follows it, row by row, while a block of rows is in the cache.
void Encoder::end_layer(size_t index, Rows rows, LayerRows& ready, const Space& space,
                        tensor::Threads& threads, float* x) const {
  const Layer& layer = *layers_[index];
  const Layer* next = index + 1 < layers_.size() ? layers_[index + 1].get() : nullptr;
  const bool after = plan_.norm_place == EncoderPlan::NormPlace::after;
  x += rows.first * plan_.width;
  tensor::LinearRun run;
  run.rows = rows.count;

  tensor::LinearRun attended = run;
  if (writes_contexts(layer))
    attended.ready = &ready.contexts;
  else
    attended.in = space.context.data() + rows.first * plan_.heads * plan_.head_width;
  attended.out = x;
  attended.addend = x;
  const tensor::RowNorm middle = row_norm(after ? *layer.attention_norm : *layer.out_norm);
  attended.norm = &middle;
  attended.norm_out = after ? x : nullptr;
  attended.reader = layer.inner.get();
  attended.next = &ready.input;
  layer.attention_out->run(attended, threads);
  tensor::step_ended(index, step::attention_out);

  tensor::LinearRun widen = run;
  widen.ready = &ready.input;
  widen.activation = plan_.activation;
  widen.reader = layer.out.get();
  widen.next = &ready.inner;
  layer.inner->run(widen, threads);
  tensor::step_ended(index, step::inner);

  tensor::LinearRun narrow = run;
  narrow.ready = &ready.inner;
  narrow.out = x;
  narrow.addend = x;
  tensor::RowNorm last;
  if (after) {
    last = row_norm(*layer.out_norm);
    narrow.norm = &last;
    narrow.norm_out = x;
  } else if (next != nullptr && next->attention_norm) {
    last = row_norm(*next->attention_norm);
    narrow.norm = &last;
  }
  if (next != nullptr) {
    narrow.reader = next->query_key_value.get();
    narrow.next = &ready.input;
  }
  layer.out->run(narrow, threads);
  tensor::step_ended(index, step::out);
}

// One layer on x, whose rows are in space.input as its first product reads them; leaves there those of the
// next layer.
void Encoder::run_layer(const TokenBatch& batch, Part part, size_t index, Space& space,
                        tensor::Threads& threads, float* x) const {
  const Layer& layer = *layers_[index];
  const Rows rows{0, batch.starts[part.last] - batch.starts[part.first]};
  if (layer.gate) open_gates(layer, x, rows.count, space);
  join(index, rows, space, space, threads);
  attend_all(batch, part, index, space, threads);
  if (plan_.far_seeing) attend_far(batch, part, layer, x, space, threads);
  tensor::step_ended(index, step::attention);
  end_layer(index, rows, space, space, threads, x);
}

// How many threads share the rows of a part that is alone; 0: they share outputs and heads. By rows they wait
// for each other twice a layer, before and after attention, instead of seven times, and each finds near what
// it wrote itself; but each reads all weights, for which there must be rows enough. Not where units take many
// rows at once (`product`), as fewer rows would leave them idle.
size_t Encoder::shares_of(const TokenBatch& batch, size_t rows, size_t threads) const {
  constexpr size_t rows_least = 16;
  if (threads == 1 || rows < rows_least * threads || layers_.empty()) return 0;
  if (plan_.far_seeing || convolution_ || batch.between != nullptr) return 0;
  for (const auto& layer : layers_)
    if (layer->gate || layer->inner->kernel() == nullptr || layer->inner->kernel()->product != nullptr)
      return 0;
  return threads;
}

// All layers, a share of the rows a thread.
void Encoder::run_in_shares(const TokenBatch& batch, Part part, Space& space, tensor::Threads& threads,
                            float* x) const {
  const size_t rows = batch.starts[part.last] - batch.starts[part.first], shares = space.share_count;
  ensure(space.joined_apart, rows * joined_width());
  if (space.shares.size() < shares) space.shares.resize(shares);
  const auto alone = tensor::make_threads(1);
  const auto rows_of = [&](size_t share) -> Rows {
    const size_t first = share * rows / shares;
    return {first, (share + 1) * rows / shares - first};
  };
  threads.run(shares, [&](size_t share) {
    LayerRows& ready = space.shares[share];
    make_ready_room(rows_of(share).count, ready);
    begin(0, x, rows_of(share), ready);
    join(0, rows_of(share), ready, space, *alone);
  });
  for (size_t i = 0; i < layers_.size(); ++i) {
    attend_all(batch, part, i, space, threads);
    threads.run(shares, [&](size_t share) {
      LayerRows& ready = space.shares[share];
      if (writes_contexts(*layers_[i])) {
        const size_t words = layers_[i]->attention_out->row_words();
        std::copy_n(space.contexts.words.data() + rows_of(share).first * words, rows_of(share).count * words,
                    ready.contexts.words.data());
      }
      end_layer(i, rows_of(share), ready, space, *alone, x);
      if (i + 1 < layers_.size()) join(i + 1, rows_of(share), ready, space, *alone);
    });
  }
}

// For that many rows in any layer.
void Encoder::make_room(size_t rows, Space& space) const {
  ensure(space.context, rows * plan_.heads * plan_.head_width);
  make_ready_room(rows, space);
}

void Encoder::make_ready_room(size_t rows, LayerRows& ready) const {
  for (const auto& layer : layers_) {
    ready.input.ensure(*layer->query_key_value, rows);
    ready.contexts.ensure(*layer->attention_out, rows);
    ready.input.ensure(*layer->inner, rows);
    ready.inner.ensure(*layer->out, rows);
  }
  ensure(ready.inner.words, rows * joined_width());
}

void Encoder::run(const TokenBatch& batch, Part part, tensor::Threads& threads, std::vector<Floats>* states,
                  float* sums, float* out) const {
  const size_t row = batch.starts[part.first], rows = batch.starts[part.last] - row, width = plan_.width;
  const auto space = spaces_->take();
  make_room(rows, *space);
  if (own_embedding_ != nullptr)
    own_embedding_->run(batch, part.first, part.last, out, threads);
  else
    embed(batch, row, rows, threads, *space, out);
  std::vector<float> embedded;
  if (convolution_) embedded.assign(out, out + rows * width);
  const auto keep_state = [&](size_t index) {
    if (states != nullptr) std::copy_n(out, rows * width, (*states)[index].data() + row * width);
  };
  space->share_count = states == nullptr ? shares_of(batch, rows, threads.count()) : 0;
  if (!layers_.empty() && space->share_count == 0) begin(0, out, {0, rows}, *space);
  tensor::step_ended(tensor::WorkWatch::no_layer, step::embedding);
  keep_state(0);
  if (space->share_count > 0) run_in_shares(batch, part, *space, threads, out);
  for (size_t i = 0; i < layers_.size() && space->share_count == 0; ++i) {
    run_layer(batch, part, i, *space, threads, out);
    if (i == 0 && convolution_) {
      convolve(batch, part, embedded.data(), out);
      if (layers_.size() > 1) begin(1, out, {0, rows}, *space);
      tensor::step_ended(0, step::convolution);
    }
    if (batch.between != nullptr && i + 1 < layers_.size()) {
      add_between(batch, part, (*batch.between)[i], out);
      begin(i + 1, out, {0, rows}, *space);
    }
    keep_state(i + 1);
  }
  for (size_t i = 0; i < own_layers_.size(); ++i) {
    if (sums != nullptr && i + 1 == own_layers_.size())
      own_layers_[i]->run_summing(batch, part.first, part.last, out, sums + part.first * width, threads);
    else
      own_layers_[i]->run(batch, part.first, part.last, out, threads);
    tensor::step_ended(i, step::whole_layer);
    keep_state(i + 1);
  }
  if (!final_norm_) return;
  normalize(*final_norm_, out, out, rows, width);
  tensor::step_ended(tensor::WorkWatch::no_layer, step::final_norm);
}

Result<Floats> Encoder::forward(const TokenBatch& batch, tensor::Threads& threads,
                                std::vector<Floats>* states, Floats* sums) const {
  TRY_DONE(check(batch));
  CHECK(plan_.grid_theta == 0 || batch.places.size() == 2 * batch.tokens());
  if (plan_.grid_bias)
    for (size_t i = 0; i < batch.sequences(); ++i)
      CHECK(batch.length(i) == plan_.grid_bias->height * plan_.grid_bias->width + 1);
  Floats out(batch.tokens() * plan_.width);
  for (size_t i = 0; states != nullptr && i <= plan_.layers.size(); ++i) states->emplace_back(out.size());
  if (sums != nullptr) *sums = Floats(batch.sequences() * plan_.width);
  const std::vector<Part> parts = split(batch, threads.count());
  const auto alone = tensor::make_threads(1);
  tensor::Threads& each = parts.size() > 1 ? *alone : threads;
  threads.run(parts.size(), [&](size_t index) {
    run(batch, parts[index], each, states, sums != nullptr ? sums->data() : nullptr,
        out.data() + batch.starts[parts[index].first] * plan_.width);
  });
  return out;
}

}  // namespace holdfast::model
