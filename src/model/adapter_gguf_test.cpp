// LoRA adapters beside GGUF files: PEFT's, whose rows converters move, and llama.cpp's own.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <random>

#include "codec/gguf_write.h"
#include "codec/safetensors.h"
#include "io/temporary_folder.h"
#include "model/adapted_logits.h"
#include "model/adapter.h"
#include "model/decoder_model.h"
#include "model/gguf_export.h"
#include "model/step_batch.h"

namespace holdfast::model {
namespace {

using Numbers = std::vector<float>;
using Adapters = DecoderModel::Adapters;

constexpr size_t rank = 2;

// The greatest difference, of the greatest number.
double apart(const Numbers& got, const Numbers& wanted) {
  EXPECT_EQ(got.size(), wanted.size());
  double scale = 0, worst = 0;
  for (size_t i = 0; i < std::min(got.size(), wanted.size()); ++i) {
    scale = std::max(scale, std::abs(static_cast<double>(wanted[i])));
    worst = std::max(worst, std::abs(static_cast<double>(wanted[i]) - got[i]));
  }
  return worst / scale;
}

double cosine(const Numbers& a, const Numbers& b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

// A change of one tensor of a GGUF file.
struct Change {
  std::string name;  // "blk.0.attn_q"
  size_t outputs = 0, inputs = 0;
  Numbers down, up;
};

void put(io::Disk& disk, const io::Path& path, ByteView bytes) {
  (void)disk.remove(path);
  const auto file = disk.create(path).value();
  ASSERT_TRUE(file->append(bytes).ok());
  ASSERT_TRUE(file->sync().ok());
}

struct Words {
  std::string_view architecture, type = "adapter", kind = "lora";
  double alpha = 6;
};

Bytes gguf_adapter(const std::vector<Change>& changes, const Words& words) {
  std::vector<codec::GgufEntry> entries = {{"general.architecture", words.architecture},
                                           {"general.type", words.type},
                                           {"adapter.type", words.kind},
                                           {"adapter.lora.alpha", words.alpha}};
  std::vector<codec::GgufTensorOut> tensors;
  std::vector<const Numbers*> numbers;
  for (const Change& change : changes) {
    tensors.push_back({change.name + ".weight.lora_a", codec::GgmlType::f32, {change.inputs, rank}});
    tensors.push_back({change.name + ".weight.lora_b", codec::GgmlType::f32, {rank, change.outputs}});
    numbers.push_back(&change.down);
    numbers.push_back(&change.up);
  }
  codec::GgufHead head = codec::write_gguf_head(entries, tensors).value();
  for (size_t i = 0; i < numbers.size(); ++i) {
    const auto bytes = std::as_bytes(std::span(*numbers[i]));
    head.bytes.insert(head.bytes.end(), bytes.begin(), bytes.end());
    head.bytes.resize(head.bytes.size() + head.padded_bytes[i] - head.data_bytes[i]);
  }
  return head.bytes;
}

class GgufAdapterTest : public testing::Test {
 protected:
  std::string base_bytes(const std::string& architecture) const {
    return io::read_text(*files, architecture + ".gguf", 1 << 20).value();
  }

  // A change of every linear layer that is not an expert's.
  std::vector<Change> random_changes(ByteView base) {
    const auto file = codec::GgufFile::parse(base).value();
    std::normal_distribution<float> draw(0, 0.3F);
    std::vector<Change> out;
    for (const codec::GgufTensor& tensor : file.tensors()) {
      if (tensor.dimensions.size() != 2 || !tensor.name.ends_with(".weight")) continue;
      const std::string name(tensor.name.substr(0, tensor.name.size() - 7));
      const std::string last = name.substr(name.rfind('.') + 1);
      constexpr std::string_view known[] = {"attn_q",      "attn_k",   "attn_v", "attn_qkv",
                                            "attn_output", "ffn_gate", "ffn_up", "ffn_down"};
      if (std::ranges::find(known, last) == std::end(known)) continue;
      Change& change = out.emplace_back(name, tensor.dimensions[1], tensor.dimensions[0]);
      change.down.resize(rank * change.inputs);
      change.up.resize(rank * change.outputs);
      for (Numbers* numbers : {&change.down, &change.up})
        for (float& x : *numbers) x = draw(random);
    }
    return out;
  }

  std::unique_ptr<io::Disk> files = io::open_posix_disk("tests/golden/models/gguf-architectures").value();
  io::TemporaryFolder folder;
  std::unique_ptr<io::Disk> here = io::open_posix_disk(folder.path()).value();
  std::unique_ptr<tensor::Threads> threads = tensor::make_threads(2);
  std::mt19937 random{7};
  const std::vector<int64_t> ids = {3, 17, 5, 9, 21, 2, 11};
};

// Weights of float32 are changed where they lie in the file.
void merge(std::string& base, const std::vector<Change>& changes, double scale) {
  std::vector<std::pair<size_t, const Change*>> places;
  {
    const auto file = codec::GgufFile::parse(as_bytes(base)).value();
    for (const Change& change : changes)
      places.emplace_back(
          reinterpret_cast<const char*>(file.find_tensor(change.name + ".weight")->bytes.data()) -
              base.data(),
          &change);
  }
  for (const auto& [at, change] : places)
    for (size_t row = 0; row < change->outputs; ++row)
      for (size_t i = 0; i < change->inputs; ++i) {
        double sum = 0;
        for (size_t r = 0; r < rank; ++r)
          sum += static_cast<double>(change->up[row * rank + r]) * change->down[r * change->inputs + i];
        char* const where = base.data() + at + (row * change->inputs + i) * sizeof(float);
        float weight = 0;
        std::memcpy(&weight, where, sizeof weight);
        weight += static_cast<float>(sum * scale);
        std::memcpy(where, &weight, sizeof weight);
      }
}

TEST_F(GgufAdapterTest, EqualsTheMergedFileInEveryArchitecture) {
  size_t seen = 0;
  const std::vector<io::Entry> entries = files->list("").value();
  for (const io::Entry& entry : entries) {
    if (!entry.name.ends_with(".gguf")) continue;
    SCOPED_TRACE(entry.name);
    ++seen;
    std::string bytes = base_bytes(entry.name.substr(0, entry.name.size() - 5));
    const std::vector<Change> changes = random_changes(as_bytes(bytes));
    ASSERT_GE(changes.size(), 6U);
    const auto architecture =
        std::string(*codec::GgufFile::parse(as_bytes(bytes)).value().text_if("general.architecture").value());
    put(*here, "base.gguf", as_bytes(bytes));
    put(*here, "adapter.gguf", gguf_adapter(changes, {.architecture = architecture}));
    merge(bytes, changes, 6.0 / rank);
    put(*here, "merged.gguf", as_bytes(bytes));
    const auto base = DecoderModel::open_gguf(*here, "base.gguf", {}, Adapters::may_come).value();
    const auto merged = DecoderModel::open_gguf(*here, "merged.gguf").value();
    const auto adapter = base.open_adapter(*here, "adapter.gguf");
    ASSERT_TRUE(adapter.ok()) << adapter.error().message;
    const Numbers got = adapted_logits(base, *threads, ids, &adapter.value()),
                  wanted = adapted_logits(merged, *threads, ids, nullptr);
    EXPECT_LE(apart(got, wanted), 2e-5);
    EXPECT_GT(apart(adapted_logits(base, *threads, ids, nullptr), wanted), 1e-2) << "it changes nothing";
    const auto rough = DecoderModel::open_gguf(*here, "base.gguf", {.precision = tensor::Precision::int8},
                                               Adapters::may_come)
                           .value();
    const Adapter beside = rough.open_adapter(*here, "adapter.gguf").value();
    EXPECT_GT(cosine(adapted_logits(rough, *threads, ids, &beside), wanted), 0.99);
  }
  EXPECT_EQ(seen, 20U);
}

// Row of the checkpoint that row `at` of the file's joined layer was: every head has its query, key and
// value.
size_t by_head(size_t at, size_t heads, size_t width) {
  const size_t part = at / (heads * width), head = at % (heads * width) / width;
  return (head * 3 + part) * width + at % width;
}

// Of heads whose halves turn together, as the file's neighbours do.
size_t by_halves(size_t at, size_t width) {
  return at / width * width + at % 2 * (width / 2) + at % width / 2;
}

struct Moved {
  const char *file, *architecture, *tensor, *module;
  std::function<size_t(size_t)> row;
};

// PEFT's adapters are of checkpoints: the same change as llama.cpp's, whose rows lie as in the file.
TEST_F(GgufAdapterTest, OfPeftMovesItsRowsAsTheConverterDid) {
  const auto same = [](size_t at) { return at; };
  // Two groups of two query heads, four wide.
  const auto by_group = [](size_t at) -> size_t {
    const size_t head = at / 4;
    if (head < 4) return (head / 2 * 4 + head % 2) * 4 + at % 4;
    return head < 6 ? ((head - 4) * 4 + 2) * 4 + at % 4 : ((head - 6) * 4 + 3) * 4 + at % 4;
  };
  const std::vector<Moved> rows = {
      {"arcee", "arcee", "blk.1.attn_q", "model.layers.1.self_attn.q_proj",
       [](size_t at) { return by_halves(at, 4); }},
      {"arcee", "arcee", "blk.0.attn_k", "model.layers.0.self_attn.k_proj",
       [](size_t at) { return by_halves(at, 4); }},
      {"arcee", "arcee", "blk.0.attn_v", "model.layers.0.self_attn.v_proj", same},
      {"cohere2", "cohere2", "blk.0.attn_q", "model.layers.0.self_attn.q_proj", same},
      {"phi2", "phi2", "blk.0.attn_q", "model.layers.0.self_attn.q_proj", same},
      {"gptneox", "gptneox", "blk.1.attn_qkv", "gpt_neox.layers.1.attention.query_key_value",
       [](size_t at) { return by_head(at, 2, 8); }},
      {"bloom", "bloom", "blk.0.attn_qkv", "transformer.h.0.self_attention.query_key_value",
       [](size_t at) { return by_head(at, 2, 4); }},
      {"falcon-grouped", "falcon", "blk.0.attn_qkv", "transformer.h.0.self_attention.query_key_value",
       by_group},
      {"glm4", "glm4", "blk.0.ffn_up", "model.layers.0.mlp.gate_up_proj", same},
  };
  for (const Moved& moved : rows) {
    SCOPED_TRACE(std::string(moved.file) + " " + moved.module);
    const std::string bytes = base_bytes(moved.file);
    std::vector<Change> changes = random_changes(as_bytes(bytes));
    std::erase_if(changes, [&](const Change& change) { return change.name != moved.tensor; });
    ASSERT_EQ(changes.size(), 1U);
    const Change& change = changes[0];
    put(*here, "base.gguf", as_bytes(bytes));
    put(*here, "adapter.gguf", gguf_adapter(changes, {.architecture = moved.architecture}));
    Numbers up(change.up.size());
    for (size_t row = 0; row < change.outputs; ++row)
      for (size_t r = 0; r < rank; ++r) up[moved.row(row) * rank + r] = change.up[row * rank + r];
    const std::string module = std::string("base_model.model.") + moved.module;
    const Bytes tensors = codec::write_safetensors(
                              std::vector<codec::SafetensorsTensor>{{module + ".lora_A.weight",
                                                                     codec::Dtype::f32,
                                                                     {rank, change.inputs},
                                                                     std::as_bytes(std::span(change.down))},
                                                                    {module + ".lora_B.weight",
                                                                     codec::Dtype::f32,
                                                                     {change.outputs, rank},
                                                                     std::as_bytes(std::span(up))}})
                              .value();
    ASSERT_TRUE(here->make_directories("peft").ok());
    put(*here, "peft/adapter_model.safetensors", tensors);
    put(*here, "peft/adapter_config.json", as_bytes(std::string_view(R"({"r":2,"lora_alpha":6})")));
    const auto base = DecoderModel::open_gguf(*here, "base.gguf", {}, Adapters::may_come).value();
    const auto theirs = base.open_adapter(*here, "adapter.gguf"), ours = base.open_adapter(*here, "peft");
    ASSERT_TRUE(theirs.ok()) << theirs.error().message;
    ASSERT_TRUE(ours.ok()) << ours.error().message;
    const Numbers wanted = adapted_logits(base, *threads, ids, &theirs.value());
    EXPECT_EQ(adapted_logits(base, *threads, ids, &ours.value()), wanted);
    EXPECT_GT(apart(adapted_logits(base, *threads, ids, nullptr), wanted), 1e-6) << "it changes nothing";
  }
}

constexpr std::string_view tokenizer = R"({"version":"1.0","truncation":null,"padding":null,
  "added_tokens":[],"normalizer":null,
  "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true},
  "post_processor":null,"decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},
  "model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":"","end_of_word_suffix":"",
    "fuse_unk":false,"byte_fallback":false,"ignore_merges":false,"vocab":{"a":0,"b":1,"ab":2},"merges":[["a","b"]]}})";

