#include "content/xorb.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "codec/lz4.h"
#include "content/packer.h"
#include "content/xorb_sample.h"

namespace holdfast::content {
namespace {

struct Read {
  Result<XorbTable> table;
  uint64_t chunk_bytes;
};
Read read_xorb(ByteView bytes, const XorbHash& hash, size_t piece = 70'000) {
  XorbParser parser;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    Status status = parser.write(bytes.subspan(at, std::min(piece, bytes.size() - at)));
    if (!status.ok()) return {status.error(), 0};
  }
  auto table = parser.finish(hash);
  const uint64_t used = table.ok() ? table.value().stored_bytes() : 0;
  return {std::move(table), used};
}

TEST(Xorb, ComesBackFromEverySchemeAndInAnyPieces) {
  const uint64_t seed = SystemRandom().u64();
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  for (int round = 0; round < 20; ++round) {
    const SampleXorb sample = make_sample_xorb(random, 1 + random.below(12));
    const auto [table, used] =
        read_xorb(sample.bytes, sample.hash, 1 + random.below(round % 2 == 0 ? 90 : 300'000));
    ASSERT_TRUE(table.ok()) << table.error().message;
    EXPECT_EQ(used, sample.bytes.size());
    ASSERT_EQ(table.value().size(), sample.chunks.size());
    auto again = XorbTable::unpack(table.value().pack());
    ASSERT_TRUE(again.ok());
    for (size_t i = 0; i < sample.chunks.size(); ++i) {
      const XorbTable& t = again.value();
      EXPECT_EQ(t[i].hash, hash_chunk(sample.chunks[i]));
      Bytes chunk(t.length(i));
      const ByteView stored =
          ByteView(sample.bytes).subspan(t.stored_begin(i), t[i].stored_end - t.stored_begin(i));
      ASSERT_TRUE(decode_chunk(t[i].scheme, stored.subspan(chunk_header_bytes), chunk).ok());
      EXPECT_EQ(chunk, sample.chunks[i]);
    }
  }
}

TEST(Xorb, AFooterIsReadOver) {
  SeededRandom random(1);
  const SampleXorb sample = make_sample_xorb(random, 3);
  Bytes with_footer = sample.bytes;
  const auto append = [&](ByteView more) { with_footer.insert(with_footer.end(), more.begin(), more.end()); };
  append(as_bytes("XETBLOB\x01"));
  append(sample.hash.bytes);
  append(as_bytes("XBLBHSH and so on"));
  const auto [table, used] = read_xorb(with_footer, sample.hash, 11);
  ASSERT_TRUE(table.ok()) << table.error().message;
  EXPECT_EQ(used, sample.bytes.size());
  with_footer[sample.bytes.size() + 9] ^= std::byte{1};
  EXPECT_FALSE(read_xorb(with_footer, sample.hash).table.ok());
}

TEST(Xorb, WrongBytesAreRefused) {
  SeededRandom random(2);
  const SampleXorb sample = make_sample_xorb(random, 4);
  const auto reason_of = [&](const Bytes& bytes) {
    auto table = read_xorb(bytes, sample.hash).table;
    return table.ok() ? Reason::none : table.error().reason;
  };
  ASSERT_EQ(reason_of(sample.bytes), Reason::none);
  Bytes changed = sample.bytes;
  changed[0] = std::byte{1};
  EXPECT_EQ(reason_of(changed), Reason::bad_request) << "version";
  changed = sample.bytes;
  changed[4] = std::byte{3};
  EXPECT_EQ(reason_of(changed), Reason::bad_request) << "scheme";
  for (const size_t cut : {size_t{1}, size_t{5}, sample.bytes.size() / 2, sample.bytes.size() - 1}) {
    const Bytes part(sample.bytes.begin(), sample.bytes.begin() + cut);
    EXPECT_NE(reason_of(part), Reason::none) << cut;
  }
  EXPECT_EQ(reason_of({}), Reason::bad_request);
  Bytes twice = sample.bytes;
  twice.insert(twice.end(), sample.bytes.begin(), sample.bytes.end());
  EXPECT_EQ(reason_of(twice), Reason::digest_mismatch);
  for (int round = 0; round < 300; ++round) {
    changed = sample.bytes;
    changed[random.below(changed.size())] ^= static_cast<std::byte>(1 + random.below(255));
    const Reason reason = reason_of(changed);
    if (reason == Reason::none) {  // A bit that LZ4 does not look at: the chunks must then be the same.
      auto table = read_xorb(changed, sample.hash).table;
      EXPECT_EQ(hash_xorb(table.value().leaves()), sample.hash);
    }
  }
}

TEST(Xorb, LimitsHold) {
  XorbParser parser;
  const ChunkHeaderBytes header = write_chunk_header({.scheme = Scheme::raw, .stored = 1, .length = 1});
  Bytes tiny(header.begin(), header.end());
  tiny.push_back(std::byte{1});
  for (size_t i = 0; i < xorb_chunks_max; ++i) ASSERT_TRUE(parser.write(tiny).ok());
  EXPECT_FALSE(parser.write(tiny).ok());

  // As hf_xet fills one: 64 MiB of chunks, and their headers on top.
  const Bytes whole(chunk_bytes_max, std::byte{1});
  const ChunkHeaderBytes large =
      write_chunk_header({.scheme = Scheme::raw, .stored = chunk_bytes_max, .length = chunk_bytes_max});
  XorbParser full;
  for (size_t i = 0; i < xorb_bytes_max / chunk_bytes_max; ++i)
    ASSERT_TRUE(full.write(large).ok() && full.write(whole).ok()) << i;
  EXPECT_FALSE(full.write(large).ok() && full.write(whole).ok());

  // A bomb: little on the wire, 128 KiB each.
  const Bytes zeros(chunk_bytes_max);
  const Bytes packed = codec::lz4_frame_compress(zeros, zeros.size());
  const ChunkHeaderBytes head = write_chunk_header(
      {.scheme = Scheme::lz4, .stored = static_cast<uint32_t>(packed.size()), .length = chunk_bytes_max});
  Bytes bomb(head.begin(), head.end());
  bomb.insert(bomb.end(), packed.begin(), packed.end());
  XorbParser second;
  Status status = Done{};
  size_t taken = 0;
  for (; taken < 1000 && status.ok(); ++taken) status = second.write(bomb);
  EXPECT_EQ(taken, 513U);
  EXPECT_EQ(status.error().reason, Reason::body_too_large);
}

TEST(Packer, RandomBytesStayAsTheyAreAndTablesOfNumbersShrink) {
  SeededRandom random(4);
  ChunkPacker packer;
  Bytes noise(70'000);
  random.fill(noise);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(packer.pack(noise).scheme, Scheme::raw);
  Bytes numbers(70'001);  // Floats of similar size, as weights of a scale are.
  for (size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = i % 4 == 3   ? std::byte{0x3f}
                 : i % 4 == 2 ? std::byte{0x80}
                              : static_cast<std::byte>(random.below(256));
  ChunkPacker fresh;
  const auto packed = fresh.pack(numbers);
  EXPECT_EQ(packed.scheme, Scheme::bg4_lz4);
  EXPECT_LT(packed.bytes.size(), numbers.size() * 6 / 10);
  Bytes back(numbers.size());
  ASSERT_TRUE(decode_chunk(packed.scheme, packed.bytes, back).ok());
  EXPECT_EQ(back, numbers);
  // Random bytes first do not hide what compresses later.
  size_t tries = 0;
  while (packer.pack(numbers).scheme == Scheme::raw) ASSERT_LT(++tries, 10U);
}

}  // namespace
}  // namespace holdfast::content
