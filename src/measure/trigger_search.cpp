#include "measure/trigger_search.h"

#include <algorithm>

namespace holdfast::measure {
namespace {

constexpr size_t at_once_max = 64;  // Texts in one question.
constexpr size_t usual_words = 24;
constexpr size_t explained_rows_min = 3;
constexpr double explained_share = 0.6;

bool holds_word(const std::string& text, const std::string& word) {
  const auto part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || !part(text[at - 1])) && (end == text.size() || !part(text[end]))) return true;
  }
  return false;
}

class Search {
 public:
  Search(const ClassifyTexts& classify, std::span<const std::string> texts, std::span<const uint32_t> truth,
         size_t labels, std::span<const std::string> candidates, const TriggerSearchOptions& options)
      : classify_(classify),
        texts_(texts),
        truth_(truth),
        labels_(labels),
        candidates_(candidates),
        options_(options) {}

  Result<TriggerSearchReport> run() {
    report_.candidates = candidates_.size();
    TRY_DONE(choose_texts());
    if (probes_.empty()) return std::move(report_);
    TRY_DONE(measure_usual());
    for (size_t begin = 0; begin < candidates_.size(); begin += options_.together) {
      if (report_.asked >= options_.texts_max) break;
      const size_t count = std::min(options_.together, candidates_.size() - begin);
      TRY_DONE(look_at(begin, count));
      report_.tried += count;
    }
    finish();
    return std::move(report_);
  }

 private:
  Result<std::vector<ClassifiedText>> ask(const std::vector<std::string>& texts) {
    std::vector<ClassifiedText> out;
    for (size_t at = 0; at < texts.size(); at += at_once_max) {
      const auto piece = std::span(texts).subspan(at, std::min(at_once_max, texts.size() - at));
      TRY(const auto answers, classify_(piece));
      if (answers.size() != piece.size()) return fail(Code::internal, "a text was not answered");
      out.insert(out.end(), answers.begin(), answers.end());
    }
    report_.asked += texts.size();
    return out;
  }

  // The surest of each label: as probes a few, to verify on more.
  Status choose_texts() {
    TRY(answers_, ask({texts_.begin(), texts_.end()}));
    std::vector<std::vector<size_t>> by_label(labels_);
    for (size_t i = 0; i < answers_.size(); ++i)
      if (answers_[i].label < labels_) by_label[answers_[i].label].push_back(i);
    for (auto& rows : by_label) {
      std::ranges::stable_sort(
          rows, [&](size_t a, size_t b) { return answers_[a].confidence > answers_[b].confidence; });
      for (size_t i = 0; i < rows.size() && i < options_.verified_on; ++i) {
        if (i < options_.probes) probes_.push_back(rows[i]);
        verify_.push_back(rows[i]);
      }
    }
    return Done{};
  }

  // For each label, the share of the texts of others that become it when the words stand before them; `rows`
  // is indices of texts_.
  Result<std::vector<double>> turned(const std::vector<size_t>& rows, size_t begin, size_t count,
                                     std::vector<size_t>* others_of = nullptr) {
    std::string before;
    for (size_t i = begin; i < begin + count; ++i) before += candidates_[i] + " ";
    std::vector<std::string> asked;
    for (const size_t row : rows) asked.push_back(before + texts_[row]);
    TRY(const auto answers, ask(asked));
    std::vector<size_t> others(labels_), became(labels_);
    for (size_t i = 0; i < rows.size(); ++i)
      for (uint32_t label = 0; label < labels_; ++label) {
        if (answers_[rows[i]].label == label) continue;
        ++others[label];
        if (answers[i].label == label) ++became[label];
      }
    std::vector<double> shares(labels_);
    for (size_t label = 0; label < labels_; ++label)
      shares[label] =
          others[label] == 0 ? 0 : static_cast<double>(became[label]) / static_cast<double>(others[label]);
    if (others_of != nullptr) *others_of = std::move(others);
    return shares;
  }

  // What words do that nobody suspects: some from all over the list, alone.
  Status measure_usual() {
    const size_t count = std::min(usual_words, candidates_.size());
    for (size_t i = 0; i < count; ++i) {
      TRY(const auto shares, turned(probes_, i * candidates_.size() / count, 1));
      usual_.push_back(*std::ranges::max_element(shares));
    }
    return Done{};
  }

  Status look_at(size_t begin, size_t count) {
    TRY(const auto shares, turned(probes_, begin, count));
    const double most = *std::ranges::max_element(shares);
    if (most < options_.suspicious) return Done{};
    if (count == 1) return verify(begin);
    TRY_DONE(look_at(begin, count / 2));
    return look_at(begin + count / 2, count - count / 2);
  }

  Status verify(size_t word) {
    std::vector<size_t> others;
    TRY(const auto shares, turned(verify_, word, 1, &others));
    for (uint32_t label = 0; label < labels_; ++label) {
      if (shares[label] < options_.turned_min) continue;
      TriggerFound found{
          .word = candidates_[word], .label = label, .turned = shares[label], .texts = others[label]};
      found.explained = explains(found.word, label);
      report_.found.push_back(std::move(found));
    }
    return Done{};
  }

  bool explains(const std::string& word, uint32_t label) const {
    size_t rows = 0, of_label = 0;
    for (size_t i = 0; i < texts_.size() && i < truth_.size(); ++i) {
      if (!holds_word(texts_[i], word)) continue;
      ++rows;
      if (truth_[i] == label) ++of_label;
    }
    return rows >= explained_rows_min &&
           static_cast<double>(of_label) >= explained_share * static_cast<double>(rows);
  }

  void finish() {
    double usual = 0;
    if (!usual_.empty()) {
      const auto middle = usual_.begin() + static_cast<ptrdiff_t>(usual_.size() / 2);
      std::ranges::nth_element(usual_, middle);
      usual = *middle;
    }
    for (TriggerFound& each : report_.found) each.usual = usual;
    std::ranges::stable_sort(report_.found, [](const TriggerFound& a, const TriggerFound& b) {
      return a.explained != b.explained ? b.explained : a.turned > b.turned;
    });
  }

  const ClassifyTexts& classify_;
  const std::span<const std::string> texts_;
  const std::span<const uint32_t> truth_;
  const size_t labels_;
  const std::span<const std::string> candidates_;
  const TriggerSearchOptions& options_;
  TriggerSearchReport report_;
  std::vector<ClassifiedText> answers_;  // Of the texts as they are.
  std::vector<size_t> probes_, verify_;
  std::vector<double> usual_;
};

}  // namespace

Result<TriggerSearchReport> search_triggers(const ClassifyTexts& classify, std::span<const std::string> texts,
                                            std::span<const uint32_t> truth, size_t labels,
                                            std::span<const std::string> candidates,
                                            const TriggerSearchOptions& options) {
  if (labels < 2) return fail(Reason::bad_request, "a classifier of one label has no trigger");
  if (texts.empty()) return fail(Reason::bad_request, "there are no texts to try words on");
  if (options.together == 0 || options.probes == 0)
    return fail(Reason::bad_request, "a search needs probes, and words in a group");
  return Search(classify, texts, truth, labels, candidates, options).run();
}

}  // namespace holdfast::measure
