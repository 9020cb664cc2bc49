// Models that carry states: what transformers answers of the same numbers, and the same bits however a text
// is cut, batched, joined or continued.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <cmath>
#include <cstring>
#include <map>
#include <random>

#include "codec/safetensors.h"
#include "model/decoder_rows.h"
#include "model/draft_model.h"
#include "model/generation/generate.h"
#include "model/step_batch.h"

namespace holdfast::model {
namespace {

using Shapes = std::vector<std::pair<std::string, std::vector<uint64_t>>>;

struct Case {
  std::string type, keys;
  Shapes layers;  // Names follow "model.layers."
  std::string final_norm;
  std::vector<float> logits;  // transformers 5.23.0, of the last token of `text`.
};

const std::vector<TokenId> text = {3, 7, 1, 9, 4, 4, 10, 2};

const std::string delta_keys =
    R"("head_dim":4,"linear_conv_kernel_dim":3,"linear_key_head_dim":3,"linear_value_head_dim":4,
       "linear_num_key_heads":1,"linear_num_value_heads":2,"layer_types":["linear_attention","full_attention"],
       "rope_parameters":{"rope_type":"default","rope_theta":100.0,"partial_rotary_factor":0.5})";
const std::string mamba_keys =
    R"("mamba_n_heads":4,"mamba_d_head":"auto","mamba_n_groups":2,"mamba_d_state":3,"mamba_d_conv":3,"mamba_expand":2)";
const std::string rope_keys = R"("rope_parameters":{"rope_type":"default","rope_theta":100.0})";

Shapes operator+(Shapes one, const Shapes& more) {
  one.insert(one.end(), more.begin(), more.end());
  return one;
}

Shapes norms(const std::string& first, const std::string& second) {
  Shapes out;
  for (const char* at : {"0.", "1."})
    for (const std::string& name : {first, second}) out.push_back({at + name + ".weight", {8}});
  return out;
}

Shapes gated(const std::string& at, const std::string& gate, const std::string& up, const std::string& down) {
  return {{at + gate + ".weight", {6, 8}}, {at + up + ".weight", {6, 8}}, {at + down + ".weight", {8, 6}}};
}

Shapes attention(const std::string& out, uint64_t queries = 8, const std::string& layer = "1.") {
  const std::string at = layer + "self_attn.";
  return {{at + "q_proj.weight", {queries, 8}},
          {at + "k_proj.weight", {4, 8}},
          {at + "v_proj.weight", {4, 8}},
          {at + out + ".weight", {8, 8}}};
}

Shapes head_norms(const std::string& query, const std::string& key) {
  return {{"1.self_attn." + query + ".weight", {4}}, {"1.self_attn." + key + ".weight", {4}}};
}

Shapes mamba(const std::string& layer = "0.") {
  const std::string at = layer + "mamba.";
  return {{at + "A_log", {4}},        {at + "D", {4}},
          {at + "conv1d.bias", {28}}, {at + "conv1d.weight", {28, 1, 3}},
          {at + "dt_bias", {4}},      {at + "in_proj.weight", {48, 8}},
          {at + "norm.weight", {16}}, {at + "out_proj.weight", {8, 16}}};
}

Shapes delta() {
  return {{"0.linear_attn.A_log", {2}},
          {"0.linear_attn.conv1d.weight", {14, 1, 3}},
          {"0.linear_attn.dt_bias", {2}},
          {"0.linear_attn.norm.weight", {4}},
          {"0.linear_attn.out_proj.weight", {8, 8}}};
}

Shapes experts() {
  Shapes out = {{"0.mlp.gate.weight", {3, 8}}, {"0.mlp.shared_expert_gate.weight", {1, 8}}};
  for (const auto& [name, width] : {std::pair<std::string, uint64_t>("experts.0", 3),
                                    {"experts.1", 3},
                                    {"experts.2", 3},
                                    {"shared_expert", 5}}) {
    out.push_back({"0.mlp." + name + ".gate_proj.weight", {width, 8}});
    out.push_back({"0.mlp." + name + ".up_proj.weight", {width, 8}});
    out.push_back({"0.mlp." + name + ".down_proj.weight", {8, width}});
  }
  return out;
}

std::vector<Case> cases() {
  const Shapes usual = norms("input_layernorm", "post_attention_layernorm");
  return {
      {"lfm2",
       R"("conv_bias":true,"block_auto_adjust_ff_dim":false,"layer_types":["conv","full_attention"],)" +
           rope_keys,
       norms("operator_norm", "ffn_norm") + gated("0.feed_forward.", "w1", "w3", "w2") +
           gated("1.feed_forward.", "w1", "w3", "w2") + attention("out_proj") +
           head_norms("q_layernorm", "k_layernorm") +
           Shapes{{"0.conv.conv.bias", {8}},
                  {"0.conv.conv.weight", {8, 1, 3}},
                  {"0.conv.in_proj.bias", {24}},
                  {"0.conv.in_proj.weight", {24, 8}},
                  {"0.conv.out_proj.bias", {8}},
                  {"0.conv.out_proj.weight", {8, 8}}},
       "embedding_norm",
       {-0.032891F, -0.035589F, -0.043028F, 0.140443F, -0.173271F, 0.403927F, -0.392475F, -0.006909F,
        -0.245332F, 0.258845F, 0.092006F}},
      {"qwen3_next",
       R"("moe_intermediate_size":3,"shared_expert_intermediate_size":5,"num_experts":3,"num_experts_per_tok":2,
          "mlp_only_layers":[1],)" +
           delta_keys,
       usual + delta() + experts() + gated("1.mlp.", "gate_proj", "up_proj", "down_proj") +
           attention("o_proj", 16) + head_norms("q_norm", "k_norm") +
           Shapes{{"0.linear_attn.in_proj_ba.weight", {4, 8}},
                  {"0.linear_attn.in_proj_qkvz.weight", {22, 8}}},
       "norm",
       {1.739048F, 0.64106F, -2.141483F, 0.376632F, 1.21918F, 0.388128F, -0.298052F, 0.443753F, 0.333257F,
        -0.975653F, -0.699109F}},
      {"qwen3_5_text",
       delta_keys,
       usual + delta() + gated("0.mlp.", "gate_proj", "up_proj", "down_proj") +
           gated("1.mlp.", "gate_proj", "up_proj", "down_proj") + attention("o_proj", 16) +
           head_norms("q_norm", "k_norm") +
           Shapes{{"0.linear_attn.in_proj_a.weight", {2, 8}},
                  {"0.linear_attn.in_proj_b.weight", {2, 8}},
                  {"0.linear_attn.in_proj_qkv.weight", {14, 8}},
                  {"0.linear_attn.in_proj_z.weight", {8, 8}}},
       "norm",
       {1.286293F, -0.348403F, -1.295759F, -0.1335F, 1.865475F, -0.494805F, 0.247727F, 0.006357F, 2.069822F,
        0.085101F, 0.036142F}},
      {"granitemoehybrid",
       R"("num_local_experts":0,"shared_intermediate_size":6,"layer_types":["mamba","attention"],)" +
           mamba_keys,
       usual + mamba() + attention("o_proj") +
           Shapes{{"0.shared_mlp.input_linear.weight", {12, 8}},
                  {"0.shared_mlp.output_linear.weight", {8, 6}},
                  {"1.shared_mlp.input_linear.weight", {12, 8}},
                  {"1.shared_mlp.output_linear.weight", {8, 6}}},
       "norm",
       {0.376546F, 0.034928F, -0.369581F, -0.234145F, 0.490684F, -0.331125F, 0.074275F, 0.356236F, 0.105081F,
        -0.24448F, -0.436611F}},
      {"bamba",
       R"("attn_layer_indices":[1],"time_step_limit":[0.0,{"__float__":"Infinity"}],)" + rope_keys + "," +
           mamba_keys,
       norms("input_layernorm", "pre_ff_layernorm") + mamba() + attention("o_proj") +
           gated("0.feed_forward.", "gate_proj", "up_proj", "down_proj") +
           gated("1.feed_forward.", "gate_proj", "up_proj", "down_proj"),
       "final_layernorm",
       {-0.393633F, -0.065236F, 0.140386F, 0.130038F, -0.14697F, -0.079818F, 0.067937F, -0.164365F,
        -0.291922F, 0.068226F, 0.118087F}},
      {"falcon_h1",
       R"("mamba_d_ssm":16,"mamba_rms_norm":true,"mamba_norm_before_gate":false,"projectors_bias":true,
          "key_multiplier":0.5,"attention_in_multiplier":2.0,"attention_out_multiplier":0.75,"ssm_in_multiplier":1.5,
          "ssm_out_multiplier":0.5,"mlp_multipliers":[0.5,2.0],"ssm_multipliers":[0.5,2.0,1.5,0.75,1.25],
          "embedding_multiplier":3.0,"lm_head_multiplier":0.5,)" +
           rope_keys + "," + mamba_keys,
       norms("input_layernorm", "pre_ff_layernorm") + mamba() + mamba("1.") + attention("o_proj", 8, "0.") +
           attention("o_proj") + gated("0.feed_forward.", "gate_proj", "up_proj", "down_proj") +
           gated("1.feed_forward.", "gate_proj", "up_proj", "down_proj") +
           Shapes{{"0.mamba.out_proj.bias", {8}}, {"1.mamba.out_proj.bias", {8}}},
       "final_layernorm",
       {-0.199992F, 0.032752F, -0.008545F, 0.116433F, -0.101499F, -0.010064F, 0.028898F, -0.081178F,
        -0.219411F, -0.046913F, 0.026999F}},
      {"jamba",
       R"("num_experts":3,"num_experts_per_tok":2,"expert_layer_period":2,"expert_layer_offset":1,"attn_layer_period":2,
          "attn_layer_offset":1,"mamba_d_state":3,"mamba_d_conv":3,"mamba_expand":2,"mamba_dt_rank":2)",
       norms("input_layernorm", "pre_ff_layernorm") + attention("o_proj") +
           gated("0.feed_forward.", "gate_proj", "up_proj", "down_proj") +
           gated("1.feed_forward.experts.0.", "gate_proj", "up_proj", "down_proj") +
           gated("1.feed_forward.experts.1.", "gate_proj", "up_proj", "down_proj") +
           gated("1.feed_forward.experts.2.", "gate_proj", "up_proj", "down_proj") +
           Shapes{{"1.feed_forward.router.weight", {3, 8}},
                  {"0.mamba.A_log", {16, 3}},
                  {"0.mamba.D", {16}},
                  {"0.mamba.b_layernorm.weight", {3}},
                  {"0.mamba.c_layernorm.weight", {3}},
                  {"0.mamba.conv1d.bias", {16}},
                  {"0.mamba.conv1d.weight", {16, 1, 3}},
                  {"0.mamba.dt_layernorm.weight", {2}},
                  {"0.mamba.dt_proj.bias", {16}},
                  {"0.mamba.dt_proj.weight", {16, 2}},
                  {"0.mamba.in_proj.weight", {32, 8}},
                  {"0.mamba.out_proj.weight", {8, 16}},
                  {"0.mamba.x_proj.weight", {8, 16}}},
       "final_layernorm",
       {-0.40372F, -0.056987F, 0.19327F, 0.157077F, -0.153994F, -0.128243F, 0.082145F, -0.178832F, -0.206182F,
        0.057588F, 0.051962F}},
  };
}

