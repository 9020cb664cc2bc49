#include "content/chunker.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "codec/hex.h"
#include "codec/sha256.h"
#include "content/gear_table.h"
#include "content/hash.h"
#include "content/python_random.h"
#include "content/xet_format.h"

namespace holdfast::content {
namespace {

std::vector<ChunkLeaf> leaves_of(ByteView file) {
  std::vector<ChunkLeaf> leaves;
  while (!file.empty()) {
    const size_t cut = find_cut(file);
    const size_t size = cut == 0 ? file.size() : cut;
    leaves.push_back({hash_chunk(file.first(size)), size});
    file = file.subspan(size);
  }
  return leaves;
}

TEST(Chunker, TheTableIsTheProtocols) {
  EXPECT_EQ(codec::to_hex(codec::sha256(std::as_bytes(std::span(gear_table)))),
            "e1d3936666d7ae7a977c958e9afcc75f90aaca758ce5fbe4ece61dffefe1912c");
}

// What hf_xet 1.8.0 computed for this file.
TEST(Chunker, GivesTheChunksAndHashesOfTheRealClient) {
  Bytes file = python_random_bytes(1, 400'000);
  for (int i = 0; i < 60'000; ++i)
    for (int byte = 0; byte < 4; ++byte) file.push_back(static_cast<std::byte>(byte));
  ASSERT_EQ(to_text(codec::sha256(file)), "421353c308c7b0affdf3e204bd4531c56a2a0e9bb33331b0dd695b68a662a919");

  const std::vector<ChunkLeaf> leaves = leaves_of(file);
  std::vector<uint64_t> lengths;
  std::vector<ChunkHash> hashes;
  for (const ChunkLeaf& leaf : leaves) {
    lengths.push_back(leaf.length);
    hashes.push_back(leaf.hash);
  }
  EXPECT_EQ(lengths, (std::vector<uint64_t>{43634, 131072, 58382, 117044, 29067, 131072, 129729}));
  EXPECT_EQ(to_text(hash_xorb(leaves)), "03ad2c249e56a6b3f0b990b7ade73553e4cd56f2a54f9776685ef5d67067cae5");
  EXPECT_EQ(to_text(hash_file(leaves)), "0b224c02c58f0a0d7ba4fd132299e3bc957dc68fa796481a9463512007af43e3");
  EXPECT_EQ(to_text(hash_range(hashes)), "ea563bfac3c7ec78e2a219206fde3b20083594ff6f742d9fd6e0389f1d2b54ec");
}

// Bytes in which cuts are frequent, absent or at chosen places.
Bytes input_of(SeededRandom& random, size_t size) {
  Bytes input(size);
  switch (random.below(4)) {
    case 0:
      random.fill(input);
      break;
    case 1:  // A period that may never cut.
      for (size_t i = 0; i < size; ++i) input[i] = static_cast<std::byte>(i % (1 + size % 700));
      break;
    case 2:
      break;
    default:  // Random with long runs.
      random.fill(input);
      for (int run = 0; run < 4 && size > 0; ++run) {
        const size_t from = random.below(size);
        const size_t to = std::min(size, from + random.below(200'000));
        std::fill(input.begin() + from, input.begin() + to, std::byte{7});
      }
  }
  return input;
}

TEST(Chunker, AgreesWithThePlainTwin) {
  const uint64_t seed = SystemRandom().u64();
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  for (int round = 0; round < 150; ++round) {
    const Bytes input = input_of(random, random.below(400'000));
    for (ByteView rest = input; !rest.empty();) {
      const size_t cut = find_cut(rest);
      ASSERT_EQ(cut, find_cut_plain(rest)) << "size " << input.size() << " at " << input.size() - rest.size();
      if (cut == 0) break;
      rest = rest.subspan(cut);
    }
  }
}

TEST(Chunker, AnswersAtEveryLengthAroundACut) {
  SeededRandom random(3);
  Bytes input(140'000);
  random.fill(input);
  const size_t cut = find_cut_plain(input);
  ASSERT_GT(cut, chunk_bytes_min);
  for (size_t size = cut - 70; size < cut + 70; ++size)
    EXPECT_EQ(find_cut(ByteView(input).first(size)), size < cut ? 0 : cut) << size;
  for (size_t size : {0, 1, 63, 64, 8191, 8192, 8193, 16384, 16385, 131071, 131072, 131073}) {
    const Bytes zeros(size, std::byte{5});
    EXPECT_EQ(find_cut(zeros), find_cut_plain(zeros)) << size;
  }
}

}  // namespace
}  // namespace holdfast::content
