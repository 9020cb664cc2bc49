#include <optional>
#include <thread>

#include "base/check.h"
#include "base/guarded.h"
#include "content/block_queue.h"
#include "content/intake.h"
#include "content/parts.h"

namespace holdfast::content {
namespace {

// The caller's thread copies into blocks and computes the SHA-256; a second one chunks, names and writes. A
// file of one block needs no second thread.
class PlainIngest final : public Ingest {
 public:
  explicit PlainIngest(Parts& parts) : intake_(parts) {}
  ~PlainIngest() override { stop(); }

  Status write(ByteView bytes) override {
    CHECK(!finished_);
    sha256_.update(bytes);
    size_ += bytes.size();
    while (!bytes.empty()) {
      if (current_ == nullptr) current_ = blocks_.empty();
      if (current_ == nullptr) return outcome();
      const size_t taken = std::min(bytes.size(), current_->room());
      current_->append(bytes.first(taken));
      bytes = bytes.subspan(taken);
      if (current_->room() == 0) hand_over();
    }
    return Done{};
  }

  Result<FileInfo> finish(const Expected& expected) override {
    CHECK(!finished_);
    finished_ = true;
    if (worker_.joinable()) {
      if (current_ != nullptr) blocks_.push(std::move(current_));
      blocks_.close();
      worker_.join();
      TRY_DONE(outcome());
    } else if (current_ != nullptr) {
      TRY_DONE(intake_.take(*current_));
    }
    const Sha256Digest digest = sha256_.finish();
    if (expected.size && *expected.size != size_)
      return fail(Reason::digest_mismatch, "the bytes are more or fewer than announced");
    if (expected.sha256 && *expected.sha256 != digest)
      return fail(Reason::digest_mismatch, "the bytes do not have the SHA-256 that was announced");
    TRY_DONE(intake_.end());
    return intake_.commit(digest, size_);
  }

 private:
  void hand_over() {
    if (!worker_.joinable()) worker_ = std::thread([this] { work(); });
    blocks_.push(std::move(current_));
  }

  void work() {
    std::unique_ptr<Block> previous;  // Holds the beginning of a chunk that the next block ends.
    while (auto block = blocks_.pop()) {
      Status taken = guarded([&] { return intake_.take(*block); });
      if (!taken.ok()) {
        outcome_ = std::move(taken);
        blocks_.stop();
        return;
      }
      if (previous != nullptr) blocks_.give_back(std::move(previous));
      previous = std::move(block);
    }
    if (blocks_.stopped()) return;
    outcome_ = guarded([&] { return intake_.end(); });
  }

  // What the worker came to. Waits for it.
  Status outcome() {
    if (worker_.joinable()) worker_.join();
    return outcome_;
  }

  void stop() {
    blocks_.stop();
    if (worker_.joinable()) worker_.join();
  }

  Intake intake_;  // The worker's while it runs.
  BlockQueue blocks_;
  std::thread worker_;
  Status outcome_ = Done{};  // The worker's while it runs.
  std::unique_ptr<Block> current_;
  codec::Sha256 sha256_;
  uint64_t size_ = 0;
  bool finished_ = false;
};

}  // namespace

Result<std::unique_ptr<Ingest>> begin_ingest(Parts& parts) {
  return std::unique_ptr<Ingest>(std::make_unique<PlainIngest>(parts));
}

}  // namespace holdfast::content
