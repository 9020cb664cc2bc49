#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>

#include "codec/json.h"
#include "model/tasks/task_parameters.h"
#include "model/tasks/tasks.h"

namespace holdfast::model {
namespace {

namespace json = boost::json;

constexpr size_t weights_max = 2 << 20;  // Of an answer; as JSON it stays below a frame's bound.

Result<token::Encoding> encode_ids(const TaskCall& call, const json::array& list,
                                   const token::Truncation& truncation, LongText long_text) {
  std::vector<uint32_t> ids;
  for (const json::value& id : list) {
    if (!id.is_int64() || id.get_int64() < 0)
      return fail(Reason::bad_request, "an input is a text, or token ids");
    if (static_cast<uint64_t>(id.get_int64()) >= call.model.plan().vocabulary)
      return fail(Reason::tokenization_failed, "an input has an id that is no token of this model");
    ids.push_back(static_cast<uint32_t>(id.get_int64()));
  }
  token::EncodeOptions options;
  if (long_text == LongText::cut) options.truncation = truncation;
  TRY(token::Encoding encoding, call.model.tokenizer().encode_ids(ids, options));
  if (call.times != nullptr) call.times->count(encoding.ids, call.model.unknown_id());
  return encoding;
}

// The largest log(1 + logit) of each token of the vocabulary, over all places; what is not above 0 is left
// out (SPLADE, https://arxiv.org/abs/2109.10086, 3.2).
Result<json::array> weigh(const TaskCall& call, const token::Encoding& encoding, size_t& left) {
  TRY(const NamedOutput logits, call.logits({&encoding, 1}));
  const std::span<const float> all(logits.data.data(), logits.data.size());
  std::vector<float> largest(logits.columns, 0);
  for (size_t at = 0; at + logits.columns <= all.size(); at += logits.columns)
    for (size_t i = 0; i < logits.columns; ++i) largest[i] = std::max(largest[i], all[at + i]);
  json::array out;
  for (size_t i = 0; i < largest.size(); ++i) {
    if (!(largest[i] > 0)) continue;
    if (left-- == 0)
      return fail(Reason::input_too_long, "the weights of all inputs would be too long an answer");
    out.push_back(json::object{{"index", i}, {"value", std::log1p(largest[i])}});
  }
  return out;
}

}  // namespace

Result<json::value> embed_sparse(const TaskCall& call) {
  TRY_DONE(call.model.expect_head(Head::fill_mask, "embed-sparse"));
  TRY(const LongText long_text, read_long_text(call.parameters));
  TRY(const auto side, codec::json_text_if(call.parameters, "truncation_direction"));
  const token::Truncation truncation{.length_max = call.model.tokens_max(),
                                     .cut_from = side == "left" ? token::Side::left : token::Side::right};
  if (!call.inputs.is_array()) return fail(Reason::bad_request, "the inputs are a list");
  json::array all;
  size_t left = weights_max;
  for (const json::value& input : call.inputs.get_array()) {
    if (!input.is_string() && !input.is_array())
      return fail(Reason::bad_request, "an input is a text, or token ids");
    auto encoded = input.is_array() ? encode_ids(call, input.get_array(), truncation, long_text)
                                    : call.encode_with(std::string_view(input.get_string()), std::nullopt,
                                                       long_text == LongText::cut ? &truncation : nullptr);
    TRY(const token::Encoding encoding, std::move(encoded));
    if (encoding.size() > call.model.tokens_max())
      return fail(Reason::input_too_long, "an input has more tokens than the model takes");
    TRY(json::array weights, weigh(call, encoding, left));
    all.push_back(std::move(weights));
  }
  return json::value(std::move(all));
}

}  // namespace holdfast::model
