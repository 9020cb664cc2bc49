#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "codec/safetensors.h"
#include "io/disk.h"
#include "model/encoder_model.h"

// Checkpoints of a few numbers made by hand, and what they answer computed plainly: one number after the
// other, in double, as the paper of a family writes it.
namespace holdfast::model::tiny {

using Rows = std::vector<std::vector<double>>;

class Checkpoint {
 public:
  boost::json::object config;

  // Numbers that are neither alike nor large, of their name alone.
  void add(const std::string& name, std::vector<uint64_t> shape, float spread = 1, float middle = 0) {
    uint64_t state = std::hash<std::string>{}(name) | 1;
    size_t count = 1;
    for (uint64_t size : shape) count *= size;
    Tensor tensor{std::move(shape), std::vector<float>(count)};
    for (float& value : tensor.values) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      value = middle + spread * (static_cast<float>(state >> 40) / static_cast<float>(1 << 23) - 1);
    }
    tensors_[name] = std::move(tensor);
  }
  void add_linear(const std::string& name, uint64_t outputs, uint64_t inputs, bool bias = true) {
    add(name + ".weight", {outputs, inputs});
    if (bias) add(name + ".bias", {outputs}, 0.3F);
  }
  void add_norm(const std::string& name, uint64_t width, bool bias = true) {
    add(name + ".weight", {width}, 0.4F, 1);
    if (bias) add(name + ".bias", {width}, 0.4F);
  }
  void remove(const std::string& name) { tensors_.erase(name); }
  const std::vector<float>& at(const std::string& name) const { return tensors_.at(name).values; }
  const std::vector<uint64_t>& shape_of(const std::string& name) const { return tensors_.at(name).shape; }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& [name, tensor] : tensors_) out.push_back(name);
    return out;
  }

  std::unique_ptr<io::Disk> write() const {
    auto disk = io::make_memory_disk();
    EXPECT_TRUE(io::publish_text(*disk, "config.json", boost::json::serialize(config)).ok());
    std::vector<codec::SafetensorsTensor> all;
    for (const auto& [name, tensor] : tensors_)
      all.push_back({name, tensor::Dtype::f32, tensor.shape, std::as_bytes(std::span(tensor.values))});
    const Bytes file = codec::write_safetensors(all).value();
    EXPECT_TRUE(io::publish_text(*disk, "model.safetensors", as_text(file)).ok());
    return disk;
  }

  // What its parts do to rows.
  Rows linear(const std::string& name, const Rows& x) const {
    const Tensor& weight = tensors_.at(name + ".weight");
    const auto bias = tensors_.find(name + ".bias");
    const size_t outputs = weight.shape[0], inputs = weight.shape[1];
    Rows out;
    for (const auto& row : x) {
      std::vector<double>& sums = out.emplace_back(outputs);
      for (size_t i = 0; i < outputs; ++i) {
        sums[i] = bias == tensors_.end() ? 0 : bias->second.values[i];
        for (size_t k = 0; k < inputs; ++k) sums[i] += row.at(k) * weight.values[i * inputs + k];
      }
    }
    return out;
  }
  Rows norm(const std::string& name, Rows x, double epsilon) const {
    const Tensor& gamma = tensors_.at(name + ".weight");
    const auto beta = tensors_.find(name + ".bias");
    for (auto& row : x) {
      double mean = 0, variance = 0;
      for (double value : row) mean += value / static_cast<double>(row.size());
      for (double value : row) variance += (value - mean) * (value - mean) / static_cast<double>(row.size());
      for (size_t i = 0; i < row.size(); ++i)
        row[i] = (row[i] - mean) / std::sqrt(variance + epsilon) * gamma.values[i] +
                 (beta == tensors_.end() ? 0 : beta->second.values[i]);
    }
    return x;
  }
  // Rows of NAME.weight.
  Rows look_up(const std::string& name, const std::vector<size_t>& places) const {
    const Tensor& table = tensors_.at(name + ".weight");
    const size_t width = table.shape[1];
    Rows out;
    for (size_t place : places) {
      const auto row = table.values.begin() + static_cast<ptrdiff_t>(place * width);
      out.emplace_back(row, row + static_cast<ptrdiff_t>(width));
    }
    return out;
  }

 private:
  struct Tensor {
    std::vector<uint64_t> shape;
    std::vector<float> values;
  };
  std::map<std::string, Tensor> tensors_;
};

