#include "api/moderation_labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

constexpr size_t labels_max = 1000;

// Words of labels, as plain() writes them, and what they stand for.
constexpr std::string_view words[][2] = {{"toxic", "harassment"},
                                         {"toxicity", "harassment"},
                                         {"severe_toxic", "harassment"},
                                         {"severe_toxicity", "harassment"},
                                         {"insult", "harassment"},
                                         {"obscene", "harassment"},
                                         {"offensive", "harassment"},
                                         {"abusive", "harassment"},
                                         {"bullying", "harassment"},
                                         {"threat", "harassment/threatening"},
                                         {"threatening", "harassment/threatening"},
                                         {"hateful", "hate"},
                                         {"hate_speech", "hate"},
                                         {"identity_hate", "hate"},
                                         {"identity_attack", "hate"},
                                         {"racism", "hate"},
                                         {"sexism", "hate"},
                                         {"self_harm", "self-harm"},
                                         {"suicide", "self-harm"},
                                         {"sexual_explicit", "sexual"},
                                         {"sexually_explicit", "sexual"},
                                         {"nsfw", "sexual"},
                                         {"violent", "violence"},
                                         {"crime", "illicit"},
                                         {"illegal", "illicit"}};

// Small letters, with one sign between words: "Hate/Threatening" and "hate_threatening" are alike.
std::string plain(std::string_view label) {
  std::string out;
  for (const char letter : label)
    out += letter >= 'A' && letter <= 'Z'                    ? static_cast<char>(letter - 'A' + 'a')
           : letter == ' ' || letter == '-' || letter == '/' ? '_'
                                                             : letter;
  return out;
}

std::string_view category_named(std::string_view name) {
  const auto* found = std::find(moderation_categories.begin(), moderation_categories.end(), name);
  return found == moderation_categories.end() ? std::string_view() : *found;
}

}  // namespace

Result<ModerationLabels> ModerationLabels::read(std::string_view text) {
  ModerationLabels out;
  TRY(const json::object file, codec::parse_json_object(text));
  TRY(const auto threshold, codec::json_number_if(file, "threshold"));
  if (threshold && !(*threshold >= 0 && *threshold <= 1))
    return fail(Reason::bad_request, "moderation.json: 'threshold' is between 0 and 1");
  out.threshold_ = threshold.value_or(out.threshold_);
  TRY(const json::object* labels, codec::json_object_if(file, "labels"));
  if (labels == nullptr) return out;
  if (labels->size() > labels_max) return fail(Reason::bad_request, "moderation.json: too many labels");
  for (const auto& [label, category] : *labels) {
    TRY(const std::string_view name, codec::json_text(*labels, label));
    if (!name.empty() && category_named(name).empty())
      return fail(Reason::bad_request,
                  fmt::format("moderation.json: '{}' is no category", name.substr(0, 60)));
    out.labels_[std::string(label)] = name;
  }
  return out;
}

std::string_view ModerationLabels::category_of(std::string_view label) const {
  if (const auto said = labels_.find(label); said != labels_.end() && !said->second.empty())
    return category_named(said->second);
  const std::string name = plain(label);
  for (const std::string_view category : moderation_categories)
    if (plain(category) == name) return category;
  for (const auto& [word, category] : words)
    if (word == name) return category;
  return {};
}

json::object moderation_result(const ModerationLabels& labels, const json::array& scores) {
  std::array<double, moderation_categories.size()> highest{};
  for (const json::value& one : scores) {
    const std::string_view category = labels.category_of(one.at("label").as_string());
    for (size_t i = 0; i < highest.size(); ++i)
      if (moderation_categories[i] == category)
        highest[i] = std::max(highest[i], one.at("score").to_number<double>());
  }
  json::object flags, values, applied;
  bool flagged = false;
  for (size_t i = 0; i < highest.size(); ++i) {
    const std::string_view category = moderation_categories[i];
    const bool over = highest[i] > 0 && highest[i] >= labels.threshold();
    flagged |= over;
    flags[category] = over;
    values[category] = highest[i];
    applied[category] = json::array{"text"};
  }
  return {{"flagged", flagged},
          {"categories", std::move(flags)},
          {"category_scores", std::move(values)},
          {"category_applied_input_types", std::move(applied)}};
}

}  // namespace holdfast::api
