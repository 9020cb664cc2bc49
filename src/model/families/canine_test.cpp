#include "model/families/tiny_checkpoint_test_kit.h"

namespace holdfast::model::tiny {
namespace {

Checkpoint canine(std::string_view architecture) {
  Checkpoint out;
  out.config = sizes("canine", architecture);
  out.config["num_hash_functions"] = 2;
  out.config["num_hash_buckets"] = 41;
  out.config["downsampling_rate"] = 3;
  out.config["upsampling_kernel_size"] = 4;
  out.config["local_transformer_stride"] = 7;
  const std::string at = "canine.char_embeddings.";
  for (const char* name : {"0", "1"})
    out.add(at + "HashBucketCodepointEmbedder_" + name + ".weight", {41, 4});
  out.add(at + "char_position_embeddings.weight", {41, 8});
  out.add(at + "token_type_embeddings.weight", {1, 8});
  out.add_norm(at + "LayerNorm", 8);
  for (const char* name :
       {"initial_char_encoder.layer.0.", "encoder.layer.0.", "final_char_encoder.layer.0."})
    add_bert_layer(out, std::string("canine.") + name);
  out.add("canine.chars_to_molecules.conv.weight", {8, 8, 3});
  out.add("canine.chars_to_molecules.conv.bias", {8});
  out.add_norm("canine.chars_to_molecules.LayerNorm", 8);
  out.add("canine.projection.conv.weight", {8, 16, 4});
  out.add("canine.projection.conv.bias", {8});
  out.add_norm("canine.projection.LayerNorm", 8);
  out.add_linear("canine.pooler.dense", 8, 8);
  return out;
}

// NAME.weight [outputs, inputs, taps] over the rows from `first` on; those outside count as zeros.
std::vector<double> convolved(const Checkpoint& of, const std::string& name, const Rows& x, ptrdiff_t first,
                              size_t inputs, size_t taps) {
  const std::vector<float>&weight = of.at(name + ".weight"), &bias = of.at(name + ".bias");
  std::vector<double> out(bias.begin(), bias.end());
  for (size_t i = 0; i < out.size(); ++i)
    for (size_t k = 0; k < inputs; ++k)
      for (size_t tap = 0; tap < taps; ++tap) {
        const ptrdiff_t row = first + static_cast<ptrdiff_t>(tap);
        if (row >= 0 && row < static_cast<ptrdiff_t>(x.size()))
          out[i] += x[static_cast<size_t>(row)][k] * weight[(i * inputs + k) * taps + tap];
      }
  for (double& value : out) value = relu(value);
  return out;
}

struct CanineStates {
  Rows characters, molecules;
};

CanineStates canine_states(const Checkpoint& of, const std::vector<int64_t>& ids) {
  const auto block = [&](const std::string& name, const Rows& x, const ScoreBias& bias) {
    const std::string at = "canine." + name + ".layer.0.";
    return end_as_bert(of, at, attend_as_bert(of, at, x, bias), x);
  };
  const ScoreBias chunks = where([](size_t row, size_t other) { return row / 7 == other / 7; });
  const std::string at = "canine.char_embeddings.";
  Rows x;
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto hash = [&](size_t prime) { return (static_cast<size_t>(ids[i]) + 1) * prime % 41; };
    x.push_back(of.look_up(at + "HashBucketCodepointEmbedder_0", {hash(31)})[0]);
    const auto second = of.look_up(at + "HashBucketCodepointEmbedder_1", {hash(43)})[0];
    x[i].insert(x[i].end(), second.begin(), second.end());
    for (size_t k = 0; k < 8; ++k)
      x[i][k] += of.look_up(at + "char_position_embeddings", {i})[0][k] +
                 of.look_up(at + "token_type_embeddings", {0})[0][k];
  }
  x = block("initial_char_encoder", of.norm(at + "LayerNorm", x, 1e-5), chunks);
  const size_t count = std::max<size_t>(ids.size() / 3, 1);
  Rows molecules = {x[0]};
  for (size_t i = 0; i + 1 < count; ++i)
    molecules.push_back(
        convolved(of, "canine.chars_to_molecules.conv", x, static_cast<ptrdiff_t>(3 * i), 8, 3));
  molecules = block("encoder", of.norm("canine.chars_to_molecules.LayerNorm", molecules, 1e-5), everywhere());
  Rows both = x, spread;
  for (size_t i = 0; i < ids.size(); ++i) {
    const Rows::value_type& molecule = molecules[std::min(i / 3 + 1, count - 1)];
    both[i].insert(both[i].end(), molecule.begin(), molecule.end());
  }
  for (size_t i = 0; i < ids.size(); ++i)
    spread.push_back(convolved(of, "canine.projection.conv", both, static_cast<ptrdiff_t>(i) - 1, 16, 4));
  spread = of.norm("canine.projection.LayerNorm", spread, 1e-5);
  return {block("final_char_encoder", spread, everywhere()), molecules};
}

TEST(Canine, ReadsCharactersAsMoleculesAndBack) {
  const Checkpoint model = canine("CanineModel");
  expect_answers(model, some_lengths, [&](const auto& ids) -> Answers {
    const CanineStates states = canine_states(model, ids);
    return {{"last_hidden_state", states.characters},
            {"pooler_output", each(model.linear("canine.pooler.dense", {states.molecules[0]}),
                                   [](double x) { return std::tanh(x); })}};
  });
  // A bare model may lack its pooler.
  expect_missing_are_named(model, {"canine.pooler.dense.weight", "canine.pooler.dense.bias"});
  expect_shapes_are_checked(model);
}

TEST(Canine, JudgesATextByItsFirstMolecule) {
  Checkpoint model = canine("CanineForSequenceClassification");
  model.config["id2label"] = boost::json::object{{"0", "a"}, {"1", "b"}, {"2", "c"}};
  model.add_linear("classifier", 3, 8);
  expect_answers(model, some_lengths, [&](const auto& ids) -> Answers {
    const Rows first = {canine_states(model, ids).molecules[0]};
    const Rows pooled =
        each(model.linear("canine.pooler.dense", first), [](double x) { return std::tanh(x); });
    return {{"logits", model.linear("classifier", pooled)}};
  });
  expect_missing_are_named(model);
}

}  // namespace
}  // namespace holdfast::model::tiny
