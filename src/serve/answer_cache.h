#pragma once

#include <array>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/metrics.h"
#include "serve/models.h"

namespace holdfast::serve {

// What a model answered to one input: a row of vectors with its count of tokens, a task's JSON, or the events
// of a written answer.
struct KeptRow {
  uint32_t tokens = 0;
  std::vector<float> vector;
};
struct KeptTask {
  uint32_t tokens = 0;
  std::vector<uint32_t> rows;  // Of EmbedAnswer.tokens.
  std::string json;
};
using KeptEvents = std::vector<GenerateEvent>;
// What an outside engine said.
struct KeptBody {
  std::string content_type, kserve_length, body;
};
using KeptAnswer = std::variant<KeptRow, KeptTask, KeptEvents, KeptBody>;

// Answers by the digest of all that they follow from, the least recently asked for given up where they take
// more than `bytes_max`. Safe from any thread.
class AnswerCache {
 public:
  using Key = std::array<std::byte, 32>;

  AnswerCache(size_t bytes_max, Metrics& metrics);

  std::shared_ptr<const KeptAnswer> find(const Key& key);  // Null: not there.
  void keep(const Key& key, KeptAnswer answer);  // Nothing where it is larger than an eighth of all.
  size_t bytes() const;

 private:
  struct Entry {
    Key key;
    std::shared_ptr<const KeptAnswer> answer;
    size_t bytes;
  };

  const size_t bytes_max_;
  Counter &hits_, &misses_;
  Gauge& bytes_gauge_;
  mutable std::mutex mutex_;  // Guards all below.
  std::list<Entry> entries_;  // Most recently asked for first.
  std::map<Key, std::list<Entry>::iterator> places_;
  size_t bytes_ = 0;
};

// Models whose deterministic answers are kept: vectors, features and tasks, and written answers of
// temperature 0. An answer is given again only for the same commit of the same repository, the same
// parameters and input, to an asker of the same boundary who wants it (asker.h); what was found is told in
// the asker's work. Borrows all.
std::unique_ptr<Models> cache_answers(Models& models, AnswerCache& cache);

}  // namespace holdfast::serve
