#include "content/ahead_digest.h"

#include <thread>

#include "content/store_fixture.h"

namespace holdfast::content {
namespace {

// A file in several xorbs of about `xorb_bytes` each, as a Xet client cuts it.
struct LongFile {
  std::vector<std::pair<XorbHash, Bytes>> xorbs;
  ShardFile file;
  Bytes bytes;

  LongFile(Random& random, size_t pieces, size_t piece_bytes) {
    file.sha256.emplace();
    std::vector<ChunkLeaf> leaves;
    for (size_t i = 0; i < pieces; ++i) {
      // Each xorb ends in a cut, since the file's chunks are those of its xorbs.
      const Bytes piece = random_bytes(random, piece_bytes);
      const XetUpload upload = make_xet_upload(piece);
      xorbs.push_back(upload.xorbs[0]);
      file.terms.push_back(upload.file.terms[0]);
      XorbParser parser;
      EXPECT_TRUE(parser.write(upload.xorbs[0].second).ok());
      auto table = parser.finish(upload.xorbs[0].first);
      EXPECT_TRUE(table.ok());
      for (const ChunkLeaf& leaf : table.value().leaves()) leaves.push_back(leaf);
      bytes.insert(bytes.end(), piece.begin(), piece.end());
    }
    file.hash = hash_file(leaves);
    file.sha256 = codec::sha256(bytes);
  }
  Bytes shard() const {
    Shard made;
    made.files.push_back(file);
    return write_shard(made);
  }
};

class AheadDigestTest : public testing::Test {
 protected:
  void put(const LongFile& file, size_t xorb, Uploader uploader) {
    auto upload = test_.store->begin_xorb(file.xorbs[xorb].first, uploader);
    ASSERT_TRUE(upload.ok());
    ASSERT_TRUE(upload.value()->write(file.xorbs[xorb].second).ok());
    ASSERT_TRUE(upload.value()->finish().ok());
  }
  // Then only what was hashed as it came is known.
  void lose_all_xorbs() {
    const auto visit = [&](const auto& self, const io::Path& path) -> void {
      auto entries = test_.memory->list(path);
      ASSERT_TRUE(entries.ok());
      for (const io::Entry& entry : entries.value()) {
        if (entry.is_directory)
          self(self, path / entry.name);
        else
          ASSERT_TRUE(test_.memory->remove(path / entry.name).ok());
      }
    };
    visit(visit, "content/xorbs");
  }
  bool registered(const LongFile& file, Uploader uploader) {
    auto infos = test_.store->put_shard(file.shard(), anything, uploader);
    if (!infos.ok()) return false;
    EXPECT_EQ(infos.value().at(0).sha256, *file.file.sha256);
    return true;
  }
  TestStore test_;
};

TEST_F(AheadDigestTest, XorbsThatComeInOrderAreNotReadAgain) {
  const LongFile file(test_.random, 5, 300'000);
  for (size_t i = 0; i < 5; ++i) put(file, i, 7);
  lose_all_xorbs();
  EXPECT_TRUE(registered(file, 7));
}

TEST_F(AheadDigestTest, TheFileAfterAShardIsFollowedFromItsBeginning) {
  const LongFile first(test_.random, 2, 300'000), second(test_.random, 3, 300'000);
  for (size_t i = 0; i < 2; ++i) put(first, i, 7);
  ASSERT_TRUE(registered(first, 7));
  for (size_t i = 0; i < 3; ++i) put(second, i, 7);
  lose_all_xorbs();
  EXPECT_TRUE(registered(second, 7));
}

struct OrderCase {
  const char* name;
  std::vector<std::pair<size_t, Uploader>> sent;
};

TEST_F(AheadDigestTest, AWrongGuessIsReadFromTheDisk) {
  const OrderCase cases[] = {
      {"another order", {{1, 7}, {0, 7}, {2, 7}}},
      {"a xorb of the middle by another uploader", {{0, 7}, {1, 8}, {2, 7}}},
      {"all by another uploader", {{0, 8}, {1, 8}, {2, 8}}},
      {"one sent twice", {{0, 7}, {1, 7}, {1, 7}, {2, 7}}},
      {"the first sent again at the end", {{0, 7}, {1, 7}, {2, 7}, {0, 7}}},
      {"nobody known", {{0, 0}, {1, 0}, {2, 0}}},
  };
  for (const OrderCase& each : cases) {
    SCOPED_TRACE(each.name);
    const LongFile file(test_.random, 3, 200'000);
    for (const auto& [xorb, uploader] : each.sent) put(file, xorb, uploader);
    EXPECT_TRUE(registered(file, 7));
  }
}

TEST_F(AheadDigestTest, AXorbThatIsNotWhatItSaysBreaksTheGuess) {
  const LongFile file(test_.random, 3, 200'000);
  put(file, 0, 7);
  auto upload = test_.store->begin_xorb(file.xorbs[1].first, 7);
  ASSERT_TRUE(upload.ok());
  ASSERT_TRUE(upload.value()->write(file.xorbs[2].second).ok());
  EXPECT_FALSE(upload.value()->finish().ok());
  upload.value().reset();
  put(file, 1, 7);
  put(file, 2, 7);
  EXPECT_TRUE(registered(file, 7));
}

TEST_F(AheadDigestTest, AFalseSha256IsRefusedToo) {
  LongFile file(test_.random, 3, 200'000);
  for (size_t i = 0; i < 3; ++i) put(file, i, 7);
  (*file.file.sha256)[3] ^= std::byte{1};
  auto infos = test_.store->put_shard(file.shard(), anything, 7);
  ASSERT_FALSE(infos.ok());
  EXPECT_EQ(infos.error().reason, Reason::digest_mismatch);
}

TEST_F(AheadDigestTest, XorbsThatComeAtTheSameTimeGiveTheRightDigest) {
  const LongFile file(test_.random, 8, 400'000);
  for (const Uploader uploader : {Uploader{0}, Uploader{7}}) {
    std::vector<std::thread> threads;
    for (size_t i = 0; i < 8; ++i) threads.emplace_back([&, i] { put(file, i, uploader); });
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_TRUE(registered(file, 7));
}

TEST(AheadDigestChain, IsLetGoWithoutRecursion) {
  auto digests = std::make_unique<AheadDigests>();
  std::shared_ptr<AheadLink> last;
  XorbHash hash{};
  for (uint32_t i = 0; i < 4096; ++i) {
    std::memcpy(hash.bytes.data(), &i, sizeof(i));
    last = digests->begin(1, hash);
    ASSERT_NE(last, nullptr);
    last->add(as_bytes("chunk"));
    last->end(1);
  }
  EXPECT_EQ(digests->begin(1, XorbHash{}), nullptr) << "a chain without end";
  digests->end(1);
  last.reset();
  digests.reset();
}

}  // namespace
}  // namespace holdfast::content
