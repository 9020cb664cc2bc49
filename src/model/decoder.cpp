#include "model/decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

namespace holdfast::model {
namespace {

using tensor::Floats;

void multiply(const tensor::Linear& layer, const float* in, float* out, size_t rows, tensor::Threads& threads,
              const float* addend = nullptr, tensor::Activation activation = tensor::Activation::none) {
  tensor::LinearRun run;
  run.in = in;
  run.out = out;
  run.rows = rows;
  run.addend = addend;
  run.activation = activation;
  layer.run(run, threads);
}

// Rows in pieces, shared among the threads where there are many; nothing depends on the pieces. Of a long
// prompt as many as threads, as products take them: a thread's rows stay in its cache.
constexpr size_t piece_rows = 8, long_rows = 128;
void by_rows(tensor::Threads& threads, size_t rows,
             const std::function<void(size_t first, size_t count)>& work) {
  if (rows < 2 * piece_rows) return work(0, rows);
  const size_t even = (rows + threads.count() - 1) / threads.count();
  const size_t each = rows < long_rows ? piece_rows : (even + 15) / 16 * 16;
  threads.run((rows + each - 1) / each,
              [&](size_t index) { work(index * each, std::min(each, rows - index * each)); });
}

void ensure(Floats& buffer, size_t count) {
  if (buffer.size() < count) buffer = Floats(count + count / 4);
}

void scale_all(float* x, size_t count, float factor) {
  if (factor != 1.0F)
    for (size_t i = 0; i < count; ++i) x[i] *= factor;
}

// To the nearest bfloat16, halves to even.
float rounded(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  return std::bit_cast<float>((bits + 0x7FFFU + (bits >> 16 & 1U)) & 0xFFFF0000U);
}

}  // namespace

Status Decoder::check(const TokenBatch& batch, std::span<KvCache* const> caches,
                      std::span<const Adapter* const> adapters,
                      std::span<const Memory* const> memories) const {
  if (memories.size() != (plan_.cross ? batch.sequences() : 0))
    return fail(Code::internal, "an encoder-decoder model takes one memory a sequence");
  if (!adapters.empty() && adapters.size() != batch.sequences())
    return fail(Code::internal, "one adapter a sequence is needed");
  for (const Adapter* adapter : adapters)
    if (adapter != nullptr && !plan_.gates_apart)
      return fail(Code::internal, "the base was not opened for adapters");
  if (!caches.empty() && caches.size() != batch.sequences())
    return fail(Code::internal, "one cache a sequence is needed");
  for (int64_t id : batch.ids)
    if (id < 0 || static_cast<uint64_t>(id) >= plan_.vocabulary)
      return fail(Reason::bad_request,
                  fmt::format("token id {} is outside 0 to {}", id, plan_.vocabulary - 1));
  for (int64_t position : batch.positions)
    if (position < 0 || (positions_.there() && static_cast<uint64_t>(position) >= plan_.positions))
      return fail(Reason::input_too_long,
                  fmt::format("position {} is outside 0 to {}", position, plan_.positions - 1));
  return Done{};
}

void Decoder::normalize(DecoderPlan::NormKind kind, const Norm& norm, const float* in, float* out,
                        size_t rows, size_t width) const {
  const bool last = plan_.final_epsilon > 0 && final_norm_ && &norm == &*final_norm_;
  const float epsilon = last ? plan_.final_epsilon : plan_.epsilon;
  const tensor::LayerNormJob job{in, out, norm.gamma.data(), norm.beta.data(), rows, width, epsilon};
  if (kind == DecoderPlan::NormKind::layer || kind == DecoderPlan::NormKind::layer_plus_one)
    return kernels_->layer_norm(job);
  kernels_->rms_norm(job);
}

void Decoder::normalize_rows(Work& work, const Norm& norm, const float* in, float* out) const {
  by_rows(work.threads, work.batch.tokens(), [&](size_t first, size_t count) {
    normalize(plan_.norm, norm, in + first * plan_.width, out + first * plan_.width, count, plan_.width);
  });
}

void Decoder::embed(Work& work, float* x) const {
  const size_t rows = work.batch.tokens(), width = plan_.embedding_width;
  Floats narrow(project_in_ != nullptr ? rows * width : 0);
  float* words = project_in_ != nullptr ? narrow.data() : x;
  std::fill_n(words, rows * width, 0.0F);
  for (size_t i = 0; i < rows; ++i) words_.add_row(static_cast<size_t>(work.batch.ids[i]), words + i * width);
  if (project_in_ != nullptr) multiply(*project_in_, words, x, rows, work.threads);
  scale_all(x, rows * plan_.width, plan_.embedding_scale);
  if (embedding_norm_ && plan_.norms_words) normalize(plan_.norm, *embedding_norm_, x, x, rows, plan_.width);
  // Where a decoder beside an encoder computes fairseq's positions, padding has none.
  const auto has_position = [&](int64_t id) {
    return !plan_.cross || plan_.sinusoid != Sinusoid::fairseq || plan_.pad_id != id;
  };
  for (size_t i = 0; positions_.there() && i < rows; ++i)
    if (has_position(work.batch.ids[i]))
      positions_.add_row(static_cast<size_t>(work.batch.positions[i]) + plan_.position_offset,
                         x + i * plan_.width);
  if (embedding_norm_ && !plan_.norms_words) normalize(plan_.norm, *embedding_norm_, x, x, rows, plan_.width);
}

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
    ensure(work.space.states, sequences * each);
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
    return scale_all(out, rows * plan_.width, plan_.residual_scale);
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
    attend(work, index, whole(work));
  } else {
    multiply(*layer.query_key_value, in, work.space.joined.data(), rows, work.threads);
    adapt(work, index, Adapter::Place::query_key_value, in, plan_.width, work.space.joined.data(),
          joined_width());
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
  multiply(*layer.attention_out, work.space.context.data(), out, rows, work.threads, addend);
  adapt(work, index, Adapter::Place::attention_out, work.space.context.data(),
        plan_.heads * plan_.value_width, out, plan_.width);
  scale_all(out, rows * plan_.width, plan_.attention_scale);
  if (layer.recurrent != nullptr) {  // Beside each other.
    carry(work, layer, read, work.space.second.data());
    kernels_->add(out, work.space.second.data(), rows * plan_.width);
  }
  if (layer.attention_post_norm) normalize_rows(work, *layer.attention_post_norm, out, out);
  scale_all(out, rows * plan_.width, plan_.residual_scale);
}

