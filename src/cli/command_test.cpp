#include "cli/command.h"

#include <gtest/gtest.h>

#include "cli/recording_world.h"

namespace holdfast::cli {
namespace {

std::vector<Command> sample() {
  auto say = [](const char* text) {
    return [text](World& world, std::span<const std::string_view> rest) {
      world.print(text);
      for (auto word : rest) world.print("|" + std::string(word));
      return exit_done;
    };
  };
  return {{"run", "TASK", "Runs.", "holdfast run x", say("run")},
          {"user create", "NAME", "Makes a user.", "holdfast user create ada", say("create")},
          {"user list", "", "Lists users.", "holdfast user list", say("list")}};
}

TEST(Dispatch, finds_verbs_and_nouns_and_says_what_is_wrong) {
  struct Case {
    const char* why;
    std::vector<std::string_view> arguments;
    int exit;
    const char* output_part;
    const char* complaint_part;
  };
  const Case cases[] = {
      {"a verb with arguments", {"run", "a", "--b"}, 0, "run|a|--b", ""},
      {"noun and verb", {"user", "create", "ada"}, 0, "create|ada", ""},
      {"no arguments", {}, 0, "user create", ""},
      {"help for one", {"user", "create", "--help"}, 0, "example: holdfast user create ada", ""},
      {"help in front", {"help"}, 0, "usage: holdfast COMMAND", ""},
      {"a noun alone", {"user"}, 2, "user list", ""},
      {"unknown verb", {"fly"}, 2, "", "there is no command 'fly'"},
      {"unknown verb of a noun", {"user", "fly"}, 2, "", "there is no command 'user fly'"},
  };
  for (const Case& row : cases) {
    RecordingWorld world;
    EXPECT_EQ(dispatch(sample(), world, row.arguments), row.exit) << row.why;
    EXPECT_NE(world.output.find(row.output_part), std::string::npos) << row.why << ": " << world.output;
    EXPECT_NE(world.complaints.find(row.complaint_part), std::string::npos)
        << row.why << ": " << world.complaints;
  }
}

TEST(Report, misuse_and_failure_have_their_own_exit_codes) {
  RecordingWorld world;
  EXPECT_EQ(report(world, fail(Reason::bad_request, "no such flag")), exit_misused);
  EXPECT_EQ(world.complaints, "holdfast: no such flag\n");
  EXPECT_EQ(report(world, fail(Reason::disk_full, "the disk is \"full\""), Output::json), exit_failed);
  EXPECT_EQ(world.output,
            "{\"error\":\"the disk is \\\"full\\\"\",\"code\":\"disk_full\",\"retryable\":true}\n");
}

TEST(Commands, every_row_has_a_summary_and_an_example_of_itself) {
  for (const Command& command : commands()) {
    EXPECT_FALSE(command.summary.empty()) << command.words;
    EXPECT_NE(command.example.find("holdfast " + command.words), std::string::npos) << command.words;
  }
}

}  // namespace
}  // namespace holdfast::cli
