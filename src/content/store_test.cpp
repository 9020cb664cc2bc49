#include "content/store.h"

#include <gtest/gtest.h>

#include "content/store_fixture.h"
#include "content/xet_format.h"

namespace holdfast::content {
namespace {

TEST(Store, GivesBackWhatItTookAtAnySize) {
  TestStore test;
  for (const size_t size : {size_t{0}, size_t{1}, size_t{8191}, size_t{131'072}, size_t{1 << 20},
                            size_t{1 << 20} + 1, size_t{5'000'000}, size_t{9'000'000}}) {
    const Bytes bytes = random_bytes(test.random, size);
    const FileInfo info = test.put(bytes);
    EXPECT_EQ(info.size, size);
    EXPECT_EQ(info.sha256, codec::sha256(bytes));
    EXPECT_EQ(test.get(info.hash), bytes) << size;
    auto found = test.store->find(info.sha256);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(found.value().hash, info.hash);
    EXPECT_EQ(info.hash, make_xet_upload(bytes).file.hash) << size;
  }
  test.expect_clean();
}

TEST(Store, AnyRangeIsRebuilt) {
  TestStore test;
  Bytes bytes = random_bytes(test.random, 3'000'000);
  for (size_t i = 500'000; i < 2'000'000; ++i) bytes[i] = static_cast<std::byte>(i / 7000);  // Compresses.
  const FileInfo info = test.put(bytes);
  auto reader = test.store->open(info.hash);
  ASSERT_TRUE(reader.ok());
  for (int round = 0; round < 400; ++round) {
    const uint64_t offset = test.random.below(bytes.size() + 10);
    Bytes into(test.random.below(round % 2 == 0 ? 300'000 : 900));
    auto got = reader.value()->read_at(offset, into);
    ASSERT_TRUE(got.ok());
    const size_t expected = offset >= bytes.size() ? 0 : std::min<size_t>(into.size(), bytes.size() - offset);
    ASSERT_EQ(got.value(), expected);
    ASSERT_TRUE(std::equal(into.begin(), into.begin() + expected,
                           bytes.begin() + std::min<size_t>(offset, bytes.size())));
  }
  EXPECT_LT(test.store->totals().value().stored_bytes, 2'200'000U);
}

TEST(Store, TheSameBytesAreStoredOnceByEveryDoor) {
  TestStore test;
  const Bytes bytes = random_bytes(test.random, 4'000'000);
  const FileInfo info = test.put(bytes);
  const Totals once = test.store->totals().value();
  EXPECT_EQ(test.put(bytes).hash, info.hash);
  const XetUpload upload = make_xet_upload(bytes);
  auto inserted = test.store->put_xorb(upload.xorbs[0].first, upload.xorbs[0].second);
  ASSERT_TRUE(inserted.ok()) << inserted.error().message;
  EXPECT_EQ(inserted.value(), Inserted::already_there);
  auto files = test.store->put_shard(upload.shard(), anything);
  ASSERT_TRUE(files.ok()) << files.error().message;
  EXPECT_EQ(files.value()[0].hash, info.hash);
  const Totals twice = test.store->totals().value();
  EXPECT_EQ(twice.stored_bytes, once.stored_bytes);
  EXPECT_EQ(twice.files, 1U);
  EXPECT_EQ(test.files_on_disk(), 1U);
}

TEST(Store, AFileOfWhichATwentiethChangedCostsATenthMoreAtMost) {
  TestStore test;
  constexpr size_t tensor = 1'000'000;
  Bytes bytes = random_bytes(test.random, 40 * tensor);
  test.put(bytes);
  const uint64_t once = test.store->totals().value().stored_bytes;
  for (const size_t changed : {7U, 23U}) {
    const Bytes other = random_bytes(test.random, tensor);
    std::copy(other.begin(), other.end(), bytes.begin() + changed * tensor);
  }
  const FileInfo info = test.put(bytes);
  EXPECT_LE(test.store->totals().value().stored_bytes, once * 11 / 10);
  EXPECT_EQ(test.get(info.hash), bytes);
  // Also within one file.
  Bytes repeated = random_bytes(test.random, 3 * tensor);
  const Bytes half = repeated;
  repeated.insert(repeated.end(), half.begin(), half.end());
  const uint64_t before = test.store->totals().value().stored_bytes;
  const FileInfo twice = test.put(repeated);
  EXPECT_LT(test.store->totals().value().stored_bytes - before, 3 * tensor + 300'000);
  EXPECT_EQ(test.get(twice.hash), repeated);
  test.expect_clean();
}

TEST(Store, WhatIsNotAsAnnouncedLeavesNothing) {
  TestStore test;
  for (const size_t size : {10UL, 3'000'000UL, 9'000'000UL}) {
    const Bytes bytes = random_bytes(test.random, size);
    auto wrong = test.store->put(bytes, {.sha256 = Sha256Digest{}, .size = {}});
    ASSERT_FALSE(wrong.ok());
    EXPECT_EQ(wrong.error().reason, Reason::digest_mismatch);
    wrong = test.store->put(bytes, {.sha256 = {}, .size = size + 1});
    ASSERT_FALSE(wrong.ok());
    EXPECT_EQ(wrong.error().reason, Reason::digest_mismatch);
    EXPECT_EQ(test.files_on_disk(), 0U);
    EXPECT_EQ(test.store->totals().value().xorbs, 0U);
    EXPECT_FALSE(test.store->find(codec::sha256(bytes)).ok());
  }
}

TEST(Store, AnAbandonedIngestLeavesNothing) {
  TestStore test;
  const Bytes bytes = random_bytes(test.random, 9'000'000);
  for (const size_t size : {0UL, 1000UL, 5'000'000UL, 9'000'000UL}) {
    auto ingest = test.store->begin();
    ASSERT_TRUE(ingest.ok());
    ASSERT_TRUE(ingest.value()->write(ByteView(bytes).first(size)).ok());
    ingest.value().reset();
    EXPECT_EQ(test.files_on_disk(), 0U) << size;
    EXPECT_EQ(test.store->totals().value().xorbs, 0U) << size;
  }
  // Two at once, of the same bytes: the one that gives up takes nothing from the other.
  auto first = test.store->begin(), second = test.store->begin();
  ASSERT_TRUE(first.value()->write(bytes).ok());
  ASSERT_TRUE(second.value()->write(bytes).ok());
  auto info = first.value()->finish({});
  ASSERT_TRUE(info.ok()) << info.error().message;
  second.value().reset();
  EXPECT_EQ(test.get(info.value().hash), bytes);
  test.expect_clean();
}

TEST(Store, WrongXorbsAreRefusedAndLeaveNothing) {
  TestStore test;
  const XetUpload upload = make_xet_upload(random_bytes(test.random, 500'000));
  const auto& [hash, xorb] = upload.xorbs[0];
  XorbHash other = hash;
  other.bytes[0] ^= std::byte{1};
  const auto reason = [&](const XorbHash& name, ByteView bytes) {
    auto put = test.store->put_xorb(name, bytes);
    return put.ok() ? Reason::none : put.error().reason;
  };
  EXPECT_EQ(reason(other, xorb), Reason::digest_mismatch);
  EXPECT_EQ(reason(hash, ByteView(xorb).first(xorb.size() - 1)), Reason::bad_request);
  EXPECT_EQ(reason(hash, ByteView(xorb).first(xorb.size() / 2)), Reason::bad_request);
  EXPECT_EQ(reason(hash, {}), Reason::bad_request);
  Bytes flipped = xorb;
  flipped[flipped.size() / 2] ^= std::byte{1};
  EXPECT_EQ(reason(hash, flipped), Reason::digest_mismatch);
  EXPECT_EQ(test.files_on_disk(), 0U);
  EXPECT_EQ(reason(hash, xorb), Reason::none);
  EXPECT_EQ(test.files_on_disk(), 1U);
  auto file = test.store->open_xorb(hash);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file.value()->size().value(), xorb.size());
}

TEST(Store, AShardIsCheckedAgainstOurOwnChunks) {
  TestStore test;
  const Bytes bytes = random_bytes(test.random, 900'000);
  const XetUpload good = make_xet_upload(bytes);
  const auto reason = [&](const XetUpload& upload, const MayUse& may_use = anything) {
    auto put = test.store->put_shard(upload.shard(), may_use);
    return put.ok() ? Reason::none : put.error().reason;
  };
  EXPECT_EQ(reason(good), Reason::object_missing) << "before the xorb came";
  ASSERT_TRUE(test.store->put_xorb(good.xorbs[0].first, good.xorbs[0].second).ok());
  EXPECT_EQ(reason(good, nothing), Reason::object_missing) << "another's xorb";

  XetUpload wrong = good;
  wrong.file.terms[0].term.chunks.end += 1;
  EXPECT_EQ(reason(wrong), Reason::bad_request) << "past the end";
  wrong = good;
  wrong.file.terms[0].term.chunks = {3, 3};
  EXPECT_EQ(reason(wrong), Reason::bad_request) << "empty range";
  wrong = good;
  wrong.file.terms[0].term.chunks = {4, 2};
  EXPECT_EQ(reason(wrong), Reason::bad_request) << "turned range";
  wrong = good;
  wrong.file.terms[0].term.length += 1;
  EXPECT_EQ(reason(wrong), Reason::bad_request) << "length";
  wrong = good;
  wrong.file.terms[0].range_hash->bytes[0] ^= std::byte{1};
  EXPECT_EQ(reason(wrong), Reason::digest_mismatch) << "verification";
  wrong = good;
  wrong.file.terms[0].range_hash.reset();
  EXPECT_EQ(reason(wrong), Reason::bad_request) << "no verification";
  wrong = good;
  wrong.file.hash.bytes[0] ^= std::byte{1};
  EXPECT_EQ(reason(wrong), Reason::digest_mismatch) << "file hash";
  wrong = good;
  wrong.file.sha256 = Sha256Digest{};
  EXPECT_EQ(reason(wrong), Reason::digest_mismatch) << "sha256";
  EXPECT_EQ(test.store->totals().value().files, 0U);

  EXPECT_EQ(reason(good), Reason::none);
  EXPECT_EQ(test.get(good.file.hash), bytes);
  EXPECT_EQ(test.store->find(codec::sha256(bytes)).value().hash, good.file.hash);
  EXPECT_EQ(reason(make_xet_upload({})), Reason::none) << "the empty file";
  EXPECT_TRUE(test.get(FileHash{}).empty());
  test.expect_clean();
}

TEST(Store, ReconstructionsTellExactlyTheChunksOfARange) {
  TestStore test;
  Bytes bytes = random_bytes(test.random, 2'000'000);
  test.put(ByteView(bytes).subspan(600'000, 700'000));  // So that the file has terms of several xorbs.
  const FileInfo info = test.put(bytes);
  for (int round = 0; round < 200; ++round) {
    const ByteSpan range = {test.random.below(bytes.size()), 1 + test.random.below(bytes.size())};
    auto made = test.store->reconstruction(info.hash, round == 0 ? std::nullopt : std::optional(range));
    ASSERT_TRUE(made.ok());
    const uint64_t first = round == 0 ? 0 : range.first;
    const uint64_t end =
        round == 0 ? bytes.size() : std::min<uint64_t>(bytes.size(), range.first + range.length);
    // As a client does it: fetch, decode, put together, drop the offset.
    Bytes rebuilt;
    for (const Term& term : made.value().terms) {
      const auto& fetches = made.value().fetches;
      const auto fetch = std::find_if(fetches.begin(), fetches.end(), [&](const auto& candidate) {
        return candidate.xorb == term.xorb && candidate.chunks.first <= term.chunks.first &&
               candidate.chunks.end >= term.chunks.end;
      });
      ASSERT_NE(fetch, fetches.end());
      Bytes stored(fetch->last - fetch->first + 1);
      auto file = test.store->open_xorb(term.xorb);
      ASSERT_EQ(file.value()->read_at(fetch->first, stored).value(), stored.size());
      ByteView rest = stored;
      uint64_t length = 0;
      for (uint32_t chunk = fetch->chunks.first; chunk < fetch->chunks.end; ++chunk) {
        auto header = parse_chunk_header(rest.first<chunk_header_bytes>());
        ASSERT_TRUE(header.ok());
        Bytes decoded(header.value().length);
        ASSERT_TRUE(
            decode_chunk(header.value().scheme, rest.subspan(8, header.value().stored), decoded).ok());
        rest = rest.subspan(8 + header.value().stored);
        if (chunk < term.chunks.first || chunk >= term.chunks.end) continue;
        rebuilt.insert(rebuilt.end(), decoded.begin(), decoded.end());
        length += decoded.size();
      }
      EXPECT_TRUE(rest.empty());
      EXPECT_EQ(length, term.length);
    }
    ASSERT_LE(made.value().offset_into_first, chunk_bytes_max);
    rebuilt.erase(rebuilt.begin(), rebuilt.begin() + made.value().offset_into_first);
    ASSERT_GE(rebuilt.size(), end - first);
    ASSERT_LE(rebuilt.size(), end - first + chunk_bytes_max);
    ASSERT_TRUE(std::equal(bytes.begin() + first, bytes.begin() + end, rebuilt.begin()));
  }
  EXPECT_EQ(test.store->reconstruction(info.hash, ByteSpan{bytes.size(), 1}).error().reason,
            Reason::range_unsatisfiable);
  EXPECT_EQ(test.store->reconstruction(FileHash{{std::byte{1}}}, {}).error().reason, Reason::object_missing);
}

TEST(Store, DedupIsAnsweredOnlyWithWhatTheCallerMayUse) {
  TestStore test;
  const XetUpload upload = make_xet_upload(random_bytes(test.random, 900'000));
  ASSERT_TRUE(test.store->put_xorb(upload.xorbs[0].first, upload.xorbs[0].second).ok());
  const ByteView first = ByteView(upload.xorbs[0].second).subspan(8);
  auto header = parse_chunk_header(ByteView(upload.xorbs[0].second).first<8>());
  const ChunkHash chunk = hash_chunk(first.first(header.value().length));
  EXPECT_EQ(test.store->dedup_answer(chunk, nothing).error().reason, Reason::object_missing);
  EXPECT_EQ(test.store->dedup_answer(ChunkHash{}, anything).error().reason, Reason::object_missing);
  auto answer = test.store->dedup_answer(chunk, anything);
  ASSERT_TRUE(answer.ok());
  auto shard = parse_shard(answer.value());
  ASSERT_TRUE(shard.ok());
  EXPECT_TRUE(shard.value().files.empty());
  ASSERT_EQ(shard.value().xorbs.size(), 1U);
  EXPECT_EQ(shard.value().xorbs[0].hash, upload.xorbs[0].first);
  EXPECT_EQ(shard.value().xorbs[0].chunks[0].hash, chunk);
  const auto now = test.clock.wall().time_since_epoch().count() / 1000;
  EXPECT_LE(shard.value().footer->expiry, static_cast<uint64_t>(now) + 24 * 3600);
}

TEST(Store, TellsWhoUsesWhat) {
  TestStore test;
  const Bytes bytes = random_bytes(test.random, 1'500'000);
  const FileInfo part = test.put(ByteView(bytes).first(800'000));
  const FileInfo whole = test.put(bytes);
  std::vector<XorbHash> xorbs;
  ASSERT_TRUE(test.store
                  ->visit_xorbs_of(whole.hash,
                                   [&](const XorbHash& xorb, const ChunkRange&) {
                                     xorbs.push_back(xorb);
                                     return true;
                                   })
                  .ok());
  ASSERT_EQ(xorbs.size(), 2U);
  std::vector<FileHash> users;
  ASSERT_TRUE(test.store
                  ->visit_files_using(xorbs[0],
                                      [&](const FileInfo& file, const ChunkRange&) {
                                        users.push_back(file.hash);
                                        return true;
                                      })
                  .ok());
  EXPECT_EQ(users, (std::vector<FileHash>{part.hash, whole.hash}));
}

}  // namespace
}  // namespace holdfast::content