// What adapters add to a product, of the sequences that have one; neighbours with the same one together.
void Decoder::adapt(Work& work, size_t index, Adapter::Place place, const float* in, size_t inputs,
                    float* out, size_t outputs) const {
  for (size_t i = 0, end = 0; i < work.adapters.size(); i = end) {
    const Adapter* adapter = work.adapters[i];
    for (end = i + 1; end < work.adapters.size() && work.adapters[end] == adapter;) ++end;
    if (adapter == nullptr || !adapter->changes(index, place)) continue;
    const size_t row = work.batch.starts[i], rows = work.batch.starts[end] - row;
    adapter->add(index, place, {in + row * inputs, out + row * outputs, rows, inputs, outputs}, work.threads);
  }
}

void Decoder::feed_forward(Work& work, size_t index, const float* in, float* out, const float* addend) const {
  const Layer& layer = layers_[index];
  const size_t rows = work.batch.tokens();
  if (layer.experts) {
    layer.experts->run(*kernels_, in, out, rows, work.threads);
  } else {
    if (!plan_.gates_apart) {
      multiply(*layer.inner, in, work.space.inner.data(), rows, work.threads, nullptr, plan_.activation);
      if (layer.activation)
        by_rows(work.threads, rows, [&](size_t first, size_t count) {
          layer.activation->apply(work.space.inner.data() + first * plan_.inner, count * plan_.inner);
        });
    } else {
      // Adapters may change what goes into the activation.
      const size_t inner = plan_.inner, width = plan_.gated ? 2 * inner : inner;
      float* hidden = plan_.gated ? work.space.gates.data() : work.space.inner.data();
      multiply(*layer.inner, in, hidden, rows, work.threads);
      adapt(work, index, Adapter::Place::gate_up, in, plan_.width, hidden, width);
      by_rows(work.threads, rows, [&](size_t first, size_t count) {
        for (size_t row = first; row < first + count; ++row) {
          float* gates = hidden + row * width;
          if (layer.activation)
            layer.activation->apply(gates, inner);
          else
            kernels_->activate(plan_.activation, gates, inner);
          if (!plan_.gated) continue;
          float* into = work.space.inner.data() + row * inner;
          for (size_t i = 0; i < inner; ++i) into[i] = gates[i] * gates[inner + i];
        }
      });
    }
    multiply(*layer.down, work.space.inner.data(), out, rows, work.threads, addend);
    adapt(work, index, Adapter::Place::down, work.space.inner.data(), plan_.inner, out, plan_.width);
  }
  if (layer.inner_post_norm) normalize_rows(work, *layer.inner_post_norm, out, out);
  scale_all(out, rows * plan_.width, plan_.residual_scale * plan_.inner_scale);
}

