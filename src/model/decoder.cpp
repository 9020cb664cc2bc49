#include "model/decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "model/layer_parts.h"
#include "model/row_work.h"
#include "model/steps.h"

namespace holdfast::model {
namespace {

using tensor::Floats;

void ensure(Floats& buffer, size_t count) {
  if (buffer.size() < count) buffer = Floats(count + count / 4);
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
    tensor::step_ended(index, step::experts);
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
    tensor::step_ended(index, step::inner);
    multiply(*layer.down, work.space.inner.data(), out, rows, work.threads, addend);
    adapt(work, index, Adapter::Place::down, work.space.inner.data(), plan_.inner, out, plan_.width);
  }
  if (layer.inner_post_norm) normalize_rows(work, *layer.inner_post_norm, out, out);
  scale_all(out, rows * plan_.width, plan_.residual_scale * plan_.inner_scale);
  tensor::step_ended(index, layer.experts ? step::experts : step::out);
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
    tensor::step_ended(index, step::cross_attention);
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
    tensor::step_ended(index, step::cross_attention);
  }
  feed_forward(work, index, x, work.space.branch.data());
  kernels_->add(x, work.space.branch.data(), count);
  normalize_rows(work, *layer.inner_norm, x, x);
}

Memory Decoder::remember(const float* rows, size_t tokens, tensor::Threads& threads) const {
  const tensor::PartScope part(step::decoder);
  Memory out;
  out.tokens = tokens;
  for (size_t i = 0; i < layers_.size(); ++i) {
    out.layers.push_back(layers_[i].cross->remember(rows, tokens, threads));
    tensor::step_ended(i, step::cross_attention);
  }
  return out;
}

Result<Decoder::States> Decoder::forward(const TokenBatch& batch, std::span<KvCache* const> caches,
                                         tensor::Threads& threads, Keep keep,
                                         std::span<const Adapter* const> adapters,
                                         std::span<const Memory* const> memories) const {
  TRY_DONE(check(batch, caches, adapters, memories));
  std::optional<tensor::PartScope> part;
  if (plan_.cross) part.emplace(step::decoder);
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
  tensor::step_ended(tensor::WorkWatch::no_layer, step::embedding);
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
  tensor::step_ended(tensor::WorkWatch::no_layer, step::final_norm);
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
