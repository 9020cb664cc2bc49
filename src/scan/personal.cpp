#include "scan/personal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "codec/hex.h"
#include "codec/hmac.h"
#include "scan/pattern.h"
#include "scan/personal_rules.h"

namespace holdfast::scan {
namespace {

constexpr double context_bonus = 0.35;
constexpr double needs_context_below = 0.05;  // A checksum alone does not carry these.
constexpr int context_words = 5;
constexpr size_t context_bytes = 120;
constexpr size_t spans_max = 1'000'000;  // Of one text.
constexpr int mask_rounds_max = 4;

const std::vector<Pattern>& patterns() {
  static const std::vector<Pattern> made = [] {
    std::vector<Pattern> out;
    for (const PersonalRule& rule : personal_rules()) out.emplace_back(rule.pattern);
    return out;
  }();
  return made;
}

bool is_word_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<signed char>(c) < 0;
}
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

// Words in lower case, names of columns and keys taken apart: "firstName" and "first_name" are two.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  char before = ' ';
  for (const char c : text) {
    if (is_word_letter(c)) {
      const bool hump = c >= 'A' && c <= 'Z' && is_lower(before);
      if (!is_word_letter(before) || hump || out.empty()) out.emplace_back();
      out.back().push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
    }
    before = c;
  }
  return out;
}

bool names_context(std::string_view text, std::string_view context, int words_max) {
  const auto words = words_of(text);
  const size_t first = words_max > 0 && words.size() > static_cast<size_t>(words_max)
                           ? words.size() - static_cast<size_t>(words_max)
                           : 0;
  for (size_t begin = 0; begin < context.size();) {
    const size_t end = std::min(context.find(' ', begin), context.size());
    const std::string_view wanted = context.substr(begin, end - begin);
    for (size_t i = first; i < words.size(); ++i)
      if (wanted.size() <= 4 ? words[i] == wanted : words[i].starts_with(wanted)) return true;
    begin = end + 1;
  }
  return false;
}

