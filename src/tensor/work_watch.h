#pragma once

#include <cstddef>
#include <string_view>

namespace holdfast::tensor {

// Told what a thread computes, by that thread: how `holdfast profile` knows without a parameter through every
// block of every family. Where nobody watches, telling costs a look at one word.
class WorkWatch {
 public:
  // Of what stands outside layers: embeddings, heads.
  static constexpr size_t no_layer = static_cast<size_t>(-1);

  virtual ~WorkWatch() = default;
  // A product or attention: a multiply-add is two operations. `weights`: what it has read them from, the same
  // for the same layer, and how many bytes those are; null and 0: none.
  virtual void worked(double operations, const void* weights, size_t bytes) = 0;
  // All since the last call was this step of this layer.
  virtual void ended(size_t layer, std::string_view step) = 0;
  // Steps that follow belong to this part of the model ("decoder"); answers the part before.
  virtual std::string_view enter(std::string_view part) = 0;
};

// This thread's; null: none.
inline constinit thread_local WorkWatch* work_watch = nullptr;

inline void step_ended(size_t layer, std::string_view step) {
  if (work_watch != nullptr) work_watch->ended(layer, step);
}

// While it lives `watch` is told what this thread computes.
class WatchScope {
 public:
  explicit WatchScope(WorkWatch& watch) : before_(work_watch) { work_watch = &watch; }
  ~WatchScope() { work_watch = before_; }
  WatchScope(const WatchScope&) = delete;
  WatchScope& operator=(const WatchScope&) = delete;

 private:
  WorkWatch* before_;
};

// While it lives steps belong to `part`, which outlives it.
class PartScope {
 public:
  explicit PartScope(std::string_view part) {
    if (work_watch != nullptr) before_ = work_watch->enter(part);
  }
  ~PartScope() {
    if (work_watch != nullptr) work_watch->enter(before_);
  }
  PartScope(const PartScope&) = delete;
  PartScope& operator=(const PartScope&) = delete;

 private:
  std::string_view before_;
};

}  // namespace holdfast::tensor
