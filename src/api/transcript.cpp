#include "api/transcript.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <utility>

#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

constexpr std::pair<std::string_view, TranscriptForm> names[] = {
    {"json", TranscriptForm::json},
    {"text", TranscriptForm::text},
    {"srt", TranscriptForm::srt},
    {"verbose_json", TranscriptForm::verbose_json},
    {"vtt", TranscriptForm::vtt}};

// Text without the space that models write in front of a word.
std::string trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(' ') + 1 - begin));
}

struct Piece {
  double from = 0, to = 0;
  std::string text;
  const json::value* tokens = nullptr;
};

// A piece whose end the model did not hear ends with the sound.
std::vector<Piece> pieces_of(const json::object& answer, double duration) {
  std::vector<Piece> out;
  const json::value* chunks = answer.if_contains("chunks");
  if (chunks == nullptr) return out;
  for (const json::value& chunk : chunks->as_array()) {
    const json::array& times = chunk.at("timestamp").as_array();
    const auto time = [&](size_t i) {
      return times[i].is_number() ? times[i].to_number<double>() : duration;
    };
    out.push_back(
        {time(0), time(1), trimmed(chunk.at("text").as_string()), chunk.as_object().if_contains("tokens")});
  }
  return out;
}

std::string clock_time(double seconds, char point) {
  const auto all = static_cast<int64_t>(std::llround(std::max(seconds, 0.0) * 1000));
  return fmt::format("{:02}:{:02}:{:02}{}{:03}", all / 3'600'000, all / 60'000 % 60, all / 1000 % 60, point,
                     all % 1000);
}

json::object verbose(const json::object& answer, const std::vector<Piece>& pieces, double duration,
                     bool translates, bool words) {
  json::object out{{"task", translates ? "translate" : "transcribe"},
                   {"duration", duration},
                   {"text", trimmed(answer.at("text").as_string())}};
  if (const json::value* language = answer.if_contains("language"); language != nullptr)
    out["language"] = *language;
  json::array list;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const Piece& piece = pieces[i];
    if (words) {
      list.push_back(json::object{{"word", piece.text}, {"start", piece.from}, {"end", piece.to}});
      continue;
    }
    json::object one{{"id", i}, {"start", piece.from}, {"end", piece.to}, {"text", piece.text}};
    if (piece.tokens != nullptr) one["tokens"] = *piece.tokens;
    list.push_back(std::move(one));
  }
  out[words ? "words" : "segments"] = std::move(list);
  return out;
}

}  // namespace

Result<TranscriptForm> read_transcript_form(std::string_view name) {
  if (name.empty()) return TranscriptForm::json;
  for (const auto& [known, form] : names)
    if (known == name) return form;
  return fail(Reason::bad_request, "'response_format' is json, text, srt, verbose_json or vtt");
}

std::string_view transcript_type(TranscriptForm form) {
  if (form == TranscriptForm::json || form == TranscriptForm::verbose_json) return "application/json";
  return form == TranscriptForm::vtt ? "text/vtt; charset=utf-8" : "text/plain; charset=utf-8";
}

std::string transcript(const json::value& answer, TranscriptForm form, bool translates, bool words) {
  const json::object& object = answer.as_object();
  const json::value* said = object.if_contains("duration");
  const double duration = said != nullptr && said->is_number() ? said->to_number<double>() : 0;
  const std::vector<Piece> pieces = pieces_of(object, duration);
  std::string out;
  switch (form) {
    case TranscriptForm::json:
      return codec::to_text(json::object{{"text", trimmed(object.at("text").as_string())}});
    case TranscriptForm::text:
      return trimmed(object.at("text").as_string()) + "\n";
    case TranscriptForm::verbose_json:
      return codec::to_text(verbose(object, pieces, duration, translates, words));
    case TranscriptForm::srt:
      for (size_t i = 0; i < pieces.size(); ++i)
        out += fmt::format("{}\n{} --> {}\n{}\n\n", i + 1, clock_time(pieces[i].from, ','),
                           clock_time(pieces[i].to, ','), pieces[i].text);
      return out;
    case TranscriptForm::vtt:
      out = "WEBVTT\n\n";
      for (const Piece& piece : pieces)
        out += fmt::format("{} --> {}\n{}\n\n", clock_time(piece.from, '.'), clock_time(piece.to, '.'),
                           piece.text);
      return out;
  }
  return out;
}

}  // namespace holdfast::api
