#include "cli/tokenizer.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>

#include "cli/recording_world.h"
#include "codec/json.h"
#include "io/temporary_folder.h"

namespace holdfast::cli {
namespace {

int run(World& world, std::string_view words, std::vector<std::string_view> arguments) {
  for (const Command& command : tokenizer_commands())
    if (command.words == words) return command.run(world, arguments);
  return -1;
}

class TokenizerCommands : public testing::Test {
 protected:
  std::string path(std::string_view name) const { return (folder_.path() / name).string(); }
  void write(std::string_view name, std::string_view text) const { std::ofstream(path(name)) << text; }
  boost::json::object json_output() {
    auto parsed = codec::parse_json_object(std::exchange(world_.output, {}));
    EXPECT_TRUE(parsed.ok());
    return parsed.ok() ? std::move(parsed).value() : boost::json::object();
  }
  // A WordPiece tokenizer of a few words.
  std::string trained(std::string_view name, std::string_view size) {
    write("corpus.txt", "hello world hello worlds\nhello hello wording\n");
    const std::string corpus = path("corpus.txt"), out = path(name);
    EXPECT_EQ(run(world_, "tokenizer train",
                  {"--type", "wordpiece", "--vocab-size", size, "--special-token", "[UNK]", "--out", out,
                   "--json", corpus}),
              exit_done)
        << world_.output << world_.complaints;
    return out;
  }

  io::TemporaryFolder folder_;
  RecordingWorld world_;
};

TEST_F(TokenizerCommands, a_trained_tokenizer_is_shown_stage_by_stage) {
  const std::string file = trained("a.json", "30");
  EXPECT_EQ(json_output().at("vocab_size").to_number<int>(), 30);
  ASSERT_EQ(run(world_, "tokenizer inspect", {file, "Hello worlds", "--json"}), exit_done)
      << world_.complaints;
  const boost::json::object shown = json_output();
  EXPECT_EQ(shown.at("normalized").as_array().at(0).at("text"), "hello worlds");
  EXPECT_EQ(shown.at("pre_tokenized").as_array().size(), 2U);
  EXPECT_EQ(shown.at("encoding").at("tokens").as_array().at(0), "hello");
  ASSERT_EQ(run(world_, "tokenizer inspect", {file, "Hello worlds"}), exit_done);
  EXPECT_NE(world_.output.find("pre-tokenized"), std::string::npos);
}

TEST_F(TokenizerCommands, diff_names_the_texts_and_fails_where_two_differ) {
  const std::string small = trained("small.json", "20"), large = trained("large.json", "30");
  world_.output.clear();
  EXPECT_EQ(run(world_, "tokenizer diff", {small, small}), exit_done);
  EXPECT_NE(world_.output.find("the same content; 0 of"), std::string::npos) << world_.output;
  world_.output.clear();
  write("texts.txt", "hello\nzzz\n");
  const std::string texts = path("texts.txt");
  EXPECT_EQ(run(world_, "tokenizer diff", {small, large, "--texts", texts, "--json"}), exit_failed);
  const boost::json::object answer = json_output();
  EXPECT_EQ(answer.at("texts").to_number<int>(), 2);
  EXPECT_NE(answer.at("first_digest"), answer.at("second_digest"));
}

TEST_F(TokenizerCommands, convert_writes_what_a_folder_means) {
  write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\n");
  const std::string from = folder_.path().string(), out = path("made.json");
  ASSERT_EQ(run(world_, "tokenizer convert", {from, out, "--json"}), exit_done) << world_.output;
  EXPECT_EQ(json_output().at("source"), "vocab.txt");
  EXPECT_TRUE(std::filesystem::exists(path("made.json")));
}

TEST_F(TokenizerCommands, what_cannot_be_done_says_why) {
  const std::string none = path("none.json");
  EXPECT_EQ(run(world_, "tokenizer inspect", {none, "text"}), exit_failed);
  EXPECT_EQ(run(world_, "tokenizer train", {"--type", "magic", "--out", none, none}), exit_misused);
  EXPECT_EQ(run(world_, "tokenizer diff", {none}), exit_misused);
  EXPECT_NE(world_.complaints.find("--type is one of"), std::string::npos) << world_.complaints;
}

}  // namespace
}  // namespace holdfast::cli
