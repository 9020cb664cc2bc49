#pragma once

#include <boost/json/fwd.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "token/normalized_text.h"

namespace holdfast::token {

// Rewrites text before it is split. Immutable; safe from any thread.
class Normalizer {
 public:
  virtual ~Normalizer() = default;
  // tokenization_failed where a regular expression needs too many steps, or the reference raises.
  virtual Status normalize(NormalizedText& text) const = 0;

  // What a text of this code point alone becomes. Texts of many languages ask for thousands, and of those a
  // NormalizedText, which knows where every byte came from, takes most of the time: a kind may know without.
  // None where normalize() fails.
  virtual std::optional<std::vector<char32_t>> normalize_one(char32_t code) const;
};

// From the `normalizer` object of a tokenizer.json. Unknown kinds are model_unsupported.
Result<std::unique_ptr<Normalizer>> load_normalizer(const boost::json::object& json);

// One function a kind; `json` is its object.
Result<std::unique_ptr<Normalizer>> load_bert_normalizer(const boost::json::object& json);
Result<std::unique_ptr<Normalizer>> load_precompiled(const boost::json::object& json);
Result<std::unique_ptr<Normalizer>> load_replace(const boost::json::object& json);
Result<std::unique_ptr<Normalizer>> load_strip(const boost::json::object& json);
Result<std::unique_ptr<Normalizer>> load_prepend(const boost::json::object& json);

// NFC, NFD, NFKC, NFKD, Nmt, Lowercase, StripAccents and ByteLevel have no settings. Null for another name.
std::unique_ptr<Normalizer> make_plain_normalizer(std::string_view name);

}  // namespace holdfast::token
