#pragma once

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
  struct Found {
    uint32_t id;
    size_t begin, end;
  };
  using Tree = std::vector<Node>;

  static void insert(Tree& tree, std::string_view pattern, uint32_t id);
  static std::optional<Found> longest_at(const Tree& tree, std::string_view text, size_t begin);
  std::vector<Found> find(const Tree& tree, std::string_view text, SpecialsInText specials) const;
  void cut(const Tree& tree, NormalizedText text, SpecialsInText specials, Pieces& out) const;

  std::unordered_map<uint32_t, AddedToken> tokens_;
  std::unordered_map<uint32_t, std::string> normalized_;  // Where that differs from the content.
  TextMap<uint32_t> ids_;
  TextMap<bool> specials_;
  Tree raw_tree_{1}, normalized_tree_{1};
};

}  // namespace holdfast::token
