#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "model/decoder.h"
#include "model/layer_parts.h"
#include "model/row_work.h"
#include "model/steps.h"

// Attention of the shared decoder block, and what stands in its place.
namespace holdfast::model {
namespace {

using tensor::Floats;

// To the nearest bfloat16, halves to even.
float rounded(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  return std::bit_cast<float>((bits + 0x7FFFU + (bits >> 16 & 1U)) & 0xFFFF0000U);
}

}  // namespace

void Decoder::normalize_heads(Work& work, const Layer& layer, Part part) const {
  if (plan_.head_norm == DecoderPlan::HeadNorm::none) return;
  const size_t width = plan_.head_width;
  const auto one = [&](const Norm& norm, float* at, size_t heads) {
    switch (plan_.head_norm) {
      case DecoderPlan::HeadNorm::none:
        return;
      case DecoderPlan::HeadNorm::each:
        return normalize(plan_.head_norm_kind, norm, at, at, heads, width);
      case DecoderPlan::HeadNorm::across:
        return normalize(plan_.head_norm_kind, norm, at, at, 1, heads * width);
      case DecoderPlan::HeadNorm::own:
        for (size_t head = 0; head < heads; ++head) {
          const tensor::LayerNormJob job{at + head * width,
                                         at + head * width,
                                         norm.gamma.data() + head * width,
                                         norm.beta.data() + head * width,
                                         1,
                                         width,
                                         plan_.epsilon};
          kernels_->layer_norm(job);
        }
        return;
    }
  };
  by_rows(work.threads, part.rows, [&](size_t first, size_t count) {
    for (size_t row = part.row + first; row < part.row + first + count; ++row) {
      float* at = work.space.joined.data() + row * joined_width();
      one(*layer.query_norm, at, plan_.heads);
      one(*layer.key_norm, at + key_offset(), plan_.key_heads);
    }
  });
}

// Queries far into a text grow, so that their softmax does not flatten.
void Decoder::sharpen(Work& work, Part part) const {
  for (size_t row = part.row; row < part.row + part.rows; ++row) {
    const auto seen = static_cast<size_t>(work.batch.positions[row] + (plan_.temperature_everywhere ? 0 : 1));
    const auto times = static_cast<float>(seen / plan_.temperature_floor);
    scale_all(work.space.joined.data() + row * joined_width(), plan_.heads * plan_.head_width,
              std::log1p(times) * plan_.temperature_scale + 1.0F);
  }
}

void Decoder::clip_heads(Work& work, Part part) const {
  if (plan_.clip <= 0) return;
  by_rows(work.threads, part.rows, [&](size_t first, size_t count) {
    float* at = work.space.joined.data() + (part.row + first) * joined_width();
    for (float& x : std::span(at, count * joined_width())) x = std::clamp(x, -plan_.clip, plan_.clip);
  });
}

// Turns heads that begin at `offset` of each row, past the first `skip` numbers of each.
void Decoder::rotate(Work& work, Part part, size_t rope, size_t offset, size_t heads, size_t head_width,
                     size_t skip) const {
  by_rows(work.threads, part.rows, [&](size_t first, size_t count) {
    first += part.row;
    tensor::RopeJob job;
    job.stride = joined_width();
    job.data = work.space.joined.data() + first * job.stride + offset + skip;
    job.heads = heads;
    job.head_width = head_width;
    job.positions = std::span(work.rows).subspan(first, count);
    job.pairs = plan_.ropes[rope].pairs;
    tensor::rotate(work.angles[rope], job);
  });
}

void Decoder::normalize_latent(const Norm& norm, float* rows, size_t count, size_t width) const {
  kernels_->rms_norm({rows, rows, norm.gamma.data(), norm.beta.data(), count, width, plan_.latent->epsilon});
}

// DeepSeek: queries, keys and values from compressed rows, into work.joined, turned.
void Decoder::project_latent(Work& work, const Latent& latent, const float* in, size_t rope) const {
  const LatentPlan& plan = *plan_.latent;
  const size_t rows = work.batch.tokens(), queries = plan_.heads * plan_.head_width;
  const size_t compressed = plan.rank + plan.rotary_width, pair = plan.plain_width + plan_.value_width;
  Floats narrow(rows * std::max(plan.query_rank, compressed)),
      wide(rows * std::max(queries, plan_.heads * pair));
  Floats rank(rows * plan.rank);
  const float* from = in;
  if (latent.query_down != nullptr) {
    multiply(*latent.query_down, in, narrow.data(), rows, work.threads);
    normalize_latent(*latent.query_norm, narrow.data(), rows, plan.query_rank);
    from = narrow.data();
  }
  multiply(*latent.query_up, from, wide.data(), rows, work.threads);
  for (size_t row = 0; row < rows; ++row)
    std::copy_n(wide.data() + row * queries, queries, work.space.joined.data() + row * joined_width());
  multiply(*latent.down, in, narrow.data(), rows, work.threads);
  for (size_t row = 0; row < rows; ++row) {
    std::copy_n(narrow.data() + row * compressed, plan.rank, rank.data() + row * plan.rank);
    float* keys = work.space.joined.data() + row * joined_width() + key_offset();
    for (size_t head = 0; head < plan_.heads; ++head)  // All heads share the part that turns.
      std::copy_n(narrow.data() + row * compressed + plan.rank, plan.rotary_width,
                  keys + head * plan_.head_width + plan.plain_width);
  }
  normalize_latent(latent.norm, rank.data(), rows, plan.rank);
  multiply(*latent.up, rank.data(), wide.data(), rows, work.threads);
  for (size_t row = 0; row < rows; ++row) {
    float* joined = work.space.joined.data() + row * joined_width();
    for (size_t head = 0; head < plan_.heads; ++head) {
      const float* at = wide.data() + (row * plan_.heads + head) * pair;
      std::copy_n(at, plan.plain_width, joined + key_offset() + head * plan_.head_width);
      std::copy_n(at + plan.plain_width, plan_.value_width,
                  joined + value_offset() + head * plan_.value_width);
    }
  }
  rotate(work, whole(work), rope, 0, plan_.heads, plan_.head_width, plan.plain_width);
  rotate(work, whole(work), rope, key_offset(), plan_.heads, plan_.head_width, plan.plain_width);
}

// Puts the new keys and values into the caches.
void Decoder::keep(Work& work, size_t index, Part part) const {
  const tensor::PageShape& shape = pages_->shape();
  const tensor::ProductKernel& kernel = kernels_->products[static_cast<size_t>(page_precision())];
  const size_t offset = layers_[index].key_place * shape.layer_floats();
  const auto put = [&](size_t sequence, size_t page) {
    const KvCache& cache = *work.caches[sequence];
    const size_t first = std::max(cache.tokens, page * tensor::page_tokens);
    const size_t end = std::min(cache.tokens + work.batch.length(sequence), (page + 1) * tensor::page_tokens);
    const float* at =
        work.space.joined.data() + (work.batch.starts[sequence] + first - cache.tokens) * joined_width();
    tensor::put_tokens(shape, kernel, cache.page(page, offset), first % tensor::page_tokens,
                       {at + key_offset(), at + value_offset(), joined_width(), end - first});
  };
  // A thread takes whole pages, all of a text's or all texts'.
  if (part.sequences > 1) {
    return work.threads.run(part.sequences, [&](size_t i) {
      const size_t sequence = part.sequence + i;
      const KvCache& cache = *work.caches[sequence];
      for (size_t page = cache.tokens / tensor::page_tokens; page < cache.pages(); ++page)
        put(sequence, page);
    });
  }
  const KvCache& cache = *work.caches[part.sequence];
  const size_t from = cache.tokens / tensor::page_tokens;
  work.threads.run(cache.pages() - from, [&](size_t page) { put(part.sequence, from + page); });
}

// work.context from work.joined and the caches, which take the new keys and values first.
void Decoder::attend(Work& work, size_t index, Part part) const {
  const DecoderPlan::Layer& kind = plan_.layers[index];
  const TokenBatch& batch = work.batch;
  tensor::Attention job;
  job.heads = plan_.heads;
  job.key_heads = plan_.key_heads;
  job.head_width = plan_.head_width;
  job.value_width = plan_.value_width;
  const float even = 1.0F / std::sqrt(static_cast<float>(plan_.head_width));
  job.scale = kind.scale > 0 ? kind.scale : plan_.scale > 0 ? plan_.scale : even;
  if (!plan_.both_ways) job.after = 0;
  if (kind.window > 0) job.before = kind.window - 1;
  if (kind.window > 0 && plan_.both_ways) job.after = kind.window - 1;
  job.soft_cap = plan_.soft_cap;
  if (plan_.sinks) job.sinks = layers_[index].sinks.data();
  if (plan_.alibi)
    job.bias.add = [this, even](const tensor::AttentionBias::Block& block) {
      // By key alone: what a query's row has in common does not change its softmax.
      const float slope = plan_.alibi_coarse ? rounded(slopes_[block.head]) : slopes_[block.head];
      for (size_t key = 0; key < block.keys; ++key) {
        float bias = slope * static_cast<float>(key);
        if (plan_.alibi_coarse) bias = rounded(bias) * even;
        for (size_t row = 0; row < block.queries; ++row) block.scores[row * block.stride + key] += bias;
      }
    };
  if (kind.chunk > 0)
    job.bias.add = [&work, part, chunk = kind.chunk](const tensor::AttentionBias::Block& block) {
      const size_t held = work.caches.empty() ? 0 : work.caches[part.sequence + block.sequence]->tokens;
      for (size_t row = 0; row < block.queries; ++row) {
        float* scores = block.scores + row * block.stride;
        const size_t cut = (held + block.query_from + row) / chunk * chunk;
        std::fill_n(scores, std::min(cut, block.keys), std::numeric_limits<float>::lowest());
      }
    };
  const std::vector<float>& own = layers_[index].by_distance;
  if (const std::vector<float>& biases = own.empty() ? by_distance_ : own; !biases.empty()) {
    job.bias.by_distance = biases.data();
    job.bias.reach = reach_;
  }
  job.query_stride = joined_width();
  job.out_stride = plan_.heads * plan_.value_width;
  job.query = work.space.joined.data();
  job.out = work.space.context.data();
  job.query_starts = std::span(batch.starts).subspan(part.sequence, part.sequences + 1);
  if (work.caches.empty()) {
    job.key = job.query + key_offset();
    job.value = job.query + value_offset();
    job.key_stride = job.value_stride = joined_width();
    job.key_starts = job.query_starts;
    return tensor::attend(job, compute_, work.threads);
  }
  keep(work, index, part);
  const std::span<KvCache* const> caches =
      std::span<KvCache* const>(work.caches).subspan(part.sequence, part.sequences);
  const size_t offset = layers_[index].key_place * pages_->shape().layer_floats();
  std::vector<const float*> pages;
  std::vector<tensor::Attention::Pages> lists;
  std::vector<size_t> key_starts = {0};
  for (const KvCache* cache : caches)
    for (size_t page = 0; page < cache->pages(); ++page) pages.push_back(cache->page(page, offset));
  size_t at = 0;
  for (size_t i = 0; i < part.sequences; ++i) {
    lists.push_back(std::span(pages).subspan(at, caches[i]->pages()));
    at += caches[i]->pages();
    key_starts.push_back(key_starts.back() + caches[i]->tokens + batch.length(part.sequence + i));
  }
  job.pages = lists;
  job.page_shape = &pages_->shape();
  job.key_starts = key_starts;
  tensor::attend(job, {compute_.isa, page_precision()}, work.threads);
}

// What stands between the products of attention, of some sequences.
void Decoder::turn_and_attend(Work& work, size_t index, Part part) const {
  if (!plan_.head_norm_turned) normalize_heads(work, layers_[index], part);
  clip_heads(work, part);
  if (const int kind = plan_.layers[index].rope; kind >= 0) {
    const auto rope = static_cast<size_t>(kind);
    rotate(work, part, rope, 0, plan_.heads, plan_.head_width, 0);
    rotate(work, part, rope, key_offset(), plan_.key_heads, plan_.head_width, 0);
    if (plan_.head_norm_turned) normalize_heads(work, layers_[index], part);
  }
  if (plan_.temperature_floor > 0 && (plan_.temperature_everywhere || plan_.layers[index].rope < 0))
    sharpen(work, part);
  attend(work, index, part);
}

// work.context times the sigmoid of what the layer's gates make of its rows.
void Decoder::gate_answers(Work& work, const Layer& layer, const float* in) const {
  const size_t rows = work.batch.tokens(), width = plan_.heads * plan_.value_width;
  Floats gates(rows * width);
  multiply(*layer.answer_gate, in, gates.data(), rows, work.threads, nullptr, tensor::Activation::sigmoid);
  by_rows(work.threads, rows, [&](size_t first, size_t count) {
    float* at = work.space.context.data() + first * width;
    for (size_t i = 0; i < count * width; ++i) at[i] *= gates.data()[first * width + i];
  });
}

// A layer with a state, which a text without a cache has for this call alone.
void Decoder::carry(Work& work, const Layer& layer, const float* in, float* out) const {
  const size_t sequences = work.batch.sequences(), each = layer.recurrent->state_floats();
  std::vector<float*> states;
  if (work.caches.empty()) {
    if (work.space.states.size() < sequences * each) work.space.states = Floats(sequences * each);
    std::fill_n(work.space.states.data(), sequences * each, 0.0F);
    for (size_t i = 0; i < sequences; ++i) states.push_back(work.space.states.data() + i * each);
  } else {
    // A text that brings no tokens is not looked at.
    for (size_t i = 0; i < sequences; ++i)
      states.push_back(work.batch.length(i) > 0 ? work.caches[i]->states() + layer.state_place : nullptr);
  }
  layer.recurrent->run({work.batch, states, in, out, work.threads});
}

// out = the branch, added to `addend` where there is one.
void Decoder::attention(Work& work, size_t index, const float* in, float* out, const float* addend) const {
  const Layer& layer = layers_[index];
  const TokenBatch& batch = work.batch;
  const size_t rows = batch.tokens();
  if (layer.recurrent != nullptr && !plan_.layers[index].attends) {
    // Not in place: `in` may be what is added to.
    carry(work, layer, in, addend != nullptr ? work.space.branch.data() : out);
    if (addend != nullptr) {
      if (out != addend) std::copy_n(addend, rows * plan_.width, out);
      kernels_->add(out, work.space.branch.data(), rows * plan_.width);
    }
    if (layer.attention_post_norm) normalize_rows(work, *layer.attention_post_norm, out, out);
    scale_all(out, rows * plan_.width, plan_.residual_scale);
    return tensor::step_ended(index, step::state);
  }
  const float* const read = in;
  if (plan_.attention_in_scale != 1.0F) {
    std::copy_n(in, rows * plan_.width, work.space.second.data());
    scale_all(work.space.second.data(), rows * plan_.width, plan_.attention_in_scale);
    in = work.space.second.data();
  }
  if (layer.latent) {
    project_latent(work, *layer.latent, in, static_cast<size_t>(plan_.layers[index].rope));
    if (plan_.temperature_everywhere && plan_.temperature_floor > 0) sharpen(work, whole(work));
    tensor::step_ended(index, step::query_key_value);
    attend(work, index, whole(work));
  } else {
    multiply(*layer.query_key_value, in, work.space.joined.data(), rows, work.threads);
    adapt(work, index, Adapter::Place::query_key_value, in, plan_.width, work.space.joined.data(),
          joined_width());
    tensor::step_ended(index, step::query_key_value);
    if (batch.sequences() > 1 && rows == batch.sequences()) {
      // Little to do for each text, which shares nothing with the others: once through for one of them costs
      // less than that threads wait for each other after every step.
      work.threads.run(batch.sequences(), [&](size_t i) {
        turn_and_attend(work, index, {i, 1, batch.starts[i], batch.length(i)});
      });
    } else {
      turn_and_attend(work, index, whole(work));
    }
  }
  if (layer.answer_gate != nullptr) gate_answers(work, layer, in);
  tensor::step_ended(index, step::attention);
  multiply(*layer.attention_out, work.space.context.data(), out, rows, work.threads, addend);
  adapt(work, index, Adapter::Place::attention_out, work.space.context.data(),
        plan_.heads * plan_.value_width, out, plan_.width);
  scale_all(out, rows * plan_.width, plan_.attention_scale);
  if (layer.recurrent != nullptr) {  // Beside each other.
    tensor::step_ended(index, step::attention_out);
    carry(work, layer, read, work.space.second.data());
    kernels_->add(out, work.space.second.data(), rows * plan_.width);
    tensor::step_ended(index, step::state);
  }
  if (layer.attention_post_norm) normalize_rows(work, *layer.attention_post_norm, out, out);
  scale_all(out, rows * plan_.width, plan_.residual_scale);
  tensor::step_ended(index, step::attention_out);
}

}  // namespace holdfast::model