// Numbers that a name and a place alone decide.
std::vector<float> numbers(const std::string& name, size_t count) {
  double sum = 0;
  for (const char c : name) sum += c;
  std::vector<float> out;
  for (size_t i = 0; i < count; ++i) {
    const auto at = static_cast<double>(i);
    out.push_back(static_cast<float>(std::fmod(0.618 * (at * at) + 0.37 * at + 0.13 * sum, 1.0) - 0.5));
  }
  return out;
}

std::unique_ptr<io::Disk> folder_of(const Case& one) {
  auto disk = io::make_memory_disk();
  const std::string config =
      R"({"model_type":")" + one.type +
      R"(","vocab_size":11,"hidden_size":8,"num_hidden_layers":2,"num_attention_heads":2,"num_key_value_heads":1,
          "intermediate_size":6,"max_position_embeddings":64,"tie_word_embeddings":false,"pad_token_id":0,)" +
      one.keys + "}";
  EXPECT_TRUE(io::publish_text(*disk, "config.json", config).ok());
  Shapes all = {{"lm_head.weight", {11, 8}},
                {"model.embed_tokens.weight", {11, 8}},
                {"model." + one.final_norm + ".weight", {8}}};
  for (const auto& [name, shape] : one.layers) all.push_back({"model.layers." + name, shape});
  std::vector<std::vector<float>> values;
  values.reserve(all.size());
  std::vector<codec::SafetensorsTensor> tensors;
  for (const auto& [name, shape] : all) {
    size_t count = 1;
    for (const uint64_t size : shape) count *= size;
    values.push_back(numbers(name, count));
    tensors.push_back({name, tensor::Dtype::f32, shape, std::as_bytes(std::span(values.back()))});
  }
  const Bytes file = codec::write_safetensors(tensors).value();
  EXPECT_TRUE(io::publish_text(*disk, "model.safetensors", as_text(file)).ok());
  return disk;
}

