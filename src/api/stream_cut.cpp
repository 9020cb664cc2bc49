#include "api/stream_cut.h"

#include <fmt/format.h>

#include <boost/json/value.hpp>

#include "api/serving_error.h"
#include "codec/json.h"
#include "net/message.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

std::string_view text_of(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

const json::object* object_of(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_object() ? &value->get_object() : nullptr;
}

int64_t number_of(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

const json::array* choices_of(const json::object& event) {
  const json::value* value = event.if_contains("choices");
  return value != nullptr && value->is_array() ? &value->get_array() : nullptr;
}

}  // namespace

void StreamCut::came(std::string_view data) {
  const auto parsed = codec::parse_json_object(data);
  if (!parsed.ok()) return;
  const json::object& event = parsed.value();
  if (const json::array* choices = choices_of(event)) {
    for (const json::value& choice : *choices) {
      if (!choice.is_object()) continue;
      chat_ = chat_ || choice.get_object().contains("delta");
      choices_.emplace(number_of(choice.get_object(), "index"), false);
    }
    if (kind_ != Kind::unknown) return;
    kind_ = Kind::completions;
    head_ = event;
    head_.erase("choices");
    head_.erase("usage");
  } else if (kind_ == Kind::unknown && text_of(event, "type").starts_with("response.")) {
    kind_ = Kind::responses;
  }
}

void StreamCut::sent(std::string_view data) {
  const auto parsed = codec::parse_json_object(data);
  if (!parsed.ok()) return;
  const json::object& event = parsed.value();
  if (kind_ == Kind::responses) sent_of_responses(event);
  if (const json::array* choices = choices_of(event))
    for (const json::value& choice : *choices)
      if (choice.is_object() && !text_of(choice.get_object(), "finish_reason").empty())
        choices_[number_of(choice.get_object(), "index")] = true;
}

void StreamCut::sent_of_responses(const json::object& event) {
  const std::string_view type = text_of(event, "type");
  sequence_ = std::max(sequence_, number_of(event, "sequence_number") + 1);
  if (type == "response.created" || type == "response.in_progress") {
    if (const json::object* response = object_of(event, "response")) response_ = *response;
  } else if (type == "response.output_item.added") {
    if (const json::object* item = object_of(event, "item")) item_ = *item;
    item_open_ = true;
    part_open_ = false;
    item_text_.clear();
    item_part_.clear();
  } else if (type == "response.content_part.added") {
    if (const json::object* part = object_of(event, "part")) item_part_ = text_of(*part, "type");
    part_open_ = true;
  } else if (type == "response.content_part.done") {
    part_open_ = false;
  } else if (type.ends_with(".delta")) {
    item_text_ += text_of(event, "delta");
  } else if (type == "response.output_item.done") {
    if (const json::object* item = object_of(event, "item")) output_.push_back(*item);
    item_open_ = false;
  }
}

std::string StreamCut::ending(const Error& error) {
  refused_ = error.reason == Reason::policy_refused;
  if (kind_ == Kind::completions && refused_) return completions_ending();
  if (kind_ != Kind::responses) return {};
  if (refused_) return item_open_ ? responses_item_end() : std::string();
  json::object said = openai_error(error, error.message).body.at("error").get_object();
  json::object response = response_;
  response["status"] = "failed";
  response["output"] = output_;
  response["error"] = json::object{{"code", "server_error"}, {"message", said.at("message")}};
  return responses_event("response.failed", {{"response", std::move(response)}});
}

std::string StreamCut::completions_ending() {
  std::string out;
  if (choices_.empty()) choices_.emplace(0, false);
  for (auto& [index, ended] : choices_) {
    if (ended) continue;
    ended = true;
    json::object event = head_;
    event["choices"] = json::array{
        json::object{{"index", index},
                     {chat_ ? "delta" : "text", chat_ ? json::value(json::object()) : json::value("")},
                     {"logprobs", nullptr},
                     {"finish_reason", "content_filter"}}};
    out += net::sse_event("", codec::to_text(event));
  }
  return out;
}

std::string StreamCut::responses_event(std::string_view type, json::object event) {
  json::object out{{"type", type}, {"sequence_number", sequence_++}};
  for (auto& [key, value] : event) out[key] = std::move(value);
  return net::sse_event(type, codec::to_text(out));
}

// The item that was being written ends with what of it went out.
std::string StreamCut::responses_item_end() {
  std::string out;
  const json::object place{{"item_id", item_.contains("id") ? item_.at("id") : json::value("")},
                           {"output_index", output_.size()}};
  json::object part{{"type", item_part_}, {"text", item_text_}};
  if (item_part_ == "output_text") {
    part["annotations"] = json::array();
    part["logprobs"] = json::array();
  }
  item_["status"] = "incomplete";
  if (part_open_) {
    json::object done = place;
    done["content_index"] = 0;
    json::object text = done;
    text["text"] = item_text_;
    if (item_part_ == "output_text") text["logprobs"] = json::array();
    out += responses_event(fmt::format("response.{}.done", item_part_), std::move(text));
    done["part"] = part;
    out += responses_event("response.content_part.done", std::move(done));
    item_["content"] = json::array{std::move(part)};
  } else if (text_of(item_, "type") == "function_call") {
    item_["arguments"] = item_text_;
  }
  json::object item{{"output_index", output_.size()}, {"item", item_}};
  out += responses_event("response.output_item.done", std::move(item));
  output_.push_back(item_);
  item_open_ = false;
  return out;
}

std::string StreamCut::closing(const serve::Work& work, uint64_t answers, bool with_usage) {
  if (!refused_) return {};
  const uint64_t written = work.written_tokens, all = std::max(work.tokens, written);
  const uint64_t read = (all - written) / std::max<uint64_t>(answers, 1);
  if (kind_ == Kind::responses) {
    json::object response = response_;
    response["status"] = "incomplete";
    response["incomplete_details"] = json::object{{"reason", "content_filter"}};
    response["output"] = output_;
    response["usage"] =
        json::object{{"input_tokens", read},
                     {"input_tokens_details", json::object{{"cached_tokens", 0}, {"cache_write_tokens", 0}}},
                     {"output_tokens", written},
                     {"output_tokens_details", json::object{{"reasoning_tokens", 0}}},
                     {"total_tokens", read + written}};
    return responses_event("response.incomplete", {{"response", std::move(response)}});
  }
  if (kind_ != Kind::completions) return {};
  std::string out;
  if (with_usage) {
    json::object event = head_;
    event["choices"] = json::array();
    event["usage"] = json::object{
        {"prompt_tokens", read}, {"completion_tokens", written}, {"total_tokens", read + written}};
    out += net::sse_event("", codec::to_text(event));
  }
  return out + net::sse_event("", "[DONE]");
}

}  // namespace holdfast::api
