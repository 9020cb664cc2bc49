#include "exchange/arrival.h"

#include <gtest/gtest.h>

#include "codec/hex.h"
#include "codec/sha1.h"
#include "codec/sha256.h"
#include "io/memory_disk.h"

namespace holdfast::exchange {
namespace {

Bytes some_bytes(size_t count, uint64_t seed) {
  SeededRandom random{seed};
  Bytes out(count);
  random.fill(out);
  return out;
}

ArrivingFile file_of(io::Disk& disk, uint64_t size, std::vector<uint64_t> have) {
  ArrivingFile file{.remote = {.path = "a.bin", .size = size, .blob = "", .sha256 = {}},
                    .staged = StagedFile(disk, "a", size),
                    .have = std::move(have),
                    .busy = {},
                    .ranges = {}};
  file.busy.assign(file.have.size(), false);
  return file;
}

TEST(StagedFile, ReadsAcrossPiecesAndGoesOnWhereItStopped) {
  const auto disk = io::make_memory_disk();
  const uint64_t size = 2 * piece_bytes + 1000;
  const Bytes bytes = some_bytes(size, 3);
  const StagedFile file(*disk, "incoming/1/0", size);
  ASSERT_EQ(file.pieces(), 3U);
  EXPECT_EQ(file.length(2), 1000U);
  const auto put = [&](size_t piece, uint64_t from, uint64_t count) {
    auto out = file.append(piece);
    ASSERT_TRUE(out.ok()) << out.error().message;
    ASSERT_TRUE(out.value()->append(ByteView(bytes).subspan(piece * piece_bytes + from, count)).ok());
    ASSERT_TRUE(out.value()->sync().ok());
  };
  put(0, 0, piece_bytes);
  put(2, 0, 1000);
  put(1, 0, 500);
  EXPECT_EQ(file.have(1).value(), 500U);
  Bytes read(2000);
  EXPECT_EQ(file.read_at(piece_bytes - 1000, read).value(), 1500U) << "what is not here was read";
  put(1, 500, piece_bytes - 500);
  EXPECT_EQ(file.read_at(piece_bytes - 1000, read).value(), 2000U);
  EXPECT_TRUE(std::equal(read.begin(), read.end(), bytes.begin() + piece_bytes - 1000));
  codec::Sha256 hash;
  ASSERT_TRUE(file.each([&](ByteView part) -> Status {
                    hash.update(part);
                    return Done{};
                  })
                  .ok());
  EXPECT_EQ(hash.finish(), codec::sha256(bytes));
  EXPECT_TRUE(file.forget().ok());
  EXPECT_EQ(file.have(0).value(), 0U);
}

TEST(ArrivingFile, KnowsHowFarItIsHere) {
  const auto disk = io::make_memory_disk();
  const uint64_t size = 3 * piece_bytes;
  const ArrivingFile file = file_of(*disk, size, {piece_bytes, 100, piece_bytes});
  EXPECT_EQ(file.here_from(0), piece_bytes + 100);
  EXPECT_EQ(file.here_from(piece_bytes + 50), 50U);
  EXPECT_EQ(file.here_from(piece_bytes + 100), 0U);
  EXPECT_EQ(file.here_from(2 * piece_bytes + 1), piece_bytes - 1);
  EXPECT_FALSE(file.all_here());
  EXPECT_TRUE(file_of(*disk, 0, {}).all_here());
}

TEST(ArrivingFile, FetchesOnePieceUntilRangesAreKnown) {
  const auto disk = io::make_memory_disk();
  ArrivingFile file = file_of(*disk, 3 * piece_bytes, {0, 0, 0});
  EXPECT_EQ(file.next_piece(), 0U);
  file.busy[0] = true;
  EXPECT_FALSE(file.next_piece()) << "nobody knows yet whether ranges come";
  file.ranges = true;
  EXPECT_EQ(file.next_piece(), 1U);
  file.busy[0] = false;
  file.have[0] = piece_bytes;
  file.ranges = false;
  EXPECT_EQ(file.next_piece(), 1U);
  file.state = ArrivingFile::State::whole;
  EXPECT_FALSE(file.next_piece());
}

TEST(ArrivingFile, IsHeldToTheUpstreamsDigest) {
  const auto disk = io::make_memory_disk();
  const Bytes bytes = some_bytes(5000, 9);
  for (const bool large : {true, false}) {
    ArrivingFile file = file_of(*disk, bytes.size(), {bytes.size()});
    file.remote.blob = codec::to_hex(codec::git_blob_sha1(bytes));
    if (large) file.remote.sha256 = codec::to_hex(codec::sha256(bytes));
    ASSERT_TRUE(file.staged.forget().ok());
    ASSERT_TRUE(file.staged.append(0).value()->append(bytes).ok());
    EXPECT_TRUE(check_digest(file).ok());
    (large ? *file.remote.sha256 : file.remote.blob)[3] ^= 1;
    EXPECT_EQ(check_digest(file).error().reason, Reason::digest_mismatch);
  }
}

TEST(ArrivingFile, WhatWouldRunCodeIsRefusedByThePolicy) {
  const auto disk = io::make_memory_disk();
  const std::string evil = "cos\nsystem\n(S'id'\ntR.";
  ArrivingFile file = file_of(*disk, evil.size(), {evil.size()});
  file.remote.path = "model.pkl";
  ASSERT_TRUE(file.staged.append(0).value()->append(as_bytes(evil)).ok());
  const auto never = [](std::string_view, std::string_view) { return false; };
  const auto refused = check_staged_file(file, {.pickle = repo::OnFinding::refuse}, never);
  ASSERT_TRUE(refused.ok());
  ASSERT_TRUE(refused.value());
  EXPECT_NE(refused.value()->find("model.pkl"), std::string::npos);
  EXPECT_FALSE(check_staged_file(file, {.pickle = repo::OnFinding::warn}, never).value());
}

TEST(Arrival, AListOfFilesComesBackFromItsRow) {
  const std::vector<RemoteFile> files{
      {.path = "a b.txt", .size = 3, .blob = std::string(40, 'a'), .sha256 = {}},
      {.path = "w.bin", .size = 1ULL << 40, .blob = std::string(40, 'b'), .sha256 = std::string(64, 'c')}};
  const auto read = files_of_json(files_as_json(files));
  ASSERT_TRUE(read.ok());
  ASSERT_EQ(read.value().size(), 2U);
  EXPECT_EQ(read.value()[1].size, 1ULL << 40);
  EXPECT_EQ(read.value()[1].etag(), std::string(64, 'c'));
  EXPECT_EQ(read.value()[0].etag(), std::string(40, 'a'));
  for (const char* text : {"", "{}", "[1]", "[[\"a\"]]", "[[\"a\", \"b\", \"c\", \"d\"]]"})
    EXPECT_FALSE(files_of_json(text).ok()) << text;
}

}  // namespace
}  // namespace holdfast::exchange
