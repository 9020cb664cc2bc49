// LoRA adapters: what PEFT computes; the base merged with them; beside others and without one in a batch.
#include "model/adapter.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <cstring>

#include "codec/json.h"
#include "codec/safetensors.h"
#include "io/temporary_folder.h"
#include "model/decoder_model.h"
#include "model/step_batch.h"

namespace holdfast::model {
namespace {

using Logits = std::vector<float>;

Logits logits_of(const DecoderModel& model, tensor::Threads& threads, std::span<const int64_t> ids,
                 const Adapter* adapter) {
  TokenBatch batch;
  for (const int64_t id : ids) batch.add(id, 0, static_cast<int64_t>(batch.tokens()));
  batch.end_sequence();
  const auto states =
      model.decoder().forward(batch, {}, threads, Decoder::Keep::last, std::span(&adapter, 1)).value();
  Logits out(ids.size() * model.head_width());
  model.run_head(states.last.data(), ids.size(), out.data(), threads);
  return out;
}

void expect_near(const Logits& got, const Logits& wanted, double bound) {
  ASSERT_EQ(got.size(), wanted.size());
  double scale = 0, worst = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    scale = std::max(scale, std::abs(static_cast<double>(wanted[i])));
    worst = std::max(worst, std::abs(static_cast<double>(wanted[i]) - got[i]));
  }
  EXPECT_LE(worst, bound * scale);
}

std::vector<TokenId> greedy(StepBatch& batch) {
  std::vector<TokenId> out;
  while (!batch.empty()) {
    const auto tokens = batch.step().value();
    for (const StepToken& token : tokens) out.push_back(token.token);
  }
  return out;
}

StepRequest request_of(std::span<const int64_t> ids, const Adapter* adapter) {
  StepRequest out{.prompt = {ids.begin(), ids.end()}, .settings = {}};
  out.settings.new_tokens_max = 12;
  out.adapter = adapter;
  return out;
}

class AdapterTest : public testing::Test {
 protected:
  AdapterTest()
      : disk(io::open_posix_disk("tests/golden/models").value()),
        golden(tensor::Weights::open_file(*disk, "lora/golden.safetensors").value()),
        json(codec::parse_json_object(io::read_text(*disk, "lora/golden.json", 1 << 20).value()).value()),
        threads(tensor::make_threads(2)) {}

  DecoderModel base(const io::Path& folder) const {
    return DecoderModel::open(*disk, folder, {}, DecoderModel::Adapters::may_come).value();
  }
  std::vector<int64_t> ids(const std::string& name) const {
    return tensor::to_integers(*golden.find(name)).value();
  }