inline Rows add(Rows x, const Rows& y, double factor = 1) {
  for (size_t row = 0; row < x.size(); ++row)
    for (size_t i = 0; i < x[row].size(); ++i) x[row][i] += factor * y.at(row).at(i);
  return x;
}

inline Rows each(Rows x, double (*function)(double)) {
  for (auto& row : x)
    for (double& value : row) value = function(value);
  return x;
}
inline double gelu(double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }
inline double relu(double x) { return std::max(x, 0.0); }
inline double silu(double x) { return x / (1 + std::exp(-x)); }

// What is added to a score; minus infinity where a row does not see another.
using ScoreBias = std::function<double(size_t head, size_t row, size_t other)>;
inline ScoreBias where(bool (*sees)(size_t row, size_t other)) {
  return [sees](size_t, size_t row, size_t other) {
    return sees(row, other) ? 0 : -std::numeric_limits<double>::infinity();
  };
}
inline ScoreBias everywhere() {
  return [](size_t, size_t, size_t) { return 0.0; };
}

// Attention of rows among each other; scale 0: one by the root of a head's width.
inline Rows attend(const Rows& query, const Rows& key, const Rows& value, size_t heads,
                   const ScoreBias& bias = everywhere(), double scale = 0) {
  const size_t width = query[0].size(), each = width / heads;
  if (scale == 0) scale = 1 / std::sqrt(static_cast<double>(each));
  Rows out(query.size(), std::vector<double>(width, 0.0));
  for (size_t row = 0; row < query.size(); ++row)
    for (size_t head = 0; head < heads; ++head) {
      std::vector<double> weights(key.size(), 0.0);
      double sum = 0;
      for (size_t other = 0; other < key.size(); ++other) {
        double score = 0;
        for (size_t i = head * each; i < (head + 1) * each; ++i) score += query[row][i] * key[other][i];
        sum += weights[other] = std::exp(score * scale + bias(head, row, other));
      }
      for (size_t other = 0; other < key.size(); ++other)
        for (size_t i = head * each; i < (head + 1) * each; ++i)
          out[row][i] += weights[other] / sum * value[other][i];
    }
  return out;
}

// Queries or keys turned by their places, halves of a head of four against each other.
inline Rows turned(Rows x, double theta = 10'000) {
  for (size_t row = 0; row < x.size(); ++row)
    for (size_t head = 0; head < x[row].size(); head += 4)
      for (size_t i = 0; i < 2; ++i) {
        const double angle = static_cast<double>(row) * std::pow(theta, -static_cast<double>(i) / 2);
        double &a = x[row][head + i], &b = x[row][head + i + 2];
        const double kept = a;
        a = a * std::cos(angle) - b * std::sin(angle);
        b = b * std::cos(angle) + kept * std::sin(angle);
      }
  return x;
}

