#include "scan/card_diff.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

namespace holdfast::scan {
namespace {

constexpr size_t parts_max = 2000, name_bytes_max = 300;

struct CardPart {
  CardDifference::Part part = CardDifference::Part::section;
  std::string name{}, text{};
};

std::string_view trimmed(std::string_view text, std::string_view marks) {
  const size_t begin = text.find_first_not_of(marks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(marks) - begin + 1);
}

// The key that a line of metadata begins with; empty where the line belongs to the key above.
std::string_view top_key(std::string_view line) {
  if (line.empty() || std::string_view(" \t-#}]").find(line.front()) != std::string_view::npos) return {};
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return {};
  return trimmed(line.substr(0, colon), " \t\"'");
}

// 1 to 6 for a heading, else 0.
size_t heading_level(std::string_view line) {
  const size_t level = std::min(line.find_first_not_of('#'), line.size());
  if (level == 0 || level > 6) return 0;
  return level == line.size() || line[level] == ' ' || line[level] == '\t' ? level : 0;
}

class Splitter {
 public:
  std::vector<CardPart> split(std::string_view card) {
    bool first = true;
    while (!card.empty()) {
      const size_t end = std::min(card.find('\n'), card.size());
      std::string_view line = card.substr(0, end);
      card.remove_prefix(std::min(end + 1, card.size()));
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (first && line == "---" && closes(card))
        in_metadata_ = true;
      else if (in_metadata_)
        metadata_line(line);
      else
        text_line(line);
      first = false;
    }
    for (CardPart& part : parts_) part.text = trimmed(part.text, "\r\n");
    std::erase_if(parts_, [](const CardPart& part) { return part.name.empty() && part.text.empty(); });
    return std::move(parts_);
  }

 private:
  static bool closes(std::string_view rest) {
    return rest.starts_with("---\n") || rest.starts_with("---\r\n") || rest == "---" ||
           rest.find("\n---\n") != std::string_view::npos ||
           rest.find("\n---\r\n") != std::string_view::npos || rest.ends_with("\n---");
  }

  void open(CardDifference::Part part, std::string_view name) {
    if (parts_.size() >= parts_max) return;
    std::string whole(name.substr(0, name_bytes_max));
    // The same heading twice is two parts.
    const std::string plain = whole;
    for (size_t& times = seen_.try_emplace({part, plain}, 1).first->second;
         !taken_.emplace(part, whole).second;)
      whole = plain + " (" + std::to_string(++times) + ")";
    parts_.push_back({part, std::move(whole), {}});
  }
  void add(std::string_view line) {
    parts_.back().text += line;
    parts_.back().text += '\n';
  }

  void metadata_line(std::string_view line) {
    if (line == "---") {
      in_metadata_ = false;
      return;
    }
    const std::string_view key = top_key(line);
    if (!key.empty() || parts_.empty()) open(CardDifference::Part::metadata, key);
    add(key.empty() ? line : trimmed(line.substr(line.find(':') + 1), " \t"));
  }

  void text_line(std::string_view line) {
    if (line.starts_with("```") || line.starts_with("~~~")) fenced_ = !fenced_;
    const size_t level = fenced_ ? 0 : heading_level(line);
    if (level == 0) {
      if (parts_.empty() || parts_.back().part == CardDifference::Part::metadata)
        open(CardDifference::Part::section, "");
      return add(line);
    }
    titles_[level - 1] = trimmed(line.substr(level), " \t#");
    for (size_t below = level; below < titles_.size(); ++below) titles_[below].clear();
    std::string name;
    for (size_t i = 0; i < level; ++i)
      if (!titles_[i].empty()) name += (name.empty() ? "" : " / ") + titles_[i];
    open(CardDifference::Part::section, name);
  }

  std::vector<CardPart> parts_;
  std::map<std::pair<CardDifference::Part, std::string>, size_t> seen_;  // How often.
  std::set<std::pair<CardDifference::Part, std::string>> taken_;
  std::array<std::string, 6> titles_;
  bool in_metadata_ = false, fenced_ = false;
};

using Places = std::map<std::pair<CardDifference::Part, std::string_view>, const CardPart*>;
Places places_of(const std::vector<CardPart>& parts) {
  Places out;
  for (const CardPart& part : parts) out.emplace(std::pair(part.part, std::string_view(part.name)), &part);
  return out;
}

}  // namespace

std::vector<CardDifference> diff_cards(std::string_view before, std::string_view after) {
  const std::vector<CardPart> old_parts = Splitter().split(before), new_parts = Splitter().split(after);
  const Places old_places = places_of(old_parts), new_places = places_of(new_parts);
  std::vector<CardDifference> out;
  for (const CardPart& part : new_parts) {
    const auto found = old_places.find({part.part, part.name});
    const bool was = found != old_places.end();
    if (was && found->second->text == part.text) continue;
    out.push_back({.part = part.part,
                   .name = part.name,
                   .before = was ? found->second->text : "",
                   .after = part.text,
                   .was = was,
                   .is = true});
  }
  for (const CardPart& part : old_parts)
    if (!new_places.contains({part.part, part.name}))
      out.push_back(
          {.part = part.part, .name = part.name, .before = part.text, .after = "", .was = true, .is = false});
  return out;
}

}  // namespace holdfast::scan