  std::unique_ptr<io::Disk> disk;
  tensor::Weights golden;
  boost::json::object json;
  std::unique_ptr<tensor::Threads> threads;
};

TEST_F(AdapterTest, GivesWhatPeftGives) {
  ASSERT_EQ(json.at("cases").as_array().size(), 3U);
  for (const boost::json::value& one : json.at("cases").as_array()) {
    const std::string name(one.at("adapter").as_string());
    SCOPED_TRACE(name);
    const DecoderModel model = base(std::string(one.at("base").as_string()));
    const auto adapter = model.open_adapter(*disk, io::Path("lora") / name);
    ASSERT_TRUE(adapter.ok()) << adapter.error().message;
    EXPECT_EQ(adapter.value().base(), std::string(one.at("base").as_string()));
    const auto prompt = ids(name + ".ids");
    expect_near(logits_of(model, *threads, prompt, &adapter.value()),
                tensor::to_floats(*golden.find(name + ".logits")).value(), 2e-5);
    StepBatch batch(model, *threads);
    ASSERT_TRUE(batch.join(request_of(prompt, &adapter.value())).ok());
    const auto wanted = ids(name + ".greedy");
    const auto got = greedy(batch);
    EXPECT_TRUE(std::equal(got.begin(), got.end(), wanted.begin() + static_cast<ptrdiff_t>(prompt.size()),
                           wanted.end(), [](TokenId a, int64_t b) { return a == b; }));
  }
}

TEST_F(AdapterTest, ABaseOfExpertsAnswersTheSameWhereAdaptersMayCome) {
  for (const char* folder : {"mixtral/outgrown", "qwen2_moe/random", "granitemoe/random"}) {
    SCOPED_TRACE(folder);
    const DecoderModel model = base(folder), plain = DecoderModel::open(*disk, folder).value();
    const std::vector<int64_t> prompt = {3, 5, 7, 11, 13};
    const auto expected = logits_of(plain, *threads, prompt, nullptr);
    EXPECT_EQ(logits_of(model, *threads, prompt, nullptr), expected);
  }
}

TEST_F(AdapterTest, SeveralAtOnceAndNoneAreEachToTheBitWhatTheyAreAlone) {
  const DecoderModel model = base("llama/gqa"), plain = DecoderModel::open(*disk, "llama/gqa").value();
  const Adapter one = model.open_adapter(*disk, "lora/llama-all").value(),
                other = model.open_adapter(*disk, "lora/llama-rs").value();
  const auto prompt = ids("llama-all.ids");
  const Adapter* const adapters[] = {nullptr, &one, &other, &one};
  TokenBatch batch;
  for ([[maybe_unused]] const Adapter* adapter : adapters) {
    for (size_t i = 0; i < prompt.size(); ++i) batch.add(prompt[i], 0, static_cast<int64_t>(i));
    batch.end_sequence();
  }
  const auto states = model.decoder().forward(batch, {}, *threads, Decoder::Keep::last, adapters).value();
  Logits all(batch.tokens() * model.head_width());
  model.run_head(states.last.data(), batch.tokens(), all.data(), *threads);
  const size_t each = prompt.size() * model.head_width();
  for (size_t i = 0; i < 4; ++i) {
    const Logits alone = logits_of(model, *threads, prompt, adapters[i]);
    EXPECT_EQ(std::memcmp(alone.data(), all.data() + i * each, each * sizeof(float)), 0) << i;
  }
  // A base that was opened for adapters and has none gives what one does that was not.
  const Logits bare = logits_of(plain, *threads, prompt, nullptr);
  expect_near(bare, Logits(all.begin(), all.begin() + static_cast<ptrdiff_t>(each)), 2e-6);
  // What one adapter's text left behind is no beginning for another's.
  StepBatch steps(model, *threads);
  for (const Adapter* adapter : adapters) {
    ASSERT_TRUE(steps.join(request_of(prompt, adapter)).ok());
    greedy(steps);
  }
  EXPECT_EQ(steps.tokens_reused(), prompt.size() - 1) << "only the second text of one adapter";
}

// The base with an adapter's change added to its weights, in double precision.
TEST_F(AdapterTest, EqualsTheMergedBase) {
  const io::TemporaryFolder folder;
  const auto here = io::open_posix_disk(folder.path()).value();
  const tensor::Weights weights = tensor::Weights::open(*disk, "llama/gqa").value(),
                        change = tensor::Weights::open_file(*disk, "lora/llama-all/adapter_model.safetensors")
                                     .value();
  std::vector<Logits> merged;
  std::vector<codec::SafetensorsTensor> tensors;
  const std::vector<std::string> names = weights.names();
  merged.reserve(names.size());
  size_t changed = 0;
  for (const std::string& name : names) {
    const tensor::TensorView& view = *weights.find(name);
    Logits& weight = merged.emplace_back(tensor::to_floats(view).value());
    const std::string module = "base_model.model." + name.substr(0, name.rfind('.'));
    if (const auto* down = change.find(module + ".lora_A.weight"); down != nullptr) {
      ++changed;
      const auto a = tensor::to_floats(*down).value();
      const auto b = tensor::to_floats(*change.find(module + ".lora_B.weight")).value();
      const size_t rank = down->shape[0], inputs = down->shape[1];
      for (size_t i = 0; i < view.shape[0]; ++i)
        for (size_t k = 0; k < inputs; ++k) {
          double sum = 0;
          for (size_t r = 0; r < rank; ++r) sum += static_cast<double>(b[i * rank + r]) * a[r * inputs + k];
          weight[i * inputs + k] += static_cast<float>(sum * 10.0 / 4.0);  // lora_alpha / r
        }
    }
    tensors.push_back({name, codec::Dtype::f32, view.shape, std::as_bytes(std::span(weight))});
  }
  EXPECT_EQ(changed, 14U);
  const Bytes file = codec::write_safetensors(tensors).value();
  const auto put = [&](const char* name, ByteView bytes) {
    const auto out = here->create(name).value();
    ASSERT_TRUE(out->append(bytes).ok());
  };
  put("model.safetensors", file);
  put("config.json", as_bytes(io::read_text(*disk, "llama/gqa/config.json", 1 << 20).value()));
  const DecoderModel model = base("llama/gqa"), whole = DecoderModel::open(*here, "").value();
  const Adapter adapter = model.open_adapter(*disk, "lora/llama-all").value();
  const auto prompt = ids("llama-all.ids");
  expect_near(logits_of(model, *threads, prompt, &adapter), logits_of(whole, *threads, prompt, nullptr),
              2e-5);
}

// What older versions of peft wrote: the same tensors as torch.save leaves them.
TEST_F(AdapterTest, OfAPickleIsThatOfSafetensorsToTheBit) {
  const DecoderModel model = base("llama/gqa");
  const auto pickles = io::open_posix_disk("tests/golden/torch").value();
  const auto memory = io::make_memory_disk();
  const auto put = [&](const char* name, const std::string& bytes) {
    ASSERT_TRUE(memory->create(name).value()->append(as_bytes(bytes)).ok());
  };
  put("adapter_config.json", io::read_text(*disk, "lora/llama-rs/adapter_config.json", 1 << 20).value());
  put("adapter_model.bin", io::read_text(*pickles, "lora.bin", 1 << 20).value());
  const auto pickled = model.open_adapter(*memory, "");
  ASSERT_TRUE(pickled.ok()) << pickled.error().message;
  const Adapter plain = model.open_adapter(*disk, "lora/llama-rs").value();
  const auto prompt = ids("llama-rs.ids");
  EXPECT_EQ(logits_of(model, *threads, prompt, &pickled.value()), logits_of(model, *threads, prompt, &plain));
}

TEST_F(AdapterTest, IsRefusedWhereItCannotBeUsedWhole) {
  const DecoderModel model = base("llama/gqa");
  EXPECT_EQ(
      DecoderModel::open(*disk, "llama/gqa").value().open_adapter(*disk, "lora/llama-all").error().reason,
      Reason::model_unsupported);
  const auto wrong = model.open_adapter(*disk, "lora/gpt2-joined");
  ASSERT_FALSE(wrong.ok());
  EXPECT_NE(wrong.error().message.find("c_attn"), std::string::npos) << wrong.error().message;
  // The same tensors, another config.
  const auto memory = io::make_memory_disk();
  const auto put = [&](const char* name, ByteView bytes) {
    (void)memory->remove(name);
    const auto out = memory->create(name).value();
    ASSERT_TRUE(out->append(bytes).ok());
  };
  put("adapter_model.safetensors",
      as_bytes(io::read_text(*disk, "lora/llama-rs/adapter_model.safetensors", 1 << 20).value()));
  const auto with = [&](const char* config) {
    put("adapter_config.json", as_bytes(std::string_view(config)));
    return model.open_adapter(*memory, "");
  };
  constexpr auto fits = R"({"r":2,"lora_alpha":5,"rank_pattern":{"layers.1.self_attn.q_proj":3}})";
  EXPECT_TRUE(with(fits).ok());
  EXPECT_EQ(with(R"({"r":2})").error().reason, Reason::bad_request) << "one has rank 3";
  EXPECT_EQ(with("[]").error().reason, Reason::bad_request);
  for (const char* config :
       {R"({"r":2,"use_dora":true})", R"({"r":2,"bias":"all"})", R"({"r":2,"modules_to_save":["lm_head"]})",
        R"({"r":2,"peft_type":"IA3"})", R"({"r":2,"rank_pattern":{".*q_proj":3}})"})
    EXPECT_EQ(with(config).error().reason, Reason::model_unsupported) << config;
}

}  // namespace
}  // namespace holdfast::model
