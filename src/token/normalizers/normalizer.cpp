#include "token/normalizers/normalizer.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <vector>

#include "codec/json.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

constexpr size_t depth_max = 16, parts_max = 1000;

class NormalizerSequence final : public Normalizer {
 public:
  explicit NormalizerSequence(std::vector<std::unique_ptr<Normalizer>> parts) : parts_(std::move(parts)) {}

  Status normalize(NormalizedText& text) const override {
    for (const auto& part : parts_) {
      TRY_DONE(part->normalize(text));
      if (text.is_lost())
        return fail(Reason::tokenization_failed, "the normalizers of the tokenizer do not fit each other");
    }
    return Done{};
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> parts_;
};

constexpr std::array<std::string_view, 6> kinds_with_fields = {"BertNormalizer", "Precompiled", "Replace",
                                                               "Strip",          "Prepend",     "Sequence"};

// Early files have no type: the fields tell, as where the type is none that is known.
std::string_view type_of(const boost::json::object& json) {
  if (json.contains("strip_left")) return "Strip";
  if (json.contains("precompiled_charsmap")) return "Precompiled";
  if (json.contains("pattern")) return "Replace";
  if (json.contains("prepend")) return "Prepend";
  if (json.contains("clean_text")) return "BertNormalizer";
  return json.contains("normalizers") ? "Sequence" : "";
}

Result<std::unique_ptr<Normalizer>> load(const boost::json::object& json, size_t depth) {
  if (depth > depth_max)
    return fail(Reason::bad_request, "the tokenizer's normalizers are too deep in each other");
  const boost::json::value* given = json.if_contains("type");
  std::string_view type = given != nullptr && given->is_string() ? std::string_view(given->get_string()) : "";
  if (type == "Bert") type = "BertNormalizer";
  if (auto plain = make_plain_normalizer(type)) return plain;
  if (std::ranges::find(kinds_with_fields, type) == kinds_with_fields.end()) {
    if (const std::string_view told = type_of(json); !told.empty()) type = told;
  }
  if (type == "BertNormalizer") return load_bert_normalizer(json);
  if (type == "Precompiled") return load_precompiled(json);
  if (type == "Replace") return load_replace(json);
  if (type == "Strip") return load_strip(json);
  if (type == "Prepend") return load_prepend(json);
  if (type != "Sequence")
    return fail(Reason::model_unsupported,
                "the tokenizer's normalizer '" + std::string(type.substr(0, 60)) + "' is not supported");
  TRY(const boost::json::array* all, codec::json_array(json, "normalizers"));
  if (all->size() > parts_max) return fail(Reason::bad_request, "the tokenizer has too many normalizers");
  std::vector<std::unique_ptr<Normalizer>> parts;
  for (const boost::json::value& value : *all) {
    if (!value.is_object())
      return fail(Reason::bad_request, "the tokenizer's 'normalizers' hold something that is none");
    TRY(auto part, load(value.get_object(), depth + 1));
    parts.push_back(std::move(part));
  }
  return std::unique_ptr<Normalizer>(std::make_unique<NormalizerSequence>(std::move(parts)));
}

}  // namespace

std::optional<std::vector<char32_t>> Normalizer::normalize_one(char32_t code) const {
  std::string character;
  append_utf8(character, code);
  NormalizedText text(character);
  if (!normalize(text).ok() || text.is_lost()) return std::nullopt;
  return text.codes();
}

Result<std::unique_ptr<Normalizer>> load_normalizer(const boost::json::object& json) { return load(json, 0); }

}  // namespace holdfast::token
