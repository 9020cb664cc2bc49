#pragma once

#include <array>
#include <boost/json/fwd.hpp>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "token/models/model.h"
#include "token/models/vocabulary.h"
#include "token/normalizers/normalizer.h"
#include "token/piece.h"

namespace holdfast::token {

struct AddedToken {
  uint32_t id = 0;
  std::string content;
  bool single_word = false;             // Not where a letter or digit is beside it.
  bool lstrip = false, rstrip = false;  // Takes white space before, after it along.
  bool normalized = true;               // Searched in the normalized text, in its normalized form.
  bool special = false;
};

// From a row of `added_tokens`.
Result<AddedToken> added_token_of(const boost::json::object& json);

enum class SpecialsInText : uint8_t { are_tokens, are_text };

// Tokens that are cut out of the text before the model sees it. Immutable once loaded; safe from any thread.
class AddedTokens {
 public:
  // From the `added_tokens` array of a tokenizer.json.
  static Result<AddedTokens> load(const boost::json::array& json, const Model& model,
                                  const Normalizer* normalizer);

  // Cuts the input into pieces, normalizing what is between the tokens.
  Result<Pieces> split(std::string_view input, const Normalizer* normalizer, SpecialsInText specials) const;

  // The text that stands for `id` when decoding.
  std::optional<std::string_view> token_of(uint32_t id) const;
  std::optional<uint32_t> id_of(std::string_view content) const;
  bool is_special(std::string_view token) const { return specials_.contains(token); }
  size_t count_unknown_to(const Model& model) const;

 private:
  // A tree of bytes; node 0 is the root.
  struct Node {
    std::unordered_map<char, size_t> next;
    std::optional<uint32_t> id;
  };
  struct Tree {
    std::vector<Node> nodes{1};
    std::array<bool, 256> begins{};  // Bytes a token begins with,
    std::string first_bytes;         // and in a list.
  };

 public:
  struct Found {
    uint32_t id;
    size_t begin, end;
  };
  // The tokens of a text that no normalizer changes, in order. One may begin, and even end, before the one
  // before it ends: in the spaces that this one took.
  std::vector<Found> find_all(std::string_view text, SpecialsInText specials) const;
  bool has_normalized() const { return normalized_tree_.nodes.size() > 1; }
  // Those that are cut out before normalization.
  std::vector<Found> find_raw(std::string_view text, SpecialsInText specials) const {
    return find(raw_tree_, text, specials);
  }

 private:
  static void insert(Tree& tree, std::string_view pattern, uint32_t id);
  static std::optional<Found> longest_at(const Tree& tree, std::string_view text, size_t begin);
  static size_t next_begin(const Tree& tree, std::string_view text, size_t from);
  std::vector<Found> find(const Tree& tree, std::string_view text, SpecialsInText specials) const;
  Status cut(const Tree& tree, NormalizedText text, SpecialsInText specials, Pieces& out) const;

  std::unordered_map<uint32_t, AddedToken> tokens_;
  std::unordered_map<uint32_t, std::string> normalized_;  // Where that differs from the content.
  TextMap<uint32_t> ids_;
  TextMap<bool> specials_;
  Tree raw_tree_, normalized_tree_;
};

}  // namespace holdfast::token
