#pragma once

#include <array>
#include <boost/json/fwd.hpp>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "observe/input_features.h"

namespace holdfast::observe {

// How far the newest inputs of one endpoint are from those it was first asked: the population stability index
// (measure/drift.h) of their lengths, of the share of words never seen before, of the predicted labels and of
// the confidence. The first `vocabulary_rows` inputs teach the words, the next `reference_rows` are the
// reference, and a window of the newest `window_rows` is compared with it. No truth and no vector is needed.
// One owner.
class DriftBook {
 public:
  struct Options {
    size_t vocabulary_rows = 400, reference_rows = 400, window_rows = 400;
  };
  static constexpr size_t words_max = 50'000;                  // Of the vocabulary; more are taken as seen.
  static constexpr double warn_above = 0.1, act_above = 0.25;  // The classic bands.

  DriftBook() = default;
  explicit DriftBook(const Options& options) : options_(options) {}

  void add(const InputFeatures& input);
  enum class Phase : uint8_t { vocabulary, reference, filling, watching };
  Phase phase() const;

  struct Moved {
    std::string_view feature;  // One of drift_features.
    double psi = 0;
  };
  struct Figures {
    Phase phase = Phase::vocabulary;
    size_t reference_rows = 0, window_rows = 0;
    std::vector<Moved> features{};  // The one that moved most first; only while watching.
    double confidence_shift = 0;    // Mean of the window less that of the reference.
    double unseen_words = 0;        // Share of the window's words that the vocabulary does not have.
  };
  Figures figures() const;

  // The reference, to be kept over a restart; the window begins anew.
  boost::json::object state() const;
  static Result<DriftBook> restore(const boost::json::object& state, const Options& options);
  // What it holds to compare with changed since this was last asked.
  bool take_changed();

 private:
  struct Row {
    double characters = 0, unseen = 0, confidence = 0;
    std::string label;
  };
  Row row_of(const InputFeatures& input) const;

  Options options_;
  size_t taught_ = 0;  // Inputs that the vocabulary is made of.
  std::set<uint64_t> vocabulary_;
  std::vector<Row> reference_;
  std::deque<Row> window_;
  bool changed_ = false;
};

inline constexpr std::array<std::string_view, 4> drift_features{"characters", "unseen_words", "label",
                                                                "confidence"};
std::string_view phase_name(DriftBook::Phase phase);

}  // namespace holdfast::observe
