#include "base/options.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

constexpr OptionRow table[] = {
    {.name = "listen", .fallback = "127.0.0.1:8080", .help = "Address and port of the HTTP door."},
    {.name = "role",
     .kind = OptionKind::choice,
     .fallback = "all",
     .help = "What this process does.",
     .choices = "all|hub|worker"},
    {.name = "database", .help = "Where the tables are.", .shown = OptionShown::secret},
    {.name = "serve.queue-max",
     .kind = OptionKind::count,
     .fallback = "256",
     .help = "Requests waiting.",
     .least = 1,
     .most = 10'000},
    {.name = "serve.idle",
     .kind = OptionKind::duration,
     .fallback = "10m",
     .help = "Until it is unloaded.",
     .least = 1000},
    {.name = "serve.cache", .kind = OptionKind::bytes, .fallback = "1GiB", .help = "Memory for answers."},
    {.name = "serve.warm", .kind = OptionKind::flag, .fallback = "false", .help = "Load at the start."},
    {.name = "serve.models", .kind = OptionKind::list, .help = "What to load."},
};

TEST(Options, defaults_hold_where_nothing_is_said) {
  const Options options = Options::read(table, {}).value();
  EXPECT_EQ(options.text("listen"), "127.0.0.1:8080");
  EXPECT_EQ(options.text("role"), "all");
  EXPECT_EQ(options.count("serve.queue-max"), 256);
  EXPECT_EQ(options.duration("serve.idle"), std::chrono::minutes(10));
  EXPECT_EQ(options.bytes("serve.cache"), 1ULL << 30);
  EXPECT_FALSE(options.flag("serve.warm"));
  EXPECT_TRUE(options.list("serve.models").empty());
  EXPECT_EQ(options.source("listen"), "default");
}

TEST(Options, flag_beats_environment_beats_file) {
  OptionSources sources;
  sources.file = parse_option_file(R"(
listen = "file:1"
role = "hub"
[serve]
queue-max = 3
idle = "5s"
cache = "2MB"
warm = true
models = ["a", "b"]
)")
                     .value();
  sources.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "HOLDFAST_LISTEN") return "environment:2";
    if (name == "HOLDFAST_SERVE_QUEUE_MAX") return "4";
    return std::nullopt;
  };
  sources.flags = {{"listen", "flag:0"}, {"listen", "flag:3"}};
  const Options options = Options::read(table, sources).value();
  EXPECT_EQ(options.text("listen"), "flag:3");
  EXPECT_EQ(options.count("serve.queue-max"), 4);
  EXPECT_EQ(options.text("role"), "hub");
  EXPECT_EQ(options.duration("serve.idle").count(), 5000);
  EXPECT_EQ(options.bytes("serve.cache"), 2'000'000U);
  EXPECT_TRUE(options.flag("serve.warm"));
  EXPECT_EQ(options.list("serve.models"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(options.source("serve.queue-max"), "environment");
  EXPECT_EQ(options.source("role"), "file");
}

struct Refusal {
  const char* why;
  OptionPairs flags;
  std::string_view message;
};
const Refusal refusals[] = {
    {"a slip of the pen",
     {{"serve.queue-mx", "1"}},
     "there is no option 'serve.queue-mx' (flag); did you mean 'serve.queue-max'?"},
    {"nothing like it", {{"colour", "1"}}, "there is no option 'colour' (flag)"},
    {"not a number",
     {{"serve.queue-max", "many"}},
     "option 'serve.queue-max' (flag) must be a whole number, not 'many'"},
    {"too small", {{"serve.queue-max", "0"}}, "option 'serve.queue-max' (flag) must be 1 to 10000"},
    {"too short", {{"serve.idle", "10ms"}}, "option 'serve.idle' (flag) must be at least 1s"},
    {"no unit", {{"serve.idle", "10"}}, "option 'serve.idle' (flag) must be a duration like 30s, not '10'"},
    {"too large",
     {{"serve.cache", "9999999999TiB"}},
     "option 'serve.cache' (flag) must be a size like 512MiB, not '9999999999TiB'"},
    {"not a choice", {{"role", "boss"}}, "option 'role' (flag) must be one of all, hub, worker"},
    {"not a flag", {{"serve.warm", "yes"}}, "option 'serve.warm' (flag) must be true or false, not 'yes'"},
};

TEST(Options, wrong_values_are_refused_with_what_is_allowed) {
  for (const auto& [why, flags, message] : refusals) {
    OptionSources sources;
    sources.flags = flags;
    const auto options = Options::read(table, sources);
    ASSERT_FALSE(options.ok()) << why;
    EXPECT_EQ(options.error().message, message) << why;
  }
}

TEST(Options, a_broken_file_is_refused_with_its_line) {
  EXPECT_NE(parse_option_file("a = 1\nb = = 2\n").error().message.find("line 2"), std::string::npos);
  EXPECT_FALSE(parse_option_file("a = 1.5").ok());
  EXPECT_FALSE(parse_option_file("a = [[1]]").ok());
  EXPECT_FALSE(parse_option_file("a = 2024-01-01").ok());
  EXPECT_FALSE(parse_option_file("a.b.c.d.e.f.g.h.i.j = 1").ok());
  EXPECT_FALSE(parse_option_file("a = \"\xff\"").ok());
}

TEST(Options, secrets_are_not_told) {
  OptionSources sources;
  sources.flags = {{"database", "postgresql://holdfast:hunter2@db/x"}};
  const std::string told = Options::read(table, sources).value().told();
  EXPECT_EQ(told.find("hunter2"), std::string::npos);
  EXPECT_NE(told.find("database = (hidden) (flag)"), std::string::npos);
  EXPECT_NE(told.find("serve.queue-max = 256 (default)"), std::string::npos);
}

TEST(Options, help_and_page_name_every_option) {
  const std::string help = options_help(table), page = options_page(table);
  for (const OptionRow& row : table) {
    EXPECT_NE(help.find("--" + std::string(row.name) + " "), std::string::npos) << row.name;
    EXPECT_NE(page.find("| `" + std::string(row.name) + "` |"), std::string::npos) << row.name;
  }
  EXPECT_NE(page.find("## serve\n"), std::string::npos);
  EXPECT_NE(page.find("all\\|hub\\|worker"), std::string::npos);
  EXPECT_NE(help.find("Requests waiting. [256]"), std::string::npos);
}

TEST(Options, durations_are_told_in_their_largest_unit) {
  for (std::string_view text : {"30s", "1500ms", "2h", "1d", "90m"})
    EXPECT_EQ(format_duration(parse_duration(text).value()), text);
  EXPECT_EQ(format_duration(parse_duration("120s").value()), "2m");
  EXPECT_EQ(format_duration({}), "0s");
}

}  // namespace
}  // namespace holdfast
