#include "model/bert_model.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <cmath>

#include "base/check.h"
#include "codec/json.h"

namespace holdfast::model {
namespace {

constexpr size_t config_bytes_max = 16 << 20;

NamedOutput per_token(std::string name, size_t columns, tensor::Floats data) {
  return {std::move(name), NamedOutput::Rows::tokens, columns, false, std::move(data)};
}

NamedOutput per_sequence(std::string name, size_t columns, tensor::Floats data) {
  return {std::move(name), NamedOutput::Rows::sequences, columns, false, std::move(data)};
}

NamedOutput one_column(std::string name, const tensor::Floats& data, size_t column, size_t columns) {
  tensor::Floats out(data.size() / columns);
  for (size_t row = 0; row < out.size(); ++row) out.data()[row] = data.data()[row * columns + column];
  return {std::move(name), NamedOutput::Rows::tokens, 1, true, std::move(out)};
}

}  // namespace

Result<BertModel> BertModel::open(io::Disk& disk, const io::Path& folder, tensor::Isa isa) {
  TRY(const std::string text, io::read_text(disk, folder / "config.json", config_bytes_max));
  TRY(const boost::json::object json, codec::parse_json_object(text));
  TRY(const BertConfig config, parse_bert_config(json));
  BertModel out;
  TRY(tensor::Weights weights, tensor::Weights::open(disk, folder));
  out.weights_ = std::make_unique<tensor::Weights>(std::move(weights));
  const WeightReader reader(*out.weights_, "bert.");
  TRY(BertEncoder encoder, BertEncoder::load(config, reader, isa));
  out.encoder_ = std::move(encoder);
  TRY_DONE(out.load_head(reader));
  return out;
}

Status BertModel::load_head(const WeightReader& reader) {
  const BertConfig& config = encoder_->config();
  const size_t width = config.width;
  switch (config.head) {
    case Head::none:
      if (reader.has("pooler.dense.weight")) {
        TRY(pooler_, reader.linear("pooler.dense", width, width));
      }
      return Done{};
    case Head::sequence_classification: {
      TRY(pooler_, reader.linear("pooler.dense", width, width));
      TRY(classifier_, reader.linear("classifier", config.labels.size(), width));
      return Done{};
    }
    case Head::token_classification: {
      TRY(classifier_, reader.linear("classifier", config.labels.size(), width));
      return Done{};
    }
    case Head::question_answering: {
      TRY(classifier_, reader.linear("qa_outputs", 2, width));
      return Done{};
    }
    case Head::fill_mask: {
      TRY(transform_, reader.linear("cls.predictions.transform.dense", width, width));
      TRY(transform_norm_, reader.norm("cls.predictions.transform.LayerNorm", width));
      // The output matrix is the word embeddings unless the checkpoint has its own.
      const bool own = reader.has("cls.predictions.decoder.weight");
      const char* name = own ? "cls.predictions.decoder.weight" : "embeddings.word_embeddings.weight";
      TRY(const std::vector<float> weight, reader.floats(name, {config.vocabulary, width}));
      TRY(const std::vector<float> bias, reader.floats("cls.predictions.bias", {config.vocabulary}));
      classifier_ = tensor::PackedLinear(weight, bias, config.vocabulary, width);
      return Done{};
    }
  }
  std::abort();
}

tensor::Floats BertModel::dense(const tensor::PackedLinear& layer, const float* in, size_t rows,
                                tensor::Threads& threads, tensor::Epilogue epilogue) const {
  tensor::Floats out(rows * layer.outputs());
  linear(encoder_->kernels(), threads, layer, {in, nullptr, out.data(), rows, epilogue});
  return out;
}

// tanh of a dense layer over each sequence's first token.
tensor::Floats BertModel::pool(const TokenBatch& batch, const tensor::Floats& hidden,
                               tensor::Threads& threads) const {
  const size_t width = config().width;
  tensor::Floats first(batch.sequences() * width);
  for (size_t i = 0; i < batch.sequences(); ++i)
    std::copy_n(hidden.data() + batch.starts[i] * width, width, first.data() + i * width);
  tensor::Floats pooled = dense(*pooler_, first.data(), batch.sequences(), threads);
  for (float& x : pooled.span()) x = std::tanh(x);
  return pooled;
}

std::vector<NamedOutput> BertModel::answer(const TokenBatch& batch, tensor::Floats hidden,
                                           tensor::Threads& threads) const {
  const size_t width = config().width, labels = config().labels.size();
  std::vector<NamedOutput> out;
  switch (config().head) {
    case Head::none:
      if (pooler_) out.push_back(per_sequence("pooler_output", width, pool(batch, hidden, threads)));
      out.push_back(per_token("last_hidden_state", width, std::move(hidden)));
      return out;
    case Head::sequence_classification: {
      const tensor::Floats pooled = pool(batch, hidden, threads);
      out.push_back(
          per_sequence("logits", labels, dense(classifier_, pooled.data(), batch.sequences(), threads)));
      return out;
    }
    case Head::token_classification:
      out.push_back(per_token("logits", labels, dense(classifier_, hidden.data(), batch.tokens(), threads)));
      return out;
    case Head::question_answering: {
      const tensor::Floats both = dense(classifier_, hidden.data(), batch.tokens(), threads);
      out.push_back(one_column("start_logits", both, 0, 2));
      out.push_back(one_column("end_logits", both, 1, 2));
      return out;
    }
    case Head::fill_mask: {
      tensor::Floats changed =
          dense(transform_, hidden.data(), batch.tokens(), threads, tensor::Epilogue::bias_gelu);
      encoder_->kernels().layer_norm({changed.data(), changed.data(), transform_norm_.gamma.data(),
                                      transform_norm_.beta.data(), batch.tokens(), width, config().epsilon});
      out.push_back(per_token("logits", config().vocabulary,
                              dense(classifier_, changed.data(), batch.tokens(), threads)));
      return out;
    }
  }
  std::abort();
}

Result<std::vector<NamedOutput>> BertModel::forward(const TokenBatch& batch, tensor::Threads& threads) const {
  for (size_t i = 0; i < batch.sequences(); ++i)
    if (batch.length(i) == 0) return fail(Reason::bad_request, "a sequence without tokens has no answer");
  TRY(tensor::Floats hidden, encoder_->forward(batch, threads));
  return answer(batch, std::move(hidden), threads);
}

}  // namespace holdfast::model
