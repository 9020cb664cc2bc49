#include "content/hash.h"

#include <gtest/gtest.h>

#include "content/xet_format.h"

namespace holdfast::content {
namespace {

TEST(Hash, TheTextTurnsGroupsOfEightBytes) {
  ChunkHash hash;
  for (size_t i = 0; i < 32; ++i) hash.bytes[i] = static_cast<std::byte>(i);
  const std::string text = "07060504030201000f0e0d0c0b0a090817161514131211101f1e1d1c1b1a1918";
  EXPECT_EQ(to_text(hash), text);
  auto back = parse_hash<ChunkHash>(text);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back.value(), hash);
  for (const std::string& wrong :
       {std::string(), text + "0", text.substr(1), "G" + text.substr(1), "A" + text.substr(1)})
    EXPECT_FALSE(parse_hash<ChunkHash>(wrong).ok()) << wrong;
}

TEST(Hash, OneChunkIsItsOwnXorbAndNoneIsZero) {
  const ChunkLeaf leaf = {hash_chunk(as_bytes("hello")), 5};
  EXPECT_EQ(hash_xorb(std::span(&leaf, 1)).bytes, leaf.hash.bytes);
  EXPECT_TRUE(hash_xorb({}).zero());
  EXPECT_TRUE(hash_file({}).zero());
  EXPECT_NE(hash_file(std::span(&leaf, 1)).bytes, leaf.hash.bytes);
}

TEST(Hash, EveryLeafCountsAndSoDoTheirOrderAndLength) {
  std::vector<ChunkLeaf> leaves;
  for (int i = 0; i < 300; ++i)
    leaves.push_back({hash_chunk(as_bytes("chunk " + std::to_string(i))), 70'000});
  const XorbHash whole = hash_xorb(leaves);
  for (size_t i = 0; i < leaves.size(); i += 17) {
    auto changed = leaves;
    changed[i].hash.bytes[3] ^= std::byte{1};
    EXPECT_NE(hash_xorb(changed), whole) << i;
    changed = leaves;
    changed[i].length += 1;
    EXPECT_NE(hash_xorb(changed), whole) << i;
    changed = leaves;
    std::swap(changed[i], changed[(i + 1) % leaves.size()]);
    EXPECT_NE(hash_xorb(changed), whole) << i;
  }
}

}  // namespace
}  // namespace holdfast::content
