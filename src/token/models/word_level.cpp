#include <boost/json/object.hpp>

#include "codec/json.h"
#include "token/models/model.h"
#include "token/models/model_tables.h"
#include "token/models/vocabulary.h"

namespace holdfast::token {
namespace {

// A whole piece is a token, or unknown.
class WordLevel final : public Model {
 public:
  WordLevel(Vocabulary vocabulary, std::string unknown)
      : vocabulary_(std::move(vocabulary)), unknown_(std::move(unknown)) {}

  Result<std::vector<Token>> tokenize(std::string_view piece) const override {
    const Span whole{0, static_cast<uint32_t>(piece.size())};
    if (const auto id = vocabulary_.id_of(piece)) return std::vector<Token>{{*id, std::string(piece), whole}};
    if (const auto id = vocabulary_.id_of(unknown_)) return std::vector<Token>{{*id, unknown_, whole}};
    return fail(Reason::tokenization_failed, "the tokenizer has no token for unknown words");
  }

  std::optional<uint32_t> id_of(std::string_view token) const override { return vocabulary_.id_of(token); }
  std::optional<std::string_view> token_of(uint32_t id) const override { return vocabulary_.token_of(id); }
  size_t vocabulary_size() const override { return vocabulary_.size(); }

 private:
  Vocabulary vocabulary_;
  std::string unknown_;
};

}  // namespace

Result<std::unique_ptr<Model>> load_word_level(const boost::json::object& json, ModelTables* tables) {
  TRY(Vocabulary vocabulary, take_vocabulary(json, tables));
  TRY(const std::string_view unknown, codec::json_text(json, "unk_token"));
  return std::unique_ptr<Model>(std::make_unique<WordLevel>(std::move(vocabulary), std::string(unknown)));
}

}  // namespace holdfast::token
