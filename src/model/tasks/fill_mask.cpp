#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "model/tasks/task_parameters.h"
#include "model/tasks/tasks.h"

namespace holdfast::model {
namespace {

using token::Tokenizer;

// Ids of the words that alone may be put in; none: all.
Result<std::vector<uint32_t>> read_targets(const TaskCall& call) {
  std::vector<uint32_t> out;
  const boost::json::value* value = call.parameters.if_contains("targets");
  if (value == nullptr || value->is_null()) return out;
  TRY(const std::vector<std::string> targets, read_texts(*value, "targets"));
  for (const std::string& target : targets) {
    auto id = call.model.tokenizer().id_of(target);
    if (!id) {
      token::EncodeOptions options;
      options.special = token::SpecialTokens::leave_out;
      TRY(const token::Encoding encoding,
          call.model.tokenizer().encode({.text = target, .words = {}, .pair = {}}, options));
      if (encoding.ids.empty()) continue;
      id = encoding.ids[0];
    }
    out.push_back(*id);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  if (out.empty()) return fail(Reason::bad_request, "none of the targets is a token");
  return out;
}

struct Candidate {
  float score = 0;
  uint32_t id = 0;
};

std::vector<Candidate> best(std::span<const float> logits, const std::vector<uint32_t>& targets, size_t top) {
  const std::vector<float> scores = softmax(logits);
  std::vector<Candidate> all;
  if (targets.empty())
    for (size_t i = 0; i < scores.size(); ++i) all.push_back({scores[i], static_cast<uint32_t>(i)});
  else
    for (uint32_t id : targets)
      if (id < scores.size()) all.push_back({scores[id], id});
  top = std::min(top, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(top), all.end(),
                    [](const Candidate& a, const Candidate& b) {
                      return a.score != b.score ? a.score > b.score : a.id < b.id;
                    });
  all.resize(top);
  return all;
}

Result<boost::json::object> shown(const TextModel& model, const token::Encoding& encoding, size_t place,
                                  const Candidate& candidate, Tokenizer::SpecialsInOutput specials) {
  std::vector<uint32_t> ids;
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    const uint32_t id = i == place ? candidate.id : encoding.ids[i];
    if (id != model.pad_id()) ids.push_back(id);
  }
  TRY(std::string sequence, model.tokenizer().decode(ids, specials));
  TRY(std::string word,
      model.tokenizer().decode(std::vector<uint32_t>{candidate.id}, Tokenizer::SpecialsInOutput::keep));
  return boost::json::object{{"score", candidate.score},
                             {"token", candidate.id},
                             {"token_str", std::move(word)},
                             {"sequence", std::move(sequence)}};
}

Result<boost::json::value> fill_one(const TaskCall& call, std::string_view text, size_t top,
                                    const std::vector<uint32_t>& targets) {
  TRY(LongText cut, read_long_text(call.parameters));
  TRY(const boost::json::object* kwargs, codec::json_object_if(call.parameters, "tokenizer_kwargs"));
  if (kwargs != nullptr) {
    TRY(cut, read_long_text(*kwargs));
  }
  TRY(const token::Encoding encoding, call.encode(text, std::nullopt, cut));
  std::vector<size_t> places;
  for (size_t i = 0; i < encoding.ids.size(); ++i)
    if (encoding.ids[i] == call.model.mask_id()) places.push_back(i);
  if (places.empty()) return fail(Reason::bad_request, "the input has no mask token");
  TRY(const NamedOutput logits, call.logits({&encoding, 1}));
  const auto specials =
      places.size() == 1 ? Tokenizer::SpecialsInOutput::skip : Tokenizer::SpecialsInOutput::keep;
  boost::json::array all;
  for (size_t place : places) {
    boost::json::array row;
    const std::span<const float> scores(logits.data.data() + place * logits.columns, logits.columns);
    for (const Candidate& candidate : best(scores, targets, top)) {
      TRY(boost::json::object one, shown(call.model, encoding, place, candidate, specials));
      row.push_back(std::move(one));
    }
    all.push_back(std::move(row));
  }
  if (all.size() == 1) return std::move(all[0]);
  return boost::json::value(std::move(all));
}

}  // namespace

Result<boost::json::value> fill_mask(const TaskCall& call) {
  TRY_DONE(call.model.expect_head(Head::fill_mask, "fill-mask"));
  if (!call.model.mask_id()) return fail(Reason::model_unsupported, "the tokenizer has no mask token");
  TRY(const auto top, read_count(call.parameters, "top_k"));
  TRY(const std::vector<uint32_t> targets, read_targets(call));
  TRY(const std::vector<std::string> texts, read_texts(call.inputs, "inputs"));
  boost::json::array all;
  for (const std::string& text : texts) {
    TRY(boost::json::value one, fill_one(call, text, top.value_or(5), targets));
    all.push_back(std::move(one));
  }
  // A list of one is answered as its text would be, which transformers does for this task alone.
  if (all.size() == 1) return std::move(all[0]);
  return boost::json::value(std::move(all));
}

}  // namespace holdfast::model
