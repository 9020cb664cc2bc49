#include "api/task_body.h"

#include <gtest/gtest.h>

#include "codec/base64.h"

namespace holdfast::api {
namespace {

net::Request request(std::string type, std::string body) {
  net::Request out;
  out.method = "POST";
  if (!type.empty()) out.headers.set("Content-Type", type);
  out.body = std::move(body);
  return out;
}

std::string filled(std::string begin) {
  begin.resize(90, 'x');
  return codec::base64_encode(as_bytes(begin));
}

TEST(TaskBody, AnImageIsTakenAsItIs) {
  const net::Request asked = request("image/png", "\x89PNG {not json}");
  const auto body = read_task_body(asked);
  ASSERT_TRUE(body.ok());
  EXPECT_EQ(body.value().file, asked.body);
  EXPECT_TRUE(body.value().json.at("inputs").is_null());
}

TEST(TaskBody, BytesOfNoSaidTypeAreAFileUnlessTheyBeginAsJson) {
  const net::Request file = request("", "RIFF....WAVE");
  EXPECT_EQ(read_task_body(file).value().file, "RIFF....WAVE");
  const net::Request json = request("", R"({"inputs": "a"})");
  EXPECT_TRUE(read_task_body(json).value().file.empty());
  EXPECT_EQ(read_task_body(json).value().json.at("inputs"), "a");
}

TEST(TaskBody, JsonThatIsNoneIsRefusedAndSoIsAnEmptyFile) {
  EXPECT_EQ(read_task_body(request("application/json", "{")).error().reason, Reason::bad_request);
  EXPECT_EQ(read_task_body(request("audio/wav", "")).error().reason, Reason::bad_request);
}

TEST(HoldsFile, EveryFormatThatIsReadHereIsToldByItsBase64) {
  for (const char* begin : {"\x89PNG\r\n\x1a\n", "\xff\xd8\xff\xe0", "RIFF1234WEBP", "RIFF1234WAVE", "OggS",
                            "fLaC", "ID3", "\xff\xfb\x90", "\xff\xf3\x40", "\xff\xe3\x18"})
    EXPECT_TRUE(holds_file(filled(begin))) << begin;
  EXPECT_TRUE(holds_file("data:image/png;base64," + filled("\x89PNG")));
}

TEST(HoldsFile, TextsAreNone) {
  EXPECT_FALSE(holds_file("//a comment of some code that goes on for more than the shortest file could"));
  EXPECT_FALSE(holds_file("data: a list of what was measured, and more words so that it is long enough"));
  EXPECT_FALSE(holds_file("iVBORw0K"));
  EXPECT_FALSE(holds_file(filled("a text that somebody encoded")));
}

}  // namespace
}  // namespace holdfast::api
