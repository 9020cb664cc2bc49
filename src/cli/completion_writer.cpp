#include "cli/completion_writer.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "codec/json.h"
#include "token/token_bytes.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr size_t kv_bytes_max = size_t{2} << 30;  // Keys and values of all answers of a model.
constexpr size_t answers_at_once = 32;

model::StepOptions step_options(const model::DecoderModel& model) {
  const size_t page_bytes = model.decoder().pages().shape().floats() * sizeof(float);
  const size_t whole = model.plan().positions / tensor::page_tokens + 1;  // One answer always has room.
  return {.sequences_max = answers_at_once, .pages_max = std::max(kv_bytes_max / page_bytes, whole)};
}

// Where the first stop begins; else how much of the text's end may be the beginning of one.
struct StopSearch {
  size_t found = std::string::npos, open = 0;
};
StopSearch find_stop(std::string_view text, const std::vector<std::string>& stops) {
  StopSearch out;
  for (const std::string& stop : stops) {
    out.found = std::min(out.found, text.find(stop));
    for (size_t length = std::min(stop.size() - 1, text.size()); length > out.open; --length)
      if (text.ends_with(std::string_view(stop).substr(0, length))) out.open = length;
  }
  return out;
}

}  // namespace

CompletionWriter::CompletionWriter(const model::TextGenerator& generator, tensor::Threads& threads,
                                   const Clock& clock, Random& random)
    : generator_(generator),
      clock_(clock),
      random_(random),
      batch_(generator.model(), threads, step_options(generator.model())) {}

void CompletionWriter::fail_answer(uint64_t id, Error error) {
  ended_.push_back({.id = id, .text = {}, .extra = {}, .error = std::move(error)});
}

void CompletionWriter::begin(const serve::GenerateAsk& ask) {
  auto body = codec::parse_json_object(ask.request);
  if (!body.ok()) return fail_answer(ask.id, std::move(body).error());
  auto call = read_completion_call(body.value(), generator_, clock_.wall());
  if (!call.ok()) return fail_answer(ask.id, std::move(call).error());
  auto answer = std::make_unique<Answer>(generator_.tokenizer());
  answer->id = ask.id;
  answer->call = std::move(call).value();
  if (!answer->call.seeded) answer->call.settings.seed = random_.u64();
  answers_.push_back(std::move(answer));
}

void CompletionWriter::cancel(uint64_t id) {
  const auto found =
      std::find_if(answers_.begin(), answers_.end(), [&](const auto& a) { return a->id == id; });
  if (found == answers_.end()) return;
  if ((*found)->sequence) batch_.leave(*(*found)->sequence);
  answers_.erase(found);
}

std::shared_ptr<const std::vector<std::string>> CompletionWriter::token_bytes() {
  if (token_bytes_ == nullptr) {
    auto bytes = token::token_bytes(generator_.tokenizer());
    bytes.resize(generator_.model().plan().vocabulary);
    token_bytes_ = std::make_shared<const std::vector<std::string>>(std::move(bytes));
    tree_ = std::make_unique<model::structured::TokenTree>(*token_bytes_);
  }
  return token_bytes_;
}

Status CompletionWriter::join(Answer& answer) {
  model::StepRequest request{.prompt = answer.call.prompt, .settings = answer.call.settings};
  request.alternatives = answer.call.alternatives;
  if (answer.call.grammar != nullptr) {
    request.bound.token_bytes = token_bytes();
    request.bound.constraint = std::make_unique<model::structured::Constraint>(
        answer.call.grammar, *tree_, answer.call.settings.end_tokens);
  }
  TRY(answer.sequence, batch_.join(std::move(request)));
  return Done{};
}

// In the order they came.
void CompletionWriter::let_in() {
  for (auto at = answers_.begin(); at != answers_.end();) {
    Answer& answer = **at;
    if (!answer.sequence) {
      Status joined = join(answer);
      if (!joined.ok() && joined.error().reason == Reason::queue_full && batch_.sequences() > 0) return;
      if (!joined.ok()) {
        fail_answer(answer.id, std::move(joined).error());
        at = answers_.erase(at);
        continue;
      }
    }
    ++at;
  }
}

std::string CompletionWriter::log_probabilities(const model::StepToken& token) const {
  if (!token.log_probability) return {};
  const auto shown = [&](const model::LogProbability& one) {
    const uint32_t ids[] = {one.token};
    const auto text = generator_.tokenizer().decode(ids, token::Tokenizer::SpecialsInOutput::keep);
    json::array bytes;
    const std::string plain = text.ok() ? text.value() : std::string();
    for (const char byte : plain) bytes.push_back(static_cast<uint8_t>(byte));
    return json::object{{"token", plain}, {"logprob", one.value}, {"bytes", std::move(bytes)}};
  };
  json::object out = shown(*token.log_probability);
  json::array others;
  for (const model::LogProbability& one : token.alternatives) others.push_back(shown(one));
  out["top_logprobs"] = std::move(others);
  return codec::to_text(json::array{std::move(out)});
}

bool CompletionWriter::take(Answer& answer, const model::StepToken& token,
                            serve::GenerateEvent& event) const {
  using End = model::StepToken::End;
  if (token.end == End::failed) {
    event.error = token.error;
    return true;
  }
  ++answer.new_tokens;
  std::string reason = token.end == End::length ? "length" : "stop";
  bool over = token.end != End::goes_on;
  if (token.end != End::end_token) {
    event.extra = log_probabilities(token);
    const uint32_t ids[] = {token.token};
    if (auto piece = answer.text.step(ids); piece.ok() && piece.value()) answer.held += *piece.value();
  }
  if (over)
    if (auto rest = answer.text.finish(); rest.ok()) answer.held += rest.value();
  const StopSearch stop = find_stop(answer.held, answer.call.stops);
  if (stop.found != std::string::npos) {
    answer.held.resize(stop.found);
    over = true;
    reason = "stop";
  }
  const size_t shown = over ? answer.held.size() : answer.held.size() - stop.open;
  event.text += answer.held.substr(0, shown);
  answer.held.erase(0, shown);
  if (over)
    event.end = serve::GenerateEvent::End{std::move(reason), static_cast<uint32_t>(answer.call.prompt.size()),
                                          static_cast<uint32_t>(answer.new_tokens)};
  return over;
}

std::vector<serve::GenerateEvent> CompletionWriter::step() {
  let_in();
  std::vector<serve::GenerateEvent> out = std::exchange(ended_, {});
  auto tokens = batch_.step();
  if (!tokens.ok()) {
    for (const auto& answer : answers_) fail_answer(answer->id, tokens.error());
    while (!answers_.empty()) cancel(answers_.front()->id);
    return out;
  }
  for (const model::StepToken& token : tokens.value()) {
    const auto found = std::find_if(answers_.begin(), answers_.end(), [&](const auto& answer) {
      return answer->sequence && *answer->sequence == token.sequence;
    });
    if (found == answers_.end()) continue;  // Ended by a stop within this very step.
    serve::GenerateEvent event{.id = (*found)->id, .text = {}, .extra = {}};
    const bool over = take(**found, token, event);
    if (!event.text.empty() || !event.extra.empty() || over) out.push_back(std::move(event));
    if (!over) continue;
    batch_.leave(token.sequence);
    answers_.erase(found);
  }
  return out;
}

}  // namespace holdfast::cli