// A layer whose norms, if any, come before its branches.
void Decoder::run(Work& work, size_t index, float* x) const {
  const Layer& layer = layers_[index];
  const size_t rows = work.batch.tokens(), count = rows * plan_.width;
  const auto normed = [&](const std::optional<Norm>& norm) -> const float* {
    if (!norm) return x;
    normalize_rows(work, *norm, x, work.space.normed.data());
    return work.space.normed.data();
  };
  // A branch that nothing follows is added as its last product ends.
  const bool plain = !plan_.parallel && !plan_.residual_after_norm && plan_.residual_scale == 1.0F &&
                     plan_.attention_scale == 1.0F && plan_.inner_scale == 1.0F && work.adapters.empty();
  const auto add = [&](const float* from, const float* branch) {
    if (plan_.residual_after_norm && from != x) std::copy_n(from, count, x);
    kernels_->add(x, branch, count);
  };
  const DecoderPlan::Layer& kind = plan_.layers[index];
  const float* in = nullptr;
  if (kind.attends || kind.recurrent) {
    in = normed(layer.attention_norm);
    if (plain && !layer.attention_post_norm && !(kind.attends && kind.recurrent)) {
      attention(work, index, in, x, x);
    } else {
      attention(work, index, in, work.space.branch.data());
      if (!plan_.parallel) add(in, work.space.branch.data());
    }
  }
  if (!kind.feeds) return;
  if (plan_.parallel) {
    if (layer.inner_norm) in = normed(layer.inner_norm);
    feed_forward(work, index, in, work.space.second.data());
    kernels_->add(x, work.space.branch.data(), count);
    kernels_->add(x, work.space.second.data(), count);
    return;
  }
  if (layer.cross) {
    normalize_rows(work, layer.cross->norm(), x, work.space.normed.data());
    layer.cross->run(work.batch, work.memories, index, work.space.normed.data(), work.space.branch.data(),
                     work.threads);
    kernels_->add(x, work.space.branch.data(), count);
  }
  in = normed(layer.inner_norm);
  if (plain && !layer.inner_post_norm && !layer.experts) return feed_forward(work, index, in, x, x);
  feed_forward(work, index, in, work.space.branch.data());
  add(in, work.space.branch.data());
}

// A layer whose norms follow the sums.
void Decoder::run_after(Work& work, size_t index, float* x) const {
  const Layer& layer = layers_[index];
  const size_t rows = work.batch.tokens(), count = rows * plan_.width;
  attention(work, index, x, work.space.branch.data());
  kernels_->add(x, work.space.branch.data(), count);
  normalize_rows(work, *layer.attention_norm, x, x);
  if (layer.cross) {
    layer.cross->run(work.batch, work.memories, index, x, work.space.branch.data(), work.threads);
    kernels_->add(x, work.space.branch.data(), count);
    normalize_rows(work, layer.cross->norm(), x, x);
  }
  feed_forward(work, index, x, work.space.branch.data());
  kernels_->add(x, work.space.branch.data(), count);
  normalize_rows(work, *layer.inner_norm, x, x);
}

Memory Decoder::remember(const float* rows, size_t tokens, tensor::Threads& threads) const {
  Memory out;
  out.tokens = tokens;
  for (const Layer& layer : layers_) out.layers.push_back(layer.cross->remember(rows, tokens, threads));
  return out;
}

Result<Decoder::States> Decoder::forward(const TokenBatch& batch, std::span<KvCache* const> caches,
                                         tensor::Threads& threads, Keep keep,
                                         std::span<const Adapter* const> adapters,
                                         std::span<const Memory* const> memories) const {
  TRY_DONE(check(batch, caches, adapters, memories));
  const size_t rows = batch.tokens(), width = plan_.width;
  std::vector<KvCache> passing(caches.size());  // Where nobody keeps one.
  std::vector<KvCache*> all;
  for (size_t i = 0; i < caches.size(); ++i) {
    all.push_back(caches[i] != nullptr ? caches[i] : &passing[i]);
    all[i]->reserve(*pages_, batch.length(i));
  }
  const auto space = spaces_->take();
  Work work{batch, all, threads, {}, {}, adapters, memories, *space};
  for (const RopeSpec& rope : plan_.ropes)
    work.angles.push_back(rope_rows(rope, batch.positions, batch.lengths));
  work.rows.resize(rows);
  std::iota(work.rows.begin(), work.rows.end(), 0);
  ensure(space->joined, rows * joined_width());
  ensure(space->context, rows * plan_.heads * plan_.value_width);
  ensure(space->inner, rows * plan_.inner);
  if (plan_.gates_apart) ensure(space->gates, 2 * rows * plan_.inner);
  for (Floats* buffer : {&space->normed, &space->branch, &space->second}) ensure(*buffer, rows * width);
  States out;
  Floats x(rows * width);
  embed(work, x.data());
  if (keep == Keep::embedded_too) {
    out.embedded = Floats(rows * width);
    std::copy_n(x.data(), rows * width, out.embedded.data());
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (plan_.norm_after)
      run_after(work, i, x.data());
    else
      run(work, i, x.data());
  }
  if (final_norm_) normalize(plan_.norm, *final_norm_, x.data(), x.data(), rows, width);
  for (size_t i = 0; i < caches.size(); ++i)
    if (caches[i] != nullptr) caches[i]->tokens += batch.length(i);
  if (project_out_ == nullptr) {
    out.last = std::move(x);
  } else {
    out.last = Floats(rows * head_inputs());
    multiply(*project_out_, x.data(), out.last.data(), rows, threads);
  }
  return out;
}

}  // namespace holdfast::model
