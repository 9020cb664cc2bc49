#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "base/bytes.h"
#include "content/xet_format.h"

namespace holdfast::content {

// A piece of a file on its way through an ingest, with room in front for the chunk that the piece before
// could not finish and for that chunk's header, so that chunks always lie in one run.
class Block {
 public:
  static constexpr size_t bytes_max = 1 << 20;
  static constexpr size_t headroom = chunk_bytes_max + chunk_header_bytes;

  Block() : memory_(std::make_unique_for_overwrite<std::byte[]>(headroom + bytes_max)) {}

  size_t room() const { return headroom + bytes_max - end_; }
  void append(ByteView bytes) {
    std::memcpy(memory_.get() + end_, bytes.data(), bytes.size());
    end_ += bytes.size();
  }
  // At most chunk_bytes_max bytes that come before what the block holds.
  void prepend(ByteView bytes) {
    if (bytes.empty()) return;
    begin_ -= bytes.size();
    std::memcpy(memory_.get() + begin_, bytes.data(), bytes.size());
  }
  std::span<std::byte> bytes() { return {memory_.get() + begin_, end_ - begin_}; }
  // Eight bytes before `at`, which is within bytes(): of the headroom, or of a chunk that is done with.
  static std::byte* before(const std::byte* at) { return const_cast<std::byte*>(at) - chunk_header_bytes; }
  void clear() { begin_ = end_ = headroom; }

 private:
  std::unique_ptr<std::byte[]> memory_;
  size_t begin_ = headroom, end_ = headroom;
};

// Blocks between the thread that receives and the thread that chunks, and back for use again. Bounded by the
// number of blocks.
class BlockQueue {
 public:
  static constexpr size_t blocks_max = 4;

  // An empty block; waits until one is given back. Null after `stop`.
  std::unique_ptr<Block> empty() {
    std::unique_lock lock(mutex_);
    if (made_ < blocks_max && empty_.empty()) {
      ++made_;
      return std::make_unique<Block>();
    }
    changed_.wait(lock, [this] { return !empty_.empty() || stopped_; });
    if (stopped_) return nullptr;
    auto block = std::move(empty_.front());
    empty_.pop_front();
    return block;
  }
  void push(std::unique_ptr<Block> block) {
    const std::lock_guard lock(mutex_);
    full_.push_back(std::move(block));
    changed_.notify_all();
  }
  // No more will be pushed.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }
  // The next full block; null when closed and empty, or stopped.
  std::unique_ptr<Block> pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !full_.empty() || closed_ || stopped_; });
    if (full_.empty() || stopped_) return nullptr;
    auto block = std::move(full_.front());
    full_.pop_front();
    return block;
  }
  void give_back(std::unique_ptr<Block> block) {
    block->clear();
    const std::lock_guard lock(mutex_);
    empty_.push_back(std::move(block));
    changed_.notify_all();
  }
  // Nobody waits any longer.
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  bool stopped() {
    const std::lock_guard lock(mutex_);
    return stopped_;
  }

 private:
  std::mutex mutex_;  // Guards all below.
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Block>> empty_, full_;
  size_t made_ = 0;
  bool closed_ = false, stopped_ = false;
};

}  // namespace holdfast::content
