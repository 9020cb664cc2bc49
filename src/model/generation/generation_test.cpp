// Steps on scores against transformers' own, and searches on a small made-up language.
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <random>

#include "codec/json.h"
#include "io/disk.h"
#include "model/generation/beam_search.h"
#include "model/generation/generate.h"
#include "model/generation/logits.h"
#include "tensor/weights.h"

namespace holdfast::model {
namespace {

using boost::json::object;
using boost::json::value;

const char* const golden_folder = "tests/golden/models/logits-processors";

std::vector<float> floats(const tensor::Weights& from, std::string_view name) {
  const auto* view = from.find(name);
  EXPECT_NE(view, nullptr) << name;
  return view == nullptr ? std::vector<float>() : tensor::to_floats(*view).value();
}

// One step of a golden chain: [name, value, {more}?].
void apply_step(const boost::json::array& step, logits::Row row, logits::Scores scores) {
  const std::string name(step.at(0).as_string());
  const value& argument = step.at(1);
  const object more = step.size() > 2 ? step.at(2).as_object() : object();
  const auto number = [&] { return argument.to_number<double>(); };
  const size_t kept =
      more.contains("min_tokens_to_keep") ? more.at("min_tokens_to_keep").to_number<size_t>() : 1;
  if (name == "temperature") return logits::temperature(scores, number());
  if (name == "top_k") return logits::top_k(scores, argument.to_number<size_t>(), kept);
  if (name == "top_p") return logits::top_p(scores, number(), kept);
  if (name == "min_p") return logits::min_p(scores, number(), kept);
  if (name == "typical_p") return logits::typical_p(scores, number(), kept);
  if (name == "epsilon_cutoff") return logits::epsilon_cutoff(scores, number(), kept);
  if (name == "eta_cutoff") return logits::eta_cutoff(scores, number(), kept);
  if (name == "repetition_penalty") return logits::repetition_penalty(scores, row, number());
  // The rest through the settings, which hold their lists and their conditions on length.
  object settings{{name, argument}};
  for (const auto& [key, entry] : more) settings[key] = entry;
  auto parsed = parse_generation_settings(settings);
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  const size_t length_max = parsed.value().length_max.value_or(1'000);
  LogitsChain(parsed.value(), {.prompt_length = 2, .length_max = length_max}).apply(row, 0, scores);
}

TEST(LogitsProcessors, EveryGoldenChainGivesTheReferencesScores) {
  const auto disk = io::open_posix_disk(golden_folder).value();
  const auto golden = codec::parse_json_object(io::read_text(*disk, "golden.json", 1 << 20).value()).value();
  const auto tensors = tensor::Weights::open_file(*disk, "golden.safetensors");
  ASSERT_TRUE(tensors.ok());
  const auto input = floats(tensors.value(), "logits");
  const auto* rows = tensors.value().find("input_ids");
  ASSERT_NE(rows, nullptr);
  const size_t count = rows->shape.at(0), length = rows->shape.at(1), width = input.size() / count;
  const auto ids = tensor::to_integers(*rows).value();
  size_t cases = 0;
  for (const value& entry : golden.at("cases").as_array()) {
    const object& wanted = entry.as_object();
    const auto output = floats(tensors.value(), wanted.at("output").as_string());
    auto got = input;
    for (size_t r = 0; r < count; ++r) {
      const std::vector<TokenId> row(ids.begin() + ptrdiff_t(r * length),
                                     ids.begin() + ptrdiff_t((r + 1) * length));
      for (const value& step : wanted.at("chain").as_array())
        apply_step(step.as_array(), row, std::span(got).subspan(r * width, width));
    }
    for (size_t i = 0; i < got.size(); ++i)
      ASSERT_TRUE(got[i] == output[i] || std::abs(got[i] - output[i]) < 1e-5)
          << wanted.at("name").as_string() << " at " << i << ": " << got[i] << " wanted " << output[i];
    ++cases;
  }
  EXPECT_EQ(cases, 37U);
}

// A language of its own: the scores of the next token hang on the last two.
class Chatter final : public NextToken {
 public:
  static constexpr size_t words = 9;
  explicit Chatter(unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0, 2);
    for (float& score : table_) score = normal(random);
  }
  size_t vocabulary() const override { return words; }
  size_t length_max() const override { return 64; }
  Status begin(std::span<const std::vector<TokenId>> prompts, std::span<float> scores) override {
    rows_.assign(prompts.begin(), prompts.end());
    return answer(scores);
  }
  Status extend(std::span<const size_t> parents, std::span<const TokenId> tokens,
                std::span<float> scores) override {
    std::vector<std::vector<TokenId>> next;
    for (size_t r = 0; r < parents.size(); ++r) {
      next.push_back(rows_.at(parents[r]));
      next.back().push_back(tokens[r]);
    }
    rows_ = std::move(next);
    return answer(scores);
  }
  // Log-probability of what follows the prompt.
  double judge(std::span<const TokenId> row, size_t prompt) const {
    double sum = 0;
    for (size_t at = prompt; at < row.size(); ++at) {
      std::vector<float> scores(words);
      look(row.first(at), scores);
      logits::log_softmax(scores);
      sum += scores[row[at]];
    }
    return sum;
  }

 private:
  void look(std::span<const TokenId> row, std::span<float> scores) const {
    const size_t last = row.back(), before = row.size() > 1 ? row[row.size() - 2] : 0;
    std::copy_n(table_.begin() + ptrdiff_t((before * words + last) * words), words, scores.begin());
  }
  Status answer(std::span<float> scores) {
    for (size_t r = 0; r < rows_.size(); ++r) look(rows_[r], scores.subspan(r * words, words));
    return Done{};
  }
  std::array<float, words * words * words> table_;
  std::vector<std::vector<TokenId>> rows_;
};

Generated run(Chatter& model, std::vector<Prompt> prompts, const GenerationSettings& settings) {
  auto made = generate(model, prompts, settings);
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message);
  return made.ok() ? made.value() : Generated{};
}

TEST(Generate, ARowDoesNotDependOnItsNeighbours) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    Chatter model(seed);
    for (const bool sample : {false, true}) {
      GenerationSettings settings{.new_tokens_max = 12, .sample = sample, .end_tokens = {3}, .seed = seed};
      const auto together = run(model, {{{1, 2}}, {{5, 6}}, {{0, 7}, 1}}, settings);
      const auto alone = run(model, {{{1, 2}}}, settings).sequences[0];
      auto first = together.sequences[0];
      while (first.size() > alone.size()) {
        EXPECT_EQ(first.back(), 3U) << "seed " << seed;  // Padded with the end token.
        first.pop_back();
      }
      EXPECT_EQ(first, alone) << "seed " << seed;
    }
  }
}

