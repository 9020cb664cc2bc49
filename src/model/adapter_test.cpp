// LoRA adapters: what PEFT computes; the base merged with them; beside others and without one in a batch.
#include "model/adapter.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <cstring>
#include <map>

#include "codec/json.h"
#include "codec/safetensors.h"
#include "io/temporary_folder.h"
#include "model/adapted_logits.h"
#include "model/decoder_model.h"
#include "model/step_batch.h"

namespace holdfast::model {
namespace {

using Logits = std::vector<float>;

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
    expect_near(adapted_logits(model, *threads, prompt, &adapter.value()),
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
    const auto expected = adapted_logits(plain, *threads, prompt, nullptr);
    EXPECT_EQ(adapted_logits(model, *threads, prompt, nullptr), expected);
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
    const Logits alone = adapted_logits(model, *threads, prompt, adapters[i]);
    EXPECT_EQ(std::memcmp(alone.data(), all.data() + i * each, each * sizeof(float)), 0) << i;
  }
  // A base that was opened for adapters and has none gives what one does that was not.
  const Logits bare = adapted_logits(plain, *threads, prompt, nullptr);
  expect_near(bare, Logits(all.begin(), all.begin() + static_cast<ptrdiff_t>(each)), 2e-6);
  // What one adapter's text left behind is no beginning for another's.
  StepBatch steps(model, *threads);
  for (const Adapter* adapter : adapters) {
    ASSERT_TRUE(steps.join(request_of(prompt, adapter)).ok());
    greedy(steps);
  }
  EXPECT_EQ(steps.tokens_reused(), prompt.size() - 1) << "only the second text of one adapter";
}

// What a base and an adapter's tensors make together, in double precision.
struct Merge {
  const char *base, *adapter, *what;
  double scale;
  size_t changed;
  const char* config;
  bool transposed = false;  // Weights of the base are [inputs, outputs].
  bool magnitudes = false, up_biases = false, biases = false;
};

class Merged {
 public:
  Merged(const Merge& merge, io::Disk& disk) : merge_(merge) {
    const tensor::Weights weights = tensor::Weights::open(disk, merge.base).value();
    const tensor::Weights change =
        tensor::Weights::open_file(disk, io::Path("lora") / merge.adapter / "adapter_model.safetensors")
            .value();
    for (const std::string& name : change.names())
      add(adapter_, name, change.find(name)->shape, tensor::to_floats(*change.find(name)).value());
    for (const std::string& name : weights.names()) {
      const tensor::TensorView& view = *weights.find(name);
      add(base_, name, view.shape, tensor::to_floats(view).value());
    }
    for (const std::string& name : weights.names()) {
      const std::string module = name.substr(0, name.rfind('.')), path = "base_model.model." + module;
      if (!name.ends_with(".weight") || !change.find(path + ".lora_A.weight")) continue;
      ++changed;
      change_one(module, path);
    }
  }

  Bytes base() const { return write(base_); }
  Bytes adapter() const { return write(adapter_); }
  size_t changed = 0;

 private:
  struct Tensor {
    std::vector<uint64_t> shape;
    Logits numbers;
  };
  using Tensors = std::map<std::string, Tensor>;

  static void add(Tensors& to, const std::string& name, std::vector<uint64_t> shape, Logits numbers) {
    to[name] = {std::move(shape), std::move(numbers)};
  }
  static Bytes write(const Tensors& tensors) {
    std::vector<codec::SafetensorsTensor> out;
    for (const auto& [name, tensor] : tensors)
      out.push_back({name, codec::Dtype::f32, tensor.shape, std::as_bytes(std::span(tensor.numbers))});
    return codec::write_safetensors(out).value();
  }

  void change_one(const std::string& module, const std::string& path) {
    const Tensor &a = adapter_.at(path + ".lora_A.weight"), &b = adapter_.at(path + ".lora_B.weight");
    const size_t rank = a.shape[0], inputs = a.shape[1], outputs = b.shape[0];
    Logits& weight = base_.at(module + ".weight").numbers;
    const auto at = [&](size_t row, size_t i) -> float& {
      return weight[merge_.transposed ? i * outputs + row : row * inputs + i];
    };
    Logits magnitudes, shifts, biases;
    for (size_t row = 0; row < outputs; ++row) {
      std::vector<double> whole(inputs);
      double square = 0;
      for (size_t i = 0; i < inputs; ++i) {
        double sum = 0;
        for (size_t r = 0; r < rank; ++r)
          sum += static_cast<double>(b.numbers[row * rank + r]) * a.numbers[r * inputs + i];
        whole[i] = at(row, i) + merge_.scale * sum;
        square += whole[i] * whole[i];
      }
      magnitudes.push_back(static_cast<float>(std::sqrt(square)) *
                           (0.7F + 0.1F * static_cast<float>(row % 7)));
      const double factor = merge_.magnitudes ? magnitudes.back() / std::sqrt(square) : 1;
      for (size_t i = 0; i < inputs; ++i) at(row, i) = static_cast<float>(factor * whole[i]);
      shifts.push_back(0.01F * static_cast<float>(row % 5));
      biases.push_back(0.02F * static_cast<float>(row % 3));
      if (merge_.biases) base_.at(module + ".bias").numbers[row] = biases.back();
      if (merge_.up_biases)
        base_.at(module + ".bias").numbers[row] += static_cast<float>(merge_.scale) * shifts.back();
    }
    if (merge_.magnitudes) add(adapter_, path + ".lora_magnitude_vector", {outputs}, magnitudes);
    if (merge_.up_biases) add(adapter_, path + ".lora_B.bias", {outputs}, shifts);
    if (merge_.biases) add(adapter_, path + ".base_layer.bias", {outputs}, biases);
  }

