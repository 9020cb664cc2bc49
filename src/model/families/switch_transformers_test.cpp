#include "model/families/tiny_checkpoint_test_kit.h"

namespace holdfast::model::tiny {
namespace {

Rows root_mean_square(const Checkpoint& of, const std::string& name, Rows x) {
  for (auto& row : x) {
    double square = 0;
    for (double value : row) square += value * value / static_cast<double>(row.size());
    for (size_t i = 0; i < row.size(); ++i) row[i] *= of.at(name + ".weight")[i] / std::sqrt(square + 1e-6);
  }
  return x;
}

TEST(SwitchTransformers, TokensTakeOneExpertWhileItHasRoom) {
  for (const size_t capacity : {1, 3, 64}) {
    SCOPED_TRACE(capacity);
    Checkpoint model;
    model.config = {{"model_type", "switch_transformers"},
                    {"architectures", boost::json::array{"SwitchTransformersEncoderModel"}},
                    {"d_model", 8},
                    {"d_kv", 4},
                    {"d_ff", 12},
                    {"num_heads", 2},
                    {"num_layers", 1},
                    {"num_sparse_encoder_layers", 1},
                    {"num_experts", 3},
                    {"vocab_size", 40},
                    {"expert_capacity", capacity}};
    model.add("shared.weight", {40, 8});
    const std::string at = "encoder.block.0.layer.", self = at + "0.SelfAttention.";
    for (const char* name : {"q", "k", "v", "o"}) model.add_linear(self + name, 8, 8, false);
    model.add(self + "relative_attention_bias.weight", {32, 2});
    model.add_norm(at + "0.layer_norm", 8, false);
    model.add_norm(at + "1.layer_norm", 8, false);
    model.add_linear(at + "1.mlp.router.classifier", 3, 8, false);
    for (const char* expert : {"0", "1", "2"}) {
      model.add_linear(at + "1.mlp.experts.expert_" + expert + ".wi", 12, 8, false);
      model.add_linear(at + "1.mlp.experts.expert_" + expert + ".wo", 8, 12, false);
    }
    model.add_norm("encoder.final_layer_norm", 8, false);
    const std::vector<float>& near = model.at(self + "relative_attention_bias.weight");
    size_t without = 0;
    // Up to 8 tokens apart each distance has a bias of its own, those ahead 16 rows further.
    expect_answers(model, {1, 2, 5, 8}, [&](const std::vector<int64_t>& ids) -> Answers {
      Rows x = model.look_up("shared", std::vector<size_t>(ids.begin(), ids.end()));
      const Rows read = root_mean_square(model, at + "0.layer_norm", x);
      const ScoreBias bias = [&](size_t head, size_t row, size_t other) -> double {
        return near[2 * (other > row ? 16 + other - row : row - other) + head];
      };
      x = add(x,
              model.linear(self + "o", attend(model.linear(self + "q", read), model.linear(self + "k", read),
                                              model.linear(self + "v", read), 2, bias, 1)));
      const Rows inner = root_mean_square(model, at + "1.layer_norm", x);
      const Rows scores = model.linear(at + "1.mlp.router.classifier", inner);
      std::map<size_t, size_t> taken;
      for (size_t row = 0; row < x.size(); ++row) {
        const auto best = std::max_element(scores[row].begin(), scores[row].end());
        const auto expert = static_cast<size_t>(best - scores[row].begin());
        if (++taken[expert] > capacity) {
          ++without;
          continue;
        }
        double sum = 0;
        for (double score : scores[row]) sum += std::exp(score - *best);
        const std::string one = at + "1.mlp.experts.expert_" + std::to_string(expert);
        const Rows made = model.linear(one + ".wo", each(model.linear(one + ".wi", {inner[row]}), relu));
        for (size_t i = 0; i < 8; ++i) x[row][i] += made[0][i] / sum;
      }
      return {{"last_hidden_state", root_mean_square(model, "encoder.final_layer_norm", x)}};
    });
    EXPECT_EQ(without == 0, capacity == 64);
    expect_missing_are_named(model);
    expect_shapes_are_checked(model);
  }
}

}  // namespace
}  // namespace holdfast::model::tiny
