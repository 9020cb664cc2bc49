#include "app/serve_options.h"

#include <gtest/gtest.h>

#include <fstream>

#include "cli/recording_world.h"

namespace holdfast::app {
namespace {

TEST(ServeOptions, the_flag_wins_over_the_environment_and_that_over_the_table) {
  cli::RecordingWorld world;
  EXPECT_EQ(read_serve_options({}, world).value().server.port, 8080);
  world.variables["HOLDFAST_LISTEN"] = "[::1]:9000";
  world.variables["HOLDFAST_NEXT_FREE_PORT"] = "true";
  const auto from_environment = read_serve_options({}, world);
  EXPECT_EQ(from_environment.value().server.address, "::1");
  EXPECT_EQ(from_environment.value().server.port, 9000);
  EXPECT_TRUE(from_environment.value().server.next_free_port);
  const std::string_view words[] = {"--listen=127.0.0.1:0", "--json", "--public-url", "https://hub.example/"};
  const auto from_flags = read_serve_options(words, world);
  EXPECT_EQ(from_flags.value().server.port, 0);
  EXPECT_EQ(from_flags.value().output, cli::Output::json);
  EXPECT_EQ(from_flags.value().public_url, "https://hub.example");
}

TEST(ServeOptions, what_cannot_be_is_refused_with_its_name) {
  struct Case {
    std::vector<std::string_view> words;
    const char* part;
  };
  const Case cases[] = {
      {{"--listen", "8080"}, "--listen is ADDRESS:PORT"},
      {{"--listen", "127.0.0.1:70000"}, "the port of --listen"},
      {{"--log-level", "loud"}, "log-level"},
      {{"--tls-key", "a.pem"}, "go together"},
      {{"--limits.disk-threads", "0"}, "limits.disk-threads"},
      {{"--frobnicate"}, "--frobnicate"},
      {{"--config", "/nowhere/at/all.toml"}, "cannot be read"},
  };
  cli::RecordingWorld world;
  for (const auto& [words, part] : cases) {
    const auto read = read_serve_options(words, world);
    ASSERT_FALSE(read.ok()) << part;
    EXPECT_NE(read.error().message.find(part), std::string::npos) << read.error().message;
  }
}

TEST(ServeOptions, the_page_of_options_shows_this_table) {
  std::ifstream in("docs/options.md");
  const std::string page((std::istreambuf_iterator<char>(in)), {});
  EXPECT_NE(page.find(options_page(serve_options())), std::string::npos)
      << "docs/options.md should hold this:\n"
      << options_page(serve_options());
}

}  // namespace
}  // namespace holdfast::app
