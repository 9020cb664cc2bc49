#include "cli/predictions.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <optional>

#include "codec/hex.h"
#include "codec/json.h"
#include "codec/ndjson.h"
#include "codec/sha256.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

// Below what the server takes of one file.
constexpr size_t batch_bytes_max = 24 << 20, batch_requests_max = 20'000, line_bytes_max = 32 << 20;

std::optional<size_t> row_number(std::string_view id, size_t rows) {
  size_t out = 0;
  const auto [end, problem] = std::from_chars(id.data(), id.data() + id.size(), out);
  if (problem != std::errc() || end != id.data() + id.size() || out >= rows) return std::nullopt;
  return out;
}

// Of a chat only what was said.
json::value prediction(const PredictionPlan& plan, const json::value& body) {
  if (plan.ask == PredictionPlan::Ask::task || !body.is_object()) return body;
  const json::value* choices = body.get_object().if_contains("choices");
  if (choices == nullptr || !choices->is_array() || choices->get_array().empty()) return body;
  const json::value& first = choices->get_array().front();
  const json::value* message = first.is_object() ? first.get_object().if_contains("message") : nullptr;
  const json::value* content =
      message != nullptr && message->is_object() ? message->get_object().if_contains("content") : nullptr;
  return content == nullptr ? body : *content;
}

}  // namespace

std::string PredictionPlan::key(const std::vector<measure::LabelledRow>& rows) const {
  codec::Sha256 hash;
  const auto add = [&](std::string_view text) {
    hash.update(as_bytes(fmt::format("{}:", text.size())));
    hash.update(as_bytes(text));
  };
  for (const std::string& part : {model, source, split, column, codec::to_text(parameters), address()})
    add(part);
  for (const measure::LabelledRow& row : rows) add(row.text);
  return codec::to_hex(hash.finish());
}

std::string PredictionPlan::address() const {
  return ask == Ask::chat ? std::string("/v1/chat/completions") : "/models/" + model;
}

std::string PredictionPlan::request(size_t row, const std::string& text) const {
  json::object body;
  if (ask == Ask::chat) {
    body = parameters;
    body["model"] = model;
    json::array messages;
    messages.push_back(json::object{{"role", "user"}, {"content", text}});
    body["messages"] = std::move(messages);
  } else {
    body["inputs"] = text;
    if (!parameters.empty()) body["parameters"] = parameters;
  }
  return codec::to_text(json::object{
      {"custom_id", std::to_string(row)}, {"method", "POST"}, {"url", address()}, {"body", std::move(body)}});
}

std::string batch_input(const PredictionPlan& plan, const std::vector<measure::LabelledRow>& rows,
                        size_t& first) {
  std::string out;
  size_t count = 0;
  for (; first < rows.size() && count < batch_requests_max; ++first, ++count) {
    const std::string line = plan.request(first, rows[first].text);
    if (count > 0 && out.size() + line.size() >= batch_bytes_max) break;
    out += line;
    out += '\n';
  }
  return out;
}

Result<std::string> predictions_of(const PredictionPlan& plan, const std::vector<measure::LabelledRow>& rows,
                                   const std::vector<std::string>& answers, size_t& failed) {
  std::vector<std::optional<json::object>> said(rows.size());
  failed = 0;
  const auto take = [&](std::string_view line) -> Status {
    TRY(const json::object answer, codec::parse_json_object(line));
    TRY(const std::string_view id, codec::json_text(answer, "custom_id"));
    const auto row = row_number(id, rows.size());
    if (!row || said[*row])
      return fail(Reason::data_corrupt, fmt::format("the answer '{}' is of no row, or there twice", id));
    TRY(const json::object* response, codec::json_object_if(answer, "response"));
    json::object out;
    const json::value* body = response == nullptr ? nullptr : response->if_contains("body");
    const bool good = body != nullptr && response->contains("status_code") &&
                      response->at("status_code").is_int64() && response->at("status_code").get_int64() < 400;
    if (good) {
      out["prediction"] = prediction(plan, *body);
      out["error"] = nullptr;
    } else {
      ++failed;
      out["prediction"] = nullptr;
      out["error"] = codec::to_text(body != nullptr ? *body : answer.at("error"));
    }
    said[*row] = std::move(out);
    return Done{};
  };
  for (const std::string& text : answers) {
    codec::LineSplitter lines(line_bytes_max);
    TRY_DONE(lines.update(text, take));
    TRY_DONE(lines.finish(take));
  }
  std::string out;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!said[i]) return fail(Reason::data_corrupt, fmt::format("row {} has no answer", i));
    json::object line{{"row", i}};
    if (!rows[i].id.empty()) line["id"] = rows[i].id;
    line[plan.column] = rows[i].text;
    for (auto& [key, value] : *said[i]) line[key] = std::move(value);
    out += codec::to_text(line);
    out += '\n';
  }
  return out;
}

std::string predictions_card(const PredictionPlan& plan, const std::string& key, size_t rows, size_t failed) {
  return fmt::format(
      "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: {}\n    path: "
      "predictions.jsonl\n---\n\n"
      "# Predictions\n\nWhat `{}` said of {} rows of `{}` (split `{}`, column `{}`), {} of which failed.\n\n"
      "Parameters: `{}`\n\nBatch key: `{}`\n",
      plan.split, plan.model, rows, plan.source, plan.split, plan.column, failed,
      codec::to_text(plan.parameters), key);
}

}  // namespace holdfast::cli