DecoderModel opened(const Case& one, tensor::Compute compute = {}) {
  const auto disk = folder_of(one);
  auto model = DecoderModel::open(*disk, "", compute);
  EXPECT_TRUE(model.ok()) << one.type << ": " << model.error().message;
  return std::move(model).value();
}

TokenBatch batch_of(const std::vector<std::vector<TokenId>>& texts, const std::vector<size_t>& from = {}) {
  TokenBatch batch;
  for (size_t i = 0; i < texts.size(); ++i) {
    const size_t first = from.empty() ? 0 : from[i];
    for (size_t at = 0; at < texts[i].size(); ++at)
      batch.add(texts[i][at], 0, static_cast<int64_t>(first + at));
    batch.end_sequence();
  }
  return batch;
}

TEST(RecurrentModels, AnswerAsTransformersDoes) {
  const auto threads = tensor::make_threads(2);
  for (const Case& one : cases()) {
    SCOPED_TRACE(one.type);
    const DecoderModel model = opened(one);
    const auto states = model.decoder().forward(batch_of({text}), {}, *threads);
    ASSERT_TRUE(states.ok()) << states.error().message;
    std::vector<float> logits(11);
    model.run_head(states.value().last.data() + (text.size() - 1) * 8, 1, logits.data(), *threads);
    for (size_t i = 0; i < logits.size(); ++i) EXPECT_NEAR(logits[i], one.logits[i], 2e-5) << i;
  }
}

