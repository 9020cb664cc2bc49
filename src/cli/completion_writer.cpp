#include "cli/completion_writer.h"

#include <algorithm>
#include <boost/json/object.hpp>

#include "codec/json.h"
#include "token/token_bytes.h"

namespace holdfast::cli {
namespace {

constexpr size_t kv_bytes_max = size_t{2} << 30;  // Keys and values of all answers of a model.

model::StepOptions step_options(const model::DecoderModel& model) {
  const model::KvPool& pages = model.decoder().pages();
  const size_t page_bytes = pages.page_floats() * sizeof(float);
  const size_t whole = pages.pages_for(model.plan().positions) + 1;  // One answer always has room.
  return {.sequences_max = CompletionWriter::answers_at_once,
          .pages_max = std::max(kv_bytes_max / page_bytes, whole)};
}

// Where the first stop begins; else how much of the text's end may be the beginning of one.
struct StopSearch {
  size_t found = std::string::npos, open = 0;
  std::string stop;
};
StopSearch find_stop(std::string_view text, const std::vector<std::string>& stops) {
  StopSearch out;
  for (const std::string& stop : stops) {
    if (const size_t at = text.find(stop); at < out.found) {
      out.found = at;
      out.stop = stop;
    }
    for (size_t length = std::min(stop.size() - 1, text.size()); length > out.open; --length)
      if (text.ends_with(std::string_view(stop).substr(0, length))) out.open = length;
  }
  return out;
}

// What a reader makes of a text goes into the event.
void add_reply(jinja::ReplyPiece piece, serve::GenerateEvent& event) {
  event.text += piece.text;
  event.reasoning += piece.reasoning;
  for (jinja::ReplyCallPart& part : piece.calls)
    event.calls.push_back({part.index, std::move(part.id), std::move(part.name), std::move(part.arguments)});
}

}  // namespace

CompletionWriter::CompletionWriter(AdapterShelf& adapters, tensor::Threads& threads, const Clock& clock,
                                   Random& random)
    : adapters_(adapters),
      generator_(*adapters.base()),
      threads_(threads),
      clock_(clock),
      random_(random),
      batch_(generator_.model(), threads, step_options(generator_.model())) {}

void CompletionWriter::fail_answer(uint64_t id, Error error) {
  ended_.push_back({.id = id, .error = std::move(error)});
}

void CompletionWriter::begin(const serve::GenerateAsk& ask) {
  auto body = codec::parse_json_object(ask.request);
  if (!body.ok()) return fail_answer(ask.id, std::move(body).error());
  auto generator = adapters_.find(ask.adapter);
  if (!generator.ok()) return fail_answer(ask.id, std::move(generator).error());
  auto call = read_completion_call(body.value(), *generator.value(), clock_.wall());
  if (!call.ok()) return fail_answer(ask.id, std::move(call).error());
  // mistral's template wants nine letters and digits.
  const bool short_ids = call.value().reply.family == jinja::ReplyFamily::mistral;
  auto answer = std::make_unique<Answer>(generator_.tokenizer(), call.value().reply, [this, short_ids] {
    return short_ids ? random_.hex(5).substr(0, 9) : "call_" + random_.hex(12);
  });
  answer->id = ask.id;
  answer->generator = std::move(generator).value();
  answer->call = std::move(call).value();
  // A seed that any client can say again: JSON readers hold 53 bits.
  if (!answer->call.seeded) answer->call.settings.seed = random_.u64() >> 11;
  if (answer->call.with_prompt)
    answer->prompt.emplace(generator_.model(), answer->generator->adapter(), answer->call.prompt,
                           answer->call.alternatives.value_or(0));
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
  request.adapter = answer.generator->adapter();
  request.alternatives = answer.call.alternatives;
  if (answer.call.grammar != nullptr) {
    request.bound.token_bytes = token_bytes();
    request.bound.constraint = std::make_unique<model::structured::Constraint>(
        answer.call.grammar, *tree_, answer.call.settings.end_tokens);
  }
  const size_t reused = batch_.tokens_reused();
  TRY(answer.sequence, batch_.join(std::move(request)));
  answer.reused_tokens = batch_.tokens_reused() - reused;
  return Done{};
}

// One part of each.
void CompletionWriter::look_at_prompts() {
  for (auto at = answers_.begin(); at != answers_.end();) {
    Answer& answer = **at;
    Status looked = answer.prompt ? answer.prompt->step(threads_) : Status(Done{});
    if (!looked.ok()) fail_answer(answer.id, std::move(looked).error());
    if (looked.ok() && !answer.opened && (!answer.prompt || answer.prompt->done())) open(answer);
    const bool over = !looked.ok() || (answer.opened && !answer.call.writes);
    at = over ? answers_.erase(at) : std::next(at);
  }
}

void CompletionWriter::open(Answer& answer) {
  answer.opened = true;
  serve::GenerateEvent event{.id = answer.id, .text = answer.call.echo.value_or("")};
  if (answer.prompt)
    for (const PromptScores::Token& token : answer.prompt->tokens())
      event.prompt.push_back(written(token.id, token.chosen, token.others));
  answer.prompt.reset();
  if (!answer.call.writes) end(answer, "length", "", event);
  if (event.says_something()) ended_.push_back(std::move(event));
}

// In the order they came.
void CompletionWriter::let_in() {
  for (auto at = answers_.begin(); at != answers_.end();) {
    Answer& answer = **at;
    if (!answer.sequence && answer.opened) {
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

const std::string& CompletionWriter::bytes_of(model::TokenId token) {
  const auto& bytes = *token_bytes();
  if (token < bytes.size() && !bytes[token].empty()) return bytes[token];
  const auto known = specials_.find(token);
  if (known != specials_.end()) return known->second;
  const uint32_t ids[] = {token};
  const auto text = generator_.tokenizer().decode(ids, token::Tokenizer::SpecialsInOutput::keep);
  return specials_.emplace(token, text.ok() ? text.value() : std::string()).first->second;
}

serve::WrittenToken CompletionWriter::written(model::TokenId token,
                                              const std::optional<model::LogProbability>& chosen,
                                              const std::vector<model::LogProbability>& others) {
  serve::WrittenToken out{.id = token, .text = bytes_of(token)};
  const uint32_t ids[] = {token};
  const auto shown = generator_.tokenizer().decode(ids, token::Tokenizer::SpecialsInOutput::skip);
  out.special = shown.ok() && shown.value().empty() && !out.text.empty();
  if (chosen) out.log_probability = chosen->value;
  for (const model::LogProbability& one : others)
    out.others.push_back({one.token, one.value, bytes_of(one.token)});
  return out;
}

std::string_view CompletionWriter::mark_of(const Answer& answer, model::TokenId token) {
  const auto& form = answer.call.reply;
  if (form.calls == jinja::ReplyForm::Calls::none && !form.thinks &&
      form.family != jinja::ReplyFamily::harmony)
    return {};
  const uint32_t ids[] = {token};
  const auto shown = generator_.tokenizer().decode(ids, token::Tokenizer::SpecialsInOutput::skip);
  if (!shown.ok() || !shown.value().empty()) return {};
  const std::string& text = bytes_of(token);
  for (const std::string_view mark : jinja::reply_marks(form.family))
    if (mark == text) return mark;
  return {};
}

void CompletionWriter::end(Answer& answer, std::string reason, std::string stop,
                           serve::GenerateEvent& event) const {
  if (answer.reader.calls_begun() > 0 && reason != "length") reason = "tool_calls";
  event.end = serve::GenerateEvent::End{.reason = std::move(reason),
                                        .stop = std::move(stop),
                                        .prompt_tokens = static_cast<uint32_t>(answer.call.prompt.size()),
                                        .new_tokens = static_cast<uint32_t>(answer.new_tokens),
                                        .seed = answer.call.settings.seed,
                                        .reused_tokens = static_cast<uint32_t>(answer.reused_tokens),
                                        .prompt_steps = static_cast<uint32_t>(answer.prompt_steps)};
}

bool CompletionWriter::take(Answer& answer, const model::StepToken& token, serve::GenerateEvent& event) {
  using End = model::StepToken::End;
  if (token.end == End::failed) {
    event.error = token.error;
    return true;
  }
  ++answer.new_tokens;
  std::string reason = token.end == End::length ? "length" : "stop";
  bool over = token.end != End::goes_on;
  if (answer.call.with_tokens)
    event.tokens.push_back(written(token.token, token.log_probability, token.alternatives));
  if (token.end != End::end_token) {
    const uint32_t ids[] = {token.token};
    if (auto piece = answer.text.step(ids); piece.ok() && piece.value()) answer.held += *piece.value();
    answer.held += mark_of(answer, token.token);
  }
  if (over)
    if (auto rest = answer.text.finish(); rest.ok()) answer.held += rest.value();
  const StopSearch stop = find_stop(answer.held, answer.call.stops);
  if (stop.found != std::string::npos) {
    answer.held.resize(stop.found);
    over = true;
    reason = "stop_sequence";
  }
  const size_t shown = over ? answer.held.size() : answer.held.size() - stop.open;
  add_reply(answer.reader.add(std::string_view(answer.held).substr(0, shown)), event);
  answer.held.erase(0, shown);
  if (answer.call.one_call && answer.reader.calls_ended() > 0) over = true;
  if (!over) return false;
  add_reply(answer.reader.finish(), event);
  end(answer, std::move(reason), stop.stop, event);
  return true;
}

std::vector<serve::GenerateEvent> CompletionWriter::step() {
  look_at_prompts();
  let_in();
  std::vector<serve::GenerateEvent> out = std::exchange(ended_, {});
  for (const auto& answer : answers_)
    if (answer->sequence && answer->new_tokens == 0) ++answer->prompt_steps;
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
    serve::GenerateEvent event{.id = (*found)->id,
                               .prompt_tokens = static_cast<uint32_t>((*found)->call.prompt.size())};
    const bool over = take(**found, token, event);
    if (event.says_something()) out.push_back(std::move(event));
    if (!over) continue;
    batch_.leave(token.sequence);
    answers_.erase(found);
  }
  return out;
}

}  // namespace holdfast::cli
