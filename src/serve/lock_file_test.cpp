#include "serve/lock_file.h"

#include <gtest/gtest.h>

#include "io/temporary_folder.h"

namespace holdfast::serve {
namespace {

class NoWorkers final : public WorkerStarter {
 public:
  int started = 0;
  Result<std::unique_ptr<Worker>> start(const WorkerFolder&, std::chrono::milliseconds) override {
    ++started;
    return std::unique_ptr<Worker>();
  }
};

class LockFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write("config.json", R"({"torch_dtype":"float32"})");
    write("tokenizer.json", "{}");
    write("model.safetensors", "weights");
    write("1_Pooling/config.json", "{}");
    write("README.md", "not served");
  }
  void write(const std::string& path, std::string_view text) {
    if (const io::Path parent = io::Path(path).parent_path(); !parent.empty()) {
      ASSERT_TRUE(disk->make_directories(parent).ok());
    }
    ASSERT_TRUE(io::publish_text(*disk, path, text).ok());
  }
  Lock lock() { return look_at(*disk, ".", {.name = "holdfast 1", .libraries = libraries}).value(); }
  std::string refusal(const std::string& runtime = "holdfast 1") {
    const auto held = hold_to_locks(workers, {.name = runtime, .libraries = libraries}, *metrics);
    const auto started = held->start({folder.path()}, std::chrono::milliseconds(1));
    return started.ok() ? "" : started.error().message;
  }

  io::TemporaryFolder folder;
  std::unique_ptr<io::Disk> disk = io::open_posix_disk(folder.path()).value();
  NoWorkers workers;
  std::map<std::string, std::string> libraries{{"libicuuc", "72.1 aa"}, {"libm", "6 bb"}};
  std::unique_ptr<Metrics> metrics = make_metrics();
};

TEST_F(LockFileTest, PinsWhatIsServedAndIsReadAsItWasWritten) {
  Lock made = lock();
  made.model = "ada/m@" + std::string(40, 'a');
  EXPECT_EQ(made.files.size(), 4U);
  EXPECT_EQ(made.dtype, "float32");
  EXPECT_EQ(made.tokenizer, made.files.at("tokenizer.json"));
  EXPECT_EQ(parse_lock(lock_text(made)).value(), made);
  EXPECT_TRUE(differences(made, lock()).empty());
}

TEST_F(LockFileTest, AnAdapterIsHeldToItsLockAsAModelIs) {
  write(std::string(lock_name), lock_text(lock()));
  const auto held = hold_to_locks(workers, {.name = "holdfast 1", .libraries = libraries}, *metrics);
  EXPECT_TRUE(held->may_use(folder.path()).ok());
  write("model.safetensors", "others");
  EXPECT_FALSE(held->may_use(folder.path()).ok());
  EXPECT_EQ(workers.started, 0);
}

TEST_F(LockFileTest, AStartWithAnythingElseFailsAndNamesTheDifference) {
  EXPECT_EQ(refusal(), "") << "no lock, no question";
  write(std::string(lock_name), lock_text(lock()));
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(workers.started, 2);
  EXPECT_EQ(refusal("holdfast 2").find("docs/operating.md"), std::string::npos);
  EXPECT_NE(metrics->text().find("holdfast_tokenization_errors_total 0"), std::string::npos);
  EXPECT_NE(refusal("holdfast 2").find("runtime is holdfast 2, the lock says holdfast 1"), std::string::npos);
  write("tokenizer.json", "{ }");
  EXPECT_NE(refusal().find("tokenizer is "), std::string::npos);
  EXPECT_NE(metrics->text().find("holdfast_tokenization_errors_total 1"), std::string::npos);
  EXPECT_NE(refusal().find("What to do: docs/operating.md"), std::string::npos);
  EXPECT_NE(refusal().find("; tokenizer.json is "), std::string::npos) << refusal();
  write("tokenizer.json", "{}");
  write("config.json", R"({"torch_dtype":"bfloat16"})");
  EXPECT_NE(refusal().find("dtype is bfloat16, the lock says float32"), std::string::npos);
  write("config.json", R"({"torch_dtype":"float32"})");
  write("extra.json", "{}");
  EXPECT_NE(refusal().find("extra.json is not in the lock"), std::string::npos);
  ASSERT_TRUE(disk->remove("extra.json").ok());
  ASSERT_TRUE(disk->remove("model.safetensors").ok());
  EXPECT_NE(refusal().find("model.safetensors is missing"), std::string::npos);
  write(std::string(lock_name), "nonsense");
  EXPECT_NE(refusal().find("holdfast.lock"), std::string::npos);
  EXPECT_EQ(workers.started, 2);
}

TEST_F(LockFileTest, AnotherBuildOfALibraryIsADifferenceWhereLibrariesArePinned) {
  write(std::string(lock_name), lock_text(lock()));
  EXPECT_EQ(refusal(), "");
  libraries["libicuuc"] = "74.2 cc";
  EXPECT_NE(refusal().find("libicuuc is 74.2 cc, the lock says 72.1 aa"), std::string::npos) << refusal();
  libraries.erase("libicuuc");
  EXPECT_NE(refusal().find("libicuuc is nothing"), std::string::npos) << refusal();
  libraries["libother"] = "1 dd";
  Lock loose = lock();
  loose.libraries.clear();
  write(std::string(lock_name), lock_text(loose));
  EXPECT_EQ(refusal(), "") << "what is not pinned may change";
  EXPECT_FALSE(parse_lock(R"({"holdfast_lock":1,"files":{},"libraries":{"libm":6}})").ok());
}

TEST_F(LockFileTest, WhatAFolderDoesNotKnowIsComparedOnlyWhereItIsSaid) {
  Lock pinned = lock(), found = lock();
  pinned.dataset = "ada/d@1";
  EXPECT_TRUE(differences(pinned, found).empty());
  found.dataset = "ada/d@2";
  EXPECT_EQ(differences(pinned, found),
            (std::vector<std::string>{"dataset is ada/d@2, the lock says ada/d@1"}));
}

}  // namespace
}  // namespace holdfast::serve
