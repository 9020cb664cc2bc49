#include "api/llama_shapes.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <deque>

#include "api/error_answer.h"
#include "api/serving_error.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using serve::GenerateEvent;
using serve::WrittenToken;

json::object probability(uint32_t id, const std::string& text, float value) {
  json::array bytes;
  for (const char byte : text) bytes.push_back(static_cast<uint8_t>(byte));
  return {{"id", id}, {"token", text}, {"bytes", std::move(bytes)}, {"logprob", value}};
}

// One prompt's answer.
class LlamaAnswer {
 public:
  LlamaAnswer(const LlamaShape& shape, size_t index, const Clock& clock)
      : shape_(shape), index_(index), clock_(clock), began_(clock.now()), first_(began_) {}

  std::string piece(const GenerateEvent& event) {
    keep(event);
    std::string out;
    if (!event.text.empty() || !tokens_.empty()) {
      json::object part{{"index", index_},
                        {"content", event.text},
                        {"tokens", shape_.with_tokens ? std::exchange(tokens_, {}) : json::array()},
                        {"stop", false},
                        {"id_slot", -1},
                        {"tokens_predicted", new_tokens_},
                        {"tokens_evaluated", prompt_tokens_}};
      if (shape_.with_probabilities) part["completion_probabilities"] = std::exchange(probabilities_, {});
      tokens_.clear();
      out += net::sse_event("", codec::to_text(part));
    }
    if (event.end) {
      text_.clear();  // Was sent.
      out += net::sse_event("", codec::to_text(last()));
    }
    return out;
  }

  void keep(const GenerateEvent& event) {
    if (new_tokens_ == 0) first_ = clock_.now();
    text_ += event.text;
    for (const WrittenToken& token : event.tokens) {
      ++new_tokens_;
      tokens_.emplace_back(token.id);
      json::object one = probability(token.id, token.text, token.log_probability.value_or(0));
      json::array others;
      for (const WrittenToken::Other& other : token.others)
        others.push_back(probability(other.id, other.text, other.log_probability));
      one["top_logprobs"] = std::move(others);
      if (shape_.with_probabilities) probabilities_.push_back(std::move(one));
    }
    if (!event.end) return;
    end_ = *event.end;
    new_tokens_ = end_.new_tokens;
    prompt_tokens_ = end_.prompt_tokens;
  }

  json::object last() {
    const bool by_word = end_.reason == "stop_sequence", by_limit = end_.reason == "length";
    json::object settings = shape_.settings;
    settings["seed"] = end_.seed;
    json::object out{{"index", index_},
                     {"content", text_},
                     {"tokens", shape_.with_tokens ? std::move(tokens_) : json::array()},
                     {"id_slot", -1},
                     {"stop", true},
                     {"model", shape_.model},
                     {"tokens_predicted", new_tokens_},
                     {"tokens_evaluated", prompt_tokens_},
                     {"generation_settings", std::move(settings)},
                     {"prompt", shape_.prompts[index_]},
                     {"has_new_line", text_.find('\n') != std::string::npos},
                     {"truncated", false},
                     {"stop_type", by_word    ? "word"
                                   : by_limit ? "limit"
                                              : "eos"},
                     {"stopping_word", end_.stop},
                     {"tokens_cached", prompt_tokens_ + new_tokens_},
                     {"timings", timings()}};
    if (shape_.with_probabilities) out["completion_probabilities"] = std::move(probabilities_);
    return out;
  }

 private:
  json::object timings() const {
    const auto rate = [](uint32_t tokens, double ms) { return ms > 0 ? tokens * 1000.0 / ms : 0.0; };
    const auto ms = [](std::chrono::milliseconds time) { return static_cast<double>(time.count()); };
    const double read = ms(first_ - began_), wrote = ms(clock_.now() - first_);
    return {{"prompt_n", prompt_tokens_},
            {"prompt_ms", read},
            {"prompt_per_token_ms", read / std::max(prompt_tokens_, 1U)},
            {"prompt_per_second", rate(prompt_tokens_, read)},
            {"predicted_n", new_tokens_},
            {"predicted_ms", wrote},
            {"predicted_per_token_ms", wrote / std::max(new_tokens_, 1U)},
            {"predicted_per_second", rate(new_tokens_, wrote)}};
  }

  const LlamaShape& shape_;
  const size_t index_;
  const Clock& clock_;
  const std::chrono::milliseconds began_;
  std::chrono::milliseconds first_;
  std::string text_;
  json::array tokens_, probabilities_;
  GenerateEvent::End end_;
  uint32_t new_tokens_ = 0, prompt_tokens_ = 0;
};

// "timings/predicted_ms" comes out as "predicted_ms", as that server has it.
json::object only(const json::object& whole, const std::vector<std::string>& fields) {
  json::object out;
  for (const std::string& field : fields) {
    const size_t slash = field.find('/');
    const json::value* value = whole.if_contains(field.substr(0, slash));
    if (value != nullptr && slash != std::string::npos)
      value = value->is_object() ? value->get_object().if_contains(field.substr(slash + 1)) : nullptr;
    if (value != nullptr) out[slash == std::string::npos ? field : field.substr(slash + 1)] = *value;
  }
  return out;
}

class LlamaForm final : public AnswerForm {
 public:
  LlamaForm(LlamaShape shape, const Clock& clock) : shape_(std::move(shape)) {
    for (size_t i = 0; i < shape_.prompts.size(); ++i) answers_.emplace_back(shape_, i, clock);
  }

  bool streams() const override { return shape_.streams; }
  std::string piece(size_t choice, const GenerateEvent& event) override {
    return answers_[choice].piece(event);
  }
  std::string ending() override { return {}; }
  std::string failure(const Error& error) override {
    return net::sse_event("", codec::to_text(llama_error(error, error.message).body));
  }
  void keep(size_t choice, const GenerateEvent& event) override { answers_[choice].keep(event); }

  Result<net::Response> whole() override {
    json::array all;
    for (LlamaAnswer& answer : answers_) {
      json::object one = answer.last();
      all.push_back(shape_.fields.empty() ? std::move(one) : only(one, shape_.fields));
    }
    return all.size() == 1 ? json_answer(all.front()) : json_answer(all);
  }

 private:
  const LlamaShape shape_;
  std::deque<LlamaAnswer> answers_;  // Each borrows the shape.
};

}  // namespace

std::unique_ptr<AnswerForm> make_llama_form(LlamaShape shape, const Clock& clock) {
  return std::make_unique<LlamaForm>(std::move(shape), clock);
}

}  // namespace holdfast::api