// The committed llama as a GGUF file, whose queries and keys lie otherwise: what PEFT gives for the
// checkpoint.
TEST_F(GgufAdapterTest, GivesWhatPeftGivesForTheCheckpoint) {
  const auto models = io::open_posix_disk("tests/golden/models").value();
  for (const char* name : {"config.json", "model.safetensors"})
    put(*here, name, as_bytes(io::read_text(*models, io::Path("llama/gqa") / name, 1 << 24).value()));
  put(*here, "tokenizer.json", as_bytes(tokenizer));
  put(*here, "tokenizer_config.json", as_bytes(std::string_view("{}")));
  {
    const auto file = here->create("base.gguf").value();
    const auto made = export_gguf(*here, ".", {.type = codec::GgmlType::f32, .name = "tiny"}, *file);
    ASSERT_TRUE(made.ok()) << made.error().message;
  }
  const auto golden = tensor::Weights::open_file(*models, "lora/golden.safetensors").value();
  const DecoderModel model = DecoderModel::open_gguf(*here, "base.gguf", {}, Adapters::may_come).value();
  StepBatch batch(model, *threads);
  std::vector<Adapter> adapters;
  for (const char* name : {"llama-all", "llama-rs"})
    adapters.push_back(model.open_adapter(*models, io::Path("lora") / name).value());
  std::vector<std::vector<int64_t>> wanted;
  std::vector<StepToken::Sequence> texts;
  for (size_t i = 0; i < adapters.size(); ++i) {
    const std::string name = i == 0 ? "llama-all" : "llama-rs";
    SCOPED_TRACE(name);
    const auto prompt = tensor::to_integers(*golden.find(name + ".ids")).value();
    EXPECT_LE(apart(adapted_logits(model, *threads, prompt, &adapters[i]),
                    tensor::to_floats(*golden.find(name + ".logits")).value()),
              2e-5);
    auto all = tensor::to_integers(*golden.find(name + ".greedy")).value();
    wanted.emplace_back(all.begin() + static_cast<ptrdiff_t>(prompt.size()), all.end());
    StepRequest request{.prompt = {prompt.begin(), prompt.end()}, .settings = {}};
    request.settings.new_tokens_max = wanted.back().size();
    request.adapter = &adapters[i];
    texts.push_back(batch.join(std::move(request)).value());
  }
  // Both at once.
  std::vector<std::vector<int64_t>> got(2);
  while (!batch.empty()) {
    const std::vector<StepToken> tokens = batch.step().value();
    for (const StepToken& token : tokens) got[token.sequence == texts[1] ? 1 : 0].push_back(token.token);
  }
  EXPECT_EQ(got, wanted);
}

