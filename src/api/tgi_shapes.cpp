#include "api/tgi_shapes.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/serving_error.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using serve::GenerateEvent;
using serve::WrittenToken;

json::value number(const std::optional<float>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

// All texts together are the answer's: what waits for a character's end, or may be the beginning of a stop,
// comes with the token that brings it out.
json::object token_object(const WrittenToken& token, const GenerateEvent& event) {
  const bool hidden = token.special && event.text.empty();
  std::string text = hidden ? token.text : event.text;
  if (event.end && !hidden) text += event.end->stop;
  return {{"id", token.id},
          {"text", std::move(text)},
          {"logprob", number(token.log_probability)},
          {"special", hidden}};
}

json::array other_tokens(const WrittenToken& token) {
  json::array out;
  for (const WrittenToken::Other& other : token.others)
    out.push_back(json::object{
        {"id", other.id}, {"text", other.text}, {"logprob", other.log_probability}, {"special", false}});
  return out;
}

class TgiForm final : public AnswerForm {
 public:
  explicit TgiForm(const TgiShape& shape) : shape_(shape) {}

  bool streams() const override { return shape_.streams; }

  std::string piece(size_t choice, const GenerateEvent& event) override {
    keep(choice, event);
    std::string out;
    for (size_t i = 0; i < event.tokens.size(); ++i) {
      const WrittenToken& token = event.tokens[i];
      const bool last = event.end && i + 1 == event.tokens.size();
      // All texts together are the answer's: what waits for a character's end comes with that.
      json::object sent{{"index", ++sent_}, {"token", token_object(token, event)}};
      if (shape_.top_tokens) sent["top_tokens"] = other_tokens(token);
      sent["generated_text"] = last ? json::value(text_) : json::value(nullptr);
      sent["details"] = last ? json::value(json::object{{"finish_reason", reason_},
                                                        {"generated_tokens", new_tokens_},
                                                        {"input_length", prompt_tokens_},
                                                        {"seed", seed_}})
                             : json::value(nullptr);
      out += net::sse_event("", codec::to_text(sent));
    }
    return out;
  }

  std::string ending() override { return {}; }

  std::string failure(const Error& error) override {
    return net::sse_event("", codec::to_text(tgi_error(error, error.message).body));
  }

  void keep(size_t, const GenerateEvent& event) override {
    text_ += event.text;
    for (const WrittenToken& token : event.prompt)
      prefill_.push_back(
          json::object{{"id", token.id}, {"text", token.text}, {"logprob", number(token.log_probability)}});
    if (shape_.details)
      for (const WrittenToken& token : event.tokens) {
        tokens_.push_back(token_object(token, event));
        top_tokens_.push_back(other_tokens(token));
      }
    if (!event.end) return;
    text_ += event.end->stop;  // That server leaves it in.
    reason_ = event.end->reason == "stop" ? "eos_token" : event.end->reason;
    prompt_tokens_ = event.end->prompt_tokens;
    new_tokens_ = event.end->new_tokens;
    if (shape_.sampled) seed_ = event.end->seed;
  }

  Result<net::Response> whole() override {
    json::object out{{"generated_text", text_}};
    if (shape_.details) {
      json::object details{{"finish_reason", reason_},
                           {"generated_tokens", new_tokens_},
                           {"seed", seed_},
                           {"prefill", std::move(prefill_)},
                           {"tokens", std::move(tokens_)}};
      if (shape_.top_tokens) details["top_tokens"] = std::move(top_tokens_);
      out["details"] = std::move(details);
    }
    json::value body = out;
    if (shape_.in_list) {
      json::array list;
      list.push_back(std::move(body));
      body = std::move(list);
    }
    net::Response response = json_answer(body);
    response.headers.set("x-compute-type", "cpu");
    response.headers.set("x-prompt-tokens", std::to_string(prompt_tokens_));
    response.headers.set("x-generated-tokens", std::to_string(new_tokens_));
    return response;
  }

 private:
  const TgiShape shape_;
  std::string text_, reason_;
  json::array prefill_, tokens_, top_tokens_;
  json::value seed_;
  uint32_t sent_ = 0, prompt_tokens_ = 0, new_tokens_ = 0;
};

}  // namespace

std::unique_ptr<AnswerForm> make_tgi_form(const TgiShape& shape) { return std::make_unique<TgiForm>(shape); }

}  // namespace holdfast::api
