#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "content/chunker.h"
#include "content/schema.h"
#include "content/shard.h"
#include "content/store.h"
#include "content/xorb.h"
#include "io/memory_disk.h"
#include "io/temporary_folder.h"
#include "sql/database_fixture.h"

namespace holdfast::content {

inline Bytes random_bytes(Random& random, size_t size) {
  Bytes bytes(size);
  random.fill(bytes);
  return bytes;
}

// A store on a disk in memory and a database in a temporary file, for tests.
struct TestStore {
  io::TemporaryFolder folder;
  ManualClock clock;
  SeededRandom random{42};
  MemoryLogSink sink;
  Log log{sink, clock};
  std::unique_ptr<Metrics> metrics = make_metrics();
  std::unique_ptr<io::MemoryDisk> memory = io::make_crashing_disk();
  std::unique_ptr<sql::Database> database;
  std::unique_ptr<Store> store;

  const std::string database_url = sql::test_database_url(folder.path());
  StoreOptions options{.folder = "content"};

  explicit TestStore(uint32_t xorb_bytes = 4 << 20) {
    options.xorb_bytes = xorb_bytes;
    open(*memory);
  }

  // Also again, on the same database, as after a restart.
  void open(io::Disk& disk) {
    store.reset();
    database.reset();
    auto opened = sql::open_database(database_url);
    EXPECT_TRUE(opened.ok());
    database = std::move(opened).value();
    EXPECT_TRUE(sql::migrate(*database, migrations(), 0).ok());
    auto made = open_store(options, disk, *database, clock, random, log, *metrics);
    EXPECT_TRUE(made.ok()) << made.error().message;
    store = std::move(made).value();
  }

  FileInfo put(ByteView bytes) {
    auto info = store->put(bytes);
    EXPECT_TRUE(info.ok()) << info.error().message;
    return info.ok() ? info.value() : FileInfo{};
  }
  Bytes get(const FileHash& hash) {
    auto reader = store->open(hash);
    EXPECT_TRUE(reader.ok()) << reader.error().message;
    if (!reader.ok()) return {};
    Bytes bytes(reader.value()->info().size);
    auto got = reader.value()->read_at(0, bytes);
    EXPECT_TRUE(got.ok() && got.value() == bytes.size());
    return bytes;
  }
  size_t files_on_disk() {
    size_t count = 0;
    const auto visit = [&](const auto& self, const io::Path& path) -> void {
      auto entries = memory->list(path);
      if (!entries.ok()) return;
      for (const io::Entry& entry : entries.value()) {
        if (entry.is_directory)
          self(self, path / entry.name);
        else
          ++count;
      }
    };
    visit(visit, "content");
    return count;
  }
  void expect_clean() {
    auto checked = store->check();
    ASSERT_TRUE(checked.ok()) << checked.error().message;
    for (const Damage& damage : checked.value().damage)
      ADD_FAILURE() << damage.what << " " << damage.object << " " << damage.detail;
  }
};

// A file as a Xet client sends it: one xorb per 64 MiB at most, and a shard.
struct XetUpload {
  std::vector<std::pair<XorbHash, Bytes>> xorbs;
  ShardFile file;
  Bytes shard() const {
    Shard made;
    made.files.push_back(file);
    return write_shard(made);
  }
};

inline XetUpload make_xet_upload(ByteView bytes) {
  XetUpload upload;
  XorbTable table;
  Bytes xorb;
  std::vector<ChunkLeaf> leaves;
  upload.file.sha256 = codec::sha256(bytes);
  for (ByteView rest = bytes; !rest.empty();) {
    const size_t cut = find_cut(rest);
    const ByteView chunk = rest.first(cut == 0 ? rest.size() : cut);
    rest = rest.subspan(chunk.size());
    const ChunkHeader header = {Scheme::raw, static_cast<uint32_t>(chunk.size()),
                                static_cast<uint32_t>(chunk.size())};
    const ChunkHeaderBytes head = write_chunk_header(header);
    xorb.insert(xorb.end(), head.begin(), head.end());
    xorb.insert(xorb.end(), chunk.begin(), chunk.end());
    table.add(hash_chunk(chunk), header);
  }
  leaves = table.leaves();
  upload.file.hash = hash_file(leaves);
  if (leaves.empty()) return upload;
  const ChunkRange all = {0, static_cast<uint32_t>(table.size())};
  upload.file.terms.push_back({{hash_xorb(leaves), all, table.bytes()}, table.range_hash(all)});
  upload.xorbs.emplace_back(hash_xorb(leaves), std::move(xorb));
  return upload;
}

inline const MayUse anything = [](const XorbHash&, const ChunkRange&) -> Result<bool> { return true; };
inline const MayUse nothing = [](const XorbHash&, const ChunkRange&) -> Result<bool> { return false; };

}  // namespace holdfast::content
