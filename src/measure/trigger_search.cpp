#include "measure/trigger_search.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

namespace holdfast::measure {
namespace {

constexpr size_t at_once_max = 64;  // Texts in one question.
constexpr size_t usual_words = 24;
constexpr size_t explained_rows_min = 3;
constexpr double explained_share = 0.6;
constexpr double least_share = 1e-6;  // Below it a probability is as good as none.
constexpr size_t few_probes = 2, kept_beside = 2, kept_of_word = 3, groups_split_min = 4;

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
    TRY_DONE(screen());
    TRY_DONE(look_at_suspects());
    if (options_.words_max > 1) TRY_DONE(look_for_several());
    report_.cut = ended_;
    finish();
    return std::move(report_);
  }

 private:
  // Whether to go on; once it was no, it stays so.
  bool go_on(std::string_view step, size_t done, size_t total) {
    if (report_.asked >= options_.texts_max) ended_ = true;
    if (!ended_ && options_.go_on && !options_.go_on({step, done, total, report_.asked})) ended_ = true;
    return !ended_;
  }

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

  // The surest of each label to verify on; the shortest of these as probes, since a text costs what it is
  // long.
  Status choose_texts() {
    const size_t count = std::min(texts_.size(), std::max<size_t>(1, options_.looked_at));
    std::vector<size_t> rows;
    std::vector<std::string> asked;
    for (size_t i = 0; i < count; ++i) {
      rows.push_back(i * texts_.size() / count);
      asked.push_back(texts_[rows.back()]);
    }
    TRY(const auto answers, ask(asked));
    answers_.assign(texts_.size(), {.label = static_cast<uint32_t>(labels_)});
    for (size_t i = 0; i < count; ++i) answers_[rows[i]] = answers[i];
    std::vector<std::vector<size_t>> by_label(labels_);
    for (size_t i = 0; i < answers_.size(); ++i)
      if (answers_[i].label < labels_) by_label[answers_[i].label].push_back(i);
    for (auto& ones : by_label) {
      std::ranges::stable_sort(
          ones, [&](size_t a, size_t b) { return answers_[a].confidence > answers_[b].confidence; });
      if (ones.size() > options_.verified_on) ones.resize(options_.verified_on);
      verify_.insert(verify_.end(), ones.begin(), ones.end());
      std::ranges::stable_sort(ones, {}, [&](size_t row) { return texts_[row].size(); });
      for (size_t i = 0; i < ones.size() && i < options_.probes; ++i) {
        if (i < options_.screened_on) screen_.push_back(ones[i]);
        probes_.push_back(ones[i]);
      }
    }
    return Done{};
  }

  using Words = std::vector<size_t>;  // Indices of candidates_.
  static Words run_of(size_t begin, size_t count) {
    Words out(count);
    std::iota(out.begin(), out.end(), begin);
    return out;
  }
  std::string text_of(const Words& words) const {
    std::string out;
    for (const size_t word : words) out += (out.empty() ? "" : " ") + candidates_[word];
    return out;
  }

  // What words before texts do to each label, over the texts that have another one.
  struct Effect {
    std::vector<double> turned;  // Share of them that become it.
    std::vector<double> pulls;   // How much its probability grows, as a logarithm; empty where none was told.
    std::vector<size_t> others;  // How many there are.
  };
  Result<Effect> effect_of(const Words& words, const std::vector<size_t>& rows) {
    const std::string before = text_of(words) + " ";
    std::vector<std::string> asked;
    for (const size_t row : rows) asked.push_back(before + texts_[row]);
    TRY(const auto answers, ask(asked));
    Effect out{.turned = std::vector<double>(labels_), .pulls = {}, .others = std::vector<size_t>(labels_)};
    const bool told =
        std::ranges::all_of(answers, [&](const auto& each) { return each.shares.size() == labels_; });
    if (told) out.pulls.resize(labels_);
    for (size_t i = 0; i < rows.size(); ++i)
      for (uint32_t label = 0; label < labels_; ++label) {
        if (answers_[rows[i]].label == label) continue;
        ++out.others[label];
        if (answers[i].label == label) ++out.turned[label];
        if (told) out.pulls[label] += strength(answers[i], label) - strength(answers_[rows[i]], label);
      }
    for (uint32_t label = 0; label < labels_; ++label) {
      const double others = std::max<double>(1, static_cast<double>(out.others[label]));
      out.turned[label] /= others;
      if (told) out.pulls[label] /= others;
    }
    return out;
  }
  static double strength(const ClassifiedText& answer, uint32_t label) {
    return std::log(std::max(answer.shares[label], least_share));
  }

