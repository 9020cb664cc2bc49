#include "token/formats/merges_of_vocabulary.h"

#include <algorithm>

#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

// Longer tokens are not cut: the time goes with the square of their length.
constexpr size_t token_bytes_max = 1024;

struct Cut {
  std::string_view left, right;
  double score = 0;
  uint32_t left_id = 0, right_id = 0;
  size_t left_length = 0, right_length = 0;
};

using Ids = std::unordered_map<std::string_view, uint32_t>;

// Cuts of `token` at the places that `is_place` wants, by the ids of their parts.
template <class IsPlace>
void add_cuts(std::string_view token, double score, const Ids& ids, IsPlace is_place,
              std::vector<Cut>& cuts) {
  if (token.size() > token_bytes_max) return;
  const size_t first = cuts.size();
  for (size_t at = 1; at < token.size(); ++at) {
    if (!is_place(token[at])) continue;
    const auto left = ids.find(token.substr(0, at));
    if (left == ids.end()) continue;
    const auto right = ids.find(token.substr(at));
    if (right == ids.end()) continue;
    cuts.push_back({left->first, right->first, score, left->second, right->second,
                    count_code_points(left->first), count_code_points(right->first)});
  }
  std::stable_sort(cuts.begin() + static_cast<std::ptrdiff_t>(first), cuts.end(),
                   [](const Cut& a, const Cut& b) {
                     return std::pair(a.left_id, a.right_id) < std::pair(b.left_id, b.right_id);
                   });
}

Merges pairs_of(const std::vector<Cut>& cuts) {
  Merges out;
  out.reserve(cuts.size());
  for (const Cut& cut : cuts) out.emplace_back(cut.left, cut.right);
  return out;
}

}  // namespace

Merges merges_of_vocabulary(std::span<const std::string> tokens,
                            std::optional<std::span<const double>> scores) {
  Ids ids;
  for (size_t id = 0; id < tokens.size(); ++id) ids.insert_or_assign(tokens[id], static_cast<uint32_t>(id));
  std::vector<Cut> cuts;
  // A token that stands there twice takes part once, at its first place, with the later score.
  std::unordered_map<std::string_view, bool> seen;
  for (const std::string& token : tokens) {
    if (!seen.emplace(token, true).second) continue;
    const uint32_t id = ids.at(token);
    const double score = scores && id < scores->size() ? (*scores)[id] : static_cast<double>(id);
    add_cuts(token, score, ids, starts_code_point, cuts);
  }
  const auto key = [](const Cut& cut) { return std::tuple(cut.score, cut.left_length, cut.right_length); };
  std::stable_sort(cuts.begin(), cuts.end(),
                   [&](const Cut& a, const Cut& b) { return scores ? key(a) > key(b) : key(a) < key(b); });
  return pairs_of(cuts);
}

Merges merges_of_ranks(const std::vector<std::pair<std::string, uint32_t>>& ranks) {
  Ids ids;
  for (const auto& [token, rank] : ranks) ids.insert_or_assign(token, rank);
  std::vector<Cut> cuts;
  for (const auto& [token, rank] : ranks) add_cuts(token, rank, ids, [](char) { return true; }, cuts);
  std::stable_sort(cuts.begin(), cuts.end(), [](const Cut& a, const Cut& b) { return a.score < b.score; });
  return pairs_of(cuts);
}

}  // namespace holdfast::token
