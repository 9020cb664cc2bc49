#include "scan/card_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/yaml.h"

namespace holdfast::scan {
namespace {

namespace json = boost::json;

constexpr std::string_view blank = "[More Information Needed]";

struct Section {
  std::string_view name;
  std::array<std::string_view, 3> words;  // Lower case; a heading with one of them is it.
};
constexpr auto model_sections = std::to_array<Section>({
    {"Model Details", {"detail", "description", "overview"}},
    {"Uses", {"use", "usage", "intended"}},
    {"Out-of-Scope Use", {"out-of-scope", "out of scope", "unsupported"}},
    {"Bias, Risks, and Limitations", {"bias", "risk", "limitation"}},
    {"How to Get Started", {"started", "usage", "how to"}},
    {"Training Details", {"training", "fine-tuning", "pretraining"}},
    {"Evaluation", {"evaluation", "results", "benchmark"}},
    {"Technical Specifications", {"technical", "hardware", "requirement"}},
    {"Environmental Impact", {"environment", "carbon", "emission"}},
    {"Citation", {"citation", "cite", "bibtex"}},
    {"Model Card Contact", {"contact", "authors", "maintainer"}},
});
constexpr auto dataset_sections = std::to_array<Section>({
    {"Dataset Details", {"detail", "description", "summary"}},
    {"Uses", {"use", "usage", "task"}},
    {"Dataset Structure", {"structure", "fields", "schema"}},
    {"Dataset Creation", {"creation", "collection", "source"}},
    {"Personal and Sensitive Information", {"personal", "sensitive", "privacy"}},
    {"Bias, Risks, and Limitations", {"bias", "risk", "limitation"}},
    {"Citation", {"citation", "cite", "bibtex"}},
    {"Dataset Card Contact", {"contact", "authors", "maintainer"}},
});

constexpr auto model_keys = std::to_array<std::string_view>(
    {"license", "language", "library_name", "pipeline_tag", "base_model", "datasets", "metrics"});
constexpr auto dataset_keys = std::to_array<std::string_view>(
    {"license", "language", "task_categories", "size_categories", "pretty_name"});

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

std::string_view line_at(std::string_view text, size_t at) {
  return text.substr(at, std::min(text.find('\n', at), text.size()) - at);
}

struct Split {
  std::string_view yaml, body;
  uint32_t body_line = 1;
};
Split split_card(std::string_view readme) {
  Split split{.yaml = {}, .body = readme};
  if (!readme.starts_with("---")) return split;
  const size_t begin = std::min(readme.find('\n'), readme.size() - 1) + 1;
  for (size_t at = begin; at < readme.size(); at = std::min(readme.find('\n', at), readme.size() - 1) + 1) {
    const std::string_view line = line_at(readme, at);
    if (line != "---" && line != "---\r") continue;
    split.yaml = readme.substr(begin, at - begin);
    split.body = readme.substr(std::min(at + line.size() + 1, readme.size()));
    split.body_line = 1 + static_cast<uint32_t>(std::count(readme.begin(), split.body.begin(), '\n'));
    break;
  }
  return split;
}

// The README's line on which a top key of its metadata stands; 1 when it does not.
uint32_t line_of(std::string_view yaml, std::string_view key) {
  uint32_t line = 2;
  for (size_t at = 0; at < yaml.size(); ++line) {
    std::string_view text = line_at(yaml, at);
    at += text.size() + 1;
    if (text.starts_with('"') || text.starts_with('\'')) text.remove_prefix(1);
    if (text.starts_with(key) && text.substr(key.size()).find(':') <= 2) return line;
  }
  return 1;
}

std::vector<std::string> texts_of(const json::value* value) {
  std::vector<std::string> texts;
  if (value == nullptr) return texts;
  if (value->is_string()) texts.emplace_back(value->get_string());
  if (const json::array* list = value->if_array())
    for (const json::value& each : *list)
      if (each.is_string() && texts.size() < 100) texts.emplace_back(each.get_string());
  return texts;
}

class CardReader {
 public:
  CardReader(std::string_view readme, CardKind kind) : split_(split_card(readme)), kind_(kind) {}

