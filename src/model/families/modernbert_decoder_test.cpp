#include "model/families/tiny_checkpoint_test_kit.h"

namespace holdfast::model::tiny {
namespace {

Checkpoint modernbert_decoder(std::string_view architecture) {
  Checkpoint out;
  out.config = sizes("modernbert-decoder", architecture);
  out.config["num_hidden_layers"] = 2;
  out.config["hidden_activation"] = "gelu";
  out.config["norm_eps"] = 1e-5;
  out.config["local_attention"] = 6;
  out.add("model.embeddings.tok_embeddings.weight", {40, 8});
  out.add_norm("model.embeddings.norm", 8, false);
  for (const std::string at : {"model.layers.0.", "model.layers.1."}) {
    for (const char* name : {"q_proj", "k_proj", "v_proj", "Wo"})
      out.add_linear(at + "attn." + name, 8, 8, false);
    if (at == "model.layers.1.") out.add_norm(at + "attn_norm", 8, false);
    out.add_norm(at + "mlp_norm", 8, false);
    out.add_linear(at + "mlp.Wi", 24, 8, false);
    out.add_linear(at + "mlp.Wo", 8, 12, false);
  }
  out.add_norm("model.final_norm", 8, false);
  return out;
}

Rows modernbert_states(const Checkpoint& of, const std::vector<int64_t>& ids) {
  const std::vector<size_t> words(ids.begin(), ids.end());
  Rows x = of.norm("model.embeddings.norm", of.look_up("model.embeddings.tok_embeddings", words), 1e-5);
  for (const size_t layer : {0, 1}) {
    const std::string at = "model.layers." + std::to_string(layer) + ".";
    const Rows read = layer == 0 ? x : of.norm(at + "attn_norm", x, 1e-5);
    const auto made = [&](const char* name) { return of.linear(at + "attn." + name, read); };
    const double theta = layer == 0 ? 160'000 : 10'000;
    const ScoreBias seen =
        layer == 0 ? where([](size_t row, size_t other) { return other <= row; })
                   : where([](size_t row, size_t other) { return other <= row && row < other + 3; });
    x = add(x, of.linear(at + "attn.Wo", attend(turned(made("q_proj"), theta), turned(made("k_proj"), theta),
                                                made("v_proj"), 2, seen)));
    Rows wide = of.linear(at + "mlp.Wi", of.norm(at + "mlp_norm", x, 1e-5));
    for (auto& row : wide) {
      for (size_t i = 0; i < 12; ++i) row[i] = gelu(row[i]) * row[12 + i];
      row.resize(12);
    }
    x = add(x, of.linear(at + "mlp.Wo", wide));
  }
  return of.norm("model.final_norm", x, 1e-5);
}

TEST(ModernBertDecoder, SeesThePastAndInSomeLayersLittleOfIt) {
  const Checkpoint model = modernbert_decoder("ModernBertDecoderModel");
  expect_answers(model, some_lengths, [&](const auto& ids) -> Answers {
    return {{"last_hidden_state", modernbert_states(model, ids)}};
  });
  expect_missing_are_named(model);
  expect_shapes_are_checked(model);
}

TEST(ModernBertDecoder, JudgesItsLastTokenBehindADenseLayer) {
  Checkpoint model = modernbert_decoder("ModernBertDecoderForSequenceClassification");
  model.config["id2label"] = boost::json::object{{"0", "a"}, {"1", "b"}, {"2", "c"}};
  model.add_linear("head.dense", 8, 8, false);
  model.add_norm("head.norm", 8, false);
  model.add_linear("classifier", 3, 8, false);
  expect_answers(model, some_lengths, [&](const auto& ids) -> Answers {
    const Rows last = {modernbert_states(model, ids).back()};
    const Rows stepped = model.norm("head.norm", each(model.linear("head.dense", last), gelu), 1e-5);
    return {{"logits", model.linear("classifier", stepped)}};
  });
  expect_missing_are_named(model);
}

}  // namespace
}  // namespace holdfast::model::tiny