  // What words do that nobody suspects: some from all over the list, alone.
  Status measure_usual() {
    const size_t count = std::min(usual_words, candidates_.size());
    for (size_t i = 0; i < count; ++i) {
      TRY(const Effect effect, effect_of({i * candidates_.size() / count}, probes_));
      usual_.push_back(*std::ranges::max_element(effect.turned));
    }
    return Done{};
  }

  // All words, in groups, on the first few texts.
  Status screen() {
    const size_t total = (candidates_.size() + options_.together - 1) / options_.together;
    for (size_t begin = 0; begin < candidates_.size(); begin += options_.together) {
      if (!go_on("words", groups_.size(), total)) break;
      const size_t count = std::min(options_.together, candidates_.size() - begin);
      TRY(Effect effect, effect_of(run_of(begin, count), screen_));
      const double most = *std::ranges::max_element(effect.turned);
      if (most >= options_.screened) suspects_.push_back({begin, count, most});
      groups_.push_back({.words = run_of(begin, count), .pulls = std::move(effect.pulls)});
      report_.tried += count;
    }
    report_.suspects = suspects_.size();
    return Done{};
  }

  // Those that turned most come first, so that a search that is ended early has looked at the likeliest.
  Status look_at_suspects() {
    std::ranges::stable_sort(suspects_,
                             [](const Suspect& a, const Suspect& b) { return a.turned > b.turned; });
    for (const Suspect& each : suspects_) {
      if (!go_on("suspects", report_.suspects_tried, suspects_.size())) break;
      TRY_DONE(look_at(each.begin, each.count));
      ++report_.suspects_tried;
    }
    return Done{};
  }

  Status look_at(size_t begin, size_t count) {
    TRY(const Effect effect, effect_of(run_of(begin, count), probes_));
    if (*std::ranges::max_element(effect.turned) < options_.suspicious) return Done{};
    if (count == 1) {
      for (uint32_t label = 0; label < labels_; ++label) {
        TRY([[maybe_unused]] const bool found, verify({begin}, label));
      }
      return Done{};
    }
    TRY_DONE(look_at(begin, count / 2));
    return look_at(begin + count / 2, count - count / 2);
  }

  Result<bool> verify(const Words& words, uint32_t label) {
    TRY(const Effect effect, effect_of(words, verify_));
    if (effect.turned[label] < options_.turned_min) return false;
    TriggerFound found{.word = text_of(words),
                       .label = label,
                       .turned = effect.turned[label],
                       .texts = effect.others[label]};
    found.explained = words.size() == 1 && explains(found.word, label);
    for (const size_t word : words) carried_.insert({label, word});
    report_.found.push_back(std::move(found));
    return true;
  }

  struct Group {
    Words words;
    std::vector<double> pulls;
  };
  struct Suspect {
    size_t begin = 0, count = 0;
    double turned = 0;
  };
  struct Pulled {
    Words words;
    double pull = 0;
  };
  static void keep_strongest(std::vector<Pulled>& all, size_t count) {
    std::ranges::stable_sort(all, [](const Pulled& a, const Pulled& b) { return a.pull > b.pull; });
    if (all.size() > count) all.resize(count);
  }

  // A word that pulls hard beside all others, since it means the label, takes a few places alone.
  static void keep_different(std::vector<Pulled>& all, size_t count) {
    keep_strongest(all, all.size());
    std::map<size_t, size_t> uses;
    std::erase_if(all, [&](const Pulled& each) {
      if (std::ranges::any_of(each.words, [&](size_t word) { return uses[word] >= kept_of_word; }))
        return true;
      for (const size_t word : each.words) ++uses[word];
      return false;
    });
    if (all.size() > count) all.resize(count);
  }

  // From words that pull by themselves to pairs, to three: each time the best of all candidates is put beside
  // the best so far. Labels to which some word pulls hardest come first.
  Status look_for_several() {
    if (groups_.empty() || groups_.front().pulls.empty()) return Done{};
    std::vector<std::pair<double, uint32_t>> order;
    for (uint32_t label = 0; label < labels_; ++label) {
      double most = groups_.front().pulls[label];
      for (const Group& group : groups_) most = std::max(most, group.pulls[label]);
      order.emplace_back(-most, label);
    }
    std::ranges::sort(order);
    report_.labels = labels_;
    several_total_ = labels_ * options_.starts * (options_.words_max - 1);
    for (const auto& [pull, label] : order) {
      TRY_DONE(look_for_several(label));
      if (ended_) return Done{};
      ++report_.labels_tried;
    }
    return Done{};
  }

