#include "observe/drift_book.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "codec/json.h"
#include "measure/drift.h"

namespace holdfast::observe {
namespace {

namespace json = boost::json;

template <class Rows, class Member>
std::vector<double> column(const Rows& rows, Member member) {
  std::vector<double> out;
  for (const auto& row : rows) out.push_back(row.*member);
  return out;
}

template <class Rows, class Member>
double mean(const Rows& rows, Member member) {
  double sum = 0;
  for (const auto& row : rows) sum += row.*member;
  return rows.empty() ? 0 : sum / static_cast<double>(rows.size());
}

template <class Rows>
measure::Categories labels_of(const Rows& rows) {
  measure::Categories out;
  for (const auto& row : rows) ++out[row.label];
  return out;
}

template <class Rows, class Member>
double moved(const Rows& reference, const auto& window, Member member) {
  return measure::numeric_drift(column(reference, member), column(window, member), measure::DriftMethod::psi)
      .score;
}

}  // namespace

std::string_view phase_name(DriftBook::Phase phase) {
  switch (phase) {
    case DriftBook::Phase::vocabulary:
      return "vocabulary";
    case DriftBook::Phase::reference:
      return "reference";
    case DriftBook::Phase::filling:
      return "filling";
    case DriftBook::Phase::watching:
      return "watching";
  }
  return "vocabulary";
}

DriftBook::Phase DriftBook::phase() const {
  if (taught_ < options_.vocabulary_rows) return Phase::vocabulary;
  if (reference_.size() < options_.reference_rows) return Phase::reference;
  return window_.size() < options_.window_rows ? Phase::filling : Phase::watching;
}

DriftBook::Row DriftBook::row_of(const InputFeatures& input) const {
  Row row{.characters = input.characters, .confidence = input.confidence, .label = input.label};
  const auto unseen = std::count_if(input.words.begin(), input.words.end(),
                                    [this](uint64_t word) { return !vocabulary_.contains(word); });
  if (!input.words.empty())
    row.unseen = static_cast<double>(unseen) / static_cast<double>(input.words.size());
  return row;
}

void DriftBook::add(const InputFeatures& input) {
  switch (phase()) {
    case Phase::vocabulary:
      ++taught_;
      for (const uint64_t word : input.words)
        if (vocabulary_.size() < words_max) vocabulary_.insert(word);
      return;
    case Phase::reference:
      reference_.push_back(row_of(input));
      changed_ = changed_ || reference_.size() == options_.reference_rows;
      return;
    case Phase::filling:
    case Phase::watching:
      window_.push_back(row_of(input));
      if (window_.size() > options_.window_rows) window_.pop_front();
      return;
  }
}

bool DriftBook::take_changed() { return std::exchange(changed_, false); }

DriftBook::Figures DriftBook::figures() const {
  Figures out{.phase = phase(), .reference_rows = reference_.size(), .window_rows = window_.size()};
  if (out.phase != Phase::watching) return out;
  out.unseen_words = mean(window_, &Row::unseen);
  out.features = {{drift_features[0], moved(reference_, window_, &Row::characters)},
                  {drift_features[1], moved(reference_, window_, &Row::unseen)}};
  const auto before = labels_of(reference_), now = labels_of(window_);
  if (before.size() > 1 || !before.contains("")) {
    out.features.push_back(
        {drift_features[2], measure::category_drift(before, now, measure::DriftMethod::psi).score});
    out.features.push_back({drift_features[3], moved(reference_, window_, &Row::confidence)});
    out.confidence_shift = mean(window_, &Row::confidence) - mean(reference_, &Row::confidence);
  }
  std::stable_sort(out.features.begin(), out.features.end(),
                   [](const Moved& left, const Moved& right) { return left.psi > right.psi; });
  return out;
}

json::object DriftBook::state() const {
  json::array words, rows;
  for (const uint64_t word : vocabulary_) words.push_back(word);
  for (const Row& row : reference_)
    rows.push_back(json::array{row.characters, row.unseen, row.confidence, json::string(row.label)});
  return {{"taught", static_cast<int64_t>(taught_)}, {"words", std::move(words)}, {"rows", std::move(rows)}};
}

Result<DriftBook> DriftBook::restore(const json::object& state, const Options& options) {
  const Error broken = fail(Code::corrupt, "a kept drift reference is not one");
  DriftBook book(options);
  TRY(const int64_t taught, codec::json_integer(state, "taught"));
  TRY(const json::array* words, codec::json_array(state, "words"));
  TRY(const json::array* rows, codec::json_array(state, "rows"));
  if (taught < 0 || words->size() > words_max || rows->size() > options.reference_rows) return broken;
  book.taught_ = static_cast<size_t>(taught);
  for (const json::value& word : *words) {
    if (!word.is_number()) return broken;
    boost::system::error_code failed;
    book.vocabulary_.insert(word.to_number<uint64_t>(failed));
    if (failed) return broken;
  }
  for (const json::value& value : *rows) {
    const json::array* row = value.if_array();
    if (row == nullptr || row->size() != 4 || !(*row)[0].is_number() || !(*row)[1].is_number() ||
        !(*row)[2].is_number() || !(*row)[3].is_string())
      return broken;
    boost::system::error_code failed;
    book.reference_.push_back({.characters = (*row)[0].to_number<double>(failed),
                               .unseen = (*row)[1].to_number<double>(failed),
                               .confidence = (*row)[2].to_number<double>(failed),
                               .label = std::string((*row)[3].get_string())});
  }
  return book;
}

}  // namespace holdfast::observe
