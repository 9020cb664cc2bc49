// Tokens found by going back and forth are those that merging makes, for merges of any kind.
#include "token/fast/backtrack_bpe.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "token/fast/bpe_merger.h"
#include "token/fast/free_merges.h"
#include "token/fast/long_words.h"
#include "token/fast/middling_words.h"
#include "token/fast/short_merges.h"

namespace holdfast::token {
namespace {

constexpr unsigned seed = 20261121;

TEST(PrefixTree, FindsWhatWasPutAndNothingElse) {
  std::mt19937 random(seed);
  std::map<std::string, uint32_t> wanted;
  std::vector<std::pair<std::string, uint32_t>> texts;
  for (uint32_t i = 0; i < 3000; ++i) {
    std::string text;
    const int letters = random() % 4 == 0 ? 256 : 3;
    for (size_t left = random() % 12; left > 0; --left) text += static_cast<char>(random() % letters);
    texts.emplace_back(text, i);
    if (!text.empty()) wanted[text] = i;  // The last of equal ones counts.
  }
  std::vector<PrefixTree::Entry> entries;
  for (const auto& [text, value] : texts) entries.push_back({text, value});
  const PrefixTree tree(std::move(entries));
  for (const auto& [text, value] : wanted) {
    const PrefixTree::Node node = tree.walk(text);
    ASSERT_TRUE(!node.is_none() && node.has_value()) << testing::PrintToString(text);
    ASSERT_EQ(node.value(), value);
    for (const char more : {'\0', '\1', 'x', '\xFF'}) {
      const PrefixTree::Node next = tree.walk(text + more);
      const auto found = wanted.find(text + more);
      ASSERT_EQ(!next.is_none() && next.has_value(), found != wanted.end());
    }
  }
  EXPECT_TRUE(PrefixTree().walk("a").is_none());
}

// A vocabulary of three letters and random merges of tokens made before, now and then in an order that
// training would not give.
struct RandomModel {
  std::vector<std::string> tokens = {"a", "b", "c"};
  std::vector<Merge> merges;