TEST(RecurrentModels, SplittingATextIntoCallsAndBatchingItChangesNoBit) {
  const auto one_thread = tensor::make_threads(1), threads = tensor::make_threads(3);
  const std::vector<std::vector<TokenId>> texts = {text, {5}, {8, 1, 1, 6, 2, 9, 3, 3, 7, 10, 4}, {6, 6}};
  for (const tensor::Precision precision :
       {tensor::Precision::f32, tensor::Precision::bf16, tensor::Precision::int8})
    for (const Case& one : cases()) {
      SCOPED_TRACE(one.type);
      tensor::Compute compute;
      compute.precision = precision;
      const DecoderModel model = opened(one, compute);
      std::vector<KvCache> together(texts.size());
      std::vector<KvCache*> caches;
      for (KvCache& cache : together) caches.push_back(&cache);
      const auto all = model.decoder().forward(batch_of(texts), caches, *threads);
      ASSERT_TRUE(all.ok());
      const TokenBatch whole = batch_of(texts);
      for (size_t i = 0; i < texts.size(); ++i) {
        KvCache cache;
        KvCache* mine[] = {&cache};
        std::vector<float> rows;
        for (size_t at = 0; at < texts[i].size();) {
          const size_t count = std::min<size_t>(1 + (at + i) % 3, texts[i].size() - at);
          const std::vector<TokenId> piece(texts[i].begin() + static_cast<ptrdiff_t>(at),
                                           texts[i].begin() + static_cast<ptrdiff_t>(at + count));
          const auto states = model.decoder().forward(batch_of({piece}, {at}), mine, *one_thread);
          ASSERT_TRUE(states.ok());
          rows.insert(rows.end(), states.value().last.data(), states.value().last.data() + count * 8);
          at += count;
        }
        EXPECT_EQ(std::memcmp(rows.data(), all.value().last.data() + whole.starts[i] * 8, rows.size() * 4), 0)
            << "text " << i;
      }
    }
}

TEST(RecurrentModels, AStateIsTakenAsAWholeOrNotAtAll) {
  const auto threads = tensor::make_threads(1);
  const DecoderModel model = opened(cases()[0]);
  KvCache cache;
  KvCache* mine[] = {&cache};
  ASSERT_TRUE(model.decoder().forward(batch_of({text}), mine, *threads).ok());
  EXPECT_EQ(cache.keeps(3), 0U);
  EXPECT_EQ(cache.keeps(99), text.size());
  KvCache copy = cache;  // What goes on with one leaves the other as it was.
  KvCache* other[] = {&copy};
  const auto first = model.decoder().forward(batch_of({{5}}, {text.size()}), other, *threads);
  const auto second = model.decoder().forward(batch_of({{5}}, {text.size()}), mine, *threads);
  EXPECT_EQ(std::memcmp(first.value().last.data(), second.value().last.data(), 32), 0);
  cache.shorten(3);
  EXPECT_EQ(cache.tokens, 0U);
  const auto again = model.decoder().forward(batch_of({text}), mine, *threads);
  const auto fresh = model.decoder().forward(batch_of({text}), {}, *threads);
  EXPECT_EQ(std::memcmp(again.value().last.data(), fresh.value().last.data(), text.size() * 32), 0);
}

