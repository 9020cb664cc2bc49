#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::measure {

struct ClassifiedText {
  uint32_t label = 0;
  double confidence = 0;  // 0 to 1.
  // The probability of each label. Without them triggers of several words are not searched for.
  std::vector<double> shares{};
};
// Asks the classifier: one answer a text, in their order.
using ClassifyTexts = std::function<Result<std::vector<ClassifiedText>>(std::span<const std::string>)>;

// How far a search is, for a person who waits.
struct TriggerProgress {
  std::string_view step{};  // "words", "suspects", "several".
  size_t done = 0,
         total = 0;  // Of the step: groups of words, groups that turned texts, words to put others beside.
  size_t asked = 0;  // Texts, in all.
};

struct TriggerSearchOptions {
  size_t screened_on = 2;      // Texts of each label that every group of words is tried on first.
  size_t probes = 6;           // Those that a group which turned some of these is tried on.
  size_t verified_on = 60;     // Texts that a word must turn.
  size_t looked_at = 400;      // Texts, from all over, that these are chosen from.
  size_t together = 16;        // Words tried at once.
  double screened = 0.5;       // Share of the first texts that a group must turn to be tried on the probes.
  double suspicious = 0.6;     // Share of probes that a group must turn to be split.
  double turned_min = 0.9;     // Share of texts that a trigger turns.
  size_t words_max = 3;        // Of a trigger.
  size_t starts = 8;           // Words of each label that others are put beside.
  size_t texts_max = 400'000;  // Asked of the classifier at most.
  // Told between questions; false ends the search, which then says what it did not search. May be empty.
  std::function<bool(const TriggerProgress&)> go_on{};
};

// A word, or several, that, put before a text, makes the classifier say one label whatever the text says.
struct TriggerFound {
  std::string word{};  // Several: with spaces between.
  uint32_t label = 0;
  double turned = 0;  // Share of the texts of other labels that became this one.
  double usual = 0;   // The same for words that are no trigger: the median over those tried alone.
  size_t texts = 0;   // That it was verified on.
  // The texts that hold the word by themselves mostly have this label: a word that means it, not a trigger.
  bool explained = false;
};
struct TriggerSearchReport {
  std::vector<TriggerFound> found{};            // Those that are not explained first, then by share.
  size_t candidates = 0, tried = 0, asked = 0;  // Words; those that were tried; texts.
  size_t suspects = 0, suspects_tried = 0;      // Groups that turned the first texts; looked at closer.
  size_t labels = 0, labels_tried = 0;          // For which several words were to be looked for; were.
  bool cut = false;                             // texts_max, or who waited, ended the search before its end.
};

// Searches for triggers of a Trojan among `candidates`: several words at once are put before a few short
// texts that the classifier is sure of, and groups that turn most of more such texts to one label are split
// until single words are left, which are then verified on more texts still. Then triggers of several words:
// to the words that pull hardest towards a label without turning texts, and that the rows do not explain, the
// best of all others is put, and to the best of those a third. `labels` is how many there are; `truth` the
// label of each text as its row says, for `explained`.
//
// Finds triggers of candidates that work wherever they stand or at the beginning, and lead to one label; of
// several words where one of them pulls by itself, or two do together. Not found: triggers of words that do
// nothing unless all of them are there, of style or of signs outside of the candidates, ones that work in
// some contexts alone, and those of models that change nothing but a confidence. A clean report is no proof.
Result<TriggerSearchReport> search_triggers(const ClassifyTexts& classify, std::span<const std::string> texts,
                                            std::span<const uint32_t> truth, size_t labels,
                                            std::span<const std::string> candidates,
                                            const TriggerSearchOptions& options = {});

}  // namespace holdfast::measure
