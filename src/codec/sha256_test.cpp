#include "codec/sha256.h"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::codec {
namespace {

std::string text_of(const Sha256Digest& digest) {
  std::string text;
  for (const std::byte byte : digest) {
    text += "0123456789abcdef"[std::to_integer<int>(byte) >> 4];
    text += "0123456789abcdef"[std::to_integer<int>(byte) & 15];
  }
  return text;
}

TEST(Sha256, GivesThePublishedDigests) {  // FIPS 180-2, appendix B.
  EXPECT_EQ(text_of(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(text_of(sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 state;
  for (int i = 0; i < 1000; ++i) state.update(as_bytes(std::string(1000, 'a')));
  EXPECT_EQ(text_of(state.finish()), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, CanBeMoved) {
  Sha256 first;
  first.update(as_bytes("ab"));
  Sha256 second = std::move(first);
  second.update(as_bytes("c"));
  EXPECT_EQ(second.finish(), sha256(as_bytes("abc")));
}

}  // namespace
}  // namespace holdfast::codec
