#include "io/faulty_disk.h"

#include <fmt/core.h>

#include <algorithm>
#include <mutex>

namespace holdfast::io {
namespace {

// Decides which operation fails. Shared by a disk and its files.
class Dice {
 public:
  Dice(Random& random, const Faults& faults) : random_(random), faults_(faults) {}

  void set(const Faults& faults) {
    std::lock_guard lock(mutex_);
    faults_ = faults;
    operations_ = writes_ = bytes_ = 0;
  }

  Status operation(std::string_view verb) {
    std::lock_guard lock(mutex_);
    return count_operation(verb);
  }

  // How many bytes of a write get through, and what is said about it afterwards.
  struct Verdict {
    size_t bytes;
    Status outcome;
  };
  Verdict write(size_t wanted) {
    std::lock_guard lock(mutex_);
    ++writes_;
    if (auto failed = count_operation("write"); !failed.ok()) return {0, std::move(failed)};
    if (faults_.tear_at_write == writes_) {
      const auto torn = static_cast<size_t>(random_.below(wanted + 1));
      bytes_ += torn;
      return {torn, fail(Code::internal, "injected: the write was torn")};
    }
    const auto fits = static_cast<size_t>(std::min<uint64_t>(wanted, room()));
    bytes_ += fits;
    if (fits < wanted) return {fits, fail(Reason::disk_full, "injected: the disk is full")};
    return {fits, Done{}};
  }

  uint64_t room_left() const {
    std::lock_guard lock(mutex_);
    return room();
  }
  bool loses_syncs() const {
    std::lock_guard lock(mutex_);
    return faults_.syncs == Faults::Syncs::lost;
  }
  uint64_t operations() const {
    std::lock_guard lock(mutex_);
    return operations_;
  }
  uint64_t writes() const {
    std::lock_guard lock(mutex_);
    return writes_;
  }

 private:
  uint64_t room() const {
    if (!faults_.full_after_bytes) return UINT64_MAX;
    return *faults_.full_after_bytes - std::min(*faults_.full_after_bytes, bytes_);
  }
  Status count_operation(std::string_view verb) {
    ++operations_;
    const bool unlucky = faults_.fail_one_in && random_.below(*faults_.fail_one_in) == 0;
    if (faults_.fail_at == operations_ || unlucky)
      return fail(Code::internal, fmt::format("injected: cannot {}, operation {}", verb, operations_));
    return Done{};
  }

  Random& random_;
  mutable std::mutex mutex_;  // Guards what follows.
  Faults faults_;
  uint64_t operations_ = 0, writes_ = 0, bytes_ = 0;
};

class FaultyReadFile final : public ReadFile {
 public:
  FaultyReadFile(std::unique_ptr<ReadFile> below, Dice& dice) : below_(std::move(below)), dice_(dice) {}
  Result<uint64_t> size() const override { return below_->size(); }
  Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) const override {
    TRY_DONE(dice_.operation("read"));
    return below_->read_at(offset, into);
  }
  int descriptor() const override { return -1; }  // The kernel would read past the faults.

 private:
  std::unique_ptr<ReadFile> below_;
  Dice& dice_;
};

class FaultyWriteFile final : public WriteFile {
 public:
  FaultyWriteFile(std::unique_ptr<WriteFile> below, Dice& dice) : below_(std::move(below)), dice_(dice) {}

  Status append(ByteView bytes) override { return write_at(below_->size(), bytes); }
  Status write_at(uint64_t offset, ByteView bytes) override {
    Dice::Verdict verdict = dice_.write(bytes.size());
    TRY_DONE(below_->write_at(offset, bytes.first(verdict.bytes)));
    return std::move(verdict.outcome);
  }
  Status truncate(uint64_t size) override {
    TRY_DONE(dice_.operation("truncate"));
    return below_->truncate(size);
  }
  Status sync() override {
    TRY_DONE(dice_.operation("sync"));
    return dice_.loses_syncs() ? Status(Done{}) : below_->sync();
  }
  uint64_t size() const override { return below_->size(); }

 private:
  std::unique_ptr<WriteFile> below_;
  Dice& dice_;
};

class DecoratedDisk final : public FaultyDisk {
 public:
  DecoratedDisk(Disk& below, Random& random, const Faults& faults) : below_(below), dice_(random, faults) {}

  Result<std::unique_ptr<ReadFile>> open(const Path& path) override {
    TRY_DONE(dice_.operation("open"));
    TRY(auto file, below_.open(path));
    return std::unique_ptr<ReadFile>(std::make_unique<FaultyReadFile>(std::move(file), dice_));
  }
  Result<std::unique_ptr<MappedFile>> map(const Path& path) override { return below_.map(path); }
  Result<std::unique_ptr<WriteFile>> create(const Path& path) override {
    TRY_DONE(dice_.operation("create"));
    TRY(auto file, below_.create(path));
    return std::unique_ptr<WriteFile>(std::make_unique<FaultyWriteFile>(std::move(file), dice_));
  }
  Result<std::unique_ptr<WriteFile>> open_append(const Path& path) override {
    TRY_DONE(dice_.operation("open"));
    TRY(auto file, below_.open_append(path));
    return std::unique_ptr<WriteFile>(std::make_unique<FaultyWriteFile>(std::move(file), dice_));
  }
  Status rename(const Path& from, const Path& to) override {
    TRY_DONE(dice_.operation("rename"));
    return below_.rename(from, to);
  }
  Status remove(const Path& path) override {
    TRY_DONE(dice_.operation("remove"));
    return below_.remove(path);
  }
  Status remove_tree(const Path& path) override {
    TRY_DONE(dice_.operation("remove"));
    return below_.remove_tree(path);
  }
  Status make_directories(const Path& path) override {
    TRY_DONE(dice_.operation("make"));
    return below_.make_directories(path);
  }
  Status sync_directory(const Path& path) override {
    TRY_DONE(dice_.operation("sync"));
    return dice_.loses_syncs() ? Status(Done{}) : below_.sync_directory(path);
  }
  Result<std::vector<Entry>> list(const Path& path) override {
    TRY_DONE(dice_.operation("list"));
    return below_.list(path);
  }
  Result<Entry> stat(const Path& path) override { return below_.stat(path); }
  Status restrict_to_owner(const Path& path) override { return below_.restrict_to_owner(path); }
  Result<uint64_t> free_bytes() override {
    TRY(const uint64_t left, below_.free_bytes());
    return std::min(left, dice_.room_left());
  }
  Path absolute(const Path& path) const override { return below_.absolute(path); }

  void set(const Faults& faults) override { dice_.set(faults); }
  uint64_t operations() const override { return dice_.operations(); }
  uint64_t writes() const override { return dice_.writes(); }

 private:
  Disk& below_;
  Dice dice_;
};

}  // namespace

std::unique_ptr<FaultyDisk> make_faulty_disk(Disk& below, Random& random, const Faults& faults) {
  return std::make_unique<DecoratedDisk>(below, random, faults);
}

}  // namespace holdfast::io
