#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>

#include "codec/json.h"
#include "model/tasks/signal_tasks.h"

namespace holdfast::model {
namespace {

// A piece of a long sound, in samples: what lies within `left` and `right` of its ends belongs to the pieces
// beside it.
struct Window {
  size_t begin = 0, length = 0, left = 0, right = 0;
};

Result<size_t> samples_of(double seconds, double rate, size_t frame) {
  const double frames = std::nearbyint(seconds * rate / static_cast<double>(frame));
  if (!(frames >= 0) || frames > 1e9) return fail(Reason::bad_request, "that many seconds cannot be");
  return static_cast<size_t>(frames) * frame;
}

// `chunk_length_s` and `stride_length_s` (one number for both sides, or a list of two; a sixth of the chunk).
Result<std::vector<Window>> windows(const SignalCall& call, size_t samples) {
  TRY(const auto chunk, codec::json_number_if(call.parameters, "chunk_length_s"));
  if (!chunk || *chunk == 0) return std::vector<Window>{{0, samples, 0, 0}};
  const double rate = call.parts.sounds->sampling_rate();
  double left_s = *chunk / 6, right_s = left_s;
  if (const boost::json::value* given = call.parameters.if_contains("stride_length_s");
      given != nullptr && !given->is_null()) {
    const auto number = [](const boost::json::value& value) {
      return value.is_number() ? value.to_number<double>() : -1.0;
    };
    if (given->is_array() && given->get_array().size() == 2) {
      left_s = number(given->get_array()[0]);
      right_s = number(given->get_array()[1]);
    } else {
      left_s = right_s = number(*given);
    }
    if (!(left_s >= 0) || !(right_s >= 0))
      return fail(Reason::bad_request, "stride_length_s is a number of seconds, or a list of two");
  }
  TRY(const size_t length, samples_of(*chunk, rate, call.parts.samples_a_frame));
  TRY(const size_t left, samples_of(left_s, rate, call.parts.samples_a_frame));
  TRY(const size_t right, samples_of(right_s, rate, call.parts.samples_a_frame));
  if (length < left + right || length == left + right)
    return fail(Reason::bad_request, "chunk_length_s must be longer than both strides together");
  std::vector<Window> out;
  for (size_t at = 0; at < samples; at += length - left - right) {
    const bool last = at + length >= samples;
    const Window one{at, std::min(length, samples - at), at == 0 ? 0 : left, last ? 0 : right};
    if (one.length > one.left) out.push_back(one);
    if (last) break;
  }
  return out;
}

// The best letter of each frame of one window, those that belong to its neighbours left out.
Result<std::vector<uint32_t>> best_letters(const SignalCall& call, const SignalModel& model,
                                           std::span<const float> samples, const Window& window) {
  TRY(const media::Features features, call.parts.sounds->run(samples.subspan(window.begin, window.length)));
  std::vector<NamedTensor> inputs;
  inputs.push_back(as_tensor(features));
  TRY(const std::vector<NamedTensor> outputs, call.run(model, std::move(inputs), {}, {}));
  TRY(const NamedTensor* logits, output_of(outputs, "logits"));
  const size_t letters = logits->shape.back();
  std::vector<uint32_t> out;
  for (size_t at = 0; at < logits->data.size(); at += letters) {
    const auto row = logits->data.begin() + static_cast<ptrdiff_t>(at);
    out.push_back(static_cast<uint32_t>(std::max_element(row, row + static_cast<ptrdiff_t>(letters)) - row));
  }
  if (window.left == 0 && window.right == 0) return out;
  const auto length = static_cast<double>(window.length);
  const double frames = std::nearbyint(length / static_cast<double>(call.parts.samples_a_frame));
  const auto of = [&](size_t part) {
    return static_cast<size_t>(std::nearbyint(static_cast<double>(part) / length * frames));
  };
  const size_t first = std::min(of(window.left), out.size());
  const size_t end =
      std::clamp(static_cast<size_t>(frames) - std::min(of(window.right), static_cast<size_t>(frames)), first,
                 out.size());
  return std::vector<uint32_t>(out.begin() + static_cast<ptrdiff_t>(first),
                               out.begin() + static_cast<ptrdiff_t>(end));
}

// What is told of times: of letters, of words, or, where one only asks for some, of all that was said.
enum class Times : uint8_t { none, letters, words, whole };
Result<Times> read_times(const boost::json::object& parameters) {
  const boost::json::value* said = parameters.if_contains("return_timestamps");
  if (said == nullptr || said->is_null()) return Times::none;
  if (said->is_bool()) return said->get_bool() ? Times::whole : Times::none;
  if (said->is_string() && said->get_string() == "char") return Times::letters;
  if (said->is_string() && said->get_string() == "word") return Times::words;
  return fail(Reason::bad_request, "return_timestamps of this model is \"char\", \"word\" or true");
}

boost::json::array chunks(const SignalCall& call, const std::vector<CtcLetters::Piece>& pieces) {
  const double second = call.parts.sounds->sampling_rate();
  const auto time = [&](size_t frame) {
    return static_cast<double>(frame * call.parts.samples_a_frame) / second;
  };
  boost::json::array out;
  for (const CtcLetters::Piece& piece : pieces)
    out.push_back(boost::json::object{{"text", piece.text},
                                      {"timestamp", boost::json::array{time(piece.begin), time(piece.end)}}});
  return out;
}

}  // namespace

Result<boost::json::value> recognize_letters(const SignalCall& call) {
  TRY(const SignalModel* model,
      call.expect(SignalPurpose::Task::speech_recognition, "automatic-speech-recognition"));
  if (!call.parts.letters)
    return fail(Reason::model_unsupported, "the model's folder has no vocab.json with its letters");
  TRY(const Times times, read_times(call.parameters));
  TRY(const auto describes, codec::json_flag_if(call.parameters, "describe"));
  TRY(const std::vector<float> samples, call.sound());
  TRY(const std::vector<Window> pieces, windows(call, samples.size()));
  std::vector<uint32_t> best;
  for (const Window& window : pieces) {
    TRY(const std::vector<uint32_t> some, best_letters(call, *model, samples, window));
    best.insert(best.end(), some.begin(), some.end());
  }
  TRY(const CtcLetters::Written written, call.parts.letters->write(best));
  boost::json::object out{{"text", written.text}};
  if (times == Times::words) out["chunks"] = chunks(call, call.parts.letters->words(written));
  if (times == Times::letters) out["chunks"] = chunks(call, written.letters);
  if (times == Times::whole) out["chunks"] = chunks(call, {{written.text, 0, best.size()}});
  if (describes.value_or(false))
    out["duration"] = static_cast<double>(samples.size()) / call.parts.sounds->sampling_rate();
  return boost::json::value(std::move(out));
}

}  // namespace holdfast::model