TEST_F(GgufAdapterTest, IsRefusedWhereItCannotBeUsedWhole) {
  const std::string bytes = base_bytes("arcee");
  const std::vector<Change> changes = random_changes(as_bytes(bytes));
  put(*here, "base.gguf", as_bytes(bytes));
  const auto base = DecoderModel::open_gguf(*here, "base.gguf", {}, Adapters::may_come).value();
  const auto open = [&](const std::vector<Change>& some, const Words& words) {
    put(*here, "adapter.gguf", gguf_adapter(some, words));
    return base.open_adapter(*here, "adapter.gguf");
  };
  EXPECT_TRUE(open(changes, {.architecture = "arcee"}).ok());
  const auto named_as_model = DecoderModel::open_gguf(*here, "adapter.gguf");
  EXPECT_NE(named_as_model.error().message.find("adapter"), std::string::npos);
  EXPECT_EQ(open(changes, {.architecture = "llama"}).error().reason, Reason::bad_request);
  EXPECT_EQ(open(changes, {.architecture = "arcee", .type = "model"}).error().reason, Reason::bad_request);
  EXPECT_EQ(open(changes, {.architecture = "arcee", .kind = "other"}).error().reason, Reason::bad_request);
  std::vector<Change> more = changes;
  more[0].name = "token_embd";
  const auto refused = open(more, {.architecture = "arcee"});
  EXPECT_EQ(refused.error().reason, Reason::model_unsupported);
  EXPECT_NE(refused.error().message.find("embed_tokens"), std::string::npos) << refused.error().message;
  more[0].name = "blk.7.attn_q";
  EXPECT_EQ(open(more, {.architecture = "arcee"}).error().reason, Reason::model_unsupported);
  // Beside a folder, and two in one.
  const auto models = io::open_posix_disk("tests/golden/models").value();
  const auto whole = DecoderModel::open(*models, "llama/gqa", {}, Adapters::may_come).value();
  EXPECT_EQ(whole.open_adapter(*here, "adapter.gguf").error().reason, Reason::model_unsupported);
  ASSERT_TRUE(here->make_directories("two").ok());
  put(*here, "two/a.gguf", gguf_adapter(changes, {.architecture = "arcee"}));
  EXPECT_TRUE(base.open_adapter(*here, "two").ok()) << "the only one of a folder";
  put(*here, "two/b.gguf", gguf_adapter(changes, {.architecture = "arcee"}));
  EXPECT_EQ(base.open_adapter(*here, "two").error().reason, Reason::bad_request);
  EXPECT_EQ(
      DecoderModel::open_gguf(*here, "base.gguf").value().open_adapter(*here, "two/a.gguf").error().reason,
      Reason::model_unsupported)
      << "it was not opened for adapters";
}

}  // namespace
}  // namespace holdfast::model
