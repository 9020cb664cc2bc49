#include "model/tasks/ctc_letters.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <utility>

#include "codec/json.h"
#include "model/folder_json.h"
#include "token/unicode/properties.h"
#include "token/unicode/utf8.h"

namespace holdfast::model {
namespace {

namespace json = boost::json;

constexpr int64_t letters_max = 1 << 20;

// PreTrainedTokenizerBase.clean_up_tokenization: no space before what ends or shortens a word.
void clean_up(std::string& text) {
  static constexpr std::pair<std::string_view, std::string_view> rules[] = {
      {" .", "."},     {" ?", "?"},   {" !", "!"},   {" ,", ","},     {" ' ", "'"},
      {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : rules) {
    std::string out;
    size_t at = 0;
    for (size_t found = text.find(from); found != std::string::npos; found = text.find(from, at)) {
      out.append(text, at, found - at).append(to);
      at = found + from.size();
    }
    out.append(text, at);
    text = std::move(out);
  }
}

std::string lowered(std::string_view text) {
  std::string out;
  token::for_each_code_point(text, [&](char32_t code, size_t /*at*/, size_t /*bytes*/) {
    const token::Lowered lower = token::to_lower(code);
    for (size_t i = 0; i < lower.count; ++i) token::append_utf8(out, lower.codes[i]);
  });
  return out;
}

}  // namespace

Result<CtcLetters> CtcLetters::open(io::Disk& disk, const io::Path& folder) {
  CtcLetters out;
  TRY(std::optional<json::object> letters, read_json_file(disk, folder / "vocab.json"));
  if (!letters) return fail(Code::not_found, "there is no vocab.json");
  json::object vocabulary = std::move(*letters);
  TRY(const auto found, read_json_file(disk, folder / "tokenizer_config.json"));
  const json::object config = found.value_or(json::object());
  // One table a language, of which the configuration names one (MMS).
  if (const auto language = token_text(config, "target_lang")) {
    const json::value* own = vocabulary.if_contains(*language);
    if (own != nullptr && own->is_object()) vocabulary = json::object(own->get_object());
  }
  const auto add = [&](std::string_view letter, int64_t number) -> Status {
    if (number < 0 || number >= letters_max)
      return fail(Reason::bad_request, fmt::format("vocab.json: {} is no letter's number", number));
    if (static_cast<size_t>(number) >= out.letters_.size())
      out.letters_.resize(static_cast<size_t>(number) + 1);
    out.letters_[static_cast<size_t>(number)] = std::string(letter);
    return Done{};
  };
  for (const auto& [letter, number] : vocabulary) {
    if (!number.is_int64()) return fail(Reason::bad_request, "vocab.json: a letter's number is no integer");
    TRY_DONE(add(letter, number.get_int64()));
  }
  TRY(const json::object* added, codec::json_object_if(config, "added_tokens_decoder"));
  if (added != nullptr)
    for (const auto& [key, token] : *added) {
      int64_t number = -1;
      const auto read = std::from_chars(key.data(), key.data() + key.size(), number);
      if (read.ec != std::errc{} || !token.is_object()) continue;
      if (const auto text = token_text(token.get_object(), "content")) TRY_DONE(add(*text, number));
    }
  if (const auto blank = token_text(config, "pad_token")) out.blank_ = std::string(*blank);
  if (const auto delimiter = token_text(config, "word_delimiter_token")) out.delimiter_ = *delimiter;
  if (const auto written = token_text(config, "replace_word_delimiter_char"))
    out.delimiter_written_ = *written;
  TRY(const auto lowers, codec::json_flag_if(config, "do_lower_case"));
  out.lowers_ = lowers.value_or(false);
  TRY(const auto cleans, codec::json_flag_if(config, "clean_up_tokenization_spaces"));
  out.cleans_up_ = cleans.value_or(false);
  return out;
}

Result<CtcLetters::Written> CtcLetters::write(std::span<const uint32_t> best) const {
  Written out;
  for (size_t at = 0; at < best.size();) {
    size_t end = at + 1;
    while (end < best.size() && best[end] == best[at]) ++end;
    if (best[at] >= letters_.size() || !letters_[best[at]])
      return fail(Reason::bad_request, fmt::format("vocab.json has no letter for {}", best[at]));
    const std::string& letter = *letters_[best[at]];
    if (letter != blank_)
      out.letters.push_back({letter == delimiter_ ? delimiter_written_ : letter, at, end});
    at = end;
  }
  for (const Piece& letter : out.letters) out.text += letter.text;
  constexpr std::string_view spaces = " \t\n\r\f\v";
  const size_t first = out.text.find_first_not_of(spaces);
  out.text = first == std::string::npos
                 ? std::string()
                 : out.text.substr(first, out.text.find_last_not_of(spaces) + 1 - first);
  if (lowers_) out.text = lowered(out.text);
  if (cleans_up_) clean_up(out.text);
  return out;
}

std::vector<CtcLetters::Piece> CtcLetters::words(const Written& written) const {
  std::vector<Piece> out;
  bool within = false;
  for (const Piece& letter : written.letters) {
    const bool space = letter.text == delimiter_written_;
    if (!space && !within) out.push_back({std::string(), letter.begin, letter.end});
    within = !space;
    if (!within) continue;
    out.back().text += letter.text;
    out.back().end = letter.end;
  }
  return out;
}

}  // namespace holdfast::model
