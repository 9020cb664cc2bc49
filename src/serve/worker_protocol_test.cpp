#include "serve/worker_protocol.h"

#include <gtest/gtest.h>

namespace holdfast::serve {
namespace {

std::vector<EmbedItem> sample_items() {
  EmbedItem texts;
  texts.texts = {"a", "", "größer"};
  texts.long_text = LongText::refuse;
  EmbedItem ids;
  ids.wanted = Wanted::features;
  ids.ids = {{1, 2, 3}, {4}};
  ids.adapter = "/serving/adapter-1";
  return {texts, ids};
}

std::vector<Result<EmbedAnswer>> sample_answers() {
  EmbedAnswer answer;
  answer.tokens = {3, 2};
  answer.json = R"([{"label":"a"}])";
  answer.vectors = {{0.5F, -1.0F}, {1e-9F, 4.0F}};
  std::vector<Result<EmbedAnswer>> answers;
  answers.emplace_back(answer);
  answers.emplace_back(fail(Reason::input_too_long, "too long"));
  return answers;
}

TEST(WorkerProtocol, what_is_sent_is_what_arrives) {
  const auto items = decode_ask(encode_ask(sample_items()));
  ASSERT_TRUE(items.ok()) << items.error().message;
  ASSERT_EQ(items.value().size(), 2U);
  EXPECT_EQ(items.value()[0].texts, sample_items()[0].texts);
  EXPECT_EQ(items.value()[0].long_text, LongText::refuse);
  EXPECT_EQ(items.value()[1].ids, sample_items()[1].ids);
  EXPECT_EQ(items.value()[1].wanted, Wanted::features);
  EXPECT_EQ(items.value()[0].adapter, "");
  EXPECT_EQ(items.value()[1].adapter, sample_items()[1].adapter);

  const auto answers = decode_answers(encode_answers(sample_answers()));
  ASSERT_TRUE(answers.ok()) << answers.error().message;
  ASSERT_EQ(answers.value().size(), 2U);
  EXPECT_EQ(answers.value()[0].value().vectors, sample_answers()[0].value().vectors);
  EXPECT_EQ(answers.value()[0].value().json, sample_answers()[0].value().json);
  EXPECT_EQ(answers.value()[1].error().reason, Reason::input_too_long);
  EXPECT_EQ(answers.value()[1].error().message, "too long");

  WorkerFacts facts{
      .dimensions = 384, .tokens_max = 256, .sentence_model = true, .normalizes = true, .task = "fill-mask"};
  const auto told = decode_facts(encode_facts(facts));
  ASSERT_TRUE(told.ok());
  EXPECT_EQ(told.value().dimensions, 384U);
  EXPECT_TRUE(told.value().normalizes);
  EXPECT_EQ(told.value().task, "fill-mask");
}

TEST(WorkerProtocol, generation_frames_arrive_as_sent_and_cut_ones_are_corrupt) {
  const Bytes ask = encode_generate({7, "{}", "/a"}), cancel = encode_cancel(9);
  EXPECT_EQ(decode_generate(ask).value().id, 7U);
  EXPECT_EQ(decode_generate(ask).value().request, "{}");
  EXPECT_EQ(decode_generate(ask).value().adapter, "/a");
  EXPECT_EQ(decode_cancel(cancel).value(), 9U);
  GenerateEvent going{.id = 1,
                      .text = "a\xC3\xA9",
                      .reasoning = "why",
                      .calls = {{.index = 2, .id = "call_1", .name = "f", .arguments = "{\"a\":"}},
                      .tokens = {{.id = 7,
                                  .special = true,
                                  .log_probability = -0.5F,
                                  .text = "\xC3",
                                  .others = {{.id = 8, .log_probability = -2, .text = "x"}}}},
                      .prompt = {{.id = 9, .text = "p"}},
                      .prompt_tokens = 12},
      ended = going, failed = going;
  ended.end = GenerateEvent::End{.reason = "length",
                                 .stop = "\n",
                                 .prompt_tokens = 12,
                                 .new_tokens = 3,
                                 .seed = 1ULL << 60,
                                 .reused_tokens = 7,
                                 .prompt_steps = 5};
  failed.error = fail(Reason::input_too_long, "too long");
  for (const GenerateEvent& event : {going, ended, failed}) {
    const Bytes sent = encode_piece(event);
    const GenerateEvent got = decode_piece(sent).value();
    EXPECT_EQ(got.id, event.id);
    EXPECT_EQ(got.prompt_tokens, 12U);
    EXPECT_EQ(got.text, event.text);
    EXPECT_EQ(got.reasoning, event.reasoning);
    ASSERT_EQ(got.calls.size(), 1U);
    EXPECT_EQ(got.calls[0].arguments, event.calls[0].arguments);
    ASSERT_EQ(got.tokens.size(), 1U);
    EXPECT_EQ(got.tokens[0].text, "\xC3");
    EXPECT_EQ(got.tokens[0].log_probability, -0.5F);
    EXPECT_TRUE(got.tokens[0].special);
    ASSERT_EQ(got.tokens[0].others.size(), 1U);
    EXPECT_EQ(got.tokens[0].others[0].log_probability, -2);
    ASSERT_EQ(got.prompt.size(), 1U);
    EXPECT_FALSE(got.prompt[0].log_probability);
    EXPECT_EQ(got.last(), event.last());
    if (event.end) EXPECT_EQ(got.end->prompt_tokens, 12U);
    if (event.end) EXPECT_EQ(got.end->reused_tokens, 7U);
    if (event.end) EXPECT_EQ(got.end->prompt_steps, 5U);
    if (event.error) EXPECT_EQ(got.error->reason, Reason::input_too_long);
    for (size_t length = 0; length < sent.size(); ++length)
      EXPECT_FALSE(decode_piece(ByteView(sent).first(length)).ok()) << length;
  }
  for (size_t length = 0; length < ask.size(); ++length)
    EXPECT_FALSE(decode_generate(ByteView(ask).first(length)).ok()) << length;
}

TEST(WorkerProtocol, a_payload_cut_anywhere_or_too_long_is_corrupt) {
  const Bytes ask = encode_ask(sample_items()), answers = encode_answers(sample_answers());
  for (size_t length = 0; length < ask.size(); ++length)
    EXPECT_FALSE(decode_ask(ByteView(ask).first(length)).ok()) << length;
  for (size_t length = 0; length < answers.size(); ++length)
    EXPECT_FALSE(decode_answers(ByteView(answers).first(length)).ok()) << length;
  Bytes longer = ask;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(decode_ask(longer).ok());
}

}  // namespace
}  // namespace holdfast::serve