// The field of a table's row that `at` lies in; quotes may hold separators.
size_t column_of(std::string_view line, size_t at, char separator) {
  size_t column = 0;
  bool quoted = false;
  for (size_t i = 0; i < std::min(at, line.size()); ++i) {
    if (line[i] == '"') quoted = !quoted;
    if (line[i] == separator && !quoted) ++column;
  }
  return column;
}
std::vector<std::string_view> columns_of(std::string_view line, char separator) {
  std::vector<std::string_view> out;
  size_t begin = 0;
  bool quoted = false;
  for (size_t i = 0; i <= line.size(); ++i) {
    if (i < line.size() && line[i] == '"') quoted = !quoted;
    if (i == line.size() || (line[i] == separator && !quoted)) {
      out.push_back(line.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  return out;
}

class Search {
 public:
  Search(std::string_view text, TextShape shape, std::string_view header)
      : text_(text),
        separator_(shape == TextShape::tab_table ? '\t' : ','),
        table_(shape != TextShape::plain) {
    if (table_) columns_ = columns_of(header, separator_);
  }

  std::vector<PersonalSpan> run() {
    for (size_t i = 0; i < patterns().size(); ++i) try_rule(i);
    // The better score wins, then the longer.
    std::sort(found_.begin(), found_.end(), [](const PersonalSpan& a, const PersonalSpan& b) {
      if (a.score != b.score) return a.score > b.score;
      if (a.end - a.begin != b.end - b.begin) return a.end - a.begin > b.end - b.begin;
      return a.begin < b.begin;
    });
    std::vector<bool> taken(text_.size(), false);
    std::vector<PersonalSpan> out;
    for (const PersonalSpan& span : found_) {
      const auto begin = taken.begin() + static_cast<ptrdiff_t>(span.begin);
      const auto end = taken.begin() + static_cast<ptrdiff_t>(span.end);
      if (std::find(begin, end, true) != end) continue;
      std::fill(begin, end, true);
      out.push_back(span);
    }
    std::sort(out.begin(), out.end(),
              [](const PersonalSpan& a, const PersonalSpan& b) { return a.begin < b.begin; });
    return out;
  }

 private:
  void try_rule(size_t index) {
    const PersonalRule& rule = personal_rules()[index];
    for (size_t from = 0; from < text_.size() && found_.size() < spans_max;) {
      const auto match = patterns()[index].find(text_, from);
      if (!match) return;
      from = std::max(match->end, match->begin + 1);
      const auto begin = static_cast<size_t>(match->captured.data() - text_.data());
      const Checked checked = rule.check == nullptr ? Checked::unknown : rule.check(match->captured);
      if (checked == Checked::invalid) {
        from = begin + 1;
        continue;
      }
      // A mask of ours is nobody's.
      if (begin > 0 && text_[begin - 1] == '<') continue;
      double score = checked == Checked::valid && rule.score >= needs_context_below ? 1.0 : rule.score;
      if (score < 1 && has_context(rule, begin))
        score = std::max(std::min(score + context_bonus, 1.0), personal_score_min);
      if (score >= personal_score_min)
        found_.push_back({begin, begin + match->captured.size(), rule.kind, score});
    }
  }

  bool has_context(const PersonalRule& rule, size_t begin) const {
    const size_t newline = text_.rfind('\n', begin == 0 ? 0 : begin - 1);
    const size_t line = newline == std::string_view::npos || begin == 0 ? 0 : newline + 1;
    if (table_) {
      const size_t column = column_of(text_.substr(line), begin - line, separator_);
      if (column < columns_.size()) {
        // The first line is the names themselves.
        if (names_context(columns_[column], rule.context, 0) &&
            !(line == 0 && text_.starts_with(columns_[0])))
          return true;
        const size_t field = text_.rfind(separator_, begin == 0 ? 0 : begin - 1);
        const size_t from = field == std::string_view::npos || field < line ? line : field;
        return names_context(text_.substr(from, begin - from), rule.context, context_words);
      }
    }
    size_t from = begin > context_bytes ? begin - context_bytes : 0;
    from = std::max(from, line);
    return names_context(text_.substr(from, begin - from), rule.context, context_words);
  }

  const std::string_view text_;
  const char separator_;
  const bool table_;
  std::vector<std::string_view> columns_;
  std::vector<PersonalSpan> found_;
};

std::string_view first_line(std::string_view text) {
  std::string_view line = text.substr(0, text.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string mask_once(std::string_view text, const std::vector<PersonalSpan>& spans, MaskWith with,
                      std::string_view key) {
  std::string out;
  size_t at = 0;
  for (const PersonalSpan& span : spans) {
    out += text.substr(at, span.begin - at);
    const std::string_view value = text.substr(span.begin, span.end - span.begin);
    switch (with) {
      case MaskWith::kind:
        out += fmt::format("<{}>", span.kind);
        break;
      case MaskWith::stars:
        for (const char c : value)
          out.push_back(is_word_letter(c) || (c >= '0' && c <= '9') || c == '@' ? '*' : c);
        break;
      case MaskWith::hash: {
        const auto digest = codec::hmac_sha256(as_bytes(key), as_bytes(value));
        // Letters only, so that the digest itself looks like no number.
        std::string letters = codec::to_hex(ByteView(digest).first(8));
        for (char& c : letters)
          if (c <= '9') c = static_cast<char>('g' + (c - '0'));
        out += fmt::format("<{}:{}>", span.kind, letters);
        break;
      }
      case MaskWith::nothing:
        break;
    }
    at = span.end;
  }
  out += text.substr(at);
  return out;
}

}  // namespace

TextShape shape_of_name(std::string_view name) {
  if (name.ends_with(".csv")) return TextShape::comma_table;
  return name.ends_with(".tsv") ? TextShape::tab_table : TextShape::plain;
}

std::vector<PersonalSpan> find_personal(std::string_view text, TextShape shape, std::string_view header) {
  return Search(text, shape, header).run();
}

std::optional<MaskWith> mask_with_name(std::string_view name) {
  if (name == "kind") return MaskWith::kind;
  if (name == "stars") return MaskWith::stars;
  if (name == "hash") return MaskWith::hash;
  if (name == "nothing") return MaskWith::nothing;
  return std::nullopt;
}

std::string_view mask_with_name(MaskWith with) {
  switch (with) {
    case MaskWith::kind:
      return "kind";
    case MaskWith::stars:
      return "stars";
    case MaskWith::hash:
      return "hash";
    case MaskWith::nothing:
      return "nothing";
  }
  return "";
}

std::string mask_personal(std::string_view text, TextShape shape, MaskWith with, std::string_view key) {
  std::string out(text);
  for (int round = 0; round < mask_rounds_max; ++round) {
    const auto spans = find_personal(out, shape, first_line(out));
    if (spans.empty()) break;
    // What the first way leaves standing goes for good.
    out = mask_once(out, spans,
                    round + 1 == mask_rounds_max ? MaskWith::nothing
                    : round == 0                 ? with
                                                 : MaskWith::kind,
                    key);
  }
  return out;
}

bool personal_by_default(std::string_view name) {
  static constexpr auto ends = std::to_array<std::string_view>({".csv", ".tsv", ".jsonl", ".ndjson"});
  return std::any_of(ends.begin(), ends.end(), [&](std::string_view end) { return name.ends_with(end); });
}

Finding personal_finding(const PersonalSpan& span, Place place) {
  std::string kind(span.kind);
  for (char& c : kind) c = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return {Topic::personal, "personal." + kind, Severity::warning, std::move(place),
          fmt::format("holds what looks like personal data ({}, {} characters, score {:.2f})", span.kind,
                      span.end - span.begin, span.score)};
}

Status check_personal(Source& source, std::string_view name, const Place& place, uint64_t bytes_max,
                      FileReport& report) {
  constexpr uint64_t step = 1 << 20;
  const TextShape shape = shape_of_name(name);
  std::string header;
  uint32_t line = 1;
  for (uint64_t at = 0; at < std::min(source.size(), bytes_max);) {
    TRY(const Bytes bytes, read_some(source, at, step));
    if (bytes.empty()) break;
    std::string_view piece = as_text(bytes);
    // Whole lines, where a line is no longer than a piece.
    if (at + piece.size() < source.size())
      if (const size_t end = piece.rfind('\n'); end != std::string_view::npos)
        piece = piece.substr(0, end + 1);
    if (at == 0) header = first_line(piece);
    size_t counted = 0;
    for (const PersonalSpan& span : find_personal(piece, shape, header)) {
      line += static_cast<uint32_t>(std::count(piece.begin() + static_cast<ptrdiff_t>(counted),
                                               piece.begin() + static_cast<ptrdiff_t>(span.begin), '\n'));
      counted = span.begin;
      Place there = place;
      there.line = line;
      report.add(personal_finding(span, std::move(there)));
    }
    line +=
        static_cast<uint32_t>(std::count(piece.begin() + static_cast<ptrdiff_t>(counted), piece.end(), '\n'));
    at += piece.size();
  }
  return Done{};
}

}  // namespace holdfast::scan
