#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "model/tasks/task_parameters.h"
#include "model/tasks/tasks.h"

namespace holdfast::model {
namespace {

enum class Aggregation : uint8_t { none, simple, first, average, max };

struct Piece {
  std::string word;
  std::vector<float> scores;
  size_t start = 0, end = 0, index = 0;
  bool subword = false;
};
struct Entity {
  std::string label, word;
  double score = 0;
  size_t start = 0, end = 0, index = 0;
};

Result<Aggregation> read_aggregation(const boost::json::object& parameters) {
  TRY(const auto name, codec::json_text_if(parameters, "aggregation_strategy"));
  const std::string_view wanted = name.value_or("simple");
  constexpr std::pair<std::string_view, Aggregation> rows[] = {{"none", Aggregation::none},
                                                               {"simple", Aggregation::simple},
                                                               {"first", Aggregation::first},
                                                               {"average", Aggregation::average},
                                                               {"max", Aggregation::max}};
  for (const auto& [one, aggregation] : rows)
    if (one == wanted) return aggregation;
  return fail(Reason::bad_request, "aggregation_strategy is none, simple, first, average or max");
}

size_t peak(std::span<const float> scores) {
  return static_cast<size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

// Groups pieces into words and entities, as transformers' token classification does.
class Grouping {
 public:
  Grouping(const TextModel& model, Aggregation aggregation) : model_(model), aggregation_(aggregation) {}

  std::vector<Piece> pieces(std::string_view text, const token::Encoding& encoding, const float* logits,
                            size_t columns) const {
    const CodePoints points(text);
    std::vector<Piece> out;
    for (size_t i = 0; i < encoding.size(); ++i) {
      if (encoding.special[i] != 0) continue;
      Piece piece;
      piece.word = encoding.tokens[i];
      piece.scores = softmax({logits + i * columns, columns});
      piece.start = encoding.offsets[i].begin;
      piece.end = encoding.offsets[i].end;
      piece.index = i;
      const std::string_view there = points.slice(piece.start, piece.end);
      if (model_.marks_subwords())
        piece.subword = code_points(piece.word) != code_points(there);
      else
        piece.subword = piece.start > 0 &&
                        points.slice(piece.start - 1, piece.start + 1).find(' ') == std::string_view::npos;
      if (encoding.ids[i] == model_.unknown_id()) {
        piece.word = there;
        piece.subword = false;
      }
      out.push_back(std::move(piece));
    }
    return out;
  }

  Result<std::vector<Entity>> entities(const std::vector<Piece>& pieces) const {
    std::vector<Entity> out;
    if (aggregation_ == Aggregation::none || aggregation_ == Aggregation::simple) {
      for (const Piece& piece : pieces) {
        const size_t label = peak(piece.scores);
        out.push_back({model_.plan().labels[label], piece.word, piece.scores[label], piece.start, piece.end,
                       piece.index});
      }
      return out;
    }
    for (size_t i = 0; i < pieces.size();) {
      size_t last = i + 1;
      while (last < pieces.size() && pieces[last].subword) ++last;
      TRY(Entity word, join(std::span(pieces).subspan(i, last - i)));
      out.push_back(std::move(word));
      i = last;
    }
    return out;
  }

  Result<std::vector<Entity>> groups(const std::vector<Entity>& entities) const {
    std::vector<Entity> out;
    for (size_t i = 0; i < entities.size();) {
      size_t last = i + 1;
      while (last < entities.size() && goes_on(entities[last - 1], entities[last])) ++last;
      TRY(Entity group, merge(std::span(entities).subspan(i, last - i)));
      out.push_back(std::move(group));
      i = last;
    }
    return out;
  }

 private:
  // "B-PER" and "I-PER" are of PER; a label without mark goes on.
  static std::string_view tag(std::string_view label) {
    return label.starts_with("B-") || label.starts_with("I-") ? label.substr(2) : label;
  }
  static bool goes_on(const Entity& before, const Entity& after) {
    return tag(before.label) == tag(after.label) && !after.label.starts_with("B-");
  }

  Result<std::string> text_of(std::vector<std::string> tokens) const {
    std::string out;
    if (model_.tokenizer().decoder() == nullptr) {
      for (const std::string& token : tokens) out += (out.empty() ? "" : " ") + token;
      return out;
    }
    TRY(const std::vector<std::string> parts, model_.tokenizer().decoder()->decode(std::move(tokens)));
    for (const std::string& part : parts) out += part;
    return out;
  }

  Result<Entity> join(std::span<const Piece> pieces) const {
    std::vector<std::string> tokens;
    for (const Piece& piece : pieces) tokens.push_back(piece.word);
    Entity out;
    TRY(out.word, text_of(std::move(tokens)));
    out.start = pieces.front().start;
    out.end = pieces.back().end;
    std::vector<float> scores = pieces.front().scores;
    if (aggregation_ == Aggregation::max)
      for (const Piece& piece : pieces)
        if (piece.scores[peak(piece.scores)] > scores[peak(scores)]) scores = piece.scores;
    if (aggregation_ == Aggregation::average) {
      for (const Piece& piece : pieces.subspan(1))
        for (size_t i = 0; i < scores.size(); ++i) scores[i] += piece.scores[i];
      for (float& x : scores) x /= static_cast<float>(pieces.size());
    }
    out.label = model_.plan().labels[peak(scores)];
    out.score = scores[peak(scores)];
    return out;
  }

  Result<Entity> merge(std::span<const Entity> entities) const {
    std::vector<std::string> words;
    Entity out;
    for (const Entity& one : entities) {
      words.push_back(one.word);
      out.score += one.score;
    }
    out.score /= static_cast<double>(entities.size());
    const std::string_view label = entities.front().label;
    const size_t dash = label.find('-');
    out.label = dash == std::string_view::npos ? label : label.substr(dash + 1);
    TRY(out.word, text_of(std::move(words)));
    out.start = entities.front().start;
    out.end = entities.back().end;
    return out;
  }

  const TextModel& model_;
  Aggregation aggregation_;
};

// Of entities that several parts of a long text found, the longer one, then the surer one.
std::vector<Entity> without_overlaps(std::vector<Entity> entities) {
  std::stable_sort(entities.begin(), entities.end(),
                   [](const Entity& a, const Entity& b) { return a.start < b.start; });
  std::vector<Entity> out;
  for (Entity& one : entities) {
    if (out.empty() || one.start < out.back().start || one.start >= out.back().end) {
      out.push_back(std::move(one));
      continue;
    }
    const size_t length = one.end - one.start, before = out.back().end - out.back().start;
    if (length > before || (length == before && one.score > out.back().score)) out.back() = std::move(one);
  }
  return out;
}

boost::json::object shown(const Entity& entity, Aggregation aggregation) {
  boost::json::object out;
  out[aggregation == Aggregation::none ? "entity" : "entity_group"] = entity.label;
  out["score"] = static_cast<float>(entity.score);
  if (aggregation == Aggregation::none) out["index"] = entity.index;
  out["word"] = entity.word;
  out["start"] = entity.start;
  out["end"] = entity.end;
  return out;
}

// What is classified: a text, or words and the text that they are joined to.
struct Sentence {
  std::string text;
  std::vector<std::string> words;  // Empty: the tokenizer finds them.
};

// Offsets of words as offsets of the text.
void place_words(const std::vector<uint32_t>& starts, token::Encoding& encoding) {
  for (size_t i = 0; i < encoding.size(); ++i) {
    if (encoding.words[i] == token::Encoding::no_word) continue;
    encoding.offsets[i].begin += starts[static_cast<size_t>(encoding.words[i])];
    encoding.offsets[i].end += starts[static_cast<size_t>(encoding.words[i])];
  }
}

Result<token::Encoding> encode_words(const TaskCall& call, const Sentence& sentence, size_t gap,
                                     const token::Truncation* truncation) {
  std::vector<uint32_t> starts = {0};  // In code points.
  for (const std::string& word : sentence.words)
    starts.push_back(starts.back() + static_cast<uint32_t>(code_points(word) + gap));
  TRY(token::Encoding encoding, call.encode_words(sentence.words, truncation));
  place_words(starts, encoding);
  for (token::Encoding& part : encoding.overflow) place_words(starts, part);
  return encoding;
}

// The text in one piece, or with a stride in parts that overlap.
Result<std::vector<token::Encoding>> encode_parts(const TaskCall& call, const Sentence& sentence,
                                                  size_t gap) {
  std::vector<token::Encoding> out;
  TRY(const auto stride, read_count(call.parameters, "stride"));
  TRY(const LongText cut, read_long_text(call.parameters));
  const token::Truncation truncation{.length_max = call.model.tokens_max(), .stride = stride.value_or(0)};
  if (!stride) {
    token::Encoding one;
    if (sentence.words.empty()) {
      TRY(one, call.encode(sentence.text, std::nullopt, cut));
    } else {
      TRY(one, encode_words(call, sentence, gap, cut == LongText::cut ? &truncation : nullptr));
      if (one.size() > call.model.tokens_max())
        return fail(
            Reason::input_too_long,
            fmt::format("the words have {} tokens, the model takes {}; ask for truncation to cut them",
                        one.size(), call.model.tokens_max()));
    }
    out.push_back(std::move(one));
    return out;
  }
  token::Encoding first;
  if (sentence.words.empty()) {
    TRY(first, call.encode_with(sentence.text, std::nullopt, &truncation));
  } else {
    TRY(first, encode_words(call, sentence, gap, &truncation));
  }
  std::vector<token::Encoding> rest = std::move(first.overflow);
  first.overflow.clear();
  out.push_back(std::move(first));
  for (token::Encoding& one : rest) out.push_back(std::move(one));
  return out;
}

// Texts, or with is_split_into_words lists of words; `several` where the answer is a list of answers.
struct Sentences {
  std::vector<Sentence> all;
  size_t gap = 0;  // Code points between words.
  bool several = false;
};

Result<Sentences> read_sentences(const TaskCall& call) {
  Sentences out;
  TRY(const auto split, codec::json_flag_if(call.parameters, "is_split_into_words"));
  if (!split.value_or(false)) {
    TRY(std::vector<std::string> texts, read_texts(call.inputs, "inputs"));
    for (std::string& text : texts) out.all.push_back({std::move(text), {}});
    out.several = call.inputs.is_array();
    return out;
  }
  TRY(const auto given, codec::json_text_if(call.parameters, "delimiter"));
  const std::string_view delimiter = given.value_or(" ");
  out.gap = code_points(delimiter);
  if (!call.inputs.is_array() || call.inputs.get_array().empty())
    return fail(Reason::bad_request, "inputs must be a list of words");
  const boost::json::array& lists = call.inputs.get_array();
  const bool nested = lists.front().is_array();
  out.several = true;  // As transformers has it, also for one list of words.
  const auto add = [&](const boost::json::value& list) -> Status {
    TRY(std::vector<std::string> words, read_texts(list, "words"));
    if (words.empty() || !list.is_array()) return fail(Reason::bad_request, "inputs must be a list of words");
    Sentence one;
    for (const std::string& word : words)
      one.text.append(&word == words.data() ? "" : delimiter).append(word);
    one.words = std::move(words);
    out.all.push_back(std::move(one));
    return Done{};
  };
  if (!nested) TRY_DONE(add(call.inputs));
  if (nested)
    for (const boost::json::value& list : lists) TRY_DONE(add(list));
  return out;
}

}  // namespace

Result<boost::json::value> classify_tokens(const TaskCall& call) {
  TRY_DONE(call.model.expect_head(Head::token_classification, "token-classification"));
  TRY(const Aggregation aggregation, read_aggregation(call.parameters));
  std::vector<std::string> ignored = {"O"};
  if (const boost::json::value* given = call.parameters.if_contains("ignore_labels");
      given != nullptr && !given->is_null()) {
    TRY(ignored, read_texts(*given, "ignore_labels"));
  }
  TRY(const Sentences sentences, read_sentences(call));
  const Grouping grouping(call.model, aggregation);
  boost::json::array all;
  for (const Sentence& sentence : sentences.all) {
    TRY(const std::vector<token::Encoding> parts, encode_parts(call, sentence, sentences.gap));
    TRY(const NamedOutput logits, call.logits(parts));
    std::vector<Entity> found;
    size_t row = 0;
    for (const token::Encoding& part : parts) {
      const auto pieces =
          grouping.pieces(sentence.text, part, logits.data.data() + row * logits.columns, logits.columns);
      row += part.size();
      TRY(std::vector<Entity> entities, grouping.entities(pieces));
      if (aggregation != Aggregation::none) {
        TRY(entities, grouping.groups(entities));
      }
      for (Entity& one : entities)
        if (std::find(ignored.begin(), ignored.end(), one.label) == ignored.end())
          found.push_back(std::move(one));
    }
    if (parts.size() > 1) found = without_overlaps(std::move(found));
    boost::json::array list;
    for (const Entity& one : found) list.push_back(shown(one, aggregation));
    all.push_back(std::move(list));
  }
  if (sentences.several) return boost::json::value(std::move(all));
  return std::move(all[0]);
}

}  // namespace holdfast::model
