#include "cli/support_messages.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "base/check.h"
#include "cli/support_words.h"
#include "measure/sample_source.h"

namespace holdfast::cli {
namespace {

using measure::SampleSource;

enum class Words : uint8_t { usual, drifted };

struct Share {
  std::string_view kind;
  double share;
};
constexpr Share usual_kinds[] = {
    {"normal", 0.5}, {"edge", 0.14}, {"messy", 0.14}, {"sensitive", 0.11}, {"unacceptable", 0.11}};
constexpr Share drifted_kinds[] = {
    {"normal", 0.3}, {"edge", 0.15}, {"messy", 0.3}, {"sensitive", 0.1}, {"unacceptable", 0.15}};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

class Maker {
 public:
  explicit Maker(uint64_t seed) : source_(seed) {}

  std::vector<SupportMessage> make(std::string_view split, size_t count, Words words) {
    std::vector<SupportMessage> out;
    for (size_t tries = 0; out.size() < count; ++tries) {
      CHECK(tries < count * 100);  // There are far more patterns than messages.
      SupportMessage message = one(words);
      if (pattern_uses_[message.pattern] >= support_pattern_uses || !texts_.insert(message.text).second)
        continue;
      ++pattern_uses_[message.pattern];
      message.id = fmt::format("{}-{:05}", split, out.size() + 1);
      out.push_back(std::move(message));
    }
    return out;
  }

 private:
  size_t pick(size_t count) { return static_cast<size_t>(source_.below(count)); }
  bool chance(double share) { return source_.unit() < share; }

  // One of a row of texts; its number joins the pattern.
  template <class Texts>
  std::string_view text_of(const Texts& texts, std::string& pattern) {
    const size_t index = pick(std::size(texts));
    pattern += fmt::format(".{}", index);
    return texts[index];
  }

  std::string_view kind_of(Words words) {
    double left = source_.unit();
    for (const Share& one : words == Words::usual ? usual_kinds : drifted_kinds) {
      if (left < one.share) return one.kind;
      left -= one.share;
    }
    return "normal";
  }

  SupportMessage one(Words words) {
    SupportMessage out;
    const size_t number = pick(support::intents.size());
    const support::Intent& intent = support::intents[number];
    out.kind = kind_of(words);
    out.intent = intent.name;
    out.tone = chance(words == Words::usual ? 0.5 : 0.3) ? "formal" : "informal";
    out.length = chance(0.45) ? "short" : "long";
    out.pattern = fmt::format("{}.{}{}{}", intent.name, out.kind[0], out.tone[0], out.length[0]);
    out.text = filled(sentences(intent, out));
    if (words == Words::drifted) out.text = drifted(std::move(out.text));
    if (out.kind == "messy") out.text = messy(std::move(out.text));
    if (chance(support_label_noise))
      out.intent =
          support::intents[(number + 1 + pick(support::intents.size() - 1)) % support::intents.size()].name;
    return out;
  }

  std::string sentences(const support::Intent& intent, SupportMessage& out) {
    const bool formal = out.tone == "formal", brief = out.length == "short";
    std::string& pattern = out.pattern;
    std::vector<std::string> parts;
    const auto add = [&parts](std::string_view text) { parts.emplace_back(text); };
    if (chance(brief ? 0.2 : 0.6))
      add(formal ? text_of(support::formal_openings, pattern) : text_of(support::informal_openings, pattern));
    if (brief && out.kind == "edge") {
      add(text_of(intent.short_forms, pattern));
    } else {
      add(formal ? text_of(intent.formal, pattern) : text_of(intent.informal, pattern));
    }
    if (!brief) add(text_of(intent.details, pattern));
    if (out.kind == "edge") add(text_of(support::asides, pattern));
    if (out.kind == "sensitive") add(text_of(support::sensitive_facts, pattern));
    if (out.kind == "unacceptable") add(text_of(support::insults, pattern));
    if (chance(brief ? 0.15 : 0.6))
      add(formal ? text_of(support::formal_closings, pattern) : text_of(support::informal_closings, pattern));
    return joined(parts, formal);
  }

  // Sentences with a capital and a stop when formal, run together by commas when not.
  static std::string joined(std::vector<std::string>& parts, bool formal) {
    std::string out;
    for (std::string& part : parts) {
      const bool goes_on = out.ends_with(',');
      if (!out.empty()) out += formal || goes_on ? " " : ", ";
      if (formal && !goes_on && part[0] >= 'a' && part[0] <= 'z')
        part[0] = static_cast<char>(part[0] - 'a' + 'A');
      out += part;
      if (formal && is_letter(part.back())) out += '.';
    }
    return out;
  }

  std::string filled(std::string text) {
    const auto put = [&](std::string_view slot, auto&& value) {
      for (size_t at; (at = text.find(slot)) != std::string::npos;) text.replace(at, slot.size(), value());
    };
    put("{order}", [&] { return fmt::format("{}", 1000 + pick(9000)); });
    put("{amount}", [&] { return fmt::format("{}.{:02} pounds", 3 + pick(180), pick(100)); });
    put("{day}", [&] { return std::string(support::days[pick(std::size(support::days))]); });
    put("{city}", [&] { return std::string(support::cities[pick(std::size(support::cities))]); });
    put("{product}", [&] { return std::string(support::products[pick(std::size(support::products))]); });
    put("{person}", [&] { return std::string(support::people[pick(std::size(support::people))]); });
    return text;
  }

  static std::string drifted(std::string text) {
    for (const auto& [old, fresh] : support::drifted_words)
      for (size_t at = 0; (at = text.find(old, at)) != std::string::npos;) {
        const size_t end = at + old.size();
        const bool word =
            (at == 0 || !is_letter(text[at - 1])) && (end == text.size() || !is_letter(text[end]));
        if (word) text.replace(at, old.size(), fresh);
        at += word ? fresh.size() : 1;
      }
    return text;
  }

  // Letters swapped, dropped and doubled, capitals lost, marks repeated.
  std::string messy(std::string text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      const double luck = source_.unit();
      if (is_letter(text[i]) && i + 1 < text.size() && is_letter(text[i + 1]) && luck < 0.04) {
        out += text[i + 1];
        out += text[i++];
      } else if (is_letter(text[i]) && luck < 0.06) {
        continue;
      } else if (luck < 0.08) {
        out.append(2, text[i]);
      } else {
        out += text[i];
      }
    }
    if (chance(0.5))
      for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out + (chance(0.5) ? "!!!" : "...");
  }

  SampleSource source_;
  std::map<std::string, size_t> pattern_uses_;
  std::set<std::string> texts_;
};

}  // namespace

SupportData make_support_data(uint64_t seed) {
  Maker maker(seed);
  SupportData out;
  out.train = maker.make("train", 2400, Words::usual);
  out.validation = maker.make("validation", 600, Words::usual);
  out.test = maker.make("test", 1000, Words::usual);
  out.week2 = maker.make("week2", 800, Words::drifted);
  return out;
}

}  // namespace holdfast::cli
