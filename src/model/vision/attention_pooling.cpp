#include "model/vision/attention_pooling.h"

#include <cmath>

#include "tensor/attention.h"

namespace holdfast::model {

Result<AttentionPooling> AttentionPooling::load(const Plan& plan, const WeightReader& reader) {
  AttentionPooling out;
  out.plan_ = plan;
  out.compute_ = reader.compute();
  const size_t width = plan.width;
  TRY(const std::vector<float> probe, reader.floats(plan.name + "probe", {1, 1, width}));
  TRY(const std::vector<float> weight,
      reader.floats(plan.name + "attention.in_proj_weight", {3 * width, width}));
  TRY(const std::vector<float> bias, reader.floats(plan.name + "attention.in_proj_bias", {3 * width}));
  out.query_ = {bias.begin(), bias.begin() + static_cast<ptrdiff_t>(width)};
  for (size_t i = 0; i < width; ++i)
    for (size_t k = 0; k < width; ++k) out.query_[i] += weight[i * width + k] * probe[k];
  out.key_value_ = tensor::make_linear(
      {std::span(weight).subspan(width * width), std::span(bias).subspan(width), 2 * width, width},
      reader.compute());
  TRY(out.out_, reader.linear(plan.name + "attention.out_proj", width, width));
  TRY(out.norm_, reader.norm(plan.name + "layernorm", width));
  TRY(out.up_, reader.linear(plan.name + "mlp.fc1", plan.inner, width));
  TRY(out.down_, reader.linear(plan.name + "mlp.fc2", width, plan.inner));
  return out;
}

tensor::Floats AttentionPooling::run(const ImageRows& rows, tensor::Threads& threads) const {
  const size_t width = plan_.width, images = rows.images;
  tensor::Floats joined(images * rows.rows * 2 * width), queries(images * width), context(images * width);
  tensor::LinearRun keys;
  keys.in = rows.data.data();
  keys.out = joined.data();
  keys.rows = images * rows.rows;
  key_value_->run(keys, threads);
  std::vector<size_t> query_starts = {0}, key_starts = {0};
  for (size_t image = 0; image < images; ++image) {
    std::copy(query_.begin(), query_.end(), queries.data() + image * width);
    query_starts.push_back(image + 1);
    key_starts.push_back((image + 1) * rows.rows);
  }
  tensor::Attention job;
  job.query = queries.data();
  job.key = joined.data();
  job.value = joined.data() + width;
  job.out = context.data();
  job.query_stride = job.out_stride = width;
  job.key_stride = job.value_stride = 2 * width;
  job.query_starts = query_starts;
  job.key_starts = key_starts;
  job.heads = job.key_heads = plan_.heads;
  job.head_width = width / plan_.heads;
  job.scale = 1.0F / std::sqrt(static_cast<float>(job.head_width));
  tensor::attend(job, compute_, threads);
  tensor::Floats out(images * width), normed(images * width), inner(images * plan_.inner);
  tensor::LinearRun run;
  run.rows = images;
  run.in = context.data();
  run.out = out.data();
  out_->run(run, threads);
  tensor::kernels_for(compute_.isa)
      .layer_norm(
          {out.data(), normed.data(), norm_.gamma.data(), norm_.beta.data(), images, width, plan_.epsilon});
  run.in = normed.data();
  run.out = inner.data();
  run.activation = plan_.activation;
  up_->run(run, threads);
  run.in = inner.data();
  run.out = out.data();
  run.activation = tensor::Activation::none;
  run.addend = out.data();
  down_->run(run, threads);
  return out;
}

}  // namespace holdfast::model