  const Merge merge_;
  Tensors base_, adapter_;
};

TEST_F(AdapterTest, EqualsTheMergedBase) {
  const Merge rows[] = {
      {"llama/gqa", "llama-all", "plain", 2.5, 14, R"({"r":4,"lora_alpha":10})"},
      {"llama/gqa", "llama-all", "by root", 5, 14, R"({"r":4,"lora_alpha":10,"use_rslora":true})"},
      {"llama/gqa", "llama-all", "lengths", 2.5, 14, R"({"r":4,"lora_alpha":10,"use_dora":true})", false,
       true},
      {"gpt2/base", "gpt2-joined", "plain", 2, 8, R"({"r":3,"lora_alpha":6})", true},
      {"gpt2/base", "gpt2-joined", "lengths and biases", 2, 8,
       R"({"r":3,"lora_alpha":6,"use_dora":true,"bias":"lora_only"})", true, true, false, true},
      {"gpt2/base", "gpt2-joined", "added biases", 2, 8, R"({"r":3,"lora_alpha":6,"lora_bias":true})", true,
       false, true},
      {"llama/gqa", "llama-all", "patterns", 3, 14,
       R"({"r":9,"lora_alpha":9,"rank_pattern":{".*\\.(self_attn|mlp)\\.[a-z]+_proj":4},
           "alpha_pattern":{"proj":1,"^other.*":2,"(up|down|gate|[qkvo])_proj":12}})"},
  };
  for (const Merge& row : rows) {
    SCOPED_TRACE(std::string(row.adapter) + " " + row.what);
    const Merged merged(row, *disk);
    EXPECT_EQ(merged.changed, row.changed);
    const io::TemporaryFolder folder;
    const auto here = io::open_posix_disk(folder.path()).value();
    const auto put = [&](const char* name, ByteView bytes) {
      const auto out = here->create(name).value();
      ASSERT_TRUE(out->append(bytes).ok());
    };
    put("model.safetensors", merged.base());
    put("config.json", as_bytes(io::read_text(*disk, io::Path(row.base) / "config.json", 1 << 20).value()));
    put("adapter_model.safetensors", merged.adapter());
    put("adapter_config.json", as_bytes(std::string_view(row.config)));
    const DecoderModel model = base(row.base), whole = DecoderModel::open(*here, "").value();
    const auto adapter = model.open_adapter(*here, "");
    ASSERT_TRUE(adapter.ok()) << adapter.error().message;
    const auto prompt = ids(std::string(row.adapter) + ".ids");
    const Logits wanted = adapted_logits(whole, *threads, prompt, nullptr);
    expect_near(adapted_logits(model, *threads, prompt, &adapter.value()), wanted, 2e-5);
    const auto rough = DecoderModel::open(*disk, row.base, {.precision = tensor::Precision::int8},
                                          DecoderModel::Adapters::may_come)
                           .value();
    const Adapter beside = rough.open_adapter(*here, "").value();
    expect_near(adapted_logits(rough, *threads, prompt, &beside), wanted, 0.1);
  }
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
  EXPECT_EQ(adapted_logits(model, *threads, prompt, &pickled.value()),
            adapted_logits(model, *threads, prompt, &plain));
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
  for (const char* config : {R"({"r":2,"modules_to_save":["lm_head"]})", R"({"r":2,"peft_type":"IA3"})",
                             R"({"r":2,"target_parameters":["experts.down_proj"]})",
                             R"({"r":2,"init_lora_weights":"pissa_niter_4"})", R"({"r":2,"use_qalora":true})",
                             R"({"r":2,"alora_invocation_tokens":[3]})",
                             R"({"r":2,"kasa_config":{"beta":1}})", R"({"r":2,"layer_replication":[[0,2]]})"})
    EXPECT_EQ(with(config).error().reason, Reason::model_unsupported) << config;
  for (const char* config : {R"({"r":2,"use_dora":true})", R"({"r":2,"rank_pattern":{"(":3}})",
                             R"({"r":2,"rank_pattern":{".*q_proj":3}})"})
    EXPECT_EQ(with(config).error().reason, Reason::bad_request) << config;
  EXPECT_TRUE(with(R"({"r":2,"lora_alpha":5,"rank_pattern":{"^model\\.layers\\.1\\.[a-z_]+\\.q_proj":3},
                       "init_lora_weights":"gaussian"})")
                  .ok());
}

}  // namespace
}  // namespace holdfast::model
