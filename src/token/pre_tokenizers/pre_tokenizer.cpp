#include "token/pre_tokenizers/pre_tokenizer.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "codec/json.h"

namespace holdfast::token {
namespace {

constexpr size_t depth_max = 16, parts_max = 1000;

class PreTokenizerSequence final : public PreTokenizer {
 public:
  explicit PreTokenizerSequence(std::vector<std::unique_ptr<PreTokenizer>> parts)
      : parts_(std::move(parts)) {}

  Status split(Pieces& pieces) const override {
    for (const auto& part : parts_) TRY_DONE(part->split(pieces));
    return Done{};
  }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> parts_;
};

// Early files have no type: the fields tell.
std::string_view type_of(const boost::json::object& json) {
  if (json.contains("replacement")) return "Metaspace";
  if (json.contains("pattern")) return "Split";
  if (json.contains("trim_offsets")) return "ByteLevel";
  return json.contains("pretokenizers") ? "Sequence" : "";
}

Result<std::unique_ptr<PreTokenizer>> load(const boost::json::object& json, size_t depth) {
  if (depth > depth_max)
    return fail(Reason::bad_request, "the tokenizer's pre-tokenizers are too deep in each other");
  TRY(const auto given, codec::json_text_if(json, "type"));
  const std::string_view type = given.value_or(type_of(json));
  if (type == "BertPreTokenizer") return make_bert_pre_tokenizer();
  if (type == "Whitespace") return make_whitespace();
  if (type == "WhitespaceSplit") return make_whitespace_split();
  if (type == "UnicodeScripts") return make_unicode_scripts();
  using Load = Result<std::unique_ptr<PreTokenizer>> (*)(const boost::json::object&);
  constexpr std::pair<std::string_view, Load> kinds[] = {
      {"ByteLevel", load_byte_level}, {"Metaspace", load_metaspace},
      {"Split", load_split},          {"Punctuation", load_punctuation},
      {"Digits", load_digits},        {"CharDelimiterSplit", load_delimiter},
      {"Delimiter", load_delimiter},  {"FixedLength", load_fixed_length},
  };
  for (const auto& [name, load_kind] : kinds)
    if (type == name) return load_kind(json);
  if (type != "Sequence")
    return fail(Reason::model_unsupported,
                "the tokenizer's pre-tokenizer '" + std::string(type.substr(0, 60)) + "' is not supported");
  TRY(const boost::json::array* all, codec::json_array(json, "pretokenizers"));
  if (all->size() > parts_max) return fail(Reason::bad_request, "the tokenizer has too many pre-tokenizers");
  std::vector<std::unique_ptr<PreTokenizer>> parts;
  for (const boost::json::value& value : *all) {
    if (!value.is_object())
      return fail(Reason::bad_request, "the tokenizer's 'pretokenizers' hold something that is none");
    TRY(auto part, load(value.get_object(), depth + 1));
    parts.push_back(std::move(part));
  }
  return std::unique_ptr<PreTokenizer>(std::make_unique<PreTokenizerSequence>(std::move(parts)));
}

}  // namespace

Result<std::unique_ptr<PreTokenizer>> load_pre_tokenizer(const boost::json::object& json) {
  return load(json, 0);
}

Result<SplitBehavior> load_behavior(const boost::json::object& json) {
  TRY(const std::string_view name, codec::json_text(json, "behavior"));
  constexpr std::pair<std::string_view, SplitBehavior> known[] = {
      {"Removed", SplitBehavior::removed},
      {"Isolated", SplitBehavior::isolated},
      {"MergedWithPrevious", SplitBehavior::merged_with_previous},
      {"MergedWithNext", SplitBehavior::merged_with_next},
      {"Contiguous", SplitBehavior::contiguous},
  };
  for (const auto& [text, behavior] : known)
    if (name == text) return behavior;
  return fail(Reason::bad_request, "the tokenizer's 'behavior' is not known");
}

}  // namespace holdfast::token
