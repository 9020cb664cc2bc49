// Texts made step by step beside each other are those that generate() makes alone.
#include "model/step_batch.h"

#include <gtest/gtest.h>

#include <boost/json/value.hpp>
#include <filesystem>
#include <map>
#include <random>

#include "model/decoder_rows.h"
#include "model/draft_model.h"
#include "model/generation/generate.h"
#include "model/structured/regex_grammar.h"

namespace holdfast::model {
namespace {

// Committed checkpoints that write text.
std::vector<io::Path> writers() {
  std::vector<io::Path> out;
  const auto disk = io::open_posix_disk("tests/golden/models").value();
  for (const char* folder :
       {"llama/gqa", "gemma3_text/base", "gpt_oss/base", "bloom/base", "gpt2/base",
        "deepseek_v3/yarn-noqlora", "falcon/rw-alibi", "phi3/outgrown", "mixtral/outgrown"})
    if (std::filesystem::exists(std::filesystem::path("tests/golden/models") / folder / "config.json"))
      out.emplace_back(folder);
  return out;
}

struct Wish {
  std::vector<TokenId> prompt;
  GenerationSettings settings;
};

// Prompts of which some begin alike, with settings of every kind that steps know.
Wish random_wish(std::mt19937& random, const DecoderModel& model) {
  Wish out;
  const size_t longest = std::min<size_t>(model.plan().positions, 60) - 16;
  const size_t length = 1 + random() % longest;
  for (size_t i = 0; i < length; ++i)
    out.prompt.push_back(static_cast<TokenId>((i < 12 ? i * 5 : random()) % model.plan().vocabulary));
  out.settings.new_tokens_max = 1 + random() % 15;
  if (random() % 2 == 0) {
    out.settings.sample = true;
    out.settings.temperature = 0.8;
    out.settings.top_k = 20;
    out.settings.seed = random();
  }
  if (random() % 3 == 0) out.settings.repetition_penalty = 1.3;
  if (random() % 3 == 0) out.settings.end_tokens = {static_cast<TokenId>(random() % model.plan().vocabulary)};
  return out;
}

std::vector<TokenId> alone(const DecoderModel& model, tensor::Threads& threads, const Wish& wish) {
  DecoderRows rows(model, threads);
  const Prompt prompt{wish.prompt, 0};
  const auto made = generate(rows, {&prompt, 1}, wish.settings);
  EXPECT_TRUE(made.ok());
  const auto& text = made.value().sequences[0];
  return {text.begin() + static_cast<ptrdiff_t>(wish.prompt.size()), text.end()};
}

// Guesses that are right now and then, to be found out.
class Guessing final : public Drafter {
 public:
  Guessing(std::vector<TokenId> right, uint32_t seed, size_t vocabulary)
      : right_(std::move(right)), random_(seed), vocabulary_(vocabulary) {}
  Result<std::vector<TokenId>> propose(std::span<const TokenId> text, size_t most) override {
    std::vector<TokenId> out;
    for (size_t i = 0; i < most + 2 && random_() % 8 != 0; ++i) {
      const bool right = text.size() + i < right_.size() && random_() % 4 != 0;
      out.push_back(right ? right_[text.size() + i] : static_cast<TokenId>(random_() % vocabulary_));
    }
    return out;
  }