// The keys of config.json that BERT's kin share: width 8, two heads, one layer, 40 words and positions.
inline boost::json::object sizes(std::string_view type, std::string_view architecture) {
  return {{"model_type", type},     {"architectures", boost::json::array{architecture}},
          {"hidden_size", 8},       {"num_attention_heads", 2},
          {"num_hidden_layers", 1}, {"intermediate_size", 12},
          {"vocab_size", 40},       {"max_position_embeddings", 40},
          {"type_vocab_size", 1},   {"hidden_act", "relu"},
          {"layer_norm_eps", 1e-5}, {"pad_token_id", 0}};
}
// Tensors of BERT's tables, and what they make of ids; position p is row p + skipped.
inline void add_bert_tables(Checkpoint& to, const std::string& prefix, uint64_t positions = 40) {
  to.add(prefix + "embeddings.word_embeddings.weight", {40, 8});
  to.add(prefix + "embeddings.token_type_embeddings.weight", {1, 8});
  to.add(prefix + "embeddings.position_embeddings.weight", {positions, 8});
  to.add_norm(prefix + "embeddings.LayerNorm", 8);
}
inline Rows embed_as_bert(const Checkpoint& of, const std::string& prefix, const std::vector<int64_t>& ids,
                          size_t skipped = 0) {
  const std::string at = prefix + "embeddings.";
  std::vector<size_t> words, places;
  for (int64_t id : ids) words.push_back(static_cast<size_t>(id));
  for (size_t i = 0; i < ids.size(); ++i) places.push_back(i + skipped);
  Rows x = add(of.look_up(at + "word_embeddings", words), of.look_up(at + "position_embeddings", places));
  x = add(x, of.look_up(at + "token_type_embeddings", std::vector<size_t>(ids.size(), 0)));
  return of.norm(at + "LayerNorm", x, 1e-5);
}
// The same of the layer AT.
inline void add_bert_layer(Checkpoint& to, const std::string& at) {
  for (const char* name : {"query", "key", "value"}) to.add_linear(at + "attention.self." + name, 8, 8);
  to.add_linear(at + "attention.output.dense", 8, 8);
  to.add_norm(at + "attention.output.LayerNorm", 8);
  to.add_linear(at + "intermediate.dense", 12, 8);
  to.add_linear(at + "output.dense", 8, 12);
  to.add_norm(at + "output.LayerNorm", 8);
}
inline Rows attend_as_bert(const Checkpoint& of, const std::string& at, const Rows& x,
                           const ScoreBias& bias = everywhere()) {
  const std::string self = at + "attention.self.";
  return attend(of.linear(self + "query", x), of.linear(self + "key", x), of.linear(self + "value", x), 2,
                bias);
}
inline Rows end_as_bert(const Checkpoint& of, const std::string& at, const Rows& context, const Rows& x) {
  const Rows attended = of.norm(at + "attention.output.LayerNorm",
                                add(of.linear(at + "attention.output.dense", context), x), 1e-5);
  const Rows wide = each(of.linear(at + "intermediate.dense", attended), relu);
  return of.norm(at + "output.LayerNorm", add(of.linear(at + "output.dense", wide), attended), 1e-5);
}

const std::vector<size_t> some_lengths = {1, 2, 5, 13, 30};

inline std::vector<std::vector<int64_t>> texts(const std::vector<size_t>& lengths) {
  std::vector<std::vector<int64_t>> out;
  for (size_t length : lengths) {
    std::vector<int64_t>& ids = out.emplace_back();
    for (size_t i = 0; i < length; ++i) ids.push_back(static_cast<int64_t>(3 + (i * 37 + length * 5) % 36));
  }
  return out;
}

inline TokenBatch batch_of(const EncoderPlan& plan, const std::vector<std::vector<int64_t>>& rows) {
  TokenBatch out;
  for (const auto& ids : rows) {
    const std::vector<int64_t> positions = positions_of(plan, ids);
    for (size_t i = 0; i < ids.size(); ++i) out.add(ids[i], 0, positions[i], static_cast<int64_t>(i));
    out.end_sequence(ids.size());
  }
  return out;
}

// What the output holds of text `index`.
inline std::span<const float> part_of(const NamedOutput& output, const TokenBatch& batch, size_t index) {
  const bool by_token = output.rows == NamedOutput::Rows::tokens;
  const size_t first = by_token ? batch.starts[index] : index;
  const size_t count = by_token ? batch.length(index) : 1;
  return {output.data.data() + first * output.columns, count * output.columns};
}

