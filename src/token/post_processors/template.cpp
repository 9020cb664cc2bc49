#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <map>

#include "codec/json.h"
#include "token/post_processors/post_processor.h"

namespace holdfast::token {
namespace {

struct Special {
  std::vector<uint32_t> ids;
  std::vector<std::string> tokens;
};

// A text (0 or 1), or a special token where `special` is set.
struct Part {
  size_t text = 0;
  std::optional<Special> special;
  uint32_t type_id = 0;
};

class TemplateProcessing final : public PostProcessor {
 public:
  TemplateProcessing(std::vector<Part> single, std::vector<Part> pair)
      : single_(std::move(single)), pair_(std::move(pair)) {}

  size_t added_tokens(size_t texts) const override {
    size_t count = 0;
    for (const Part& part : texts == 2 ? pair_ : single_)
      if (part.special) count += part.special->ids.size();
    return count;
  }

  Result<std::vector<Encoding>> process(std::vector<Encoding> texts, SpecialTokens wanted) const override {
    if (texts.empty() || texts.size() > 2)
      return fail(Reason::tokenization_failed, "the tokenizer's template is for one text or two");
    std::vector<Encoding> out;
    for (const Part& part : texts.size() == 2 ? pair_ : single_) {
      if (part.special) {
        if (wanted == SpecialTokens::add) out.push_back(make(*part.special, part.type_id));
        continue;
      }
      if (part.text >= texts.size())
        return fail(Reason::tokenization_failed, "the tokenizer's template for one text names a second");
      // A text the template names twice keeps what the first of them made of it.
      Encoding& encoding = texts[part.text];
      encoding.type_ids.assign(encoding.size(), part.type_id);
      encoding.ranges[static_cast<int>(part.text)] = {0, encoding.size()};
      out.push_back(encoding);
    }
    return out;
  }

 private:
  static Encoding make(const Special& special, uint32_t type_id) {
    Encoding out;
    for (size_t i = 0; i < special.ids.size(); ++i)
      out.push(special.ids[i], special.tokens[i], {}, Encoding::no_word, type_id, 1);
    return out;
  }

  std::vector<Part> single_, pair_;
};

using Specials = std::map<std::string, Special, std::less<>>;

Error malformed(std::string_view what) {
  return fail(Reason::bad_request, fmt::format("the tokenizer's template has {}", what));
}

Result<uint32_t> to_id(int64_t number) {
  if (number < 0 || number > UINT32_MAX) return malformed("a number below 0 or above 2^32");
  return static_cast<uint32_t>(number);
}

// {"[SEP]": {"id": "[SEP]", "ids": [102], "tokens": ["[SEP]"]}}
Result<Specials> load_specials(const boost::json::object& json) {
  Specials out;
  TRY(const boost::json::object* all, codec::json_object_if(json, "special_tokens"));
  if (all == nullptr) return out;
  for (const auto& [name, value] : *all) {
    if (!value.is_object()) return malformed("a special token that is not an object");
    TRY(const boost::json::array* ids, codec::json_array(value.get_object(), "ids"));
    TRY(const boost::json::array* tokens, codec::json_array(value.get_object(), "tokens"));
    if (ids->size() != tokens->size())
      return malformed("a special token with more ids than tokens, or fewer");
    Special special;
    for (size_t i = 0; i < ids->size(); ++i) {
      if (!(*ids)[i].is_int64() || !(*tokens)[i].is_string())
        return malformed("a special token of the wrong type");
      TRY(const uint32_t id, to_id((*ids)[i].get_int64()));
      special.ids.push_back(id);
      special.tokens.emplace_back((*tokens)[i].get_string());
    }
    out.emplace(std::string(name), std::move(special));
  }
  return out;
}

Result<Part> special_part(const Specials& specials, std::string_view id, uint32_t type_id) {
  const auto found = specials.find(id);
  if (found == specials.end()) return malformed("a special token that it does not define");
  return Part{0, found->second, type_id};
}

// {"Sequence": {"id": "A", "type_id": 0}} or {"SpecialToken": {"id": "[SEP]", "type_id": 0}}
Result<Part> load_part(const boost::json::object& json, const Specials& specials) {
  const bool is_text = json.contains("Sequence");
  TRY(const boost::json::object* inner, codec::json_object(json, is_text ? "Sequence" : "SpecialToken"));
  TRY(const std::string_view id, codec::json_text(*inner, "id"));
  TRY(const int64_t type, codec::json_integer(*inner, "type_id"));
  TRY(const uint32_t type_id, to_id(type));
  if (!is_text) return special_part(specials, id, type_id);
  if (id != "A" && id != "B") return malformed("a text that is neither A nor B");
  return Part{id == "A" ? size_t{0} : size_t{1}, std::nullopt, type_id};
}

// "$A:0", "$1" (A with type 1), "$", "[SEP]:1"
Result<Part> parse_part(std::string_view text, const Specials& specials) {
  uint32_t type_id = 0;
  const size_t colon = text.find(':');
  const std::string_view id = text.substr(0, colon);
  const auto number = [](std::string_view digits, uint32_t& into) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
    return error == std::errc{} && end == digits.data() + digits.size();
  };
  if (colon != std::string_view::npos && !number(text.substr(colon + 1), type_id))
    return malformed("a type that is no number");
  if (!id.starts_with('$')) return special_part(specials, id, type_id);
  const std::string_view rest = id.substr(1);
  Part part;
  if (rest == "B" || rest == "b")
    part.text = 1;
  else if (!rest.empty() && rest != "A" && rest != "a" && !number(rest, part.type_id))
    return malformed("a text that is neither A nor B");
  if (colon != std::string_view::npos) part.type_id = type_id;
  return part;
}

Result<std::vector<Part>> load_parts(const boost::json::object& json, std::string_view key,
                                     const Specials& specials) {
  TRY(const boost::json::array* all, codec::json_array(json, key));
  std::vector<Part> out;
  for (const boost::json::value& value : *all) {
    if (value.is_string()) {
      TRY(Part part, parse_part(value.get_string(), specials));
      out.push_back(std::move(part));
    } else if (value.is_object()) {
      TRY(Part part, load_part(value.get_object(), specials));
      out.push_back(std::move(part));
    } else {
      return malformed("a part that is neither text nor object");
    }
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<PostProcessor>> load_template_processing(const boost::json::object& json) {
  TRY(const Specials specials, load_specials(json));
  TRY(std::vector<Part> single, load_parts(json, "single", specials));
  TRY(std::vector<Part> pair, load_parts(json, "pair", specials));
  return std::unique_ptr<PostProcessor>(
      std::make_unique<TemplateProcessing>(std::move(single), std::move(pair)));
}

}  // namespace holdfast::token
