#include "token/case.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "codec/json.h"

namespace holdfast::token {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

template <class T>
array to_array(const std::vector<T>& items) {
  array out;
  out.reserve(items.size());
  for (const T& item : items) out.emplace_back(item);
  return out;
}

template <class T>
array or_null(const std::vector<T>& items) {
  array out;
  out.reserve(items.size());
  for (const T item : items) out.emplace_back(item < 0 ? value(nullptr) : value(item));
  return out;
}

array offsets_of(const Encoding& encoding) {
  array out;
  out.reserve(encoding.size());
  for (const Span& span : encoding.offsets) out.emplace_back(array{span.begin, span.end});
  return out;
}

object answer(const Encoding& encoding) {
  object out;
  out["ids"] = to_array(encoding.ids);
  out["tokens"] = to_array(encoding.tokens);
  out["offsets"] = offsets_of(encoding);
  out["type_ids"] = to_array(encoding.type_ids);
  out["mask"] = to_array(encoding.mask);
  out["special"] = to_array(encoding.special);
  out["words"] = or_null(encoding.words);
  out["seqs"] = or_null(encoding.sequences());
  if (!encoding.overflow.empty()) {
    array parts;
    for (const Encoding& part : encoding.overflow) {
      object columns;
      columns["ids"] = to_array(part.ids);
      columns["offsets"] = offsets_of(part);
      columns["type_ids"] = to_array(part.type_ids);
      columns["mask"] = to_array(part.mask);
      columns["special"] = to_array(part.special);
      parts.emplace_back(std::move(columns));
    }
    out["overflow"] = std::move(parts);
  }
  return out;
}

Result<std::vector<std::string>> texts_of(const object& wanted, std::string_view key) {
  TRY(const array* items, codec::json_array(wanted, key));
  std::vector<std::string> out;
  for (const value& item : *items) {
    if (!item.is_string())
      return fail(Reason::bad_request, "'" + std::string(key) + "' holds something that is not text");
    out.emplace_back(item.get_string());
  }
  return out;
}

Result<Side> side_of(const object& wanted) {
  TRY(const std::string_view text, codec::json_text(wanted, "direction"));
  return text == "left" ? Side::left : Side::right;
}

Result<size_t> size_of(const object& wanted, std::string_view key) {
  TRY(const int64_t number, codec::json_integer(wanted, key));
  if (number < 0) return fail(Reason::bad_request, "'" + std::string(key) + "' is negative");
  return static_cast<size_t>(number);
}

Result<Truncation> truncation_of(const object& wanted) {
  Truncation out;
  TRY(out.length_max, size_of(wanted, "max_length"));
  TRY(out.stride, size_of(wanted, "stride"));
  TRY(out.cut_from, side_of(wanted));
  TRY(const std::string_view strategy, codec::json_text(wanted, "strategy"));
  if (strategy == "only_first") out.strategy = TruncationStrategy::only_first;
  if (strategy == "only_second") out.strategy = TruncationStrategy::only_second;
  return out;
}

// The reference refuses to set a stride over the room that the special tokens leave.
Status check(const Truncation& truncation, size_t added) {
  if (truncation.length_max < added || truncation.stride <= truncation.length_max - added) return Done{};
  return fail(Reason::tokenization_failed,
              fmt::format("truncation: a stride of {} does not fit a length of {} less {} special tokens",
                          truncation.stride, truncation.length_max, added));
}

Result<Padding> padding_of(const object& wanted) {
  Padding out;
  TRY(const auto length, codec::json_integer_if(wanted, "length"));
  TRY(const auto multiple, codec::json_integer_if(wanted, "pad_to_multiple_of"));
  if (length) out.length = static_cast<size_t>(*length);
  if (multiple) out.multiple_of = static_cast<size_t>(*multiple);
  TRY(out.side, side_of(wanted));
  TRY(const size_t id, size_of(wanted, "pad_id"));
  TRY(const size_t type_id, size_of(wanted, "pad_type_id"));
  out.id = static_cast<uint32_t>(id);
  out.type_id = static_cast<uint32_t>(type_id);
  TRY(out.token, codec::json_text(wanted, "pad_token"));
  return out;
}

value side_name(Side side) { return side == Side::left ? "left" : "right"; }

value describe(const std::optional<Truncation>& truncation) {
  if (!truncation) return nullptr;
  constexpr const char* strategies[] = {"longest_first", "only_first", "only_second"};
  object out;
  out["max_length"] = truncation->length_max;
  out["stride"] = truncation->stride;
  out["strategy"] = strategies[static_cast<size_t>(truncation->strategy)];
  out["direction"] = side_name(truncation->cut_from);
  return out;
}

value describe(const std::optional<Padding>& padding) {
  if (!padding) return nullptr;
  object out;
  out["length"] = padding->length ? value(*padding->length) : value(nullptr);
  out["pad_to_multiple_of"] = padding->multiple_of ? value(*padding->multiple_of) : value(nullptr);
  out["pad_id"] = padding->id;
  out["pad_token"] = padding->token;
  out["pad_type_id"] = padding->type_id;
  out["direction"] = side_name(padding->side);
  return out;
}

object describe(const Tokenizer& tokenizer) {
  object out;
  out["vocab_size"] = tokenizer.vocabulary_size();
  out["vocab_size_no_added"] = tokenizer.model_vocabulary_size();
  out["truncation"] = describe(tokenizer.truncation());
  out["padding"] = describe(tokenizer.padding());
  return out;
}

Result<object> run_encode(const Tokenizer& tokenizer, const object& wanted, std::string_view op) {
  EncodeOptions options;
  Input input;
  TRY(const auto text, codec::json_text_if(wanted, "text"));
  TRY(const auto pair, codec::json_text_if(wanted, "pair"));
  input.text = text.value_or("");
  input.pair = pair;
  TRY(const auto add_special, codec::json_flag_if(wanted, "add_special"));
  if (!add_special.value_or(true)) options.special = SpecialTokens::leave_out;
  if (op == "encode_asis") {
    options.truncation = tokenizer.truncation();
    options.padding = tokenizer.padding();
  }
  if (op == "encode_special_as_text") options.specials_in_text = SpecialsInText::are_text;
  if (op == "truncate") {
    TRY(const Truncation truncation, truncation_of(wanted));
    TRY_DONE(check(truncation, tokenizer.added_tokens(1)));
    options.truncation = truncation;
  }
  std::vector<std::string> words;
  if (op == "pretokenized") {
    TRY(words, texts_of(wanted, "words_in"));
    input.words = words;
  }
  TRY(const Encoding encoding, tokenizer.encode(input, options));
  object out = answer(encoding);
  if (op == "encode") {
    using enum Tokenizer::SpecialsInOutput;
    TRY(out["dec"], tokenizer.decode(encoding.ids, keep));
    TRY(out["dec_skip"], tokenizer.decode(encoding.ids, skip));
  }
  return out;
}

Result<object> run_pad_batch(const Tokenizer& tokenizer, const object& wanted) {
  EncodeOptions options;
  TRY(const object* params, codec::json_object(wanted, "params"));
  TRY(options.padding, padding_of(*params));
  TRY(const auto length, codec::json_integer_if(wanted, "truncate"));
  if (length) options.truncation = Truncation{.length_max = static_cast<size_t>(*length)};
  TRY(const std::vector<std::string> batch, texts_of(wanted, "batch"));
  TRY(const std::vector<Encoding> encodings, tokenizer.encode_batch(batch, options));
  array all;
  for (const Encoding& encoding : encodings) all.emplace_back(answer(encoding));
  object out;
  out["out"] = std::move(all);
  return out;
}

Result<object> run_decode(const Tokenizer& tokenizer, const object& wanted) {
  TRY(const array* items, codec::json_array(wanted, "ids"));
  TRY(const bool skip, codec::json_flag(wanted, "skip"));
  std::vector<uint32_t> ids;
  for (const value& item : *items) {
    if (!item.is_int64() || item.get_int64() < 0 || item.get_int64() > UINT32_MAX)
      return fail(Reason::bad_request, "'ids' holds something that is no id");
    ids.push_back(static_cast<uint32_t>(item.get_int64()));
  }
  object out;
  TRY(out["out"],
      tokenizer.decode(ids, skip ? Tokenizer::SpecialsInOutput::skip : Tokenizer::SpecialsInOutput::keep));
  return out;
}

Result<object> run_op(const Tokenizer& tokenizer, const object& wanted, std::string_view op) {
  if (op == "info") return describe(tokenizer);
  if (op == "pad_batch") return run_pad_batch(tokenizer, wanted);
  if (op == "decode") return run_decode(tokenizer, wanted);
  for (std::string_view known :
       {"encode", "encode_asis", "pair", "pretokenized", "truncate", "encode_special_as_text"})
    if (op == known) return run_encode(tokenizer, wanted, op);
  return fail(Reason::bad_request, "'" + std::string(op.substr(0, 60)) + "' is not a tokenizer op");
}

}  // namespace

Result<object> run_case(const Tokenizer& tokenizer, const object& wanted) {
  TRY(const std::string_view op, codec::json_text(wanted, "op"));
  auto done = run_op(tokenizer, wanted, op);
  if (done.ok() || done.error().reason == Reason::bad_request) return done;
  object out;
  out["error"] = done.error().message;
  return out;
}

}  // namespace holdfast::token
