#include "model/distance_bias.h"

#include <algorithm>
#include <cmath>

namespace holdfast::model {
namespace {

// DeBERTa's: near distances as they are, far ones by their logarithm.
int64_t log_bucket(int64_t distance, size_t buckets, size_t distance_max) {
  const auto middle = static_cast<int64_t>(buckets / 2);
  const int64_t size = std::abs(distance);
  if (size <= middle) return distance;
  const auto mid = static_cast<float>(middle);
  const float part = std::log(static_cast<float>(size) / mid) /
                     std::log(static_cast<float>((static_cast<double>(distance_max) - 1) / mid));
  const auto bucket = static_cast<int64_t>(std::ceil(part * (mid - 1)) + mid);
  return distance < 0 ? -bucket : bucket;
}

// The table's rows through a projection, split by head; in f32, as there are few.
std::vector<LinearLayer> by_head(const tensor::Linear& projection, tensor::Compute compute,
                                 const std::vector<float>& table, size_t heads) {
  const size_t rows = table.size() / projection.inputs(), width = projection.width();
  const size_t head_width = width / heads;
  std::vector<float> all(rows * width);
  const auto alone = tensor::make_threads(1);
  tensor::LinearRun run;
  run.in = table.data();
  run.out = all.data();
  run.rows = rows;
  projection.run(run, *alone);
  compute.precision = tensor::Precision::f32;
  std::vector<LinearLayer> out;
  std::vector<float> one(rows * head_width);
  for (size_t head = 0; head < heads; ++head) {
    for (size_t row = 0; row < rows; ++row)
      std::copy_n(all.data() + row * width + head * head_width, head_width, one.data() + row * head_width);
    out.push_back(tensor::make_linear({one, {}, rows, head_width}, compute));
  }
  return out;
}

// Rows of `in`, `stride` apart, against every row of the matrix.
std::vector<float> scores(const tensor::Linear& matrix, const float* in, size_t stride, size_t rows) {
  std::vector<float> out(rows * matrix.width());
  const auto alone = tensor::make_threads(1);
  tensor::LinearRun run;
  run.in = in;
  run.out = out.data();
  run.rows = rows;
  run.in_stride = stride;
  matrix.run(run, *alone);
  return out;
}

}  // namespace

size_t distance_bucket(int64_t distance, size_t buckets, size_t distance_max, Sides sides) {
  const bool both = sides == Sides::both;
  const size_t half = both ? buckets / 2 : buckets, exact = half / 2;
  const size_t base = both && distance > 0 ? half : 0;
  const auto size = static_cast<size_t>(both ? std::abs(distance) : std::max<int64_t>(-distance, 0));
  if (size < exact) return base + size;
  const float part =
      std::log(static_cast<float>(size) / static_cast<float>(exact)) /
      static_cast<float>(std::log(static_cast<double>(distance_max) / static_cast<double>(exact)));
  const auto far = static_cast<size_t>(part * static_cast<float>(half - exact));
  return base + std::min(exact + far, half - 1);
}

Result<DistanceBiasTable> DistanceBiasTable::load(const DistanceBias& plan, size_t heads,
                                                  const WeightReader& reader, Sides sides) {
  DistanceBiasTable out;
  out.buckets_ = plan.buckets;
  out.distance_max_ = plan.distance_max;
  out.heads_ = heads;
  out.sides_ = sides;
  if (out.buckets_ < 4 || plan.rows < out.buckets_ ||
      out.distance_max_ <= out.buckets_ / (sides == Sides::both ? 4 : 2))
    return fail(Reason::bad_request, "config.json: relative_attention_num_buckets is too small");
  TRY(out.table_, reader.floats(plan.table + ".weight", {plan.rows, heads}));
  return out;
}

float DistanceBiasTable::of(int64_t distance, size_t head) const {
  return table_[distance_bucket(distance, buckets_, distance_max_, sides_) * heads_ + head];
}

std::vector<float> DistanceBiasTable::by_distance(size_t reach) const {
  std::vector<float> out;
  out.reserve(heads_ * (2 * reach + 1));
  const auto far = static_cast<int64_t>(reach);
  for (size_t head = 0; head < heads_; ++head)
    for (int64_t distance = -far; distance <= far; ++distance) out.push_back(of(distance, head));
  return out;
}

void DistanceBiasTable::add(std::span<const int64_t> columns,
                            const tensor::AttentionBias::Block& block) const {
  for (size_t row = 0; row < block.queries; ++row)
    for (size_t key = 0; key < block.keys; ++key)
      block.scores[row * block.stride + key] +=
          of(columns[key] - columns[block.query_from + row], block.head);
}

Result<std::vector<float>> load_distance_table(const EncoderPlan& plan, const WeightReader& reader,
                                               const tensor::Kernels& kernels) {
  const size_t rows = 2 * plan.disentangled->span, width = plan.width;
  TRY(std::vector<float> table, reader.floats("encoder.rel_embeddings.weight", {rows, width}));
  if (plan.disentangled->normalized) {
    TRY(const Norm norm, reader.norm("encoder.LayerNorm", width));
    kernels.layer_norm(
        {table.data(), table.data(), norm.gamma.data(), norm.beta.data(), rows, width, plan.epsilon});
  }
  return table;
}

Result<DisentangledBias> DisentangledBias::load(const EncoderPlan& plan, const WeightReader& reader,
                                                const std::string& layer, const std::vector<float>& table) {
  DisentangledBias out;
  out.kind_ = *plan.disentangled;
  const size_t outputs = plan.heads * plan.head_width;
  const std::string at = layer + "attention.self.";
  const bool shared = out.kind_.shares_projections;
  if (out.kind_.content_to_position) {
    TRY(const auto keys, reader.linear(at + (shared ? "key_proj" : out.kind_.key), outputs, plan.width,
                                       shared ? Bias::with : Bias::if_there));
    out.keys_ = by_head(*keys, reader.compute(), table, plan.heads);
  }
  if (out.kind_.position_to_content) {
    TRY(const auto queries,
        reader.linear(at + (shared ? "query_proj" : out.kind_.query), outputs, plan.width));
    out.queries_ = by_head(*queries, reader.compute(), table, plan.heads);
  }
  return out;
}

size_t DisentangledBias::row_of(int64_t distance) const {
  const auto span = static_cast<int64_t>(kind_.span);
  return static_cast<size_t>(std::clamp<int64_t>(distance + span, 0, 2 * span - 1));
}

void DisentangledBias::add(std::span<const int64_t> columns, const tensor::AttentionBias::Block& block,
                           const float* query, const float* key, size_t stride, float scale) const {
  const size_t rows = 2 * kind_.span;
  const auto distance = [&](int64_t from, int64_t to) {
    return kind_.buckets > 0 ? log_bucket(from - to, kind_.buckets, kind_.distance_max) : from - to;
  };
  if (kind_.content_to_position) {
    const auto content = scores(*keys_[block.head], query + block.query_from * stride, stride, block.queries);
    for (size_t row = 0; row < block.queries; ++row)
      for (size_t at = 0; at < block.keys; ++at)
        block.scores[row * block.stride + at] +=
            scale * content[row * rows + row_of(distance(columns[block.query_from + row], columns[at]))];
  }
  if (kind_.position_to_content) {
    const auto content = scores(*queries_[block.head], key, stride, block.keys);
    for (size_t row = 0; row < block.queries; ++row)
      for (size_t at = 0; at < block.keys; ++at)
        block.scores[row * block.stride + at] +=
            scale * content[at * rows + row_of(-distance(columns[at], columns[block.query_from + row]))];
  }
}

}  // namespace holdfast::model