using Answers = std::map<std::string, Rows>;

// That every text of these lengths is answered as `plain` says, and to the bit the same alone, in any order,
// on one thread and on two.
inline void expect_answers(const Checkpoint& checkpoint, const std::vector<size_t>& lengths,
                           const std::function<Answers(const std::vector<int64_t>&)>& plain) {
  const auto disk = checkpoint.write();
  const auto model = EncoderModel::open(*disk, "");
  ASSERT_TRUE(model.ok()) << model.error().message;
  const auto one = tensor::make_threads(1), two = tensor::make_threads(2);
  auto rows = texts(lengths);
  const TokenBatch whole = batch_of(model.value().plan(), rows);
  const auto together = model.value().forward(whole, *two);
  ASSERT_TRUE(together.ok()) << together.error().message;
  std::reverse(rows.begin(), rows.end());
  const TokenBatch turned = batch_of(model.value().plan(), rows);
  const auto other = model.value().forward(turned, *one).value();
  for (size_t i = 0; i < lengths.size(); ++i) {
    SCOPED_TRACE("a text of " + std::to_string(lengths[i]));
    const std::vector<int64_t>& ids = rows[lengths.size() - 1 - i];
    const TokenBatch single = batch_of(model.value().plan(), {ids});
    const auto alone = model.value().forward(single, *one).value();
    Answers wanted = plain(ids);
    ASSERT_EQ(alone.size(), wanted.size());
    for (size_t k = 0; k < alone.size(); ++k) {
      SCOPED_TRACE(alone[k].name);
      const std::span<const float> mine = part_of(together.value()[k], whole, i);
      ASSERT_EQ(mine.size(), alone[k].data.size());
      EXPECT_EQ(std::memcmp(mine.data(), alone[k].data.data(), mine.size_bytes()), 0);
      EXPECT_EQ(std::memcmp(mine.data(), part_of(other[k], turned, lengths.size() - 1 - i).data(),
                            mine.size_bytes()),
                0);
      ASSERT_TRUE(wanted.contains(alone[k].name));
      size_t at = 0;
      for (const auto& row : wanted[alone[k].name])
        for (double value : row) {
          ASSERT_LT(at, mine.size());
          EXPECT_NEAR(mine[at++], value, 2e-5);
        }
      EXPECT_EQ(at, mine.size());
    }
  }
}

// That the model is refused where a tensor has another shape than config.json says, by that tensor's name.
inline void expect_shapes_are_checked(const Checkpoint& checkpoint) {
  for (const std::string& name : checkpoint.names()) {
    SCOPED_TRACE(name);
    Checkpoint odd = checkpoint;
    std::vector<uint64_t> shape = odd.shape_of(name);
    shape.back() += 1;
    odd.add(name, shape);
    const auto disk = odd.write();
    const auto model = EncoderModel::open(*disk, "");
    ASSERT_FALSE(model.ok());
    EXPECT_NE(model.error().message.find(name.substr(name.find('.') + 1)), std::string::npos)
        << model.error().message;
  }
}

// That the model is refused without each of its tensors, by that tensor's name, but for those of `spare`.
inline void expect_missing_are_named(const Checkpoint& checkpoint,
                                     const std::vector<std::string>& spare = {}) {
  for (const std::string& name : checkpoint.names()) {
    if (std::find(spare.begin(), spare.end(), name) != spare.end()) continue;
    SCOPED_TRACE(name);
    Checkpoint lacking = checkpoint;
    lacking.remove(name);
    const auto disk = lacking.write();
    const auto model = EncoderModel::open(*disk, "");
    ASSERT_FALSE(model.ok());
    const std::string stem = name.substr(name.find('.') + 1);
    EXPECT_NE(model.error().message.find(stem), std::string::npos) << model.error().message;
  }
}

}  // namespace holdfast::model::tiny
