#include "git/attributes.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "git/ignore.h"
#include "git/test_world.h"

namespace holdfast::git {
namespace {

const char* pieces[] = {"a",   "b",    "*", "**",    "?",           "/",   "/",   "[ab]", "[!a]", "[a-c]",
                        "\\*", ".bin", "c", "*.bin", "[[:alpha:]]", "**/", "/**", "\\",   "[",    "-"};
const char* names[] = {"a", "b", "c", "ab", "a.bin", "*", "x.bin", "abc"};

std::string random_pattern(Random& random) {
  std::string pattern;
  for (uint64_t i = random.below(5) + 1; i > 0; --i) pattern += pieces[random.below(std::size(pieces))];
  return pattern;
}

std::string random_path(Random& random) {
  std::string path;
  for (uint64_t i = random.below(4) + 1; i > 0; --i)
    path += (path.empty() ? "" : "/") + std::string(names[random.below(std::size(names))]);
  return path;
}

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

TEST(LfsAttributes, AgreesWithGitCheckAttrOnRandomFiles) {
  const char* effects[] = {"filter=lfs diff=lfs merge=lfs -text",
                           "filter=lfs",
                           "-filter",
                           "!filter",
                           "filter=other",
                           "filter",
                           "text",
                           "big",
                           "-big",
                           "big -filter",
                           "filter=lfs -filter",
                           "filter=lfs bad$name",
                           "!big"};
  TestWorld world;
  world.write("work/x", "");
  world.out({"init", "-q"}, "", "work");
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SeededRandom random(seed);
    LfsAttributes ours;
    std::filesystem::remove_all(world.folder() / "work/a");
    for (const std::string folder : {"", "a", "a/b"}) {
      std::string text = folder.empty() && random.below(2) == 0 ? "[attr]big filter=lfs diff=lfs\n" : "";
      for (uint64_t i = random.below(8); i > 0; --i)
        text += random_pattern(random) + " " + effects[random.below(std::size(effects))] +
                (random.below(5) == 0 ? "\r\n" : "\n");
      world.write("work/" + (folder.empty() ? "" : folder + "/") + ".gitattributes", text);
      ASSERT_TRUE(ours.add(folder, text).ok());
    }
    std::string paths;
    for (int i = 0; i < 40; ++i) paths += random_path(random) + "\n";
    const auto answers = split_lines(world.out({"check-attr", "--stdin", "filter"}, paths, "work"));
    const auto asked = split_lines(paths);
    ASSERT_EQ(answers.size(), asked.size());
    for (size_t i = 0; i < asked.size(); ++i)
      EXPECT_EQ(ours.is_lfs(asked[i]), answers[i].ends_with(": filter: lfs"))
          << "seed " << seed << ": " << answers[i];
  }
}

TEST(IgnoreRules, AgreeWithGitCheckIgnoreOnRandomFiles) {
  TestWorld world;
  world.write("work/x", "");
  world.out({"init", "-q"}, "", "work");
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SeededRandom random(seed);
    std::string text;
    for (uint64_t i = random.below(8); i > 0; --i)
      text += (random.below(4) == 0 ? "!" : "") + random_pattern(random) + (random.below(4) == 0 ? "/" : "") +
              (random.below(5) == 0 ? "  " : "") + (random.below(5) == 0 ? "\r\n" : "\n");
    world.write("work/.gitignore", text);
    const auto ours = IgnoreRules::parse(text);
    ASSERT_TRUE(ours.ok());
    std::string paths;
    for (int i = 0; i < 40; ++i) paths += random_path(random) + "\n";
    const auto answers =
        split_lines(world.git({"check-ignore", "--no-index", "--stdin", "-v", "-n"}, paths, "work").output);
    const auto asked = split_lines(paths);
    ASSERT_EQ(answers.size(), asked.size());
    for (size_t i = 0; i < asked.size(); ++i) {
      // SOURCE:LINE:PATTERN<tab>PATH; "::" when nothing matched, a pattern with '!' when it was taken back.
      const std::string pattern = answers[i].substr(0, answers[i].find('\t'));
      const size_t second = pattern.find(':', pattern.find(':') + 1);
      const bool ignored = !pattern.starts_with("::") && pattern[second + 1] != '!';
      EXPECT_EQ(ours.value().ignores(asked[i]), ignored) << "seed " << seed << ": " << answers[i] << "\n"
                                                         << text;
    }
  }
}

TEST(LfsAttributes, DefaultsCoverTheUsualFiles) {
  LfsAttributes model, dataset;
  ASSERT_TRUE(model.add("", default_model_attributes()).ok());
  ASSERT_TRUE(dataset.add("", default_dataset_attributes()).ok());
  for (const char* path : {"model.safetensors", "a/b/pytorch_model.bin", "saved_model/variables/x",
                           "events.tfevents.123", "x.tar.gz"}) {
    EXPECT_TRUE(model.is_lfs(path)) << path;
    EXPECT_TRUE(dataset.is_lfs(path)) << path;
  }
  for (const char* path : {"README.md", "config.json", ".gitattributes", "bin", "tokenizer.json"}) {
    EXPECT_FALSE(model.is_lfs(path)) << path;
    EXPECT_FALSE(dataset.is_lfs(path)) << path;
  }
  EXPECT_TRUE(dataset.is_lfs("images/cat.png"));
  EXPECT_FALSE(model.is_lfs("images/cat.png"));
}

TEST(LfsAttributes, QuotedPatternsAndBoundsHold) {
  LfsAttributes attributes;
  ASSERT_TRUE(attributes.add("", "\"a b\\303\\244\" filter=lfs\n\"broken\n").ok());
  EXPECT_TRUE(attributes.is_lfs("a bä"));
  EXPECT_EQ(attributes.add("", std::string(LfsAttributes::file_bytes_max + 1, 'x')).error().code,
            Code::too_large);
  std::string many;
  for (size_t i = 0; i <= LfsAttributes::rules_max; ++i) many += "a filter\n";
  EXPECT_EQ(attributes.add("", many).error().code, Code::too_large);
}

TEST(WildMatch, PatternsThatExplodeEndSoon) {
  std::string pattern = "*";
  for (int i = 0; i < 30; ++i) pattern += "a*";
  EXPECT_FALSE(wild_match(pattern + "b", std::string(200, 'a')));
  EXPECT_FALSE(wild_match(std::string(1000, '*') + "x", std::string(1000, 'y')));
}

}  // namespace
}  // namespace holdfast::git
