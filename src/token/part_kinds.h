#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace holdfast::token {

enum class Stage : uint8_t { normalizer, pre_tokenizer, model, post_processor, decoder };

// A field of a part of a tokenizer.json.
struct PartField {
  enum class Default : uint8_t { required, null, no, yes, text };
  std::string_view name;
  Default kind = Default::required;
  std::string_view text = {};  // Where kind is text.

  boost::json::value default_value() const;
};

// A kind of part: its type, and its fields in the order in which the reference library writes them.
struct PartKind {
  std::string_view type;
  std::vector<PartField> fields;
  std::vector<std::string_view> legacy = {};  // Read from old files, never written.

  bool is_legacy(std::string_view field) const;
};

// By the part's `type`; without one, as old files are, the first kind all of whose required fields are there.
// So too where the type is unknown, and of post-processors always, but for pre-tokenizers and models. Null
// where there is none.
const PartKind* find_part_kind(Stage stage, const boost::json::object& part);
const PartKind& added_token_kind();

}  // namespace holdfast::token
