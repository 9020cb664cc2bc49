#include "serve/switch_memory.h"

#include <gtest/gtest.h>

#include <map>

namespace holdfast::serve {
namespace {

constexpr uint64_t mib = 1 << 20;

class FixedRoom final : public MemoryRoom {
 public:
  std::map<std::string, WorkerMemory> taken;
  uint64_t free = 0;
  WorkerMemory taken_by(const ServedModel& model) override { return taken[model.key()]; }
  Result<uint64_t> free_bytes() override { return free; }
};

class FixedFiles final : public FileSource {
 public:
  std::map<std::string, std::vector<File>> files;
  Result<std::vector<File>> list(const ServedModel& model) override { return files[model.key()]; }
  Status copy(const ServedModel&, const std::string&, io::WriteFile&) override {
    return fail(Reason::not_offered, "not in this test");
  }
  std::map<std::string, ServedModel> bases;
  Result<std::optional<ServedModel>> base_of(const ServedModel& model) override {
    const auto found = bases.find(model.key());
    return found == bases.end() ? std::optional<ServedModel>() : std::optional(found->second);
  }
};

class SwitchMemoryTest : public ::testing::Test {
 protected:
  const ServedModel old{1, "lab/m", std::string(40, 'a')}, next{1, "lab/m", std::string(40, 'b')};
  FixedRoom room;
  FixedFiles files;
  SwitchMemory memory{room, files};

  void SetUp() override {
    files.files[old.key()] = {{"model.safetensors", 100 * mib}, {"README.md", 500}};
    // What is not served takes no memory: a pickle beside safetensors, another format.
    files.files[next.key()] = {
        {"model.safetensors", 200 * mib}, {"pytorch_model.bin", 200 * mib}, {"onnx/model.onnx", 400 * mib}};
    room.taken[old.key()] = {.workers = 2, .own_bytes = 60 * mib, .mapped_bytes = 100 * mib};
    room.free = 320 * mib;
  }
};

TEST_F(SwitchMemoryTest, TheNextVersionNeedsItsFilesOnceAndForEachWorkerItsOwn) {
  SwitchNeed need = memory.foresee(old, next, 2).value();
  EXPECT_EQ(need.standing_bytes, 160 * mib);
  EXPECT_EQ(need.next_bytes, (200 + 2 * 60) * mib) << "twice as large: twice 30 MiB for each";
  EXPECT_TRUE(need.fits());
  room.free -= 1;
  need = memory.foresee(old, next, 2).value();
  EXPECT_FALSE(need.fits());
  const Status refused = check_fits(need);
  EXPECT_EQ(refused.error().code, Code::unavailable);
  EXPECT_NE(refused.error().message.find("need 480 MiB, of which 160 MiB are taken"), std::string::npos)
      << refused.error().message;
}

TEST_F(SwitchMemoryTest, AVersionThatARequestMayLoadAtAnyTimeCountsWithItsFiles) {
  room.taken.erase(old.key());
  SwitchNeed need = memory.foresee(old, next, 1).value();
  EXPECT_TRUE(need.fits()) << "nothing stands";
  need = memory.foresee(old, next, 1, SwitchMemory::Standing::will_be_loaded).value();
  EXPECT_EQ(need.standing_bytes, 100 * mib);
  EXPECT_EQ(need.next_bytes, 200 * mib);
  EXPECT_EQ(need.free_bytes, room.free - 100 * mib);
  room.free = 300 * mib;
  EXPECT_TRUE(memory.foresee(old, next, 1, SwitchMemory::Standing::will_be_loaded).value().fits());
  room.free -= 1;
  EXPECT_FALSE(memory.foresee(old, next, 1, SwitchMemory::Standing::will_be_loaded).value().fits());
}

TEST_F(SwitchMemoryTest, WhatIsThereAlreadyIsNotNeededAgain) {
  room.free = 0;
  EXPECT_TRUE(memory.foresee(old, old, 2).value().fits());
  room.taken[next.key()] = {.workers = 2, .own_bytes = 60 * mib, .mapped_bytes = 200 * mib};
  EXPECT_EQ(memory.foresee(old, next, 2).value().next_bytes, 0U);
  EXPECT_EQ(memory.foresee(old, next, 3).value().next_bytes, 60 * mib);
}

TEST_F(SwitchMemoryTest, WithoutAStandingVersionThereIsNothingBesideTheNext) {
  room.taken.clear();
  room.free = 0;
  const SwitchNeed need = memory.foresee(old, next, 2).value();
  EXPECT_EQ(need.next_bytes, 200 * mib);
  EXPECT_TRUE(need.fits()) << "a model that is too large fails when it is loaded, and not for two of them";
}

TEST_F(SwitchMemoryTest, AnAdapterOfTheSameBaseNeedsItsFilesAndOneOfAnotherItsBaseToo) {
  const ServedModel one{2, "lab/one", std::string(40, 'c')}, other{3, "lab/other", std::string(40, 'd')};
  for (const ServedModel& adapter : {one, other}) {
    files.files[adapter.key()] = {{"adapter_config.json", 0}, {"adapter_model.safetensors", 4 * mib}};
    files.bases.emplace(adapter.key(), old);
  }
  ServedModel host = old;
  host.takes_adapters = true;
  files.files[host.key()] = files.files[old.key()];
  room.taken[host.key()] = {.workers = 2, .own_bytes = 60 * mib, .mapped_bytes = 100 * mib};
  SwitchNeed need = memory.foresee(one, other, 2).value();
  EXPECT_EQ(need.standing_bytes, 160 * mib);
  EXPECT_EQ(need.next_bytes, 2 * 4 * mib);
  files.bases[other.key()] = next;
  host = next;
  host.takes_adapters = true;
  files.files[host.key()] = files.files[next.key()];
  need = memory.foresee(one, other, 2).value();
  EXPECT_EQ(need.next_bytes, (2 * 4 + 200 + 2 * 60) * mib);
  EXPECT_FALSE(need.fits());
}

TEST_F(SwitchMemoryTest, ASmallerVersionsWorkersStillHaveARuntime) {
  room.taken[next.key()] = {.workers = 1, .own_bytes = 30 * mib, .mapped_bytes = 200 * mib};
  room.taken.erase(old.key());
  EXPECT_EQ(memory.foresee(next, old, 1).value().next_bytes, 130 * mib);
}

}  // namespace
}  // namespace holdfast::serve
