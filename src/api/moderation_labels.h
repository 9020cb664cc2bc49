#pragma once

#include <array>
#include <boost/json/fwd.hpp>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::api {

// The categories of POST /v1/moderations (reference: serving, 1.1).
inline constexpr std::array<std::string_view, 13> moderation_categories = {"harassment",
                                                                           "harassment/threatening",
                                                                           "hate",
                                                                           "hate/threatening",
                                                                           "illicit",
                                                                           "illicit/violent",
                                                                           "self-harm",
                                                                           "self-harm/intent",
                                                                           "self-harm/instructions",
                                                                           "sexual",
                                                                           "sexual/minors",
                                                                           "violence",
                                                                           "violence/graphic"};

// What a model's labels mean, and from which score on a category is flagged.
class ModerationLabels {
 public:
  // A repository's moderation.json: {"labels": {"LABEL_1": "hate"}, "threshold": 0.5}; both may be left out.
  // A label that is not there, or an empty text, stands for what its own words say.
  static Result<ModerationLabels> read(std::string_view text);

  // The category that a label stands for: what the file says, its own name, or a word that public models use
  // for it ("toxic" is harassment). Empty: none.
  std::string_view category_of(std::string_view label) const;
  double threshold() const { return threshold_; }

 private:
  std::map<std::string, std::string, std::less<>> labels_;
  double threshold_ = 0.5;
};

// One text's result: every category with the highest score of the labels that stand for it, zero where none
// does.
boost::json::object moderation_result(const ModerationLabels& labels, const boost::json::array& scores);

}  // namespace holdfast::api
