#include <gtest/gtest.h>

#include "codec/crc.h"
#include "codec/hex.h"
#include "codec/hmac.h"
#include "codec/sha1.h"

namespace holdfast::codec {
namespace {

struct Case {
  std::string_view text, sha1_hex, blob_hex, hmac_hex;
  uint32_t crc;
};
// Answers of Python's hashlib, hmac (the text is the key as well) and zlib; blob_hex is git hash-object's.
constexpr Case cases[] = {
    {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
     "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad", 0U},
    {"a", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", "2e65efe2a145dda7ee51d1741299f848e5bf752e",
     "3ecf5388e220da9e0f919485deb676d8bee3aec046a779353b463418511ee622", 3904355907U},
    {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d", "f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f",
     "2f02e24ae2e1fe880399f27600afa88364e6062bf9bbe114b32fa8f23d03608a", 891568578U},
    {"The quick brown fox jumps over the lazy dog", "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
     "ff3bb63948b4b24796d2acd259915f2a9d972638",
     "05ef8d2632d4140db730878ffb03a0bd9b32de06fb74df0471bde777cba1eff7", 1095738169U},
    {"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk",
     "a6b07464c71b03265c8610ec19d82be159582178", "fe368f81e1e34ddbed604d954692665bfafc1d85",
     "2969528916fd38c6046ca5486a825ef9dadab7ed194f3f82b50dd8f2bc107534", 615785828U},
};

TEST(Hashes, agree_with_python_and_git) {
  for (const auto& [text, sha1_hex, blob_hex, hmac_hex, crc] : cases) {
    EXPECT_EQ(to_hex(sha1(as_bytes(text))), sha1_hex);
    EXPECT_EQ(to_hex(git_blob_sha1(as_bytes(text))), blob_hex);
    EXPECT_EQ(to_hex(hmac_sha256(as_bytes(text), as_bytes(text))), hmac_hex);
    EXPECT_EQ(crc32(as_bytes(text)), crc);
  }
}

TEST(Hashes, pieces_give_what_the_whole_gives) {
  Sha1 hash;
  hash.update(as_bytes("ab"));
  hash.update(as_bytes(""));
  hash.update(as_bytes("c"));
  EXPECT_EQ(hash.finish(), sha1(as_bytes("abc")));
  EXPECT_EQ(crc32(as_bytes("c"), crc32(as_bytes("ab"))), crc32(as_bytes("abc")));
}

TEST(Hashes, equality_needs_the_same_length_and_bytes) {
  EXPECT_TRUE(equal_in_constant_time(as_bytes("abc"), as_bytes("abc")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("abc"), as_bytes("abd")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("abc"), as_bytes("ab")));
  EXPECT_TRUE(equal_in_constant_time({}, {}));
}

}  // namespace
}  // namespace holdfast::codec
