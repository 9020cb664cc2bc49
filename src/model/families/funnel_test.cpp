#include "model/families/tiny_checkpoint_test_kit.h"

namespace holdfast::model::tiny {
namespace {

void add_funnel_layer(Checkpoint& to, const std::string& at) {
  for (const char* name : {"q_head", "k_head", "v_head", "post_proj"})
    to.add_linear(at + "attention." + name, 8, 8, std::string(name) != "q_head");
  for (const char* name : {"r_w_bias", "r_r_bias", "r_s_bias"}) to.add(at + "attention." + name, {2, 4});
  to.add(at + "attention.seg_embed", {2, 2, 4});
  to.add(at + "attention.r_kernel", {8, 2, 4});
  to.add_norm(at + "attention.layer_norm", 8);
  to.add_linear(at + "ffn.linear_1", 12, 8);
  to.add_linear(at + "ffn.linear_2", 8, 12);
  to.add_norm(at + "ffn.layer_norm", 8);
}

Checkpoint funnel(std::string_view architecture) {
  Checkpoint out;
  out.config = sizes("funnel", architecture);
  out.config["d_head"] = 4;
  out.config["d_inner"] = 12;
  out.config["block_sizes"] = boost::json::array{1, 2};
  out.config["num_decoder_layers"] = 1;
  out.add("funnel.embeddings.word_embeddings.weight", {40, 8});
  out.add_norm("funnel.embeddings.layer_norm", 8);
  for (const char* name : {"0.0.", "1.0.", "1.1."})
    add_funnel_layer(out, std::string("funnel.encoder.blocks.") + name);
  return out;
}

// Rows at `places` ask rows at `others`; the first ones stand apart from all distances.
Rows funnel_layer(const Checkpoint& of, const std::string& at, const Rows& x,
                  const std::vector<double>& places, const Rows& keys, const std::vector<double>& others) {
  const std::string self = at + "attention.";
  const auto shifted = [&](const char* name) {
    Rows out = of.linear(self + "q_head", x);
    for (auto& row : out)
      for (size_t i = 0; i < 8; ++i) row[i] += of.at(self + name)[i];
    return out;
  };
  const Rows far = shifted("r_r_bias"), typed = shifted("r_s_bias");
  const std::vector<float>&kernel = of.at(self + "r_kernel"), &types = of.at(self + "seg_embed");
  const ScoreBias bias = [&](size_t head, size_t row, size_t other) {
    if (row == 0 || other == 0) return 0.0;
    double sum = 0;
    for (size_t i = head * 4; i < head * 4 + 4; ++i) {
      sum += typed[row][i] * types[8 + i];  // All types are alike.
      for (size_t k = 0; k < 4; ++k) {
        const double angle = (places[row] - others[other]) / std::pow(10'000.0, static_cast<double>(k) / 4);
        sum +=
            far[row][i] * (std::sin(angle) * kernel[k * 8 + i] + std::cos(angle) * kernel[(k + 4) * 8 + i]);
      }
    }
    return sum / 2;  // By the root of a head's width.
  };
  const Rows context = attend(shifted("r_w_bias"), of.linear(self + "k_head", keys),
                              of.linear(self + "v_head", keys), 2, bias);
  const Rows attended = of.norm(self + "layer_norm", add(of.linear(self + "post_proj", context), x), 1e-5);
  const Rows wide = each(of.linear(at + "ffn.linear_1", attended), relu);
  return of.norm(at + "ffn.layer_norm", add(of.linear(at + "ffn.linear_2", wide), attended), 1e-5);
}

struct FunnelStates {
  Rows early, fewest;
  std::vector<double> places;
};

FunnelStates funnel_states(const Checkpoint& of, const std::vector<int64_t>& ids) {
  const std::string at = "funnel.encoder.blocks.";
  const std::vector<size_t> words(ids.begin(), ids.end());
  const Rows x =
      of.norm("funnel.embeddings.layer_norm", of.look_up("funnel.embeddings.word_embeddings", words), 1e-5);
  FunnelStates out;
  for (size_t i = 0; i < ids.size(); ++i) out.places.push_back(static_cast<double>(i));
  out.early = funnel_layer(of, at + "0.0.", x, out.places, x, out.places);
  Rows rows = out.early;
  std::vector<double> places = out.places;
  if (ids.size() > 2) {  // The first alone, then two by two, the last one being nobody's.
    rows = {out.early[0]};
    places = {-1};
    for (size_t i = 1; i + 1 < ids.size(); i += 2) {
      const bool two = i + 2 < ids.size();
      rows.push_back(out.early[i]);
      for (size_t k = 0; two && k < 8; ++k) rows.back()[k] = (rows.back()[k] + out.early[i + 1][k]) / 2;
      places.push_back(static_cast<double>(i));
    }
  }
  rows = funnel_layer(of, at + "1.0.", rows, places, out.early, out.places);
  out.fewest = funnel_layer(of, at + "1.1.", rows, places, rows, places);
  return out;
}

TEST(Funnel, ReadsFewerRowsAndGoesBackToOneAToken) {
  Checkpoint model = funnel("FunnelModel");
  add_funnel_layer(model, "funnel.decoder.layers.0.");
  expect_answers(model, some_lengths, [&](const auto& ids) -> Answers {
    const FunnelStates states = funnel_states(model, ids);
    Rows x = states.early;
    for (size_t i = 0; i < x.size(); ++i) {
      const size_t from = i == 0 ? 0 : 1 + (i - 1) / 2;
      for (size_t k = 0; from < states.fewest.size() && k < 8; ++k) x[i][k] += states.fewest[from][k];
    }
    return {{"last_hidden_state",
             funnel_layer(model, "funnel.decoder.layers.0.", x, states.places, x, states.places)}};
  });
  expect_missing_are_named(model);
  expect_shapes_are_checked(model);
}

TEST(Funnel, JudgesATextByTheFirstOfItsFewestRows) {
  Checkpoint model = funnel("FunnelForSequenceClassification");
  model.config["id2label"] = boost::json::object{{"0", "a"}, {"1", "b"}, {"2", "c"}};
  model.add_linear("classifier.linear_hidden", 8, 8);
  model.add_linear("classifier.linear_out", 3, 8);
  expect_answers(model, some_lengths, [&](const auto& ids) -> Answers {
    const Rows first = {funnel_states(model, ids).fewest[0]};
    const Rows hidden =
        each(model.linear("classifier.linear_hidden", first), [](double x) { return std::tanh(x); });
    return {{"logits", model.linear("classifier.linear_out", hidden)}};
  });
  expect_missing_are_named(model);
}

TEST(Funnel, WhatItsConfigurationCannotMeanIsRefused) {
  const std::pair<const char*, boost::json::value> rows[] = {
      {"block_sizes", boost::json::array{}},
      {"block_sizes", boost::json::array{1, -2}},
      {"block_sizes", boost::json::array{1, 100'000}},
      {"block_repeats", boost::json::array{1}},
      {"pooling_type", "least"},
      {"d_model", 7},
      {"architectures", boost::json::array{"FunnelBaseModel"}}};
  for (const auto& [key, value] : rows) {
    SCOPED_TRACE(std::string(key) + boost::json::serialize(value));
    Checkpoint model = funnel("FunnelModel");
    add_funnel_layer(model, "funnel.decoder.layers.0.");
    model.config[key] = value;
    const auto disk = model.write();
    EXPECT_FALSE(EncoderModel::open(*disk, "").ok());
  }
}

}  // namespace
}  // namespace holdfast::model::tiny
