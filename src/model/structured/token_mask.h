#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/structured/matcher.h"

namespace holdfast::model::structured {

// A vocabulary as a tree over the bytes of its tokens, so that those with a common beginning are looked at
// once. Immutable; safe from any thread.
class TokenTree {
 public:
  // bytes[id] is what token `id` adds to the text; an empty one never matches (special tokens, holes).
  explicit TokenTree(std::span<const std::string> bytes);

  size_t tokens() const { return tokens_; }

 private:
  friend class Constraint;
  struct Node {
    uint8_t byte = 0;
    uint32_t next_sibling_subtree = 0;  // Index behind this node's subtree: nodes lie in preorder.
    uint32_t depth = 0;                 // Bytes from the root, this one included.
    uint32_t first_token = 0, tokens = 0;
  };
  std::vector<Node> nodes_;
  std::vector<uint32_t> ids_;  // Of all nodes, one after the other.
  size_t tokens_ = 0;
};

// One answer that is bound to a grammar. One thread at a time.
class Constraint {
 public:
  static constexpr size_t masks_max = 512;  // Remembered by position; all are dropped when there are more.

  // `end_tokens` are allowed exactly where the text may end.
  Constraint(std::shared_ptr<const Grammar> grammar, const TokenTree& tree, std::vector<uint32_t> end_tokens);

  // Removes (-inf) every token that the grammar does not allow next. bad_request when nothing is left: the
  // bounds of Matcher were met, or the vocabulary cannot spell what must come.
  Status restrict(std::span<float> scores);
  // Goes on by a token; false when it was not allowed. An end token leaves the position.
  bool accept(uint32_t token, std::string_view bytes);
  bool complete() const { return matcher_.complete(position_); }
  // Nothing but an end may follow.
  bool closed() const { return matcher_.allowed(position_).none(); }

 private:
  struct Hash {
    size_t operator()(const Matcher::Position& position) const;
  };
  const std::vector<uint32_t>& allowed_tokens();

  Matcher matcher_;
  const TokenTree& tree_;
  std::vector<uint32_t> end_tokens_;
  Matcher::Position position_;
  std::unordered_map<Matcher::Position, std::vector<uint32_t>, Hash> masks_;
};

}  // namespace holdfast::model::structured
