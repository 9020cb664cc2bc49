#include "codec/base64.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "codec/hex.h"

namespace holdfast::codec {
namespace {

struct Case {
  const char* why;
  std::string_view hex, standard, url;
};
// Answers of Python's base64 module.
constexpr Case cases[] = {
    {"nothing", "", "", ""},
    {"one byte", "66", "Zg==", "Zg=="},
    {"two bytes", "666f", "Zm8=", "Zm8="},
    {"three bytes", "666f6f", "Zm9v", "Zm9v"},
    {"four bytes", "666f6f62", "Zm9vYg==", "Zm9vYg=="},
    {"five bytes", "666f6f6261", "Zm9vYmE=", "Zm9vYmE="},
    {"six bytes", "666f6f626172", "Zm9vYmFy", "Zm9vYmFy"},
    {"the letters that differ", "fbfffe3ebf", "+//+Pr8=", "-__-Pr8="},
    {"zeros", "00000000", "AAAAAA==", "AAAAAA=="},
    {"ones", "ffffffffffffff", "/////////w==", "_________w=="},
};

TEST(Base64, both_alphabets_agree_with_python) {
  for (const auto& [why, hex, standard, url] : cases) {
    const Bytes bytes = from_hex(hex).value();
    EXPECT_EQ(base64_encode(bytes), standard) << why;
    EXPECT_EQ(base64_encode(bytes, Base64Alphabet::url), url) << why;
    EXPECT_EQ(base64_decode(standard).value(), bytes) << why;
    EXPECT_EQ(base64_decode(url, Base64Alphabet::url).value(), bytes) << why;
    const std::string bare = base64_encode(bytes, Base64Alphabet::url, Base64Padding::bare);
    EXPECT_EQ(bare, url.substr(0, url.find('='))) << why;
    EXPECT_EQ(base64_decode(bare, Base64Alphabet::url).value(), bytes) << why;
  }
}

// Whether b64decode(text, validate=True) takes it; where we differ from it, the reason says so.
struct Refusal {
  const char* why;
  std::string_view text;
  bool taken;
};
constexpr Refusal refusals[] = {
    {"a space", "Zm 9v", false},
    {"a newline", "Zm9v\n", false},
    {"one character", "Z", false},
    {"five characters", "Zm9vY", false},
    {"padding alone", "=", false},
    {"padding alone, four", "====", false},
    {"padding inside", "Zg==Zg==", false},
    {"one sign too many", "Zm8==", false},
    {"one sign too few", "Zg=", false},
    {"unused bits set", "Zh==", true},
    {"another alphabet", "-_-_", false},
    {"not ASCII", "Zm9\303", false},
    {"text without its padding, unlike Python", "Zg", true},
};

TEST(Base64, malformed_text_is_refused_as_python_refuses_it) {
  for (const auto& [why, text, taken] : refusals) EXPECT_EQ(base64_decode(text).ok(), taken) << why;
}

TEST(Base64, pieces_of_any_size_give_the_same_bytes) {
  SeededRandom random(11);
  for (int round = 0; round < 300; ++round) {
    Bytes bytes(random.below(200));
    random.fill(bytes);
    const std::string text = base64_encode(bytes);
    Base64Decoder decoder;
    Bytes out;
    for (size_t at = 0; at < text.size();) {
      const size_t count = std::min<size_t>(random.below(9), text.size() - at);
      ASSERT_TRUE(decoder.update(std::string_view(text).substr(at, count), out).ok());
      at += count;
    }
    ASSERT_TRUE(decoder.finish(out).ok());
    ASSERT_EQ(out, bytes) << "round " << round;
  }
}

TEST(Base64, a_refused_stream_stays_refused) {
  Base64Decoder decoder;
  Bytes out;
  EXPECT_FALSE(decoder.update("Zm9v!", out).ok());
  EXPECT_FALSE(decoder.update("Zm9v", out).ok());
  EXPECT_FALSE(decoder.finish(out).ok());
}

}  // namespace
}  // namespace holdfast::codec
