#include "git/lfs_pointer.h"

#include <gtest/gtest.h>

#include "git/pkt_line.h"

namespace holdfast::git {
namespace {

const std::string hash(64, 'a');
const std::string head = "version https://git-lfs.github.com/spec/v1\n";

TEST(LfsPointer, FormatsTheSpecsTextAndReadsItBack) {
  const LfsPointer pointer{hash, 12345};
  const std::string text = head + "oid sha256:" + hash + "\nsize 12345\n";
  EXPECT_EQ(format_lfs_pointer(pointer), text);
  EXPECT_EQ(parse_lfs_pointer(text), pointer);
}

TEST(LfsPointer, IsLenientWhereGitLfsIsAndStrictElsewhere) {
  struct Case {
    const char* why;
    std::string text;
    bool good;
  };
  const std::string oid = "oid sha256:" + hash + "\n";
  const Case cases[] = {
      {"no last newline", head + oid + "size 1", true},
      {"carriage returns",
       "version https://git-lfs.github.com/spec/v1\r\noid sha256:" + hash + "\r\nsize 1\r\n", true},
      {"extension", head + "ext-0-foo sha256:" + hash + "\n" + oid + "size 1\n", true},
      {"old version", "version https://hawser.github.com/spec/v1\n" + oid + "size 1\n", true},
      {"size zero", head + oid + "size 0\n", true},
      {"empty", "", false},
      {"version alone", head, false},
      {"other version", "version https://example.org/v1\n" + oid + "size 1\n", false},
      {"wrong order", head + "size 1\n" + oid, false},
      {"upper-case digits", head + "oid sha256:" + std::string(64, 'A') + "\nsize 1\n", false},
      {"short hash", head + "oid sha256:abc\nsize 1\n", false},
      {"other algorithm", head + "oid sha512:" + hash + "\nsize 1\n", false},
      {"negative size", head + oid + "size -1\n", false},
      {"huge size", head + oid + "size 99999999999999999999\n", false},
      {"size with more", head + oid + "size 1x\n", false},
      {"a line more", head + oid + "size 1\nand more\n", false},
      {"too long", head + oid + "size 1\n" + std::string(1024, '\n'), false},
  };
  for (const auto& [why, text, good] : cases) EXPECT_EQ(parse_lfs_pointer(text).has_value(), good) << why;
}

TEST(PktLine, ReadsWhatItFormatsAndRefusesTheRest) {
  const std::string stream = format_pkt("hello\n") + std::string(flush_pkt) + "0001" + "0002" + "0004" +
                             format_pkt(std::string(pkt_payload_bytes_max, 'x'));
  ByteView rest = as_bytes(stream);
  EXPECT_EQ(take_pkt(rest).value()->text(), "hello");
  EXPECT_EQ(take_pkt(rest).value()->kind, PktKind::flush);
  EXPECT_EQ(take_pkt(rest).value()->kind, PktKind::delimiter);
  EXPECT_EQ(take_pkt(rest).value()->kind, PktKind::response_end);
  EXPECT_EQ(take_pkt(rest).value()->payload, "");
  EXPECT_EQ(take_pkt(rest).value()->payload.size(), pkt_payload_bytes_max);
  EXPECT_FALSE(take_pkt(rest).value().has_value());
  for (const char* bad : {"0003", "fff1x", "-001", "00g0"}) {
    ByteView bytes = as_bytes(bad);
    EXPECT_EQ(take_pkt(bytes).error().code, Code::corrupt) << bad;
  }
}

}  // namespace
}  // namespace holdfast::git
