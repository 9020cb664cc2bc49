#include "model/tasks/tokens.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <limits>

#include "codec/json.h"
#include "model/tasks/task_parameters.h"

namespace holdfast::model {
namespace {

namespace json = boost::json;

constexpr size_t lists_max = 4096;

Result<std::vector<uint32_t>> read_ids(const json::array& list) {
  std::vector<uint32_t> out;
  for (const json::value& one : list) {
    if (!one.is_int64() || one.get_int64() < 0 || one.get_int64() > std::numeric_limits<uint32_t>::max())
      return fail(Reason::bad_request, "ids are whole numbers from 0");
    out.push_back(static_cast<uint32_t>(one.get_int64()));
  }
  return out;
}

}  // namespace

Result<json::value> list_tokens(const token::Tokenizer& tokenizer, const json::value& inputs,
                                const json::object& parameters) {
  TRY(const std::vector<std::string> texts, read_texts(inputs, "inputs"));
  if (texts.size() > lists_max)
    return fail(Reason::bad_request, fmt::format("{} inputs are too many", texts.size()));
  TRY(const auto special, codec::json_flag_if(parameters, "add_special_tokens"));
  token::EncodeOptions options;
  if (!special.value_or(true)) options.special = token::SpecialTokens::leave_out;
  json::array all;
  for (const std::string& text : texts) {
    TRY(const token::Encoding encoding, tokenizer.encode({.text = text, .words = {}, .pair = {}}, options));
    const CodePoints points(text);
    json::array rows;
    for (size_t i = 0; i < encoding.size(); ++i) {
      json::object row{{"id", encoding.ids[i]}};
      if (encoding.special[i] != 0) {
        row["text"] = encoding.tokens[i];
        row["special"] = true;
        row["start"] = row["stop"] = nullptr;
      } else {
        const std::string_view part = points.slice(encoding.offsets[i].begin, encoding.offsets[i].end);
        const auto start = static_cast<size_t>(part.data() - text.data());
        row["text"] = part;
        row["special"] = false;
        row["start"] = start;
        row["stop"] = start + part.size();
      }
      rows.push_back(std::move(row));
    }
    all.push_back(std::move(rows));
  }
  return json::value(std::move(all));
}

Result<json::value> join_tokens(const token::Tokenizer& tokenizer, const json::value& inputs,
                                const json::object& parameters) {
  using Specials = token::Tokenizer::SpecialsInOutput;
  if (!inputs.is_array()) return fail(Reason::bad_request, "ids are a list, or a list of lists");
  TRY(const auto skip, codec::json_flag_if(parameters, "skip_special_tokens"));
  const json::array& list = inputs.get_array();
  std::vector<std::vector<uint32_t>> rows;
  if (!list.empty() && list.front().is_array()) {
    for (const json::value& one : list) {
      if (!one.is_array() || rows.size() >= lists_max)
        return fail(Reason::bad_request, "ids are a list, or a list of lists");
      TRY(std::vector<uint32_t> ids, read_ids(one.get_array()));
      rows.push_back(std::move(ids));
    }
  } else {
    TRY(std::vector<uint32_t> ids, read_ids(list));
    rows.push_back(std::move(ids));
  }
  json::array out;
  for (const std::vector<uint32_t>& ids : rows) {
    TRY(const std::string text, tokenizer.decode(ids, skip.value_or(true) ? Specials::skip : Specials::keep));
    out.emplace_back(text);
  }
  return json::value(std::move(out));
}

json::object describe_model(const Embedder& embedder) {
  json::array labels;
  for (const std::string& label : embedder.text_model().plan().labels) labels.emplace_back(label);
  return {{"max_input_length", embedder.tokens_max()},
          {"labels", std::move(labels)},
          {"pooling", embedder.pooling()}};
}

}  // namespace holdfast::model
