#include <gtest/gtest.h>

#include <set>

#include "content/store_fixture.h"

namespace holdfast::content {
namespace {

using namespace std::chrono_literals;

constexpr auto grace = 25h;

struct CollectTest : testing::Test {
  TestStore test;
  std::set<FileHash> live;
  Store::IsLive is_live = [this](const FileInfo& file) -> Result<bool> { return live.contains(file.hash); };

  Collected collect(std::chrono::milliseconds span = grace) {
    auto collected = test.store->collect(span, is_live);
    EXPECT_TRUE(collected.ok()) << collected.error().message;
    return collected.ok() ? collected.value() : Collected{};
  }
};

TEST_F(CollectTest, OnlyWhatNobodyUsesAndIsOldGoes) {
  const Bytes shared = random_bytes(test.random, 2'000'000);
  Bytes longer = shared;
  const Bytes more = random_bytes(test.random, 1'000'000);
  longer.insert(longer.end(), more.begin(), more.end());
  const FileInfo keeps = test.put(shared), goes = test.put(longer);
  live = {keeps.hash};
  EXPECT_EQ(collect().files, 0U) << "too young";
  test.clock.advance(26h);
  const Collected collected = collect();
  EXPECT_EQ(collected.files, 1U);
  EXPECT_EQ(collected.xorbs, 1U);
  EXPECT_GT(collected.bytes, 900'000U);
  EXPECT_EQ(test.get(keeps.hash), shared);
  EXPECT_FALSE(test.store->open(goes.hash).ok());
  EXPECT_EQ(test.files_on_disk(), 1U);
  test.expect_clean();
  live.clear();
  EXPECT_EQ(collect().files, 1U);
  EXPECT_EQ(test.files_on_disk(), 0U);
  EXPECT_EQ(test.put(longer).hash, goes.hash);
  EXPECT_EQ(test.get(goes.hash), longer);
}

TEST_F(CollectTest, WhatIsTouchedMatchedOrUploadedAgainStays) {
  const Bytes touched = random_bytes(test.random, 500'000), matched = random_bytes(test.random, 500'000),
              again = random_bytes(test.random, 500'000);
  const FileInfo touched_file = test.put(touched), matched_file = test.put(matched);
  const XetUpload upload = make_xet_upload(again);
  ASSERT_TRUE(test.store->put_xorb(upload.xorbs[0].first, upload.xorbs[0].second).ok());
  test.clock.advance(30h);
  ASSERT_TRUE(test.store->touch(touched_file.sha256).ok());
  ASSERT_TRUE(test.store->put_xorb(upload.xorbs[0].first, upload.xorbs[0].second).ok());
  // An upload that relies on stored chunks and has not ended yet.
  auto ingest = test.store->begin();
  Bytes longer = matched;
  longer.insert(longer.end(), again.begin(), again.end());
  longer.resize(3'000'000);
  ASSERT_TRUE(ingest.value()->write(longer).ok());
  test.clock.advance(1s);
  live.insert(matched_file.hash);
  collect();
  EXPECT_TRUE(test.store->find(touched_file.hash).ok());
  ASSERT_TRUE(test.store->put_shard(upload.shard(), anything).ok());
  auto info = ingest.value()->finish({});
  ASSERT_TRUE(info.ok()) << info.error().message;
  EXPECT_EQ(test.get(info.value().hash), longer);
  test.expect_clean();
}

TEST_F(CollectTest, AnUploadWhoseBytesWereCollectedFailsAndMayBeSentAgain) {
  const Bytes bytes = random_bytes(test.random, 3'000'000);
  test.put(bytes);
  auto ingest = test.store->begin();
  ASSERT_TRUE(ingest.value()->write(bytes).ok());
  test.clock.advance(1000h);  // Longer than any grace.
  collect();
  auto info = ingest.value()->finish({});
  if (info.ok()) {  // Its chunks had not been looked for yet.
    EXPECT_EQ(test.get(info.value().hash), bytes);
  } else {
    EXPECT_EQ(info.error().reason, Reason::dependency_failed);
    EXPECT_EQ(test.get(test.put(bytes).hash), bytes);
  }
  test.expect_clean();
}

TEST_F(CollectTest, AnUploadInFlightIsLeftAloneHoweverShortTheGrace) {
  const Bytes bytes =
      random_bytes(test.random, 20'000'000);  // Several xorbs that are pending, and one being written.
  auto ingest = test.store->begin();
  for (size_t at = 0; at < bytes.size(); at += 1'000'000) {
    ASSERT_TRUE(ingest.value()->write(ByteView(bytes).subspan(at, 1'000'000)).ok());
    test.clock.advance(1s);
    EXPECT_EQ(collect(0ms).temporaries, 0U);
  }
  auto info = ingest.value()->finish({});
  ASSERT_TRUE(info.ok()) << info.error().message;
  EXPECT_EQ(test.get(info.value().hash), bytes);
  test.expect_clean();
}

TEST_F(CollectTest, NothingGoesWhileABackupHoldsIt) {
  test.put(random_bytes(test.random, 100'000));
  test.clock.advance(30h);
  ASSERT_TRUE(test.store->hold_deletion(10min).ok());
  EXPECT_FALSE(test.store->collect(grace, is_live).ok());
  EXPECT_EQ(test.store->totals().value().files, 1U);
  size_t named = 0;
  ASSERT_TRUE(test.store
                  ->visit_stored([&](const io::Path& path, uint64_t size) -> Status {
                    ++named;
                    EXPECT_EQ(test.memory->stat(path).value().size, size);
                    return Done{};
                  })
                  .ok());
  EXPECT_EQ(named, 1U);
  ASSERT_TRUE(test.store->hold_deletion({}).ok());
  EXPECT_EQ(collect().files, 1U);
}

TEST_F(CollectTest, LeftoversOfACrashGoWhenTheyAreOld) {
  test.put(random_bytes(test.random, 100'000));
  live = {};
  ASSERT_TRUE(test.memory->create("content/temp/018bcfe568000123456789ab").ok());
  const std::string stray = "content/xorbs/ab/" + std::string(64, 'a') + "-018bcfe568000123456789ab";
  ASSERT_TRUE(test.memory->make_directories("content/xorbs/ab").ok());
  ASSERT_TRUE(test.memory->create(stray).ok());
  EXPECT_EQ(test.store->check().value().leftovers, 1U);
  EXPECT_EQ(collect().temporaries, 0U);
  test.clock.advance(26h);
  EXPECT_EQ(collect().temporaries, 2U);
  EXPECT_EQ(test.files_on_disk(), 0U);
}

TEST_F(CollectTest, EachKindOfDamageIsNamed) {
  const Bytes bytes = random_bytes(test.random, 300'000);
  test.put(bytes);
  io::Path path;
  ASSERT_TRUE(test.store
                  ->visit_stored([&](const io::Path& named, uint64_t) -> Status {
                    path = named;
                    return Done{};
                  })
                  .ok());
  const auto damages = [&] {
    std::set<std::string> whats;
    const Result<Checked> checked = test.store->check();
    for (const Damage& damage : checked.value().damage) whats.insert(damage.what);
    return whats;
  };
  EXPECT_TRUE(damages().empty());
  {
    auto file = test.memory->open_append(path);
    ASSERT_TRUE(file.value()->write_at(1000, as_bytes("x")).ok());
  }
  EXPECT_EQ(damages(), (std::set<std::string>{"xorb_corrupt", "file_sha256_wrong"}));
  ASSERT_TRUE(test.memory->remove(path).ok());
  EXPECT_EQ(damages(), (std::set<std::string>{"xorb_missing", "file_unreadable"}));
  ASSERT_TRUE(
      test.memory->create("content/xorbs/" + path.parent_path().filename().string() + "/notes.txt").ok());
  EXPECT_TRUE(damages().contains("stray_file"));
}

}  // namespace
}  // namespace holdfast::content
