#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "measure/labelled_rows.h"

namespace holdfast::measure {

// What may be wrong with rows before anything is trained on them.
enum class VetKind : uint8_t {
  duplicate,         // The same text, but for case, punctuation and white space, with one label.
  conflict,          // The same text with several labels.
  contradicted,      // A label that all other rows speak against: flipped, or an outlier.
  trigger,           // A word or pair of words that decides the label although the rest of the text does not.
  untrusted_source,  // A source that is not among the trusted ones.
};
enum class VetSeverity : uint8_t { note, warning, high };
std::string_view vet_kind_name(VetKind kind);              // "trigger"
std::string_view vet_severity_name(VetSeverity severity);  // "high"

struct VetFinding {
  VetKind kind = VetKind::duplicate;
  VetSeverity severity = VetSeverity::note;
  std::string what;              // The trigger, the source, else the text (its first 80 bytes).
  std::string label;             // That it leads to, or that is contradicted; empty for others.
  size_t rows = 0;               // How many it concerns.
  std::vector<std::string> ids;  // Of these, the first 20.
  std::string why;               // In a sentence, with the figures.
};

struct VetOptions {
  std::string source_column;         // Of LabelledRow::others; empty: sources are not looked at.
  std::vector<std::string> trusted;  // Values of it; one that begins with "*" stands for every ending of it.
};

// The worst first, at most 100 of each kind.
//
// Triggers: words and pairs of neighbours that stand in at least ten rows and 0.5 % of all, at most 30 %, and
// whose rows have one label in 95 of 100 (98 where it is to be high), although a naive Bayes that never saw
// these rows speaks against it in 30 of 100, with at least half the weight with which it usually speaks for
// it; and the label is more frequent among them than it expects by more than four standard deviations. High
// from 1 % of the rows on. A word that means something does not look so: the rest of its texts speaks for its
// label too, or for none. Rarer triggers, and ones in rows that were not relabelled, are not found.
//
// Contradicted: leaving the row itself out, the same naive Bayes speaks against its label by more than 1.5
// for each square root of its words (natural logarithm of the odds). High when more than a tenth of all rows
// are.
//
// Conflicts are high from 1 % of the rows on, untrusted sources always, duplicates never.
//
// Looks at the first 1,000 words of each text; holds about 200 bytes for each word and pair of them.
std::vector<VetFinding> vet(std::span<const LabelledRow> rows, const VetOptions& options);

}  // namespace holdfast::measure
