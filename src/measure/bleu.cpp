#include "measure/bleu.h"

#include <cmath>

#include "base/check.h"
#include "measure/words.h"

namespace holdfast::measure {
namespace {

constexpr size_t order_max = 4;

struct Counts {
  std::array<size_t, order_max> right{}, total{};
  size_t length = 0, reference_length = 0;
};

std::string replaced(std::string text, std::string_view old, std::string_view fresh) {
  for (size_t at = 0; (at = text.find(old, at)) != std::string::npos; at += fresh.size())
    text.replace(at, old.size(), fresh);
  return text;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_point(char c) { return c == '.' || c == ','; }
// [\{-\~\[-\` -\&\(-\+\:-\@\/]
bool stands_alone(char c) {
  return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') ||
         (c >= '(' && c <= '+') || (c >= ':' && c <= '@') || c == '/';
}

// Puts `middle` between neighbours that match and `after` behind them; each byte is part of one match.
template <class Match>
std::string spaced(const std::string& text, Match&& match, std::string_view before, std::string_view after) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    if (i + 1 < text.size() && match(text[i], text[i + 1])) {
      out += before;
      out += text[i];
      out += ' ';
      out += text[i + 1];
      out += after;
      i += 2;
    } else {
      out += text[i++];
    }
  }
  return out;
}

void add(Counts& counts, std::string_view hypothesis, const std::vector<std::string>& references) {
  const auto words = split_words(tokenize_13a(hypothesis));
  size_t closest = 0;
  bool first = true;
  std::array<Ngrams, order_max> most;
  for (const std::string& reference : references) {
    const auto others = split_words(tokenize_13a(reference));
    const auto distance = [&](size_t length) {
      return length > words.size() ? length - words.size() : words.size() - length;
    };
    const size_t length = others.size();
    if (first || distance(length) < distance(closest) ||
        (distance(length) == distance(closest) && length < closest))
      closest = length;
    first = false;
    for (size_t order = 1; order <= order_max; ++order)
      for (const auto& [key, count] : count_ngrams(others, order))
        most[order - 1][key] = std::max(most[order - 1][key], count);
  }
  counts.length += words.size();
  counts.reference_length += closest;
  for (size_t order = 1; order <= order_max; ++order) {
    const Ngrams ours = count_ngrams(words, order);
    counts.total[order - 1] += words.size() >= order ? words.size() - order + 1 : 0;
    counts.right[order - 1] += common_ngrams(ours, most[order - 1]);
  }
}

enum class Order : uint8_t { full, effective };

Bleu score_of(const Counts& counts, Order order) {
  Bleu out;
  out.length = counts.length;
  out.reference_length = counts.reference_length;
  if (counts.length < counts.reference_length)
    out.brevity_penalty =
        counts.length == 0
            ? 0
            : std::exp(1 - static_cast<double>(counts.reference_length) / static_cast<double>(counts.length));
  if (counts.right == decltype(counts.right){}) return out;
  double smoothing = 1;
  size_t effective = order_max;
  for (size_t n = 0; n < order_max && counts.total[n] > 0; ++n) {
    const auto total = static_cast<double>(counts.total[n]);
    if (order == Order::effective) effective = n + 1;
    if (counts.right[n] == 0) smoothing *= 2;
    out.precisions[n] =
        counts.right[n] == 0 ? 100 / (smoothing * total) : 100 * static_cast<double>(counts.right[n]) / total;
  }
  double logs = 0;
  for (size_t n = 0; n < effective; ++n)
    logs += out.precisions[n] == 0 ? -9999999999.0 : std::log(out.precisions[n]);
  out.score = out.brevity_penalty * std::exp(logs / static_cast<double>(effective));
  return out;
}

}  // namespace

std::string tokenize_13a(std::string_view line) {
  std::string text(line);
  // Only the end: sacreBLEU strips a segment there before it splits it.
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.pop_back();
  text = replaced(std::move(text), "<skipped>", "");
  text = replaced(std::move(text), "-\n", "");
  text = replaced(std::move(text), "\n", " ");
  if (text.find('&') != std::string::npos) {
    text = replaced(std::move(text), "&quot;", "\"");
    text = replaced(std::move(text), "&amp;", "&");
    text = replaced(std::move(text), "&lt;", "<");
    text = replaced(std::move(text), "&gt;", ">");
  }
  std::string marks;
  for (const char c : " " + text + " ") {
    if (stands_alone(c)) {
      marks += {' ', c, ' '};
    } else {
      marks += c;
    }
  }
  marks = spaced(marks, [](char a, char b) { return !is_digit(a) && is_point(b); }, "", " ");
  marks = spaced(marks, [](char a, char b) { return is_point(a) && !is_digit(b); }, " ", "");
  marks = spaced(marks, [](char a, char b) { return is_digit(a) && b == '-'; }, "", " ");
  std::string out;
  for (const std::string& word : split_words(marks)) out += (out.empty() ? "" : " ") + word;
  return out;
}

Bleu corpus_bleu(std::span<const std::string> hypotheses,
                 std::span<const std::vector<std::string>> references) {
  CHECK(hypotheses.size() == references.size());
  Counts counts;
  for (size_t i = 0; i < hypotheses.size(); ++i) add(counts, hypotheses[i], references[i]);
  return score_of(counts, Order::full);
}

Bleu sentence_bleu(std::string_view hypothesis, const std::vector<std::string>& references) {
  Counts counts;
  add(counts, hypothesis, references);
  return score_of(counts, Order::effective);
}

std::string bleu_signature(size_t references) {
  return "nrefs:" + std::to_string(references) + "|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0";
}

}  // namespace holdfast::measure