  RandomModel(std::mt19937& random, bool shuffled, std::string last_letter = "c") {
    tokens[2] = std::move(last_letter);
    for (int i = 0; i < 40; ++i) {
      const auto left = static_cast<uint32_t>(random() % tokens.size()),
                 right = static_cast<uint32_t>(random() % tokens.size());
      const std::string made = tokens[left] + tokens[right];
      if (made.size() > 8) continue;
      const auto found = std::find(tokens.begin(), tokens.end(), made);
      merges.push_back({left, right, static_cast<uint32_t>(found - tokens.begin())});
      if (found == tokens.end()) tokens.push_back(made);
    }
    if (shuffled) std::shuffle(merges.begin(), merges.end(), random);
  }
};

// What this processor can.
std::vector<Instructions> ways() {
  std::vector<Instructions> out;
  for (const auto way : {Instructions::any, Instructions::avx2, Instructions::avx512})
    if (way <= best_instructions()) out.push_back(way);
  return out;
}

// Adds the long words that were not refused.
void expect_long_as_alone(const BacktrackBpe& backtrack, std::mt19937& random, BacktrackBpe::Room& room,
                          size_t& made) {
  std::string text;
  for (size_t left = 1 + random() % 3000; left > 0; --left) text += static_cast<char>('a' + random() % 3);
  std::vector<uint32_t> ids(text.size()), ends(text.size()), long_ids, long_ends;
  const auto count = backtrack.tokenize(text, ids.data(), ends.data(), room);
  if (!count) return;
  ids.resize(*count);
  ends.resize(*count);
  for (const auto instructions : ways()) {
    if (!LongWords(backtrack, instructions).tokenize(text, long_ids, long_ends, room)) continue;
    ASSERT_EQ(long_ids, ids) << "seed " << seed << ", text " << text;
    ASSERT_EQ(long_ends, ends);
    ++made;
  }
}

struct Wanted {
  std::vector<uint32_t> ids, ends;
};

void expect_tokens(const BacktrackBpe::Job& job, const Wanted& wanted) {
  ASSERT_EQ(std::vector<uint32_t>(job.ids, job.ids + job.count), wanted.ids)
      << "seed " << seed << ", text " << job.text;
  ASSERT_EQ(std::vector<uint32_t>(job.ends, job.ends + job.count), wanted.ends);
}

// Many at once: none of few symbols is refused, whatever the processor can. Counts the words that took more
// than one lane.
void expect_jobs_as_merged(const BacktrackBpe& backtrack, std::vector<BacktrackBpe::Job> jobs,
                           const std::vector<Wanted>& wanted, BacktrackBpe::Room& room, size_t& goes_on) {
  const std::vector<BacktrackBpe::Job> asked = jobs;
  backtrack.tokenize_all(jobs, room.fits);
  for (size_t i = 0; i < jobs.size(); ++i) {
    const bool is_short = jobs[i].text.size() <= ShortMerges::symbols_max;
    if (jobs[i].count > 0 || is_short) expect_tokens(jobs[i], wanted[i]);
    ASSERT_TRUE(jobs[i].is_done || !is_short);
    // Of what is too long to go back and forth with others nothing is said.
    if (jobs[i].is_done || (jobs[i].text.size() > 127 && jobs[i].count == 0)) continue;
    std::vector<uint32_t> ids(jobs[i].text.size()), ends(jobs[i].text.size());
    ASSERT_EQ(jobs[i].count, backtrack.tokenize(jobs[i].text, ids.data(), ends.data(), room).value_or(0));
  }
  for (const auto instructions : ways()) {
    jobs = asked;
    backtrack.short_merges().run(jobs, instructions);
    for (size_t i = 0; i < jobs.size(); ++i)
      if (jobs[i].is_done) expect_tokens(jobs[i], wanted[i]);
    jobs = asked;
    MiddlingWords(backtrack, instructions).tokenize(jobs, room.fits);
    for (size_t i = 0; i < jobs.size(); ++i) {
      // What fits into a lane is not given up, and where many are merged at once nothing is.
      const bool freely = instructions >= Instructions::avx2 &&
                          backtrack.free_merges(BacktrackBpe::free_merges_from) != nullptr;
      ASSERT_TRUE(jobs[i].is_done || (jobs[i].text.size() > MergeLanes::symbols_max && !freely));
      if (jobs[i].is_done) expect_tokens(jobs[i], wanted[i]);
      if (!jobs[i].is_done) ASSERT_EQ(jobs[i].count, 0U);
      if (jobs[i].is_done && jobs[i].text.size() > MergeLanes::symbols_max) ++goes_on;
    }
  }
}

void expect_as_merged(bool shuffled) {
  std::mt19937 random(seed);
  size_t refused = 0, asked = 0, long_made = 0, middling_goes_on = 0, free_models = 0;
  for (int round = 0; round < 300; ++round) {
    const RandomModel model(random, shuffled);
    const PairTable pairs(model.merges);
    std::vector<BacktrackBpe::Symbol> symbols;
    for (uint32_t id = 0; id < 3; ++id) symbols.push_back({id, model.tokens[id]});
    const BacktrackBpe backtrack(symbols, model.merges, pairs);
    ASSERT_EQ(backtrack.free_merges(BacktrackBpe::free_merges_from - 1), nullptr);  // Not for a few words.
    free_models += backtrack.free_merges(BacktrackBpe::free_merges_from) != nullptr ? 1 : 0;
    BpeMerger merger(pairs);
    BacktrackBpe::Room room;
    std::vector<std::string> texts;
    for (int i = 0; i < 20; ++i) {
      std::string text;
      const size_t letters = i == 2 ? 1 : 3;
      for (size_t left = 1 + random() % (i == 0 ? 700 : i == 1 ? 300 : i < 5 ? 127 : 40); left > 0; --left)
        text += static_cast<char>('a' + random() % letters);
      texts.push_back(text);
    }
    std::vector<std::vector<uint32_t>> ids(texts.size()), ends(texts.size());
    std::vector<BacktrackBpe::Job> jobs;
    std::vector<Wanted> all_wanted;
    for (size_t i = 0; i < texts.size(); ++i) {
      std::vector<MergeSymbol> merged;
      for (const char letter : texts[i]) merged.push_back({static_cast<uint32_t>(letter - 'a'), 1});
      merged.resize(merger.merge(merged.data(), merged.size()));
      std::vector<uint32_t> wanted, wanted_ends;
      for (const MergeSymbol& one : merged) {
        wanted.push_back(one.id);
        wanted_ends.push_back(one.units + (wanted_ends.empty() ? 0 : wanted_ends.back()));
      }
      ids[i].resize(texts[i].size());
      ends[i].resize(texts[i].size());
      const auto count = backtrack.tokenize(texts[i], ids[i].data(), ends[i].data(), room);
      ++asked;
      refused += count ? 0 : 1;
      if (count) {
        ASSERT_EQ(std::vector<uint32_t>(ids[i].begin(), ids[i].begin() + static_cast<long>(*count)), wanted)
            << "seed " << seed << ", text " << texts[i];
        ASSERT_EQ(std::vector<uint32_t>(ends[i].begin(), ends[i].begin() + static_cast<long>(*count)),
                  wanted_ends);
      }
      if (texts[i].size() > BacktrackBpe::job_bytes_max) continue;
      jobs.push_back({texts[i], ids[i].data(), ends[i].data()});
      all_wanted.push_back({wanted, wanted_ends});
    }
    expect_long_as_alone(backtrack, random, room, long_made);
    expect_jobs_as_merged(backtrack, jobs, all_wanted, room, middling_goes_on);
  }
  EXPECT_GT(long_made, 0);
  EXPECT_GT(middling_goes_on, 0);
  EXPECT_GT(free_models, shuffled ? 0 : 100);
  if (shuffled)
    EXPECT_LT(refused, asked);
  else
    EXPECT_LT(refused * 4, asked);
}

// As a merge's own rank, and the least of those by which what a token grows into takes the other.
TEST(PairRivals, KnowTheRankOfAPairAndALowerOneOfWhatMayComeBefore) {
  std::mt19937 random(seed);
  size_t rivals = 0;
  for (int round = 0; round < 30; ++round) {
    const RandomModel model(random, false);
    std::vector<Merge> merges;  // One for each token.
    std::vector<bool> made(model.tokens.size());
    for (const Merge& merge : model.merges) {
      if (merge.result >= 3 && !made[merge.result]) merges.push_back(merge);
      made[merge.result] = true;
    }
    const auto pairs = PairRivals::make(merges);
    ASSERT_NE(pairs, nullptr);
    const auto last_parts = [&](uint32_t id, bool right) {
      std::vector<uint32_t> out;
      for (bool found = true; found;) {
        found = false;
        for (const Merge& merge : merges)
          if (merge.result == id && !found) {
            out.push_back(id = right ? merge.right : merge.left);
            found = true;
          }
      }
      return out;
    };
    for (uint32_t left = 0; left < model.tokens.size(); ++left)
      for (uint32_t right = 0; right < model.tokens.size(); ++right) {
        uint32_t rank = PairRivals::no_rank, of_right = PairRivals::no_rival, of_left = of_right;
        for (uint32_t i = static_cast<uint32_t>(merges.size()); i-- > 0;) {
          const auto ends = last_parts(merges[i].left, true), begins = last_parts(merges[i].right, false);
          if (merges[i].left == left && merges[i].right == right) rank = i;
          if (merges[i].right == right && std::count(ends.begin(), ends.end(), left) > 0) of_right = i;
          if (merges[i].left == left && std::count(begins.begin(), begins.end(), right) > 0) of_left = i;
        }
        const PairRivals::Found found = pairs->find(left, right);
        ASSERT_EQ(found.rank, rank);
        for (const auto& [is, wanted] : {std::pair(found.of_right, of_right), {found.of_left, of_left}}) {
          ASSERT_LE(is, wanted);  // Rounded down, by an eighth at most.
          ASSERT_GE(is, wanted - wanted / 8);
          rivals += wanted < PairRivals::no_rival ? 1 : 0;
        }
      }
  }
  EXPECT_GT(rivals, 0);
}

using Way = UnknownSymbols::Way;
constexpr uint32_t unknown_id = 5000, first_byte_id = 6000;

// Known parts merged, and between them what stands for the characters that are no symbols.
Wanted wanted_with_unknown(std::string_view text, const RandomModel& model, Way way, BpeMerger& merger) {
  const auto symbol_at = [&](size_t at) {
    uint32_t id = 0;
    while (id < 3 && !text.substr(std::min(at, text.size())).starts_with(model.tokens[id])) ++id;
    return id;
  };
  Wanted out;
  for (size_t at = 0; at < text.size();) {
    std::vector<MergeSymbol> merged;
    for (size_t next = at; symbol_at(next) < 3; next += merged.back().units) {
      const uint32_t id = symbol_at(next);
      merged.push_back({id, static_cast<uint32_t>(model.tokens[id].size())});
    }
    if (merged.empty()) {
      const size_t bytes = text[at] < 0 ? 2 : 1;
      const bool goes_on = !out.ids.empty() && out.ids.back() == unknown_id && way == Way::one_for_all;
      for (size_t i = 0; i < bytes && way == Way::bytes; ++i) {
        out.ids.push_back(first_byte_id + static_cast<uint8_t>(text[at + i]));
        out.ends.push_back(static_cast<uint32_t>(at + i + 1));
      }
      at += bytes;
      if (way == Way::bytes) continue;
      if (!goes_on) {
        out.ids.push_back(unknown_id);
        out.ends.push_back(0);
      }
      out.ends.back() = static_cast<uint32_t>(at);
      continue;
    }
    merged.resize(merger.merge(merged.data(), merged.size()));
    for (const MergeSymbol& one : merged) {
      at += one.units;
      out.ids.push_back(one.id);
      out.ends.push_back(static_cast<uint32_t>(at));
    }
  }
  return out;
}

// Of one byte each, or the last of them of two.
void expect_unknown_characters(Way way, const std::string& last_letter, size_t& freely) {
  std::mt19937 random(seed);
  for (int round = 0; round < 40; ++round) {
    const RandomModel model(random, false, last_letter);
    const PairTable pairs(model.merges);
    std::vector<BacktrackBpe::Symbol> symbols;
    for (uint32_t id = 0; id < 3; ++id) symbols.push_back({id, model.tokens[id]});
    UnknownSymbols unknown{way, {}, unknown_id};
    for (uint32_t byte = 0; byte < 256; ++byte) unknown.bytes[byte] = first_byte_id + byte;
    const BacktrackBpe backtrack(symbols, model.merges, pairs, unknown);
    const FreeMerges* const merges = backtrack.free_merges(BacktrackBpe::free_merges_from);
    BpeMerger merger(pairs);
    for (int i = 0; i < 30; ++i) {
      const std::string parts[] = {"a", "b", last_letter, "ab", "?", "??", "\xC3\xA9"};
      std::string text = "?";
      for (size_t left = random() % (i % 3 == 0 ? 700 : 9); left > 0; --left)
        text += parts[random() % std::size(parts)];
      std::vector<uint32_t> ids(text.size()), ends(text.size());
      const bool is_short = text.size() <= ShortMerges::symbols_max;
      for (const auto instructions : ways()) {
        BacktrackBpe::Job job{text, ids.data(), ends.data()};
        backtrack.short_merges().run({&job, 1}, instructions);
        if (is_short) ASSERT_EQ(job.is_done, way != Way::refuse) << text;
        if (job.is_done) expect_tokens(job, wanted_with_unknown(text, model, way, merger));
        if (merges == nullptr) continue;
        job = {text, ids.data(), ends.data()};
        merges->run({&job, 1}, instructions);
        if (text.size() < FreeMerges::symbols_max) ASSERT_EQ(job.is_done, way != Way::refuse) << text;
        if (job.is_done) expect_tokens(job, wanted_with_unknown(text, model, way, merger));
        freely += job.is_done ? 1 : 0;
      }
    }
  }
}

TEST(BacktrackBpe, CharactersThatAreNoSymbolsAreWhatStandsForThem) {
  size_t freely = 0;
  for (const Way way : {Way::refuse, Way::bytes, Way::one_each, Way::one_for_all})
    for (const char* const last_letter : {"c", "\xC3\xA8"})
      expect_unknown_characters(way, last_letter, freely);
  EXPECT_GT(freely, 0U);
}

TEST(BacktrackBpe, GivesWhatMergingGives) { expect_as_merged(false); }

TEST(BacktrackBpe, GivesWhatMergingGivesOrRefusesWhereMergesAreInAnyOrder) { expect_as_merged(true); }

}  // namespace
}  // namespace holdfast::token
