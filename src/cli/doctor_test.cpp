#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <map>

#include "cli/recording_world.h"
#include "codec/json.h"
#include "io/temporary_folder.h"

namespace holdfast::cli {
namespace {

std::map<std::string, std::string> healths(const RecordingWorld& world) {
  std::map<std::string, std::string> out;
  const auto told = codec::parse_json_object(world.output).value();
  for (const auto& look : told.at("looks").as_array())
    out[std::string(look.at("look").as_string())] = look.at("health").as_string();
  return out;
}

int call(RecordingWorld& world, std::vector<std::string_view> arguments) {
  world.output.clear();
  return dispatch(commands(), world, arguments);
}

TEST(Doctor, AHealthyInstanceIsHealthyAndNothingIsLeftBehind) {
  io::TemporaryFolder folder;
  const std::string data = folder.path() / "data";
  RecordingWorld world;
  ASSERT_EQ(call(world, {"user", "create", "ada", "--data", data}), exit_done) << world.complaints;
  const auto count = [&] {
    const std::filesystem::recursive_directory_iterator files(data);
    return std::distance(begin(files), end(files));
  };
  const auto before = count();
  EXPECT_EQ(call(world, {"doctor", "--data", data, "--json"}), exit_done) << world.output;
  const auto found = healths(world);
  for (const char* look : {"machine", "git", "instance", "database", "clock"})
    EXPECT_EQ(found.at(look), "ok") << look;
  EXPECT_EQ(found.at("server"), "skipped");
  EXPECT_NE(found.at("disk"), "failed");
  call(world, {"doctor", "--data", data, "--json"});
  EXPECT_GE(before + 8, count());  // The database's own files beside it at the most.
  EXPECT_EQ(call(world, {"doctor", "--data", data}), exit_done);
  EXPECT_NE(world.output.find("healthy"), std::string::npos);
}

TEST(Doctor, AFolderWithoutAnInstanceIsToldAndNotMade) {
  io::TemporaryFolder folder;
  const std::string data = folder.path() / "none";
  RecordingWorld world;
  EXPECT_EQ(call(world, {"doctor", "--data", data, "--json"}), exit_failed);
  const auto found = healths(world);
  EXPECT_EQ(found.at("instance"), "failed");
  EXPECT_EQ(found.at("disk"), "skipped");
  EXPECT_FALSE(std::filesystem::exists(data));
}

TEST(Doctor, AClockBeforeTheAuditLogIsFound) {
  io::TemporaryFolder folder;
  const std::string data = folder.path() / "data";
  RecordingWorld later, world;
  later.manual_clock.advance(std::chrono::hours(24));
  ASSERT_EQ(call(later, {"user", "create", "ada", "--data", data}), exit_done) << later.complaints;
  EXPECT_EQ(call(world, {"doctor", "--data", data, "--json"}), exit_failed);
  EXPECT_EQ(healths(world).at("clock"), "failed") << world.output;
}

TEST(Doctor, AServerThatDoesNotAnswerIsBroken) {
  io::TemporaryFolder folder;
  const std::string data = folder.path() / "data";
  RecordingWorld world;
  ASSERT_EQ(call(world, {"user", "create", "ada", "--data", data}), exit_done);
  EXPECT_EQ(call(world,
                 {"doctor", "--data", data, "--json", "--endpoint", "http://127.0.0.1:1", "--token", "hf_x"}),
            exit_failed);
  EXPECT_EQ(healths(world).at("server"), "failed") << world.output;
}

}  // namespace
}  // namespace holdfast::cli
