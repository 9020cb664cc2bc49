#include "model/bert_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"

namespace holdfast::model {
namespace {

using tensor::Epilogue;
using tensor::Floats;

// Tokens that go through all layers together: their activations (the inner layer's are the widest) should
// stay in the second-level cache. Measured on MiniLM.
constexpr size_t part_tokens = 192;

void ensure(Floats& buffer, size_t count) {
  if (buffer.size() < count) buffer = Floats(count);
}

Status check_below(const std::vector<int64_t>& numbers, size_t bound, std::string_view what) {
  for (int64_t number : numbers)
    if (number < 0 || static_cast<uint64_t>(number) >= bound)
      return fail(Reason::bad_request, fmt::format("{} {} is outside 0 to {}", what, number, bound - 1));
  return Done{};
}

}  // namespace

void BertEncoder::Table::add_row(size_t row, float* into) const {
  if (view->dtype == tensor::Dtype::f32) {
    const std::byte* bytes = view->bytes.data() + row * width * sizeof(float);
    for (size_t i = 0; i < width; ++i) {
      float x;
      std::memcpy(&x, bytes + i * sizeof(float), sizeof(float));
      into[i] += x;
    }
    return;
  }
  const size_t row_bytes = view->bytes.size() / view->shape[0];
  auto floats = tensor::to_floats({view->dtype, {width}, view->bytes.subspan(row * row_bytes, row_bytes)});
  CHECK(floats.ok());  // The type was checked when the table was loaded.
  for (size_t i = 0; i < width; ++i) into[i] += floats.value()[i];
}

Result<BertEncoder> BertEncoder::load(const BertConfig& config, const WeightReader& reader, tensor::Isa isa) {
  BertEncoder out;
  out.config_ = config;
  out.kernels_ = &tensor::kernels_for(isa);
  out.pools_ = std::make_unique<Pools>();
  const size_t width = config.width;
  const auto table = [&](const std::string& name, size_t rows) -> Result<Table> {
    TRY(const tensor::TensorView* view, reader.view("embeddings." + name + ".weight", {rows, width}));
    // Widening one row finds out now whether the type can be read.
    TRY([[maybe_unused]] auto row,
        tensor::to_floats({view->dtype, {width}, view->bytes.first(view->bytes.size() / rows)}));
    return Table{view, width};
  };
  TRY(out.words_, table("word_embeddings", config.vocabulary));
  TRY(out.positions_, table("position_embeddings", config.positions));
  TRY(out.types_, table("token_type_embeddings", config.types));
  TRY(out.embedding_norm_, reader.norm("embeddings.LayerNorm", width));
  for (size_t i = 0; i < config.layers; ++i) {
    const std::string at = fmt::format("encoder.layer.{}.", i);
    Layer layer;
    TRY(layer.query_key_value,
        reader.joined({at + "attention.self.query", at + "attention.self.key", at + "attention.self.value"},
                      width, width));
    TRY(layer.attention_out, reader.linear(at + "attention.output.dense", width, width));
    TRY(layer.attention_norm, reader.norm(at + "attention.output.LayerNorm", width));
    TRY(layer.inner, reader.linear(at + "intermediate.dense", config.inner, width));
    TRY(layer.out, reader.linear(at + "output.dense", width, config.inner));
    TRY(layer.out_norm, reader.norm(at + "output.LayerNorm", width));
    out.layers_.push_back(std::move(layer));
  }
  return out;
}

Status BertEncoder::check(const TokenBatch& batch) const {
  TRY_DONE(check_below(batch.ids, config_.vocabulary, "token id"));
  TRY_DONE(check_below(batch.types, config_.types, "token type"));
  return check_below(batch.positions, config_.positions, "position");
}

// Whole sequences, up to part_tokens together and at least one part a thread.
std::vector<BertEncoder::Part> BertEncoder::split(const TokenBatch& batch, size_t threads) const {
  const size_t most = std::clamp<size_t>((batch.tokens() + threads - 1) / threads, 1, part_tokens);
  std::vector<Part> parts;
  for (size_t i = 0; i < batch.sequences(); ++i) {
    if (parts.empty() || batch.starts[i + 1] - batch.starts[parts.back().first] > most)
      parts.push_back({i, i});
    parts.back().last = i + 1;
  }
  return parts;
}

void BertEncoder::normalize(const Norm& norm, const float* in, float* out, size_t rows) const {
  kernels_->layer_norm({in, out, norm.gamma.data(), norm.beta.data(), rows, config_.width, config_.epsilon});
}

void BertEncoder::embed(const TokenBatch& batch, size_t row, size_t rows, float* out) const {
  std::fill_n(out, rows * config_.width, 0.0F);
  for (size_t i = 0; i < rows; ++i) {
    float* into = out + i * config_.width;
    words_.add_row(static_cast<size_t>(batch.ids[row + i]), into);
    types_.add_row(static_cast<size_t>(batch.types[row + i]), into);
    positions_.add_row(static_cast<size_t>(batch.positions[row + i]), into);
  }
  normalize(embedding_norm_, out, out, rows);
}

void BertEncoder::attend_all(const TokenBatch& batch, Part part, Space& space,
                             tensor::Threads& threads) const {
  const size_t width = config_.width, head_width = config_.head_width();
  threads.run((part.last - part.first) * config_.heads, [&](size_t index) {
    const size_t sequence = part.first + index / config_.heads, head = index % config_.heads;
    const size_t row = batch.starts[sequence] - batch.starts[part.first];
    const float* joined = space.joined.data() + row * 3 * width + head * head_width;
    const auto scratch = pools_->attention.take();
    AttentionJob job;
    job.query = joined;
    job.key = joined + width;
    job.value = joined + 2 * width;
    job.out = space.context.data() + row * width + head * head_width;
    job.tokens = batch.length(sequence);
    job.head_width = head_width;
    job.stride = 3 * width;
    job.out_stride = width;
    attend(*kernels_, job, *scratch);
  });
}

void BertEncoder::run(const TokenBatch& batch, Part part, tensor::Threads& threads, float* out) const {
  const size_t row = batch.starts[part.first], rows = batch.starts[part.last] - row, width = config_.width;
  const auto space = pools_->spaces.take();
  ensure(space->joined, rows * 3 * width);
  ensure(space->context, rows * width);
  ensure(space->inner, rows * config_.inner);
  ensure(space->first, rows * width);
  ensure(space->second, rows * width);
  float* x = out;  // [rows, E], the layer's input and output
  float* y = space->first.data();
  float* z = space->second.data();
  embed(batch, row, rows, x);
  for (const Layer& layer : layers_) {
    linear(*kernels_, threads, layer.query_key_value,
           {x, nullptr, space->joined.data(), rows, Epilogue::bias});
    attend_all(batch, part, *space, threads);
    linear(*kernels_, threads, layer.attention_out, {space->context.data(), x, y, rows, Epilogue::bias_add});
    normalize(layer.attention_norm, y, y, rows);
    linear(*kernels_, threads, layer.inner, {y, nullptr, space->inner.data(), rows, Epilogue::bias_gelu});
    linear(*kernels_, threads, layer.out, {space->inner.data(), y, z, rows, Epilogue::bias_add});
    normalize(layer.out_norm, z, x, rows);
  }
}

Result<Floats> BertEncoder::forward(const TokenBatch& batch, tensor::Threads& threads) const {
  TRY_DONE(check(batch));
  Floats out(batch.tokens() * config_.width);
  const std::vector<Part> parts = split(batch, threads.count());
  threads.run(parts.size(), [&](size_t index) {
    run(batch, parts[index], threads, out.data() + batch.starts[parts[index].first] * config_.width);
  });
  return out;
}

}  // namespace holdfast::model