TEST(Generate, BeamsAsWideAsTheLanguageFindTheBestOfAll) {
  for (unsigned seed = 0; seed < 10; ++seed) {
    Chatter model(seed);
    // Two tokens on, 81 answers: 9 beams hold every first token, so nothing is lost.
    GenerationSettings settings{.new_tokens_max = 2, .beams = 9, .length_penalty = 0};
    const auto found = run(model, {{{4, 4}}}, settings);
    double best = -1e9;
    for (TokenId a = 0; a < Chatter::words; ++a)
      for (TokenId b = 0; b < Chatter::words; ++b)
        best = std::max(best, model.judge(std::vector<TokenId>{4, 4, a, b}, 2));
    EXPECT_NEAR(found.scores[0], best, 1e-4) << "seed " << seed;
    EXPECT_NEAR(model.judge(found.sequences[0], 2), best, 1e-4) << "seed " << seed;
  }
}

TEST(Generate, BeamScoresFallAndEndAtTheEndToken) {
  Chatter model(7);
  GenerationSettings settings{
      .new_tokens_max = 15, .beams = 4, .returned = 4, .end_tokens = {2}, .pad_token = 8};
  const auto found = run(model, {{{1}}, {{6}}}, settings);
  ASSERT_EQ(found.sequences.size(), 8U);
  for (size_t i = 0; i + 1 < 4; ++i) EXPECT_GE(found.scores[i], found.scores[i + 1]);
  for (const auto& row : found.sequences) {
    const auto end = std::find(row.begin() + 1, row.end(), 2U);
    for (auto at = end; at != row.end(); ++at) EXPECT_TRUE(at == end || *at == 8U);
  }
}

TEST(Generate, SamplingFollowsTheDistribution) {
  const std::vector<float> scores = {std::log(0.5F), std::log(0.3F), -INFINITY, std::log(0.2F)};
  std::array<int, 4> counts{};
  for (uint64_t step = 0; step < 20'000; ++step) ++counts[sample_token(scores, 11, step)];
  EXPECT_NEAR(counts[0], 10'000, 300);
  EXPECT_NEAR(counts[1], 6'000, 300);
  EXPECT_EQ(counts[2], 0);
  EXPECT_NEAR(counts[3], 4'000, 300);
}

TEST(Generate, ACallerMayEndARow) {
  Chatter model(3);
  const std::vector<Prompt> prompts = {{{1, 2}}};
  size_t seen = 0;
  const auto made =
      generate(model, prompts, {.new_tokens_max = 10}, {}, [&](size_t, TokenId) { return ++seen < 4; });
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made.value().sequences[0].size(), 6U);
}

TEST(Generate, RefusesWhatCannotBe) {
  Chatter model(1);
  const std::vector<Prompt> uneven = {{{1, 2}}, {{1}}}, empty = {{{1}, 1}};
  const std::vector<Prompt> long_one = {{std::vector<TokenId>(64, 1)}};
  EXPECT_EQ(generate(model, uneven, {}).error().reason, Reason::bad_request);
  EXPECT_EQ(generate(model, empty, {}).error().reason, Reason::bad_request);
  EXPECT_EQ(generate(model, {}, {}).error().reason, Reason::bad_request);
  EXPECT_EQ(generate(model, long_one, {}).error().reason, Reason::input_too_long);
}

TEST(GenerationSettings, NamesTheKeyThatIsWrong) {
  struct Case {
    const char* text;
    const char* key;
  };
  const Case cases[] = {
      {R"({"temperature": 0})", "temperature"},
      {R"({"top_p": 1.5})", "top_p"},
      {R"({"num_beams": 0})", "num_beams"},
      {R"({"num_beams": 100000})", "num_beams"},
      {R"({"eos_token_id": -4})", "eos_token_id"},
      {R"({"bad_words_ids": [[]]})", "bad_words_ids"},
      {R"({"max_new_tokens": 1e9})", "max_new_tokens"},
      {R"({"sequence_bias": [[[], 1]]})", "sequence_bias"},
      {R"({"early_stopping": "soon"})", "early_stopping"},
      {R"({"num_beam_groups": 2})", "num_beam_groups"},
      {R"({"num_return_sequences": 3})", "num_return_sequences"},
  };
  for (const auto& [text, key] : cases) {
    const auto parsed = parse_generation_settings(codec::parse_json_object(text).value());
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_NE(parsed.error().message.find(key), std::string::npos) << parsed.error().message;
  }
  EXPECT_TRUE(parse_generation_settings(codec::parse_json_object(R"({"eos_token_id": [1, 2], "top_k": null,
    "transformers_version": "4.40", "forced_eos_token_id": [2]})")
                                            .value())
                  .ok());
}

}  // namespace
}  // namespace holdfast::model
