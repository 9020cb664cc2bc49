#include "identity/checkpoint.h"

#include <gtest/gtest.h>

#include "io/disk.h"

namespace holdfast::identity {
namespace {

TEST(Checkpoints, OnlyTheInstancesKeySignsThem) {
  const auto disk = io::make_memory_disk();
  SeededRandom random(3);
  const CheckpointKey key = CheckpointKey::open(*disk, random).value();
  const CheckpointKey same = CheckpointKey::open(*disk, random).value();
  EXPECT_EQ(key.public_key(), same.public_key());
  AuditCheckpoint head{.number = 7, .hash = {}};
  head.hash[3] = std::byte{5};
  const SignedCheckpoint made = key.sign(head, WallTime{std::chrono::milliseconds{1'700'000'000'123}});
  const SignedCheckpoint read = parse_checkpoint(checkpoint_text(made)).value();
  EXPECT_TRUE(verify_signature(read, key.public_key()).ok());
  SignedCheckpoint forged = read;
  forged.checkpoint.number = 8;
  EXPECT_FALSE(verify_signature(forged, key.public_key()).ok());
  const auto elsewhere = io::make_memory_disk();
  EXPECT_FALSE(verify_signature(read, CheckpointKey::open(*elsewhere, random).value().public_key()).ok());
  EXPECT_FALSE(verify_signature(read, "").ok());
  EXPECT_TRUE(parse_checkpoint(R"({"number": 1, "hash": ")" + std::string(64, '0') + "\"}")
                  .value()
                  .signature.empty());
  EXPECT_FALSE(parse_checkpoint(R"({"number": 1, "hash": "00"})").ok());
}

}  // namespace
}  // namespace holdfast::identity
