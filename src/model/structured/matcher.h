#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "model/structured/grammar.h"

namespace holdfast::model::structured {

// Follows a text byte by byte through a grammar. The memory of what may come next (a set of stacks, told
// apart by number) is shared by all positions of one Matcher, so that a position is small and cheap to copy.
// One thread at a time.
class Matcher {
 public:
  static constexpr size_t frames_max = 1 << 20;  // Over a whole text; deeper nesting or ambiguity ends it.
  static constexpr size_t stacks_max = 4'096;

  explicit Matcher(std::shared_ptr<const Grammar> grammar);

  // Numbers of the stacks that are alive, in order. None: the text cannot be continued.
  using Position = std::vector<uint32_t>;

  const Position& start() const { return start_; }
  // Where `byte` leads; empty when it is not allowed there.
  Position after(const Position& position, uint8_t byte);
  // The bytes allowed there.
  ByteSet allowed(const Position& position) const;
  // Whether the text may end there.
  bool complete(const Position& position) const;
  // A bound was met: what was refused since then may have been right.
  bool exhausted() const { return exhausted_; }

 private:
  // What is left of a choice, and what comes behind it.
  struct Frame {
    RuleId rule = 0;
    uint32_t choice = 0, at = 0;
    uint32_t behind = 0;
    bool operator==(const Frame&) const = default;
  };
  struct Hash {
    size_t operator()(const Frame& frame) const;
  };
  static constexpr uint32_t finished = 0;  // The stack with nothing left.

  const Sequence& sequence(const Frame& frame) const {
    return grammar_->rules[frame.rule].choices[frame.choice];
  }
  uint32_t number(const Frame& frame);
  // Unfolds rules until a byte stands on top.
  void settle(const Frame& frame, Position& into);

  std::shared_ptr<const Grammar> grammar_;
  std::vector<Frame> frames_;  // [0] is `finished`.
  std::unordered_map<Frame, uint32_t, Hash> numbers_;
  Position start_;
  bool exhausted_ = false;
};

}  // namespace holdfast::model::structured
