#include "cli/git_hook.h"

#include <gtest/gtest.h>

#include "cli/recording_world.h"

namespace holdfast::cli {
namespace {

TEST(GitHook, OutsideOfAPushItSaysSo) {
  RecordingWorld world;
  const auto commands = git_hook_commands();
  const std::string_view none[] = {"git-hook"}, unknown[] = {"git-hook", "post-receive"};
  EXPECT_EQ(dispatch(commands, world, none), exit_misused);
  EXPECT_EQ(dispatch(commands, world, unknown), exit_failed);
}

}  // namespace
}  // namespace holdfast::cli
