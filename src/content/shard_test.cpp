#include "content/shard.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "content/xet_format.h"

namespace holdfast::content {
namespace {

template <class H>
H any(Random& random) {
  H hash;
  random.fill(hash.bytes);
  return hash;
}

Shard sample(Random& random) {
  Shard shard;
  const uint64_t kind = random.below(4);
  for (uint64_t i = random.below(4); i > 0; --i) {
    ShardFile file{.hash = any<FileHash>(random)};
    for (uint64_t term = random.below(5); term > 0; --term)
      file.terms.push_back(
          {{any<XorbHash>(random), {1, 2 + static_cast<uint32_t>(random.below(9))}, random.below(1 << 20)},
           kind % 2 == 0 ? std::optional(any<RangeHash>(random)) : std::nullopt});
    if (kind < 2) random.fill(file.sha256.emplace());
    shard.files.push_back(std::move(file));
  }
  for (uint64_t i = random.below(4); i > 0; --i) {
    ShardXorb xorb{.hash = any<XorbHash>(random), .bytes = 7, .stored_bytes = 9};
    for (uint64_t chunk = random.below(5); chunk > 0; --chunk)
      xorb.chunks.push_back({any<ChunkHash>(random), 3, 4});
    shard.xorbs.push_back(std::move(xorb));
  }
  if (random.below(2) == 0) shard.footer = ShardFooter{.created = 5, .expiry = 6};
  return shard;
}

TEST(Shard, ComesBackAsItWasWritten) {
  const uint64_t seed = SystemRandom().u64();
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  for (int round = 0; round < 200; ++round) {
    const Shard shard = sample(random);
    const Bytes bytes = write_shard(shard);
    auto back = parse_shard(bytes);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(write_shard(back.value()), bytes);
    ASSERT_EQ(back.value().files.size(), shard.files.size());
    for (size_t i = 0; i < shard.files.size(); ++i) {
      EXPECT_EQ(back.value().files[i].hash, shard.files[i].hash);
      EXPECT_EQ(back.value().files[i].sha256, shard.files[i].sha256);
      ASSERT_EQ(back.value().files[i].terms.size(), shard.files[i].terms.size());
      for (size_t t = 0; t < shard.files[i].terms.size(); ++t)
        EXPECT_EQ(back.value().files[i].terms[t].term, shard.files[i].terms[t].term);
    }
    EXPECT_EQ(back.value().footer.has_value(), shard.footer.has_value());
  }
}

TEST(Shard, EveryCutAndManyChangesAreRefusedOrHarmless) {
  SeededRandom random(5);
  Shard shard = sample(random);
  while (shard.files.empty() || shard.xorbs.empty()) shard = sample(random);
  const Bytes bytes = write_shard(shard);
  for (size_t size = 0; size < bytes.size(); ++size) {
    auto cut = parse_shard(ByteView(bytes).first(size));
    ASSERT_FALSE(cut.ok()) << size;
    EXPECT_EQ(cut.error().reason, Reason::bad_request);
  }
  Bytes longer = bytes;
  longer.push_back(std::byte{});
  EXPECT_TRUE(shard.footer || !parse_shard(longer).ok());
  for (int round = 0; round < 3000; ++round) {
    Bytes changed = bytes;
    changed[random.below(changed.size())] = static_cast<std::byte>(random.below(256));
    (void)parse_shard(changed).ok();
  }
}

// hf_xet 1.8.0 takes the offset of the first look-up table for the end of the xorbs, also where there is
// none: with a zero it asks for exabytes and dies.
TEST(Shard, AnAnswerNamesWhereItsMissingTablesWouldBe) {
  Shard shard;
  shard.footer.emplace();
  const Bytes bytes = write_shard(shard);
  const size_t footer = bytes.size() - shard_footer_bytes;
  for (const size_t table : {24, 40, 56}) {
    ByteReader reader(ByteView(bytes).subspan(footer + table));
    EXPECT_EQ(reader.u64().value(), footer);
    EXPECT_EQ(reader.u64().value(), 0U);
  }
}

// The sha256 lies in the shard with each group of eight bytes turned: raw afb0c708c3531342… is the object
// 421353c308c7b0af….
TEST(Shard, TheSha256IsTurned) {
  Shard shard;
  shard.files.push_back(
      {.sha256 = parse_sha256("421353c308c7b0affdf3e204bd4531c56a2a0e9bb33331b0dd695b68a662a919").value()});
  const Bytes bytes = write_shard(shard);
  EXPECT_EQ(bytes[48 + 48], std::byte{0xaf});
  EXPECT_EQ(bytes[48 + 48 + 7], std::byte{0x42});
}

}  // namespace
}  // namespace holdfast::content
