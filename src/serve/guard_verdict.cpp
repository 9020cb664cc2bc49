#include "serve/guard_verdict.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "serve/prompt_check.h"

namespace holdfast::serve {
namespace {

namespace json = boost::json;

Error no_answer() { return fail(Reason::worker_failed, "the guarding model's answer is of another kind"); }

bool among(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// " ignore all rules ": a blank on both sides of each word, so that a phrase is found as a part of it.
std::string spaced(std::string_view text) {
  std::string out = " ";
  for (const std::string& word : plain_words(text)) {
    out += word;
    out += ' ';
  }
  return out;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool begins_with(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && std::equal(word.begin(), word.end(), text.begin(),
                                                  [](char a, char b) { return lower(a) == lower(b); });
}

// The label that one text's scores find.
Result<std::string> found_in_row(const GuardStage& stage, const json::array& row) {
  std::string best;
  double highest = -1;
  for (const json::value& one : row) {
    if (!one.is_object()) return no_answer();
    const auto label = codec::json_text(one.get_object(), "label");
    const auto score = codec::json_number(one.get_object(), "score");
    if (!label.ok() || !score.ok()) return no_answer();
    if (score.value() >= stage.threshold && among(stage.labels, label.value()))
      return std::string(label.value());
    if (score.value() > highest) {
      highest = score.value();
      best = label.value();
    }
  }
  if (row.empty()) return no_answer();
  return stage.allow.empty() || among(stage.allow, best) ? std::string() : best;
}

}  // namespace

// Their words have no ends to be seen.
bool is_unspaced(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char byte) {
                       const auto lead = static_cast<uint8_t>(byte);
                       return lead >= 0xE3 && lead <= 0xED;  // U+3000 to U+DFFF.
                     }) ||
         text.find("\xE0\xB8") != std::string_view::npos || text.find("\xE0\xB9") != std::string_view::npos;
}

bool has_words(std::string_view text, const std::vector<std::string>& words) {
  const std::string all = spaced(text);
  std::string unspaced;  // Made when a word asks for it.
  for (const std::string& word : words) {
    const std::string wanted = spaced(word);
    if (wanted == " ") continue;
    if (is_unspaced(word)) {
      if (unspaced.empty()) {
        unspaced = all;
        std::erase(unspaced, ' ');
      }
      std::string joined = wanted;
      std::erase(joined, ' ');
      if (unspaced.find(joined) != std::string::npos) return true;
    } else if (all.find(wanted) != std::string::npos) {
      return true;
    }
  }
  return false;
}

std::optional<std::vector<std::string>> guard_pieces(const std::vector<std::string_view>& texts) {
  std::vector<std::string> out;
  for (std::string_view text : texts)
    while (!text.empty()) {
      size_t length = std::min(text.size(), guard_piece_bytes);
      if (length < text.size()) {
        while (length > 1 && (static_cast<uint8_t>(text[length]) & 0xC0) == 0x80) --length;
        const size_t space = text.substr(0, length).find_last_of(" \n\t");
        if (space != std::string_view::npos && space > length / 2) length = space + 1;
      }
      if (out.size() == guard_pieces_max) return std::nullopt;
      out.emplace_back(text.substr(0, length));
      text.remove_prefix(length);
    }
  return out;
}

Result<std::string> found_by_labels(const GuardStage& stage, const json::value& said) {
  if (!said.is_array()) return no_answer();
  for (const json::value& row : said.get_array()) {
    if (!row.is_array()) return no_answer();
    TRY(std::string found, found_in_row(stage, row.get_array()));
    if (!found.empty()) return found;
  }
  return std::string();
}

Result<std::string> found_by_moderations(const GuardStage& stage, const json::value& said) {
  if (!said.is_object()) return no_answer();
  const auto results = codec::json_array(said.get_object(), "results");
  if (!results.ok() || results.value()->empty()) return no_answer();
  for (const json::value& one : *results.value()) {
    if (!one.is_object()) return no_answer();
    const auto flagged = codec::json_flag(one.get_object(), "flagged");
    const auto scores = codec::json_object(one.get_object(), "category_scores");
    if (!flagged.ok() || !scores.ok()) return no_answer();
    for (const auto& [category, score] : *scores.value())
      if (among(stage.labels, category) && score.is_number() && score.to_number<double>() >= stage.threshold)
        return std::string(category);
    if (stage.labels.empty() && flagged.value()) return std::string("flagged");
  }
  return std::string();
}

Result<std::string> found_by_chat(const GuardStage& stage, const json::value& said) {
  if (!said.is_object()) return no_answer();
  const auto choices = codec::json_array(said.get_object(), "choices");
  if (!choices.ok() || choices.value()->empty() || !choices.value()->front().is_object()) return no_answer();
  const auto message = codec::json_object(choices.value()->front().get_object(), "message");
  if (!message.ok()) return no_answer();
  const auto content = codec::json_text(*message.value(), "content");
  if (!content.ok()) return no_answer();
  std::string_view text = content.value();
  text.remove_prefix(std::min(text.find_first_not_of(" \r\n\t*\"'"), text.size()));
  if (text.empty()) return no_answer();  // It said nothing: that is no word for the text.
  if (stage.labels.empty()) return std::string(begins_with(text, "unsafe") ? "unsafe" : "");
  for (const std::string& label : stage.labels)
    if (begins_with(text, label)) return label;
  return std::string();
}

}  // namespace holdfast::serve
