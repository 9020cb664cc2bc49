#include "model/encoder_head.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/question_spans.h"

namespace holdfast::model {
namespace {

Result<LinearLayer> make_head(const HeadStep& step, size_t inputs, const WeightReader& reader) {
  const std::string weight_name = step.linear + ".weight";
  const bool tied = !reader.has(weight_name) && !step.tied.empty();
  const size_t own = step.rest.empty() ? inputs : step.own_inputs;
  TRY(std::vector<float> weight,
      reader.floats(tied ? step.tied + ".weight" : weight_name, {step.outputs, own}));
  if (own < inputs) {
    TRY(const std::vector<float> rest, reader.floats(step.rest + ".weight", {inputs - own, step.outputs}));
    std::vector<float> whole(step.outputs * inputs);
    for (size_t row = 0; row < step.outputs; ++row) {
      std::copy_n(weight.data() + row * own, own, whole.data() + row * inputs);
      for (size_t i = own; i < inputs; ++i) whole[row * inputs + i] = rest[(i - own) * step.outputs + row];
    }
    weight = std::move(whole);
  }
  std::vector<float> bias;
  if (step.bias != Bias::without) {
    const std::string plain = step.linear + ".bias";
    const bool other = !step.bias_name.empty() && !reader.has(plain);
    TRY(bias, reader.floats(other ? step.bias_name : plain, {step.outputs}));
  }
  return tensor::make_linear({weight, bias, step.outputs, inputs}, reader.compute());
}

Result<LinearLayer> load_linear(const HeadStep& step, size_t inputs, const WeightReader& reader) {
  return reader.kept("head " + step.linear, {step.outputs, inputs},
                     [&] { return make_head(step, inputs, reader); });
}

tensor::Floats mean_of_each(const TokenBatch& batch, const tensor::Floats& rows, size_t width) {
  tensor::Floats out(batch.sequences() * width);
  std::fill_n(out.data(), out.size(), 0.0F);
  for (size_t i = 0; i < batch.sequences(); ++i)
    for (size_t k = 0; k < width; ++k) {
      float& sum = out.data()[i * width + k];
      for (size_t row = batch.starts[i]; row < batch.starts[i + 1]; ++row)
        sum += rows.data()[row * width + k];
      sum /= static_cast<float>(batch.length(i));
    }
  return out;
}

NamedOutput one_column(std::string name, const tensor::Floats& data, size_t column, size_t columns) {
  tensor::Floats out(data.size() / columns);
  for (size_t row = 0; row < out.size(); ++row) out.data()[row] = data.data()[row * columns + column];
  return {std::move(name), NamedOutput::Rows::tokens, 1, true, std::move(out)};
}

}  // namespace

Result<EncoderHead> EncoderHead::load(const HeadPlan& plan, const WeightReader& reader,
                                      const Encoder& encoder) {
  EncoderHead out;
  out.plan_ = plan;
  size_t width = encoder.plan().width;
  if (plan.question_id) {
    TRY(QuestionSpans spans, QuestionSpans::load(reader, *plan.question_id, width));
    out.spans_ = std::make_shared<const QuestionSpans>(std::move(spans));
  }
  for (const HeadStep& step : plan.steps) {
    Step loaded;
    loaded.activation = step.activation;
    if (!step.linear.empty()) {
      TRY(loaded.linear, load_linear(step, width, reader));
      width = step.outputs;
    }
    if (!step.norm.empty()) {
      TRY(loaded.norm, reader.norm(step.norm, width, step.norm_bias));
    }
    out.steps_.push_back(std::move(loaded));
  }
  return out;
}

// The rows that the steps begin with.
tensor::Floats EncoderHead::pick(const Encoder& encoder, const TokenBatch& batch,
                                 const tensor::Floats& hidden, const tensor::Floats& sums) const {
  const size_t width = encoder.plan().width;
  const bool summed = plan_.rows == HeadPlan::Rows::summary;
  if (summed || plan_.rows == HeadPlan::Rows::tokens || plan_.rows == HeadPlan::Rows::late) {
    const tensor::Floats& from = summed ? sums : hidden;
    tensor::Floats out(from.size());
    std::copy_n(from.data(), from.size(), out.data());
    return out;
  }
  tensor::Floats out(batch.sequences() * width);
  for (size_t i = 0; i < batch.sequences(); ++i) {
    float* into = out.data() + i * width;
    const bool last = plan_.rows == HeadPlan::Rows::last;
    const size_t row = last ? batch.starts[i + 1] - 1 : batch.starts[i];
    std::copy_n(hidden.data() + row * width, width, into);
    if (plan_.rows != HeadPlan::Rows::mean) continue;
    for (size_t other = row + 1; other < batch.starts[i + 1]; ++other)
      encoder.kernels().add(into, hidden.data() + other * width, width);
    for (size_t k = 0; k < width; ++k) into[k] /= static_cast<float>(batch.length(i));
  }
  return out;
}

std::vector<NamedOutput> EncoderHead::run(const Encoder& encoder, const TokenBatch& batch,
                                          const tensor::Floats& hidden, const tensor::Floats& sums,
                                          tensor::Threads& threads) const {
  if (spans_ != nullptr) return spans_->run(batch, hidden, threads);
  tensor::Floats x = pick(encoder, batch, hidden, sums);
  size_t width = encoder.plan().width;
  const size_t rows = x.size() / width;
  for (const Step& step : steps_) {
    if (step.linear != nullptr) {
      tensor::Floats y(rows * step.linear->width());
      tensor::LinearRun run;
      run.in = x.data();
      run.out = y.data();
      run.rows = rows;
      run.activation = step.activation;
      step.linear->run(run, threads);
      width = step.linear->width();
      x = std::move(y);
    } else {
      tensor::activate(encoder.kernels(), step.activation, x.data(), x.size());
    }
    if (step.norm)
      encoder.kernels().layer_norm({x.data(), x.data(), step.norm->gamma.data(), step.norm->beta.data(), rows,
                                    width, encoder.plan().epsilon});
  }
  if (plan_.rows == HeadPlan::Rows::late) x = mean_of_each(batch, x, width);
  std::vector<NamedOutput> out;
  const auto by =
      plan_.rows == HeadPlan::Rows::tokens ? NamedOutput::Rows::tokens : NamedOutput::Rows::sequences;
  switch (plan_.shape) {
    case HeadPlan::Shape::columns:
    case HeadPlan::Shape::flat:
      out.push_back({plan_.output, by, width, plan_.shape == HeadPlan::Shape::flat, std::move(x)});
      return out;
    case HeadPlan::Shape::start_end:
      out.push_back(one_column("start_logits", x, 0, width));
      out.push_back(one_column("end_logits", x, 1, width));
      return out;
    case HeadPlan::Shape::choices:
      out.push_back({plan_.output, NamedOutput::Rows::choices, 1, true, std::move(x)});
      return out;
  }
  return out;
}

}  // namespace holdfast::model
