#include "model/structured/matcher.h"

#include <algorithm>

namespace holdfast::model::structured {

Matcher::Matcher(std::shared_ptr<const Grammar> grammar) : grammar_(std::move(grammar)), frames_(1) {
  const auto choices = grammar_->rules[grammar_->start].choices.size();
  for (uint32_t choice = 0; choice < choices; ++choice)
    settle({.rule = grammar_->start, .choice = choice, .at = 0, .behind = finished}, start_);
  std::sort(start_.begin(), start_.end());
}

size_t Matcher::Hash::operator()(const Frame& frame) const {
  uint64_t mixed = frame.rule;
  for (const uint32_t part : {frame.choice, frame.at, frame.behind})
    mixed = (mixed ^ part) * 0x9e3779b97f4a7c15 + (mixed >> 29);
  return mixed;
}

uint32_t Matcher::number(const Frame& frame) {
  const auto known = numbers_.find(frame);
  if (known != numbers_.end()) return known->second;
  if (frames_.size() >= frames_max) {
    exhausted_ = true;
    return finished;
  }
  frames_.push_back(frame);
  numbers_.emplace(frame, static_cast<uint32_t>(frames_.size() - 1));
  return static_cast<uint32_t>(frames_.size() - 1);
}

void Matcher::settle(const Frame& first, Position& into) {
  std::vector<Frame> open = {first};
  while (!open.empty()) {
    if (into.size() + open.size() > stacks_max || exhausted_) {
      exhausted_ = true;
      return;
    }
    Frame frame = open.back();
    open.pop_back();
    // Nothing left in this choice: go on behind it.
    while (frame.at == sequence(frame).size() && frame.behind != finished) frame = frames_[frame.behind];
    uint32_t settled = finished;
    if (frame.at < sequence(frame).size()) {
      const Element& element = sequence(frame)[frame.at];
      if (element.is_rule) {
        Frame rest = frame;
        ++rest.at;
        // A rule at the very end needs no way back: right recursion does not pile up.
        uint32_t behind = rest.at == sequence(rest).size() ? rest.behind : number(rest);
        const auto choices = grammar_->rules[element.rule].choices.size();
        for (uint32_t choice = 0; choice < choices; ++choice)
          open.push_back({.rule = element.rule, .choice = choice, .at = 0, .behind = behind});
        continue;
      }
      settled = number(frame);
      if (exhausted_) return;
    }
    if (std::find(into.begin(), into.end(), settled) == into.end()) into.push_back(settled);
  }
}

Matcher::Position Matcher::after(const Position& position, uint8_t byte) {
  Position out;
  for (const uint32_t stack : position) {
    if (stack == finished) continue;
    Frame frame = frames_[stack];
    if (!grammar_->sets[sequence(frame)[frame.at].set].test(byte)) continue;
    ++frame.at;
    settle(frame, out);
  }
  if (exhausted_) out.clear();
  std::sort(out.begin(), out.end());
  return out;
}

ByteSet Matcher::allowed(const Position& position) const {
  ByteSet out;
  for (const uint32_t stack : position)
    if (stack != finished) out |= grammar_->sets[sequence(frames_[stack])[frames_[stack].at].set];
  return out;
}

bool Matcher::complete(const Position& position) const {
  return !position.empty() && position.front() == finished;
}

}  // namespace holdfast::model::structured
