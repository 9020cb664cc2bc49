#include "model/structured/token_mask.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace holdfast::model::structured {

TokenTree::TokenTree(std::span<const std::string> bytes) : tokens_(bytes.size()) {
  std::vector<uint32_t> order;
  for (uint32_t id = 0; id < bytes.size(); ++id)
    if (!bytes[id].empty()) order.push_back(id);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return bytes[a] < bytes[b]; });
  std::vector<uint32_t> path;  // Nodes from the root to the last token's end.
  const auto close_to = [&](size_t depth) {
    for (; path.size() > depth; path.pop_back())
      nodes_[path.back()].next_sibling_subtree = static_cast<uint32_t>(nodes_.size());
  };
  std::string_view before;
  for (const uint32_t id : order) {
    const std::string_view text = bytes[id];
    const size_t same = static_cast<size_t>(
        std::mismatch(text.begin(), text.end(), before.begin(), before.end()).first - text.begin());
    close_to(same);
    for (size_t depth = same; depth < text.size(); ++depth) {
      path.push_back(static_cast<uint32_t>(nodes_.size()));
      nodes_.push_back({.byte = static_cast<uint8_t>(text[depth]),
                        .next_sibling_subtree = 0,
                        .depth = static_cast<uint32_t>(depth + 1),
                        .first_token = static_cast<uint32_t>(ids_.size()),
                        .tokens = 0});
    }
    // Equal texts lie side by side in the order, so a node's ids do too.
    Node& node = nodes_[path.back()];
    if (node.tokens == 0) node.first_token = static_cast<uint32_t>(ids_.size());
    ++node.tokens;
    ids_.push_back(id);
    before = text;
  }
  close_to(0);
}

size_t Constraint::Hash::operator()(const Matcher::Position& position) const {
  uint64_t mixed = position.size();
  for (const uint32_t stack : position) mixed = (mixed ^ stack) * 0x9e3779b97f4a7c15 + (mixed >> 29);
  return mixed;
}

Constraint::Constraint(std::shared_ptr<const Grammar> grammar, const TokenTree& tree,
                       std::vector<uint32_t> end_tokens)
    : matcher_(std::move(grammar)),
      tree_(tree),
      end_tokens_(std::move(end_tokens)),
      position_(matcher_.start()) {}

const std::vector<uint32_t>& Constraint::allowed_tokens() {
  if (const auto known = masks_.find(position_); known != masks_.end()) return known->second;
  if (masks_.size() >= masks_max) masks_.clear();
  std::vector<uint32_t> out;
  std::vector<Matcher::Position> path = {position_};  // [depth]
  for (size_t at = 0; at < tree_.nodes_.size();) {
    const TokenTree::Node& node = tree_.nodes_[at];
    path.resize(node.depth);
    auto next = matcher_.after(path.back(), node.byte);
    if (next.empty()) {
      at = node.next_sibling_subtree;
      continue;
    }
    path.push_back(std::move(next));
    const auto ids = std::span(tree_.ids_).subspan(node.first_token, node.tokens);
    out.insert(out.end(), ids.begin(), ids.end());
    ++at;
  }
  return masks_.emplace(position_, std::move(out)).first->second;
}

Status Constraint::restrict(std::span<float> scores) {
  std::vector<bool> kept(scores.size());
  bool any = false;
  const auto keep = [&](uint32_t id) {
    if (id >= scores.size()) return;
    kept[id] = true;
    any = true;
  };
  for (const uint32_t id : allowed_tokens()) keep(id);
  if (complete())
    for (const uint32_t id : end_tokens_) keep(id);
  if (matcher_.exhausted())
    return fail(Reason::bad_request, "the structure asked for is too deep or too ambiguous to follow");
  if (!any && !complete())
    return fail(Reason::bad_request, "the vocabulary cannot spell what the structure asks for next");
  for (size_t id = 0; id < scores.size(); ++id)
    if (!kept[id]) scores[id] = -std::numeric_limits<float>::infinity();
  return Done{};
}

bool Constraint::accept(uint32_t token, std::string_view bytes) {
  if (std::find(end_tokens_.begin(), end_tokens_.end(), token) != end_tokens_.end()) return complete();
  auto position = position_;
  for (const char byte : bytes) position = matcher_.after(position, static_cast<uint8_t>(byte));
  if (position.empty() || bytes.empty()) return false;
  position_ = std::move(position);
  return true;
}

}  // namespace holdfast::model::structured
