// Families whose layers are their own, beside the same computed plainly.
#include <boost/json/array.hpp>
#include <numbers>

#include "model/families/tiny_checkpoint_test_kit.h"

namespace holdfast::model::tiny {
namespace {

Checkpoint splinter(std::string_view architecture) {
  Checkpoint out;
  out.config = sizes("splinter", architecture);
  out.config["question_token_id"] = 21;
  add_bert_tables(out, "splinter.");
  add_bert_layer(out, "splinter.encoder.layer.0.");
  return out;
}

Rows splinter_states(const Checkpoint& of, const std::vector<int64_t>& ids) {
  const Rows x = embed_as_bert(of, "splinter.", ids);
  const std::string at = "splinter.encoder.layer.0.";
  return end_as_bert(of, at, attend_as_bert(of, at, x), x);
}

Checkpoint splinter_answers() {
  Checkpoint out = splinter("SplinterForQuestionAnswering");
  for (const char* end : {"start", "end"}) {
    const std::string name(end);
    for (const std::string& part : {"query_" + name + "_transform.", name + "_transform."}) {
      out.add_linear("splinter_qass." + part + "dense", 8, 8);
      out.add_norm("splinter_qass." + part + "LayerNorm", 8);
    }
    out.add_linear("splinter_qass." + name + "_classifier", 8, 8, false);
  }
  return out;
}

TEST(OwnLayers, SplinterIsBert) {
  const Checkpoint model = splinter("SplinterModel");
  expect_answers(model, some_lengths, [&](const auto& ids) -> Answers {
    return {{"last_hidden_state", splinter_states(model, ids)}};
  });
  expect_missing_are_named(model);
}

TEST(OwnLayers, SplinterAnswersWhereATextResemblesItsQuestion) {
  const Checkpoint model = splinter_answers();
  size_t with_question = 0;
  expect_answers(model, some_lengths, [&](const std::vector<int64_t>& ids) -> Answers {
    const Rows states = splinter_states(model, ids);
    const auto asks = std::find(ids.begin(), ids.end(), 21);
    with_question += asks != ids.end() && asks != ids.begin() ? 1 : 0;
    const size_t place = asks == ids.end() ? 0 : static_cast<size_t>(asks - ids.begin());
    Answers out;
    for (const char* end : {"start", "end"}) {
      const std::string at = "splinter_qass.", name(end);
      const auto seen = [&](const std::string& part, const Rows& rows) {
        return model.norm(at + part + "LayerNorm", each(model.linear(at + part + "dense", rows), gelu), 1e-5);
      };
      const Rows question =
          model.linear(at + name + "_classifier", seen("query_" + name + "_transform.", {states[place]}));
      for (const auto& row : seen(name + "_transform.", states)) {
        double sum = 0;
        for (size_t i = 0; i < row.size(); ++i) sum += row[i] * question[0][i];
        out[name + "_logits"].push_back({sum});
      }
    }
    return out;
  });
  EXPECT_GE(with_question, 1);
  EXPECT_LT(with_question, some_lengths.size());
  expect_missing_are_named(model);
  expect_shapes_are_checked(model);
}

Rows wave_along(const Rows& x) {
  const size_t length = x.size(), width = x[0].size();
  Rows out(length, std::vector<double>(width, 0.0));
  for (size_t row = 0; row < length; ++row)
    for (size_t column = 0; column < width; ++column)
      for (size_t i = 0; i < length; ++i)
        for (size_t k = 0; k < width; ++k)
          out[row][column] +=
              x[i][k] * std::cos(2 * std::numbers::pi *
                                 (static_cast<double>(row * i) / static_cast<double>(length) +
                                  static_cast<double>(column * k) / static_cast<double>(width)));
  return out;
}

TEST(OwnLayers, FnetAddsTheWavesOfItsText) {
  Checkpoint model;
  model.config = sizes("fnet", "FNetModel");
  add_bert_tables(model, "");
  model.add_linear("embeddings.projection", 8, 8);
  const std::string at = "encoder.layer.0.";
  model.add_norm(at + "fourier.output.LayerNorm", 8);
  model.add_linear(at + "intermediate.dense", 12, 8);
  model.add_linear(at + "output.dense", 8, 12);
  model.add_norm(at + "output.LayerNorm", 8);
  expect_answers(model, {1, 2, 3, 8, 13, 30, 31, 37}, [&](const auto& ids) -> Answers {
    const Rows x = model.linear("embeddings.projection", embed_as_bert(model, "", ids));
    const Rows mixed = model.norm(at + "fourier.output.LayerNorm", add(x, wave_along(x)), 1e-5);
    const Rows wide = each(model.linear(at + "intermediate.dense", mixed), relu);
    return {{"last_hidden_state",
             model.norm(at + "output.LayerNorm", add(model.linear(at + "output.dense", wide), mixed), 1e-5)}};
  });
  expect_missing_are_named(model);
  expect_shapes_are_checked(model);
}

TEST(OwnLayers, NystromformerConvolvesTheValuesOfEachHead) {
  Checkpoint model;
  model.config = sizes("nystromformer", "NystromformerModel");
  model.config["conv_kernel_size"] = 5;
  add_bert_tables(model, "", 42);  // Two of them are skipped.
  const std::string at = "encoder.layer.0.";
  add_bert_layer(model, at);
  model.add(at + "attention.self.conv.weight", {2, 1, 5, 1});
  expect_answers(model, some_lengths, [&](const auto& ids) -> Answers {
    const Rows x = embed_as_bert(model, "", ids, 2);
    const Rows values = model.linear(at + "attention.self.value", x);
    const std::vector<float>& taps = model.at(at + "attention.self.conv.weight");
    Rows context = attend_as_bert(model, at, x);
    for (size_t row = 0; row < x.size(); ++row)
      for (size_t other = 0; other < x.size(); ++other) {
        if (other + 2 < row || other > row + 2) continue;
        for (size_t i = 0; i < 8; ++i)
          context[row][i] += taps[i / 4 * 5 + other + 2 - row] * values[other][i];
      }
    return {{"last_hidden_state", end_as_bert(model, at, context, x)}};
  });
  expect_missing_are_named(model);
  expect_shapes_are_checked(model);
}

TEST(OwnLayers, XmodReadsThePartOfItsLanguage) {
  const auto make = [](std::string_view language) {
    Checkpoint out;
    out.config = sizes("xmod", "XmodModel");
    out.config["languages"] = boost::json::array{"en_XX", "de_DE"};
    out.config["default_language"] = language;
    add_bert_tables(out, "");
    add_bert_layer(out, "encoder.layer.0.");
    for (const char* name : {"en_XX", "de_DE"}) {
      const std::string adapter = std::string("encoder.layer.0.output.adapter_modules.") + name;
      out.add_linear(adapter + ".dense1", 4, 8);
      out.add_linear(adapter + ".dense2", 8, 4);
    }
    return out;
  };
  const std::string at = "encoder.layer.0.";
  for (const char* language : {"en_XX", "de_DE"}) {
    SCOPED_TRACE(language);
    const Checkpoint model = make(language);
    const std::string adapter = at + "output.adapter_modules." + language;
    expect_answers(model, some_lengths, [&](const auto& ids) -> Answers {
      const Rows x = embed_as_bert(model, "", ids, 1);  // Padding's position comes first.
      const Rows context = model.linear(at + "attention.output.dense", attend_as_bert(model, at, x));
      const Rows attended = model.norm(at + "attention.output.LayerNorm", add(context, x), 1e-5);
      const Rows wide = each(model.linear(at + "intermediate.dense", attended), relu);
      const Rows sum = add(model.linear(at + "output.dense", wide), attended);
      const Rows normed = model.norm(at + "output.LayerNorm", sum, 1e-5);
      const Rows narrow = each(model.linear(adapter + ".dense1", normed), relu);
      return {
          {"last_hidden_state", model.norm(at + "output.LayerNorm",
                                           add(model.linear(adapter + ".dense2", narrow), normed), 1e-5)}};
    });
  }
  const std::string other = at + "output.adapter_modules.de_DE.dense";
  expect_missing_are_named(make("en_XX"),
                           {other + "1.weight", other + "1.bias", other + "2.weight", other + "2.bias"});
}

TEST(OwnLayers, EsmcNormsQueriesAndKeysAcrossHeadsAndScalesItsBranches) {
  Checkpoint model;
  model.config = sizes("esmc", "EsmcModel");
  model.config["hidden_act"] = "silu";
  model.add("embed_tokens.weight", {40, 8});
  const std::string at = "layers.0.", self = at + "self_attn.";
  for (const char* name : {"q_proj", "k_proj", "v_proj", "o_proj"})
    model.add_linear(self + name, 8, 8, false);
  for (const char* name : {"q_norm", "k_norm"}) model.add_norm(self + name, 8, false);
  for (const char* name : {"input_layernorm", "post_attention_layernorm"}) model.add_norm(at + name, 8);
  model.add_linear(at + "mlp.gate_proj", 12, 8, false);
  model.add_linear(at + "mlp.up_proj", 12, 8, false);
  model.add_linear(at + "mlp.down_proj", 8, 12, false);
  model.add_norm("norm", 8, false);
  expect_answers(model, some_lengths, [&](const std::vector<int64_t>& ids) -> Answers {
    const std::vector<size_t> places(ids.begin(), ids.end());
    const Rows x = model.look_up("embed_tokens", places);
    const Rows read = model.norm(at + "input_layernorm", x, 1e-5);
    const auto made = [&](const char* name) { return model.linear(self + name, read); };
    const Rows context = attend(turned(model.norm(self + "q_norm", made("q_proj"), 1e-5)),
                                turned(model.norm(self + "k_norm", made("k_proj"), 1e-5)), made("v_proj"), 2);
    const Rows attended = add(x, model.linear(self + "o_proj", context), 6);  // sqrt(36 / layers)
    const Rows inner = model.norm(at + "post_attention_layernorm", attended, 1e-5);
    Rows wide = each(model.linear(at + "mlp.gate_proj", inner), silu);
    const Rows up = model.linear(at + "mlp.up_proj", inner);
    for (size_t row = 0; row < wide.size(); ++row)
      for (size_t i = 0; i < wide[row].size(); ++i) wide[row][i] *= up[row][i];
    const Rows left = add(attended, model.linear(at + "mlp.down_proj", wide), 6);
    return {{"last_hidden_state", model.norm("norm", left, 1e-5)}};
  });
  expect_missing_are_named(model);
}

}  // namespace
}  // namespace holdfast::model::tiny