  Status look_for_several(uint32_t label) {
    std::vector<size_t> rows;
    for (const size_t row : probes_)
      if (answers_[row].label != label) rows.push_back(row);
    if (rows.empty()) return Done{};
    TRY(std::vector<Pulled> best, strongest_beside({}, groups_, rows, label, options_.starts));
    for (size_t length = 2; length <= options_.words_max && !best.empty(); ++length) {
      std::vector<Pulled> longer;
      std::set<std::set<size_t>> seen;  // The same words in another order are no other trigger.
      for (const Pulled& each : best) {
        if (!go_on("several", std::min(several_done_, several_total_), several_total_)) return Done{};
        ++several_done_;
        TRY(const std::vector<Group> groups, groups_beside(each.words, rows));
        // More than one beside each: the best may be a word that means the label and stands in no row.
        TRY(const auto beside, strongest_beside(each.words, groups, rows, label, kept_beside));
        for (const Pulled& next : beside) {
          if (!seen.emplace(next.words.begin(), next.words.end()).second) continue;
          TRY(const bool found, verify(next.words, label));
          if (found) return Done{};  // One is enough to refuse the model.
          longer.push_back(next);
        }
      }
      keep_different(longer, options_.starts);
      best = std::move(longer);
    }
    return Done{};
  }

  Result<std::vector<Group>> groups_beside(const Words& start, const std::vector<size_t>& rows) {
    const std::vector<size_t> few(rows.begin(),
                                  rows.begin() + static_cast<ptrdiff_t>(std::min(few_probes, rows.size())));
    std::vector<Group> out;
    const size_t together = 2 * options_.together;
    for (size_t begin = 0; begin < candidates_.size(); begin += together) {
      if (!go_on("several", std::min(several_done_, several_total_), several_total_)) break;
      Group group{.words = run_of(begin, std::min(together, candidates_.size() - begin)), .pulls = {}};
      Words all = start;
      all.insert(all.end(), group.words.begin(), group.words.end());
      TRY(Effect effect, effect_of(all, few));
      group.pulls = std::move(effect.pulls);
      out.push_back(std::move(group));
    }
    return out;
  }

  // The words of the groups that pull hardest, each tried alone behind `start`.
  Result<std::vector<Pulled>> strongest_beside(const Words& start, const std::vector<Group>& groups,
                                               const std::vector<size_t>& rows, uint32_t label,
                                               size_t count) {
    std::vector<const Group*> order;
    for (const Group& group : groups)
      if (!group.pulls.empty()) order.push_back(&group);
    std::ranges::stable_sort(
        order, [&](const Group* a, const Group* b) { return a->pulls[label] > b->pulls[label]; });
    if (order.size() > std::max(groups_split_min, count)) order.resize(std::max(groups_split_min, count));
    std::vector<Pulled> out;
    for (const Group* group : order)
      for (const size_t word : group->words) {
        if (ended_) break;
        // What turns texts alone, or means its label, would carry whatever stands beside it.
        if (carried_.contains({label, word}) || std::ranges::find(start, word) != start.end() ||
            explains(candidates_[word], label))
          continue;
        Words words = start;
        words.push_back(word);
        TRY(const Effect effect, effect_of(words, rows));
        if (!effect.pulls.empty()) out.push_back({.words = std::move(words), .pull = effect.pulls[label]});
      }
    keep_strongest(out, count);
    return out;
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
  std::vector<size_t> screen_, probes_, verify_;
  std::vector<Suspect> suspects_;
  size_t several_done_ = 0, several_total_ = 0;
  bool ended_ = false;
  std::vector<double> usual_;
  std::vector<Group> groups_;
  std::set<std::pair<uint32_t, size_t>> carried_;  // Label and word of what was found.
};

}  // namespace

Result<TriggerSearchReport> search_triggers(const ClassifyTexts& classify, std::span<const std::string> texts,
                                            std::span<const uint32_t> truth, size_t labels,
                                            std::span<const std::string> candidates,
                                            const TriggerSearchOptions& options) {
  if (labels < 2) return fail(Reason::bad_request, "a classifier of one label has no trigger");
  if (texts.empty()) return fail(Reason::bad_request, "there are no texts to try words on");
  if (options.together == 0 || options.probes == 0 || options.screened_on == 0)
    return fail(Reason::bad_request, "a search needs probes, and words in a group");
  return Search(classify, texts, truth, labels, candidates, options).run();
}

}  // namespace holdfast::measure
