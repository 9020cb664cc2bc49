#include "token/models/word_piece.h"

#include <algorithm>
#include <boost/json/object.hpp>

#include "codec/json.h"
#include "token/models/model_tables.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {

WordPiece::WordPiece(Vocabulary vocabulary, WordPieceOptions options)
    : vocabulary_(std::move(vocabulary)), options_(std::move(options)) {
  for (const auto& [token, id] : vocabulary_.ids()) {
    token_bytes_max_ = std::max(token_bytes_max_, token.size());
    if (token.starts_with(options_.prefix)) inner_.emplace(token.substr(options_.prefix.size()), id);
  }
}

Result<std::vector<Token>> WordPiece::tokenize(std::string_view word) const {
  if (count_code_points(word) > options_.code_points_max) return unknown(word);
  std::vector<Token> tokens;
  for (size_t begin = 0; begin < word.size();) {
    // Nothing longer than the longest token can be found.
    size_t end = std::min(word.size(), begin + token_bytes_max_);
    while (end < word.size() && end > begin && !starts_code_point(word[end])) --end;
    const std::optional<Token> token = longest(word, begin, end);
    if (!token) return unknown(word);
    tokens.push_back(*token);
    begin = token->range.end;
  }
  return tokens;
}

std::optional<Token> WordPiece::longest(std::string_view word, size_t begin, size_t end) const {
  const auto id_of = [&](std::string_view part) -> std::optional<uint32_t> {
    if (begin == 0) return vocabulary_.id_of(part);
    const auto found = inner_.find(part);
    return found == inner_.end() ? std::nullopt : std::optional(found->second);
  };
  while (end > begin) {
    const std::string_view part = word.substr(begin, end - begin);
    if (const auto found = id_of(part)) {
      const Span range{static_cast<uint32_t>(begin), static_cast<uint32_t>(end)};
      return Token{*found, begin == 0 ? std::string(part) : options_.prefix + std::string(part), range};
    }
    do --end;
    while (end > begin && !starts_code_point(word[end]));
  }
  return std::nullopt;
}

Result<std::vector<Token>> WordPiece::unknown(std::string_view word) const {
  const auto id = vocabulary_.id_of(options_.unknown);
  if (!id) return fail(Reason::tokenization_failed, "the tokenizer has no token for unknown words");
  return std::vector<Token>{{*id, options_.unknown, {0, static_cast<uint32_t>(word.size())}}};
}

Result<std::unique_ptr<Model>> load_word_piece(const boost::json::object& json, ModelTables* tables) {
  TRY(Vocabulary loaded, take_vocabulary(json, tables));
  WordPieceOptions options;
  TRY(const auto unknown, codec::json_text_if(json, "unk_token"));
  TRY(const auto prefix, codec::json_text_if(json, "continuing_subword_prefix"));
  TRY(const auto most, codec::json_integer_if(json, "max_input_chars_per_word"));
  if (unknown) options.unknown = *unknown;
  if (prefix) options.prefix = *prefix;
  if (most) {
    if (*most < 0) return fail(Reason::bad_request, "max_input_chars_per_word is negative");
    options.code_points_max = static_cast<size_t>(*most);
  }
  return std::unique_ptr<Model>(std::make_unique<WordPiece>(std::move(loaded), std::move(options)));
}

}  // namespace holdfast::token