TEST(RecurrentModels, ATextThatBringsNoTokensChangesNothingBesideOthers) {
  const auto threads = tensor::make_threads(1);
  for (const Case& one : cases()) {
    SCOPED_TRACE(one.type);
    const DecoderModel model = opened(one);
    KvCache empty, cache;
    KvCache* both[] = {&empty, &cache};
    const auto beside = model.decoder().forward(batch_of({{}, text}), both, *threads);
    const auto alone = model.decoder().forward(batch_of({text}), {}, *threads);
    ASSERT_TRUE(beside.ok() && alone.ok());
    EXPECT_EQ(std::memcmp(beside.value().last.data(), alone.value().last.data(), text.size() * 32), 0);
    EXPECT_EQ(empty.tokens, 0U);
  }
}

TEST(RecurrentModels, TextsThatJoinAndLeaveAtAnyStepAreThoseMadeAlone) {
  const auto threads = tensor::make_threads(2);
  for (const Case& one : cases()) {
    SCOPED_TRACE(one.type);
    const DecoderModel model = opened(one);
    const auto alone = [&](const std::vector<TokenId>& prompt, size_t count) {
      DecoderRows rows(model, *threads);
      GenerationSettings settings;
      settings.new_tokens_max = count;
      const Prompt begun{prompt, 0};
      const auto made = generate(rows, {&begun, 1}, settings);
      EXPECT_TRUE(made.ok());
      return made.value().sequences[0];
    };
    StepBatch batch(model, *threads, {.sequences_max = 3, .tokens_a_step = 3});
    std::mt19937 random(7);
    std::map<uint64_t, std::pair<std::vector<TokenId>, std::vector<TokenId>>> open;  // What is and will be.
    std::vector<TokenId> ended;  // The last text that ended: a beginning for one to come.
    size_t texts = 0;
    while (texts < 12 || !open.empty()) {
      if (texts < 12 && random() % 2 == 0 && open.size() < 3) {
        std::vector<TokenId> prompt = texts % 3 == 2 ? ended : std::vector<TokenId>{3, 7};
        for (size_t i = random() % 6; i > 0; --i) prompt.push_back(static_cast<TokenId>(random() % 11));
        if (prompt.size() > 40) prompt.resize(40);
        if (prompt.empty()) prompt = {4};
        StepRequest request;
        request.prompt = prompt;
        request.settings.new_tokens_max = 1 + random() % 7;
        if (random() % 2 == 0) request.drafter = make_draft_model(model, *threads);
        const size_t count = *request.settings.new_tokens_max;
        const auto joined = batch.join(std::move(request));
        ASSERT_TRUE(joined.ok()) << joined.error().message;
        open[joined.value().raw] = {prompt, alone(prompt, count)};
        ++texts;
      }
      const auto made = batch.step();
      ASSERT_TRUE(made.ok());
      for (const StepToken& token : made.value()) {
        auto& [now, wanted] = open.at(token.sequence.raw);
        now.push_back(token.token);
        if (token.end == StepToken::End::goes_on) continue;
        EXPECT_EQ(now, wanted);
        ended = now;
        open.erase(token.sequence.raw);
      }
    }
    EXPECT_GT(batch.tokens_reused(), 0U) << "a text that goes on with one that ended begins with its state";
  }
}

TEST(RecurrentModels, AdaptersBesideThemAreRefusedByTheFamilysName) {
  const auto disk = folder_of(cases()[0]);
  const auto model = DecoderModel::open(*disk, "", {}, DecoderModel::Adapters::may_come);
  ASSERT_TRUE(model.ok()) << model.error().message;
  const auto adapter = model.value().open_adapter(*disk, "");
  ASSERT_FALSE(adapter.ok());
  EXPECT_NE(adapter.error().message.find("lfm2"), std::string::npos) << adapter.error().message;
}

}  // namespace
}  // namespace holdfast::model
