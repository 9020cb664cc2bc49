#include "repo/card.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace holdfast::repo {
namespace {

TEST(Card, FrontMatterStandsBetweenTwoRules) {
  struct Case {
    const char* why;
    std::string readme, yaml;
  };
  const std::vector<Case> cases = {
      {"plain", "---\na: 1\n---\ntext", "a: 1\n"},
      {"after an empty line", "\n---\na: 1\n---\n", "a: 1\n"},
      {"windows line ends", "---\r\na: 1\r\n---\r\n", "a: 1\r\n"},
      {"empty", "---\n---\n", ""},
      {"none", "# Title\n", ""},
      {"not closed", "---\na: 1\n", ""},
      {"a rule further down is none", "text\n---\na: 1\n---\n", ""},
  };
  for (const Case& each : cases) EXPECT_EQ(front_matter(each.readme), each.yaml) << each.why;
}

TEST(Card, ChecksSayWhatIsWrong) {
  struct Case {
    const char* why;
    std::string yaml;
    const char* error;  // Empty: none.
  };
  const std::vector<Case> cases = {
      {"good", "license: mit\ntags:\n- a\n", ""},
      {"several licences", "license: [mit, apache-2.0]\n", ""},
      {"unknown licence", "license: asdf\n", "\"license\" must be one of"},
      {"model index of the wrong kind", "model-index: foo\n", "\"model-index\" must be an array"},
      {"tags of the wrong kind", "tags: {a: 1}\n", "\"tags\" must be"},
      {"no YAML", "a: [1\n", "no valid YAML"},
      {"a list", "- a\n", "must be an object"},
  };
  for (const Case& each : cases) {
    const CardFindings findings = check_card("---\n" + each.yaml + "---\n", RepoType::model);
    if (*each.error == '\0') {
      EXPECT_TRUE(findings.errors.empty()) << each.why << ": " << findings.errors.front();
    } else {
      ASSERT_FALSE(findings.errors.empty()) << each.why;
      EXPECT_NE(findings.errors.front().find(each.error), std::string::npos) << findings.errors.front();
    }
  }
  EXPECT_FALSE(check_card("# No metadata\n", RepoType::model).warnings.empty());
  EXPECT_TRUE(std::is_sorted(licenses().begin(), licenses().end()));
}

TEST(Card, FactsBecomeTagsLibraryAndTask) {
  CardFacts facts;
  facts.paths = {"config.json", "model.safetensors", "README.md"};
  facts.config = R"({"model_type":"bert","architectures":["BertForSequenceClassification"],"hidden_size":4})";
  facts.readme = "---\nlanguage: [en, de]\nlicense: mit\ndatasets: [imdb]\ntags: [x]\n---\n";
  const Card card = read_card(facts, RepoType::model);
  EXPECT_EQ(card.library, "transformers");
  EXPECT_EQ(card.pipeline, "text-classification");
  for (const char* tag : {"transformers", "safetensors", "bert", "text-classification", "x", "en", "de",
                          "license:mit", "dataset:imdb"})
    EXPECT_NE(std::find(card.tags.begin(), card.tags.end(), tag), card.tags.end()) << tag;
  EXPECT_EQ(card.config.find("hidden_size"), std::string::npos);
  const auto task_of = [](const char* config) {
    CardFacts some;
    some.paths = {"config.json"};
    some.config = config;
    return read_card(some, RepoType::model).pipeline;
  };
  EXPECT_EQ(task_of(R"({"model_type":"whisper","architectures":["WhisperForConditionalGeneration"]})"),
            "automatic-speech-recognition");
  EXPECT_EQ(task_of(R"({"model_type":"wav2vec2","architectures":["Wav2Vec2ForSequenceClassification"]})"),
            "audio-classification");
  EXPECT_EQ(task_of(R"({"model_type":"clip","architectures":["CLIPModel"]})"),
            "zero-shot-image-classification");
  EXPECT_EQ(task_of(R"({"model_type":"vit","architectures":["ViTForImageClassification"]})"),
            "image-classification");
  CardFacts sentences;
  sentences.paths = {"modules.json", "config.json"};
  sentences.config = R"({"model_type":"bert"})";
  EXPECT_EQ(read_card(sentences, RepoType::model).library, "sentence-transformers");
}

}  // namespace
}  // namespace holdfast::repo
