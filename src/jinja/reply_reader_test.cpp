#include "jinja/reply_reader.h"

#include <gtest/gtest.h>

namespace holdfast::jinja {
namespace {

using Calls = ReplyForm::Calls;

struct Case {
  const char* name;
  ReplyForm form;
  std::string reply;
  std::string text, reasoning;
  std::vector<std::pair<std::string, std::string>> calls;
};

const ReplyForm hermes{.family = ReplyFamily::hermes, .calls = Calls::as_family, .thinks = true};
const ReplyForm llama{.family = ReplyFamily::llama, .calls = Calls::as_family, .functions = {"f", "g"}};
const ReplyForm mistral{.family = ReplyFamily::mistral, .calls = Calls::as_family};
const ReplyForm deepseek{.family = ReplyFamily::deepseek, .calls = Calls::as_family, .thinks = true};
const ReplyForm harmony{.family = ReplyFamily::harmony, .calls = Calls::as_family};

std::vector<Case> cases() {
  ReplyForm quiet = hermes, begun = hermes, object, only;
  quiet.calls = Calls::none;
  begun.within_thought = true;
  object.calls = Calls::one_object;
  only.calls = Calls::arguments_only;
  only.function = "f";
  return {
      {"text", hermes, "Hello <b>there</b>\n", "Hello <b>there</b>\n", "", {}},
      {"a call",
       hermes,
       "Let me see.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": [1, \"}\"]}}\n</tool_call>",
       "Let me see.",
       "",
       {{"f", "{\"a\": [1, \"}\"]}"}}},
      {"two calls and words behind",
       hermes,
       "<tool_call>{\"arguments\":{\"x\":\"\\\"\"},\"name\":\"f\"}</"
       "tool_call>\n<tool_call>\n{\"name\":\"g\"}\n"
       "</tool_call>\nDone.",
       "Done.",
       "",
       {{"f", "{\"x\":\"\\\"\"}"}, {"g", "{}"}}},
      {"arguments spelled as a text",
       hermes,
       "<tool_call>{\"name\":\"f\",\"arguments\":\"{\\\"a\\\": 1}\"}</tool_call>",
       "",
       "",
       {{"f", "{\"a\": 1}"}}},
      {"no call after all",
       hermes,
       "<tool_call>nothing</tool_call>",
       "<tool_call>nothing</tool_call>",
       "",
       {}},
      {"an object without a name", hermes, "<tool_call>{\"a\": 1}", "<tool_call>{\"a\": 1}", "", {}},
      {"cut in the middle of arguments",
       hermes,
       "<tool_call>{\"name\":\"f\",\"arguments\":{\"a\": 1",
       "",
       "",
       {{"f", "{\"a\": 1"}}},
      {"cut before the name is whole",
       hermes,
       "<tool_call>{\"name\": \"f",
       "<tool_call>{\"name\": \"f",
       "",
       {}},
      {"nobody offered tools", quiet, "<tool_call>{\"name\":\"f\"}", "<tool_call>{\"name\":\"f\"}", "", {}},
      {"a thought", hermes, "<think>\nTwo and two.\n\n</think>\n\nFour.", "Four.", "Two and two.", {}},
      {"a thought that the prompt began", begun, "Two.\n</think>\n\nFour.", "Four.", "Two.", {}},
      {"a thought without end", hermes, "<think>Two and", "", "Two and", {}},
      {"a thought, then a call",
       begun,
       "Hm.</think>\n<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>",
       "",
       "Hm.",
       {{"f", "{}"}}},
      {"llama, bare", llama, "{\"name\": \"f\", \"parameters\": {\"a\": 1}}", "", "", {{"f", "{\"a\": 1}"}}},
      {"llama, marked, two",
       llama,
       "<|python_tag|>{\"name\": \"f\", \"parameters\": {}}; {\"name\": \"g\", \"parameters\": {\"b\": "
       "null}}",
       "",
       "",
       {{"f", "{}"}, {"g", "{\"b\": null}"}}},
      {"llama, an object that is an answer",
       llama,
       "{\"name\": \"Ada\", \"age\": 36}",
       "{\"name\": \"Ada\", \"age\": 36}",
       "",
       {}},
      {"llama, code", llama, "<|python_tag|>g.call(x=1)", "<|python_tag|>g.call(x=1)", "", {}},
      {"mistral, a list",
       mistral,
       "[TOOL_CALLS] [{\"name\": \"f\", \"arguments\": {\"a\": 1}}, {\"name\": \"g\", \"arguments\": {}}]",
       "",
       "",
       {{"f", "{\"a\": 1}"}, {"g", "{}"}}},
      {"mistral, newer",
       mistral,
       "Well.[TOOL_CALLS]f[ARGS]{\"a\": {\"b\": 2}}[TOOL_CALLS]g{\"c\": 3}",
       "Well.",
       "",
       {{"f", "{\"a\": {\"b\": 2}}"}, {"g", "{\"c\": 3}"}}},
      {"deepseek, fenced",
       deepseek,
       "<think>So.</"
       "think><｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{\"a\": 1}\n```"
       "<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>g\n```json\n{}\n```<"
       "｜tool▁call▁end｜>"
       "<｜tool▁calls▁end｜>",
       "",
       "So.",
       {{"f", "{\"a\": 1}"}, {"g", "{}"}}},
      {"deepseek, newer",
       deepseek,
       "Yes.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{\"a\": "
       "1}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
       "Yes.",
       "",
       {{"f", "{\"a\": 1}"}}},
      {"harmony",
       harmony,
       "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary to=functions.f "
       "<|constrain|>json<|message|>{\"a\": 1}<|call|>",
       "",
       "Hm.",
       {{"f", "{\"a\": 1}"}}},
      {"harmony, an answer",
       harmony,
       "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Four.",
       "Four.",
       "Hm.",
       {}},
      {"one object", object, "{\"name\": \"f\", \"arguments\": {\"a\": 1}}", "", "", {{"f", "{\"a\": 1}"}}},
      {"only arguments", only, "{\"a\": 1}", "", "", {{"f", "{\"a\": 1}"}}},
  };
}

struct Read {
  std::string text, reasoning;
  std::vector<std::pair<std::string, std::string>> calls;
  size_t parts = 0, ended = 0;
};

Read read(const Case& one, const std::vector<std::string_view>& pieces) {
  size_t ids = 0;
  ReplyReader reader(one.form, [&] { return "id" + std::to_string(ids++); });
  Read out;
  const auto take = [&](const ReplyPiece& piece) {
    out.text += piece.text;
    out.reasoning += piece.reasoning;
    for (const ReplyCallPart& part : piece.calls) {
      ++out.parts;
      if (!part.name.empty()) {
        EXPECT_EQ(part.index, out.calls.size()) << one.name;
        EXPECT_EQ(part.id, "id" + std::to_string(part.index));
        out.calls.emplace_back(part.name, "");
      }
      ASSERT_LT(part.index, out.calls.size()) << one.name;
      out.calls[part.index].second += part.arguments;
    }
  };
  for (const std::string_view piece : pieces) take(reader.add(piece));
  take(reader.finish());
  out.ended = reader.calls_ended();
  EXPECT_EQ(reader.calls_begun(), out.calls.size());
  return out;
}

TEST(ReplyReader, every_familys_replies_are_taken_apart_however_they_are_cut) {
  for (const Case& one : cases()) {
    std::vector<std::vector<std::string_view>> ways = {{one.reply}, {}};
    const std::string_view reply(one.reply);
    for (size_t i = 0; i < reply.size(); ++i) ways[1].push_back(reply.substr(i, 1));
    for (size_t i = 1; i < reply.size(); ++i) ways.push_back({reply.substr(0, i), reply.substr(i)});
    for (const auto& pieces : ways) {
      const Read got = read(one, pieces);
      EXPECT_EQ(got.text, one.text) << one.name << ", first piece " << pieces.front();
      EXPECT_EQ(got.reasoning, one.reasoning) << one.name << ", first piece " << pieces.front();
      EXPECT_EQ(got.calls, one.calls) << one.name << ", first piece " << pieces.front();
      EXPECT_EQ(got.ended, one.calls.size()) << one.name;
    }
  }
}

TEST(ReplyReader, arguments_are_sent_on_before_their_end) {
  const Case one{"", hermes, "<tool_call>{\"name\": \"f\", \"arguments\": {\"city\": \"Paris\"}}</tool_call>",
                 "", "",     {}};
  std::vector<std::string_view> letters;
  for (size_t i = 0; i < one.reply.size(); ++i) letters.push_back(std::string_view(one.reply).substr(i, 1));
  EXPECT_GT(read(one, letters).parts, 10U);
}

TEST(ReplyReader, families_are_known_by_the_marks_of_their_templates) {
  EXPECT_EQ(reply_family("{% for m in messages %}<|im_start|>{% endfor %}"), ReplyFamily::plain);
  EXPECT_EQ(reply_family("… <tool_call>\\n{\"name\": <function-name>"), ReplyFamily::hermes);
  EXPECT_EQ(reply_family("<tool_call>{name}<arg_key>"), ReplyFamily::plain);
  EXPECT_EQ(reply_family("[AVAILABLE_TOOLS] [TOOL_CALLS]"), ReplyFamily::mistral);
  EXPECT_EQ(reply_family("<|start_header_id|>ipython<|end_header_id|>"), ReplyFamily::llama);
  EXPECT_EQ(reply_family("<｜tool▁calls▁begin｜>"), ReplyFamily::deepseek);
  EXPECT_EQ(reply_family("<|start|>assistant<|channel|>final<|message|>"), ReplyFamily::harmony);
}

}  // namespace
}  // namespace holdfast::jinja
