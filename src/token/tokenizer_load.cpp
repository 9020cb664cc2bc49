#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "codec/json.h"
#include "token/models/model_tables.h"
#include "token/tokenizer.h"

namespace holdfast::token {
namespace {

constexpr size_t json_bytes_max = 256 << 20;

Result<Side> load_side(const boost::json::object& json) {
  TRY(const auto text, codec::json_text_if(json, "direction"));
  if (!text || *text == "Right" || *text == "right") return Side::right;
  if (*text == "Left" || *text == "left") return Side::left;
  return fail(Reason::bad_request, "a tokenizer's direction is neither Left nor Right");
}

Result<size_t> load_size(const boost::json::object& json, std::string_view key) {
  TRY(const int64_t number, codec::json_integer(json, key));
  if (number < 0) return fail(Reason::bad_request, "the tokenizer's '" + std::string(key) + "' is negative");
  return static_cast<size_t>(number);
}

Result<Truncation> load_truncation(const boost::json::object& json) {
  Truncation out;
  TRY(out.length_max, load_size(json, "max_length"));
  TRY(out.stride, load_size(json, "stride"));
  TRY(out.cut_from, load_side(json));
  TRY(const std::string_view strategy, codec::json_text(json, "strategy"));
  if (strategy == "OnlyFirst")
    out.strategy = TruncationStrategy::only_first;
  else if (strategy == "OnlySecond")
    out.strategy = TruncationStrategy::only_second;
  else if (strategy != "LongestFirst")
    return fail(Reason::bad_request, "the tokenizer's truncation has an unknown strategy");
  return out;
}

Result<Padding> load_padding(const boost::json::object& json) {
  Padding out;
  if (const boost::json::value* strategy = json.if_contains("strategy");
      strategy != nullptr && strategy->is_object()) {
    TRY(const size_t length, load_size(strategy->get_object(), "Fixed"));
    out.length = length;
  }
  TRY(out.side, load_side(json));
  TRY(const auto multiple, codec::json_integer_if(json, "pad_to_multiple_of"));
  if (multiple && *multiple > 0) out.multiple_of = static_cast<size_t>(*multiple);
  TRY(const size_t id, load_size(json, "pad_id"));
  TRY(const size_t type_id, load_size(json, "pad_type_id"));
  out.id = static_cast<uint32_t>(id);
  out.type_id = static_cast<uint32_t>(type_id);
  TRY(const std::string_view token, codec::json_text(json, "pad_token"));
  out.token = token;
  return out;
}

}  // namespace

Result<Tokenizer> Tokenizer::load(std::string_view text) { return load_with(text, {}); }

Result<Tokenizer> Tokenizer::load_with(std::string_view text, OwnParts own) {
  constexpr codec::JsonLimits limits{.depth_max = 32, .bytes_max = json_bytes_max};
  if (text.size() <= limits.bytes_max)
    if (auto split = split_document(text))
      if (const auto rest = codec::parse_json_object(split->rest, limits); rest.ok())
        return from_parts(rest.value(), &split->tables, std::move(own));
  TRY(const boost::json::object document, codec::parse_json_object(text, limits));
  return from_parts(document, nullptr, std::move(own));
}

Result<Tokenizer> Tokenizer::from_document(const boost::json::object& json, ModelTables* apart) {
  return from_parts(json, apart, {});
}

Result<Tokenizer> Tokenizer::from_parts(const boost::json::object& json, ModelTables* tables, OwnParts own) {
  Tokenizer out;
  const bool has_own_ways = own.normalizer != nullptr || own.pre_tokenizer != nullptr;
  TRY(const boost::json::object* model, codec::json_object(json, "model"));
  TRY(out.model_, load_model(*model, tables));
  TRY(const boost::json::object* normalizer, codec::json_object_if(json, "normalizer"));
  out.normalizer_ = std::move(own.normalizer);
  if (normalizer != nullptr && !out.normalizer_) {
    TRY(out.normalizer_, load_normalizer(*normalizer));
  }
  TRY(const boost::json::object* pre_tokenizer, codec::json_object_if(json, "pre_tokenizer"));
  out.pre_tokenizer_ = std::move(own.pre_tokenizer);
  if (pre_tokenizer != nullptr && !out.pre_tokenizer_) {
    TRY(out.pre_tokenizer_, load_pre_tokenizer(*pre_tokenizer));
  }
  TRY(const boost::json::object* post_processor, codec::json_object_if(json, "post_processor"));
  if (post_processor != nullptr) {
    TRY(out.post_processor_, load_post_processor(*post_processor));
  }
  TRY(const boost::json::object* decoder, codec::json_object_if(json, "decoder"));
  out.decoder_ = std::move(own.decoder);
  if (decoder != nullptr && !out.decoder_) {
    TRY(out.decoder_, load_decoder(*decoder));
  }
  TRY(const boost::json::array* added, codec::json_array_if(json, "added_tokens"));
  if (added != nullptr) {
    TRY(out.added_, AddedTokens::load(*added, *out.model_, out.normalizer_.get()));
  }
  TRY(const boost::json::object* truncation, codec::json_object_if(json, "truncation"));
  if (truncation != nullptr) {
    TRY(out.truncation_, load_truncation(*truncation));
  }
  TRY(const boost::json::object* padding, codec::json_object_if(json, "padding"));
  if (padding != nullptr) {
    TRY(out.padding_, load_padding(*padding));
  }
  if (!has_own_ways) out.prepare_fast(json);
  return out;
}

}  // namespace holdfast::token
