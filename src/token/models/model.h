#pragma once

#include <boost/json/fwd.hpp>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "token/piece.h"

namespace holdfast::token {

// Turns one piece of text into tokens of its vocabulary. Immutable; safe from any thread.
class Model {
 public:
  virtual ~Model() = default;
  // The piece is not empty. tokenization_failed where there is no token for the unknown.
  virtual Result<std::vector<Token>> tokenize(std::string_view piece) const = 0;
  virtual std::optional<uint32_t> id_of(std::string_view token) const = 0;
  virtual std::optional<std::string_view> token_of(uint32_t id) const = 0;
  virtual size_t vocabulary_size() const = 0;
};

struct ModelTables;

// From the `model` object of a tokenizer.json. `tables` are read already and taken; null: they are in the
// object. Unknown kinds are model_unsupported.
Result<std::unique_ptr<Model>> load_model(const boost::json::object& json, ModelTables* tables = nullptr);

// One function a kind.
Result<std::unique_ptr<Model>> load_bpe(const boost::json::object& json, ModelTables* tables);
Result<std::unique_ptr<Model>> load_code_points();  // CANINE's; no kind of the reference library.
Result<std::unique_ptr<Model>> load_unigram(const boost::json::object& json, ModelTables* tables);
Result<std::unique_ptr<Model>> load_word_level(const boost::json::object& json, ModelTables* tables);
Result<std::unique_ptr<Model>> load_word_piece(const boost::json::object& json, ModelTables* tables);

}  // namespace holdfast::token
