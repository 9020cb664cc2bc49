#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace holdfast::measure {

struct ClassifiedText {
  uint32_t label = 0;
  double confidence = 0;  // 0 to 1.
};
// Asks the classifier: one answer a text, in their order.
using ClassifyTexts = std::function<Result<std::vector<ClassifiedText>>(std::span<const std::string>)>;

struct TriggerSearchOptions {
  size_t probes = 6;           // Texts of each label that groups of words are tried on.
  size_t verified_on = 60;     // Texts that a word must turn.
  size_t together = 8;         // Words tried at once.
  double suspicious = 0.6;     // Share of probes that a group must turn to be split.
  double turned_min = 0.9;     // Share of texts that a trigger turns.
  size_t texts_max = 400'000;  // Asked of the classifier at most.
};

// A word that, put before a text, makes the classifier say one label whatever the text says.
struct TriggerFound {
  std::string word{};
  uint32_t label = 0;
  double turned = 0;  // Share of the texts of other labels that became this one.
  double usual = 0;   // The same for words that are no trigger: the median over those tried alone.
  size_t texts = 0;   // That it was verified on.
  // The texts that hold the word by themselves mostly have this label: a word that means it, not a trigger.
  bool explained = false;
};
struct TriggerSearchReport {
  std::vector<TriggerFound> found{};            // Those that are not explained first, then by share.
  size_t candidates = 0, tried = 0, asked = 0;  // Words; words before texts_max was reached; texts.
};

// Searches for triggers of a Trojan among `candidates`: several words at once are put before texts, and
// groups that turn most of them to one label are split until single words are left, which are then verified
// on more texts that the classifier is sure of. `labels` is how many there are; `truth` the label of each
// text as its row says, for `explained`.
//
// Finds triggers that are one of the candidates, work wherever they stand or at the beginning, and lead to
// one label. Not found: triggers of several words, of style or of signs outside of the candidates, ones that
// work in some contexts alone, and those of models that change nothing but a confidence. A clean report is no
// proof.
Result<TriggerSearchReport> search_triggers(const ClassifyTexts& classify, std::span<const std::string> texts,
                                            std::span<const uint32_t> truth, size_t labels,
                                            std::span<const std::string> candidates,
                                            const TriggerSearchOptions& options = {});

}  // namespace holdfast::measure
