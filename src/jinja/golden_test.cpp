// The chat templates of the reference data against what transformers 5.23 rendered.
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "codec/json.h"
#include "io/reference_data.h"
#include "jinja/chat.h"

namespace holdfast::jinja {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

boost::json::object parsed(const fs::path& path) { return codec::parse_json_object(read(path)).value(); }

std::string key_of(const boost::json::object& golden) {
  return golden.contains("expected") ? "expected" : "error_message";
}

// Runs every case of one golden file; gives how many there were.
size_t check(const fs::path& golden_path, const boost::json::object& conversations) {
  const boost::json::object golden = parsed(golden_path);
  const std::string name(golden.at("template").as_string());
  const auto chat_template = Template::parse(read(golden_path.parent_path() / name));
  EXPECT_TRUE(chat_template.ok()) << name << ": " << chat_template.error().message;
  if (!chat_template.ok()) return 0;
  size_t count = 0;
  for (const auto& one : golden.at("cases").as_array()) {
    const boost::json::object& wanted = one.as_object();
    boost::json::object given = conversations;
    given["conversation"] = wanted.at("conversation");
    given["add_generation_prompt"] = wanted.at("add_generation_prompt");
    const auto request = chat_request(given, WallTime{});
    EXPECT_TRUE(request.ok()) << request.error().message;
    const auto text = render_chat(chat_template.value(), request.value());
    const std::string expected(wanted.at(key_of(wanted)).as_string());
    const std::string where = name + " " + codec::to_text(wanted.at("conversation"));
    ++count;
    if (wanted.contains("expected")) {
      EXPECT_TRUE(text.ok()) << where << ": " << text.error().message;
      EXPECT_EQ(text.ok() ? text.value() : "", expected) << where;
    } else {
      EXPECT_FALSE(text.ok()) << where;
      if (text.ok()) continue;
      EXPECT_TRUE(text.error().message.starts_with("line ")) << text.error().message;
      EXPECT_NE(text.error().message.find(expected), std::string::npos)
          << where << ": " << text.error().message;
    }
  }
  return count;
}

size_t check_folder(const fs::path& folder) {
  const boost::json::object conversations = parsed(folder / "conversations.json");
  size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().string().ends_with(".golden.json")) count += check(entry.path(), conversations);
  return count;
}

TEST(ChatTemplates, CommittedGoldensAreExact) {
  EXPECT_GE(check_folder("tests/golden/chat-templates"), 100U);
}

TEST(ChatTemplates, AllReferenceDataIsExact) {
  const auto folder = io::reference_data("models/chat-templates");
  if (!folder) GTEST_SKIP() << io::reference_data_missing;
  EXPECT_GE(check_folder(*folder), 300U);
}

}  // namespace
}  // namespace holdfast::jinja