 private:
  std::vector<TokenId> right_;
  std::mt19937 random_;
  size_t vocabulary_;
};

std::unique_ptr<Drafter> random_drafter(std::mt19937& random, const DecoderModel& model,
                                        tensor::Threads& threads, const Wish& wish,
                                        const std::vector<TokenId>& answer) {
  std::vector<TokenId> whole = wish.prompt;
  whole.insert(whole.end(), answer.begin(), answer.end());
  switch (random() % 4) {
    case 0:
      return make_prompt_lookup();
    case 1:
      return make_draft_model(model, threads);
    case 2:
      return std::make_unique<Guessing>(std::move(whole), random(), model.plan().vocabulary);
    default:
      return nullptr;
  }
}

TEST(StepBatch, TextsThatJoinAndLeaveAtAnyStepAreThoseMadeAlone) {
  const auto disk = io::open_posix_disk("tests/golden/models").value();
  const auto threads = tensor::make_threads(2);
  ASSERT_FALSE(writers().empty());
  size_t reused = 0;
  for (const io::Path& folder : writers()) {
    SCOPED_TRACE(folder.string());
    const auto model = DecoderModel::open(*disk, folder).value();
    for (uint32_t seed = 1; seed <= 3; ++seed) {
      SCOPED_TRACE(seed);
      std::mt19937 random(seed);
      StepBatch batch(
          model, *threads,
          {.sequences_max = 5, .tokens_a_step = 1 + random() % 20, .remembered_max = random() % 4});
      std::map<uint64_t, std::vector<TokenId>> wanted, got;
      std::map<uint64_t, size_t> leaves_after;
      for (size_t joined = 0; joined < 14 || !batch.empty();) {
        if (joined < 14 && batch.sequences() < 5 && random() % 2 == 0) {
          Wish wish = random_wish(random, model);
          const auto answer = alone(model, *threads, wish);
          StepRequest request{.prompt = wish.prompt, .settings = wish.settings};
          request.drafter = random_drafter(random, model, *threads, wish, answer);
          const auto id = batch.join(std::move(request));
          ASSERT_TRUE(id.ok()) << id.error().message;
          wanted[id.value().raw] = answer;
          if (random() % 5 == 0) leaves_after[id.value().raw] = random() % 6;
          ++joined;
        }
        const auto tokens = batch.step();
        ASSERT_TRUE(tokens.ok());
        for (const StepToken& token : tokens.value()) got[token.sequence.raw].push_back(token.token);
        for (const auto& [id, count] : leaves_after)
          if (got[id].size() >= count) batch.leave(StepBatch::Sequence{id});
      }
      for (auto& [id, answer] : wanted) {
        // Who left early has the beginning.
        if (leaves_after.contains(id)) answer.resize(std::min(answer.size(), got[id].size()));
        EXPECT_EQ(got[id], answer) << id;
      }
      reused += batch.tokens_reused();
    }
  }
  EXPECT_GT(reused, 0U);
}

TEST(StepBatch, RefusesWhatItHasNoRoomFor) {
  const auto disk = io::open_posix_disk("tests/golden/models").value();
  const auto threads = tensor::make_threads(1);
  const auto model = DecoderModel::open(*disk, writers().front()).value();
  StepBatch batch(model, *threads, {.sequences_max = 2, .pages_max = 3});
  const auto request = [](size_t prompt, size_t more) {
    StepRequest out{.prompt = std::vector<TokenId>(prompt, 3), .settings = {}};
    out.settings.new_tokens_max = more;
    return out;
  };
  const auto first = batch.join(request(30, 10));  // Two pages.
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(batch.join(request(40, 2)).error().reason, Reason::queue_full);
  EXPECT_TRUE(batch.join(request(4, 2)).ok());
  EXPECT_EQ(batch.join(request(1, 1)).error().reason, Reason::queue_full);
  batch.leave(first.value());
  EXPECT_TRUE(batch.join(request(40, 2)).ok());
  batch.leave(StepBatch::Sequence{99});  // Was never there.
  EXPECT_EQ(batch.join(request(0, 2)).error().reason, Reason::bad_request);
  EXPECT_EQ(batch.join(request(4'000, 2)).error().reason, Reason::input_too_long);
  EXPECT_EQ(
      batch.join({.prompt = {static_cast<TokenId>(model.plan().vocabulary)}, .settings = {}}).error().reason,
      Reason::bad_request);
}

TEST(StepBatch, BoundAnswersFollowTheirGrammarAlsoWithGuesses) {
  const auto disk = io::open_posix_disk("tests/golden/models").value();
  const auto threads = tensor::make_threads(1);
  const auto model = DecoderModel::open(*disk, writers().front()).value();
  // Token i adds the letter a + i % 26; token 1 ends.
  auto bytes = std::make_shared<std::vector<std::string>>();
  for (size_t i = 0; i < model.plan().vocabulary; ++i)
    bytes->push_back(i == 1 ? std::string() : std::string(1, static_cast<char>('a' + i % 26)));
  const structured::TokenTree tree(*bytes);
  const auto grammar =
      std::make_shared<const structured::Grammar>(structured::grammar_of_regex("(ab|ba){2,4}z").value());
  StepBatch batch(model, *threads);
  for (int i = 0; i < 4; ++i) {
    StepRequest request{.prompt = {3, 4, static_cast<TokenId>(5 + i)}, .settings = {}};
    request.settings.new_tokens_max = 30;
    request.settings.end_tokens = {1};
    request.bound = {std::make_unique<structured::Constraint>(grammar, tree, std::vector<uint32_t>{1}),
                     bytes};
    request.alternatives = 2;
    if (i % 2 == 1) request.drafter = make_prompt_lookup();
    ASSERT_TRUE(batch.join(std::move(request)).ok());
  }
  std::map<uint64_t, std::string> texts;
  while (!batch.empty()) {
    const auto tokens = batch.step();
    ASSERT_TRUE(tokens.ok());
    for (const StepToken& token : tokens.value()) {
      ASSERT_NE(token.end, StepToken::End::failed);
      EXPECT_NE(token.end, StepToken::End::length);
      EXPECT_EQ(token.alternatives.size(), 2U);
      EXPECT_LE(token.log_probability->value, token.alternatives[0].value);
      texts[token.sequence.raw] += (*bytes)[token.token];
    }
  }
  ASSERT_EQ(texts.size(), 4U);
  for (const auto& [id, text] : texts) {
    EXPECT_EQ(text.back(), 'z') << text;
    EXPECT_TRUE(text.size() % 2 == 1 && text.size() >= 5 && text.size() <= 9) << text;
  }
}

}  // namespace
}  // namespace holdfast::model
