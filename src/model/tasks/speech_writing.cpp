#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/check.h"
#include "codec/json.h"
#include "model/folder_json.h"
#include "model/generation/generate.h"
#include "model/seq2seq_model.h"
#include "model/speech/speech_segments.h"
#include "model/speech/spoken_languages.h"
#include "model/tasks/signal_tasks.h"

namespace holdfast::model {
namespace {

namespace json = boost::json;

constexpr size_t windows_max = 4096, new_tokens_most = 4096;
constexpr size_t beams_of_the_task = 5;  // transformers' pipeline's own, as OpenAI's program has it.
constexpr double frames_a_step = 2;      // The encoder's second convolution takes every other frame.

// What one call wants.
struct Order {
  SpeechWish wish;
  GenerationSettings settings;
  std::vector<TokenId> before;  // What was said before, as the caller puts it.
  bool tells_times = false, describes = false;
};

struct Spoken {
  std::vector<SpeechChunk> chunks;
  std::optional<TokenId> language;
  double seconds = 0;
};

// Parameters of the task, those of generate() beside them or in an object of their own.
Result<json::object> said_parameters(const SignalCall& call) {
  json::object out;
  for (const std::string_view key : {"generate_kwargs", "generation_parameters", "generate_parameters"}) {
    TRY(const json::object* within, codec::json_object_if(call.parameters, key));
    if (within != nullptr) lay_over(out, *within);
  }
  lay_over(out, call.parameters);
  return out;
}

Result<bool> read_times(const json::object& said, bool of_folder) {
  const json::value* value = said.if_contains("return_timestamps");
  if (value == nullptr) return of_folder;
  if (value->is_bool()) return value->get_bool();
  if (value->is_string() && value->get_string() == "word")
    return fail(Reason::not_offered, "times of words are not offered for this model, those of segments are");
  return fail(Reason::bad_request, "return_timestamps of this model is true or false");
}

Result<std::vector<TokenId>> said_before(const SignalCall& call, std::string_view prompt, size_t positions) {
  const SpeechTokens& tokens = *call.parts.speech;
  if (!tokens.before) return fail(Reason::model_unsupported, "the model takes no prompt");
  const std::string text =
      " " + std::string(prompt.substr(std::min(prompt.find_first_not_of(' '), prompt.size())));
  token::EncodeOptions options;
  options.special = token::SpecialTokens::leave_out;
  TRY(const token::Encoding encoding,
      call.parts.tokenizer->encode({.text = text, .words = {}, .pair = {}}, options));
  const size_t most = std::max<size_t>(positions / 2, 2) - 2;
  const size_t from = encoding.ids.size() - std::min(encoding.ids.size(), most);
  std::vector<TokenId> out = {*tokens.before};
  out.insert(out.end(), encoding.ids.begin() + static_cast<ptrdiff_t>(from), encoding.ids.end());
  return out;
}

Result<Order> read_order(const SignalCall& call, const Seq2SeqModel& model) {
  Order out;
  TRY(const json::object said, said_parameters(call));
  TRY(const auto language, codec::json_text_if(said, "language"));
  if (language) out.wish.language = std::string(*language);
  TRY(const auto task, codec::json_text_if(said, "task"));
  if (task) out.wish.task = std::string(*task);
  TRY(out.tells_times, read_times(said, call.parts.speech->timestamps));
  out.wish.timestamps = out.tells_times;
  TRY(const auto describes, codec::json_flag_if(said, "describe"));
  out.describes = describes.value_or(false);
  TRY(out.settings, parse_generation_settings(said, model.generation()));
  if (!said.contains("num_beams") && !call.parts.speech->says_beams && !out.settings.sample)
    out.settings.beams = beams_of_the_task;
  if (std::max(out.settings.new_tokens_max.value_or(0), out.settings.length_max.value_or(0)) >
      new_tokens_most)
    return fail(Reason::bad_request, fmt::format("an answer has at most {} tokens", new_tokens_most));
  TRY(const auto prompt, codec::json_text_if(said, "prompt"));
  if (prompt && !prompt->empty()) {
    TRY(out.before, said_before(call, *prompt, model.plan().decoder.positions));
  }
  return out;
}

Result<TokenId> hear_language(Seq2SeqRows& rows, const SpeechTokens& tokens) {
  std::vector<float> scores(rows.vocabulary());
  TRY_DONE(rows.begin(std::vector<std::vector<TokenId>>{{tokens.start}}, scores));
  std::optional<TokenId> best;
  for (const auto& [code, token] : tokens.languages)
    if (token < scores.size() && (!best || scores[token] > scores[*best])) best = token;
  if (!best) return fail(Reason::bad_request, "generation_config.json names no language of the vocabulary");
  return *best;
}

// One window's new tokens, without the end.
Result<std::vector<TokenId>> write_window(const SignalCall& call, const Order& order, size_t positions,
                                          Seq2SeqRows& rows, std::optional<TokenId> heard) {
  const SpeechTokens& tokens = *call.parts.speech;
  TRY(const auto begin, speech_prompt(tokens, order.wish, heard));
  CHECK(begin.has_value());
  Prompt prompt{.tokens = order.before, .padding = 0};
  prompt.tokens.insert(prompt.tokens.end(), begin->begin(), begin->end());
  const size_t given = prompt.tokens.size();
  GenerationSettings settings = order.settings;
  // The folder's bound is of what is written; the model's is of all.
  if (!settings.new_tokens_max && settings.length_max)
    settings.length_max = std::min(*settings.length_max + std::min(given, positions / 2 - 1), positions);
  const auto ends = [&](TokenId token) {
    return std::find(settings.end_tokens.begin(), settings.end_tokens.end(), token) !=
           settings.end_tokens.end();
  };
  if (order.wish.timestamps)
    settings.times =
        SpeechTimes{.no_timestamps = *tokens.no_timestamps,
                    .end = settings.end_tokens.empty() ? *tokens.no_timestamps : settings.end_tokens[0],
                    .first_max = tokens.first_time_max};
  TRY(const Generated made, generate(rows, {&prompt, 1}, settings));
  const std::vector<TokenId>& all = made.sequences[0];
  const auto first = all.begin() + static_cast<ptrdiff_t>(given);
  std::vector<TokenId> out(first, std::find_if(first, all.end(), ends));
  if (call.times != nullptr) call.times->tokens += out.size();
  return out;
}

// Frames [bins, count] from `at` on, and behind their end zeros.
std::vector<float> frames_from(const media::Features& features, size_t at, size_t count) {
  const size_t bins = features.shape[1], all = features.shape[2];
  std::vector<float> out(bins * count, 0.0F);
  const size_t length = std::min(count, all - at);
  for (size_t bin = 0; bin < bins; ++bin)
    std::copy_n(features.data.begin() + static_cast<ptrdiff_t>(bin * all + at), length,
                out.begin() + static_cast<ptrdiff_t>(bin * count));
  return out;
}

Result<std::vector<Memory>> remember(const SignalCall& call, const Seq2SeqModel& model,
                                     const media::Features& features, size_t at, size_t frames) {
  const std::vector<float> some = frames_from(features, at, frames);
  const tensor::TensorView view{
      tensor::Dtype::f32, {1, features.shape[1], frames}, std::as_bytes(std::span(some))};
  return model.remember_signals(tensor::Weights::borrowed({{features.name, view}}), call.threads);
}

// Window after window, each from where the last whole piece ended; without times there is one window.
Result<Spoken> listen(const SignalCall& call, const Seq2SeqModel& model, Order& order) {
  const SpeechTokens& tokens = *call.parts.speech;
  TRY(const std::vector<float> samples, call.sound());
  std::optional<StageTimer> preparing(std::in_place, call.times, &StageTimes::tokenize);
  TRY(const media::Features features, call.parts.sounds->run_whole(samples));
  preparing.reset();
  if (features.shape.size() != 3) return fail(Code::corrupt, "the features of a sound are not in frames");
  const size_t frames = model.signals()->input_shape().back(), all = features.shape[2];
  const double rate = call.parts.sounds->sampling_rate();
  const double frame = static_cast<double>(call.parts.sounds->window()) / static_cast<double>(frames) / rate;
  if (all > frames) order.wish.timestamps = true;  // They say where the next window begins.
  if (order.wish.timestamps && !tokens.no_timestamps)
    return fail(all > frames ? Reason::input_too_long : Reason::model_unsupported,
                fmt::format("the model tells no times: it takes sounds of at most {} seconds",
                            frame * static_cast<double>(frames)));
  Spoken out;
  out.seconds = static_cast<double>(samples.size()) / rate;
  std::vector<TokenId> written;
  const StageTimer timer(call.times, &StageTimes::model);
  size_t at = 0;
  for (size_t count = 0; at < all && count < windows_max; ++count) {
    TRY(std::vector<Memory> memories, remember(call, model, features, at, frames));
    Seq2SeqRows rows(model, std::move(memories), call.threads);
    if (!out.language) {
      TRY(const auto known, speech_prompt(tokens, order.wish, std::nullopt));
      if (known && known->size() > 1) out.language = (*known)[1];
      if (!known) {
        TRY(out.language, hear_language(rows, tokens));
      }
    }
    TRY(const std::vector<TokenId> some,
        write_window(call, order, model.plan().decoder.positions, rows, out.language));
    const size_t length = std::min(frames, all - at);
    WindowEnd end{some.size(), static_cast<double>(length) / frames_a_step};
    // Also of a model that tells times though it was asked for none, as transformers has it.
    if (tokens.first_time()) end = end_window(some, *tokens.first_time(), end.next);
    written.insert(written.end(), some.begin(), some.begin() + static_cast<ptrdiff_t>(end.kept));
    at += std::clamp<size_t>(static_cast<size_t>(end.next * frames_a_step), 1, length);
  }
  const TokenId first_time = tokens.first_time().value_or(static_cast<TokenId>(model.vocabulary()));
  out.chunks =
      cut_chunks(written, first_time, frame * frames_a_step, static_cast<double>(frames) / frames_a_step);
  return out;
}

}  // namespace

Result<json::value> write_speech(const SignalCall& call) {
  const Seq2SeqModel* model = call.parts.model->seq2seq();
  CHECK(model != nullptr && model->signals() != nullptr);
  if (!call.parts.speech || call.parts.tokenizer == nullptr)
    return fail(Reason::model_unsupported, "the model is not for automatic-speech-recognition");
  TRY(Order order, read_order(call, *model));
  TRY(const Spoken spoken, listen(call, *model, order));
  json::object out{{"text", ""}};
  json::array chunks;
  std::string all;
  const auto time = [](const std::optional<double>& at) {
    return at ? json::value(*at) : json::value(nullptr);
  };
  for (const SpeechChunk& chunk : spoken.chunks) {
    TRY(const std::string text,
        call.parts.tokenizer->decode(chunk.words, token::Tokenizer::SpecialsInOutput::skip));
    all += text;
    json::object one{{"timestamp", json::array{time(chunk.from), time(chunk.to)}}, {"text", text}};
    if (order.describes) one["tokens"] = json::array(chunk.words.begin(), chunk.words.end());
    chunks.push_back(std::move(one));
  }
  out["text"] = all;
  if (order.tells_times) out["chunks"] = std::move(chunks);
  if (order.describes) {
    out["duration"] = spoken.seconds;
    for (const auto& [code, token] : call.parts.speech->languages)
      if (token == spoken.language)
        out["language"] = language_name(code).empty() ? code : language_name(code);
  }
  return json::value(std::move(out));
}

}  // namespace holdfast::model