  CardReport read() {
    if (split_.yaml.empty()) {
      add(Severity::warning, "card.metadata", 1, "has no metadata: no YAML between two lines of ---");
    } else {
      read_metadata();
    }
    const json::value* license = data_.if_contains("license");
    if (license == nullptr || license->is_null())
      add(Severity::dangerous, "card.license", 1, "names no licence");
    if (kind_ == CardKind::space) {
      report_.completeness = findings() == 0 ? 1 : 0;
      return std::move(report_);
    }
    if (kind_ == CardKind::model)
      check_keys(model_keys);
    else
      check_keys(dataset_keys);
    read_sections(kind_ == CardKind::model ? std::span<const Section>(model_sections) : dataset_sections);
    report_.completeness = wanted_ == 0 ? 0 : static_cast<double>(there_) / static_cast<double>(wanted_);
    return std::move(report_);
  }

 private:
  size_t findings() const { return report_.findings.size(); }

  void add(Severity severity, std::string rule, uint32_t line, std::string reason) {
    Place place;
    place.file = "README.md";
    place.line = line;
    report_.findings.push_back({rule == "card.license" ? Topic::license : Topic::card, std::move(rule),
                                severity, std::move(place), std::move(reason)});
  }

  void read_metadata() {
    auto parsed = codec::parse_yaml(split_.yaml);
    if (!parsed.ok() || !parsed.value().is_object()) {
      add(Severity::warning, "card.metadata", 2,
          parsed.ok() ? "the metadata is no object" : "the metadata is no YAML: " + parsed.error().message);
      return;
    }
    data_ = std::move(parsed.value().get_object());
    const auto licenses = texts_of(data_.if_contains("license"));
    for (const std::string& id : licenses) {
      if (!report_.license.empty()) report_.license += " AND ";
      report_.license += id;
      if (id == "other" && (!data_.contains("license_name") || !data_.contains("license_link")))
        add(Severity::warning, "card.license-other", line_of(split_.yaml, "license"),
            "license: other needs license_name and license_link");
      else if (find_license(id) == nullptr)
        add(Severity::warning, "card.license-unknown", line_of(split_.yaml, "license"),
            fmt::format("the terms of \"{}\" are not known: a person must look", id.substr(0, 100)));
    }
    report_.base_models = texts_of(data_.if_contains("base_model"));
    report_.datasets = texts_of(data_.if_contains("datasets"));
  }

  void check_keys(std::span<const std::string_view> keys) {
    for (const std::string_view key : keys) {
      ++wanted_;
      const json::value* value = data_.if_contains(key);
      const bool there =
          value != nullptr && !value->is_null() && !(value->is_string() && value->get_string().empty());
      if (there)
        ++there_;
      else if (key != "license")
        add(Severity::note, "card.key", 1, fmt::format("lacks {} in its metadata", key));
    }
  }

  // A section is there when a heading names it and something but the template's blank stands under it.
  void read_sections(std::span<const Section> sections) {
    std::vector<bool> found(sections.size(), false);
    std::vector<size_t> open;  // Sections that the heading above opened.
    uint32_t line = split_.body_line;
    bool fenced = false;
    for (size_t at = 0; at < split_.body.size(); ++line) {
      const std::string_view text = line_at(split_.body, at);
      at += text.size() + 1;
      if (text.starts_with("```")) fenced = !fenced;
      if (text.find(blank) != std::string_view::npos) {
        add(Severity::note, "card.blank", line, "still holds the blank of the template");
        continue;
      }
      if (!fenced && text.starts_with('#')) {
        const std::string title = lower(text.substr(0, 200));
        const bool sub = text.starts_with("###");  // Belongs to the section above too.
        if (!sub) open.clear();
        for (size_t i = 0; i < sections.size(); ++i)
          if (std::any_of(sections[i].words.begin(), sections[i].words.end(),
                          [&](std::string_view word) { return title.find(word) != std::string::npos; }))
            open.push_back(i);
        continue;
      }
      if (text.find_first_not_of(" \t\r-*<>!") == std::string_view::npos || text.starts_with("<!--"))
        continue;
      for (const size_t i : open) found[i] = true;
    }
    for (size_t i = 0; i < sections.size(); ++i) {
      ++wanted_;
      if (found[i]) {
        ++there_;
        continue;
      }
      report_.missing_sections.emplace_back(sections[i].name);
    }
  }

  const Split split_;
  const CardKind kind_;
  json::object data_;
  CardReport report_;
  size_t wanted_ = 0, there_ = 0;
};

}  // namespace

CardReport check_card(std::string_view readme, CardKind kind) { return CardReader(readme, kind).read(); }

}  // namespace holdfast::scan
