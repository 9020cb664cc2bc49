#include "model/question_spans.h"

#include <algorithm>

namespace holdfast::model {
namespace {

constexpr float torch_epsilon = 1e-5F;  // Of norms that no configuration speaks of.

}  // namespace

Result<QuestionSpans::End> QuestionSpans::load_end(const WeightReader& reader, const std::string& name,
                                                   size_t width) {
  const std::string at = "splinter_qass.";
  const auto kind = RowScale::Kind::layer;
  End out;
  TRY(out.question, reader.linear(at + "query_" + name + "_transform.dense", width, width));
  TRY(out.question_norm,
      RowScale::load(reader, at + "query_" + name + "_transform.LayerNorm", width, kind, torch_epsilon));
  TRY(out.token, reader.linear(at + name + "_transform.dense", width, width));
  TRY(out.token_norm, RowScale::load(reader, at + name + "_transform.LayerNorm", width, kind, torch_epsilon));
  TRY(out.chooser, reader.linear(at + name + "_classifier", width, width, Bias::without));
  return out;
}

Result<QuestionSpans> QuestionSpans::load(const WeightReader& reader, int64_t question_id, size_t width) {
  QuestionSpans out;
  out.question_id_ = question_id;
  out.width_ = width;
  TRY(out.start_, load_end(reader, "start", width));
  TRY(out.end_, load_end(reader, "end", width));
  return out;
}

tensor::Floats QuestionSpans::score(const End& end, const TokenBatch& batch, const tensor::Floats& hidden,
                                    const tensor::Floats& questions, tensor::Threads& threads) const {
  const auto gelu = tensor::Activation::gelu;
  tensor::Floats asked = apply(*end.question, questions.data(), batch.sequences(), threads, gelu);
  end.question_norm.run(asked.data(), batch.sequences());
  asked = apply(*end.chooser, asked.data(), batch.sequences(), threads);
  tensor::Floats shown = apply(*end.token, hidden.data(), batch.tokens(), threads, gelu);
  end.token_norm.run(shown.data(), batch.tokens());
  tensor::Floats out(batch.tokens());
  for (size_t i = 0; i < batch.sequences(); ++i)
    for (size_t row = batch.starts[i]; row < batch.starts[i + 1]; ++row) {
      float sum = 0;
      for (size_t k = 0; k < width_; ++k)
        sum += asked.data()[i * width_ + k] * shown.data()[row * width_ + k];
      out.data()[row] = sum;
    }
  return out;
}

std::vector<NamedOutput> QuestionSpans::run(const TokenBatch& batch, const tensor::Floats& hidden,
                                            tensor::Threads& threads) const {
  tensor::Floats questions(batch.sequences() * width_);
  for (size_t i = 0; i < batch.sequences(); ++i) {
    const auto first = batch.ids.begin() + static_cast<ptrdiff_t>(batch.starts[i]);
    const auto last = batch.ids.begin() + static_cast<ptrdiff_t>(batch.starts[i + 1]);
    const auto found = std::find(first, last, question_id_);
    const size_t row = batch.starts[i] + (found == last ? 0 : static_cast<size_t>(found - first));
    std::copy_n(hidden.data() + row * width_, width_, questions.data() + i * width_);
  }
  std::vector<NamedOutput> out;
  const auto rows = NamedOutput::Rows::tokens;
  out.push_back({"start_logits", rows, 1, true, score(start_, batch, hidden, questions, threads)});
  out.push_back({"end_logits", rows, 1, true, score(end_, batch, hidden, questions, threads)});
  return out;
}

}  // namespace holdfast::model
