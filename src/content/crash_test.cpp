// Uploads of every kind on a disk that fails, fills up and loses power: what was acknowledged is there
// afterwards, what was refused is not, and an inspection finds nothing wrong. The database is a real one and
// loses nothing it committed, as SQLite promises.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "content/store_fixture.h"
#include "io/faulty_disk.h"

namespace holdfast::content {
namespace {

using namespace std::chrono_literals;

class CrashRun {
 public:
  explicit CrashRun(uint64_t seed) : random_(seed) { test_.open(*faulty_); }

  void run() {
    for (int life = 0; life < 4 && !testing::Test::HasFatalFailure(); ++life) {
      faulty_->set(faults());
      for (uint64_t i = 0; i < 12; ++i) act();
      faulty_->set({});
      verify();
      crash();
      verify();
    }
    collect_all();
  }

 private:
  io::Faults faults() {
    io::Faults faults;
    switch (random_.below(5)) {
      case 0:
        faults.full_after_bytes = random_.below(6'000'000);
        break;
      case 1:
        faults.fail_at = 1 + random_.below(120);
        break;
      case 2:
        faults.fail_one_in = 3 + random_.below(60);
        break;
      case 3:
        faults.tear_at_write = 1 + random_.below(60);
        break;
      default:
        break;
    }
    return faults;
  }

  // New bytes, or bytes that share chunks with what was there before.
  Bytes some_bytes() {
    Bytes bytes = random_bytes(random_, random_.below(1'500'000));
    if (!kept_.empty() && random_.below(2) == 0) {
      const Bytes& old = std::next(kept_.begin(), static_cast<long>(random_.below(kept_.size())))->second;
      bytes.insert(bytes.end(), old.begin(), old.end());
    }
    return bytes;
  }

  void act() {
    test_.clock.advance(std::chrono::minutes(random_.below(600)));
    switch (random_.below(6)) {
      case 0:
      case 1:
        return put_plain();
      case 2:
      case 3:
        return put_xet();
      case 4:
        return abandon();
      default:
        return collect();
    }
  }

  void put_plain() {
    const Bytes bytes = some_bytes();
    auto info = test_.store->put(bytes);
    if (info.ok()) kept_[info.value().hash] = bytes;
  }

  void put_xet() {
    const Bytes bytes = some_bytes();
    const XetUpload upload = make_xet_upload(bytes);
    for (const auto& [hash, xorb] : upload.xorbs)
      if (!test_.store->put_xorb(hash, xorb).ok()) return;
    auto files = test_.store->put_shard(upload.shard(), anything);
    if (files.ok()) kept_[files.value()[0].hash] = bytes;
  }

  void abandon() {
    auto ingest = test_.store->begin();
    if (!ingest.ok()) return;
    const Bytes bytes = some_bytes();
    (void)ingest.value()->write(bytes).ok();
    if (random_.below(2) == 0) (void)ingest.value()->finish({.sha256 = Sha256Digest{}, .size = {}}).ok();
  }

  void collect() {
    // Some files are given up for good; whether they go now or later is the collection's.
    if (!kept_.empty() && random_.below(2) == 0) kept_.erase(kept_.begin());
    (void)test_.store->collect(25h, is_live_).ok();
  }

  void crash() {
    test_.store.reset();
    test_.memory->crash(random_);
    test_.open(*faulty_);
  }

  void verify() {
    for (const auto& [hash, bytes] : kept_) ASSERT_EQ(test_.get(hash), bytes);
    test_.expect_clean();
  }

  void collect_all() {
    test_.clock.advance(100h);
    ASSERT_TRUE(test_.store->collect(25h, is_live_).ok());
    verify();
    const auto checked = test_.store->check();
    EXPECT_EQ(checked.value().leftovers, 0U);
    EXPECT_EQ(checked.value().files, kept_.size());
    EXPECT_EQ(test_.files_on_disk(), test_.store->totals().value().xorbs);
    kept_.clear();
    test_.clock.advance(100h);
    ASSERT_TRUE(test_.store->collect(25h, is_live_).ok());
    EXPECT_EQ(test_.files_on_disk(), 0U);
  }

  SeededRandom random_;
  TestStore test_{400'000};
  std::unique_ptr<io::FaultyDisk> faulty_ = io::make_faulty_disk(*test_.memory, random_);
  std::map<FileHash, Bytes> kept_;
  Store::IsLive is_live_ = [this](const FileInfo& file) -> Result<bool> { return kept_.contains(file.hash); };
};

TEST(Crash, WhatWasAcknowledgedSurvivesAndNothingElseShows) {
  const char* given = std::getenv("HOLDFAST_SEED");
  const uint64_t first =
      given != nullptr ? std::strtoull(given, nullptr, 10) : SystemRandom().u64() % 1'000'000;
  const char* wanted = std::getenv("HOLDFAST_SEEDS");
  const uint64_t count = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : given != nullptr ? 1 : 6;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("HOLDFAST_SEED=" + std::to_string(seed));
    CrashRun(seed).run();
    if (testing::Test::HasFailure()) return;
  }
}

TEST(Crash, AFullDiskIsSaidSo) {
  TestStore test(400'000);
  SeededRandom random(1);
  const auto faulty = io::make_faulty_disk(*test.memory, random, {.full_after_bytes = 1'000'000});
  test.open(*faulty);
  auto info = test.store->put(random_bytes(random, 3'000'000));
  ASSERT_FALSE(info.ok());
  EXPECT_EQ(info.error().reason, Reason::disk_full);
  const XetUpload upload = make_xet_upload(random_bytes(random, 2'000'000));
  auto put = test.store->put_xorb(upload.xorbs[0].first, upload.xorbs[0].second);
  ASSERT_FALSE(put.ok());
  EXPECT_EQ(put.error().reason, Reason::disk_full);
  EXPECT_EQ(test.files_on_disk(), 0U);
  faulty->set({});
  const Bytes bytes = random_bytes(random, 500'000);
  EXPECT_EQ(test.get(test.put(bytes).hash), bytes);
  test.expect_clean();
}

// A fault at each operation of one upload in turn.
TEST(Crash, AnyOneOperationMayFail) {
  SeededRandom random(2);
  const Bytes bytes = random_bytes(random, 1'000'000);
  for (uint64_t operation = 1;; ++operation) {
    TestStore test(400'000);
    const auto faulty = io::make_faulty_disk(*test.memory, random);
    test.open(*faulty);
    faulty->set({.fail_at = operation});
    auto info = test.store->put(bytes);
    const bool reached = faulty->operations() >= operation;
    faulty->set({});
    if (info.ok()) {
      ASSERT_EQ(test.get(info.value().hash), bytes) << operation;
    } else {
      ASSERT_FALSE(test.store->find(codec::sha256(bytes)).ok()) << operation;
      ASSERT_EQ(test.store->totals().value().xorbs, 0U) << operation;
    }
    test.expect_clean();
    test.store.reset();
    test.memory->crash();
    test.open(*test.memory);
    test.expect_clean();
    if (info.ok()) {
      ASSERT_EQ(test.get(info.value().hash), bytes) << operation;
    }
    if (!reached) break;
    ASSERT_LT(operation, 200U);
  }
}

}  // namespace
}  // namespace holdfast::content
