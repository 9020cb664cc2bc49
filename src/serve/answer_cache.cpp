#include "serve/answer_cache.h"

namespace holdfast::serve {
namespace {

constexpr size_t entry_overhead = 160;  // Of the list, the map and the shared pointer, about.
constexpr size_t entries_share = 8;

size_t bytes_of(const WrittenToken& token) {
  size_t bytes = sizeof token + token.text.size();
  for (const auto& other : token.others) bytes += sizeof other + other.text.size();
  return bytes;
}

size_t bytes_of(const GenerateEvent& event) {
  size_t bytes = sizeof event + event.text.size() + event.reasoning.size();
  for (const ToolCallPart& call : event.calls)
    bytes += sizeof call + call.id.size() + call.name.size() + call.arguments.size();
  for (const WrittenToken& token : event.tokens) bytes += bytes_of(token);
  for (const WrittenToken& token : event.prompt) bytes += bytes_of(token);
  return bytes;
}

struct Size {
  size_t operator()(const KeptRow& row) const { return row.vector.size() * sizeof(float); }
  size_t operator()(const KeptTask& task) const {
    return task.json.size() + task.rows.size() * sizeof(uint32_t);
  }
  size_t operator()(const KeptEvents& events) const {
    size_t bytes = 0;
    for (const GenerateEvent& event : events) bytes += bytes_of(event);
    return bytes;
  }
  size_t operator()(const KeptBody& kept) const { return kept.content_type.size() + kept.body.size(); }
};

}  // namespace

AnswerCache::AnswerCache(size_t bytes_max, Metrics& metrics)
    : bytes_max_(bytes_max),
      hits_(metrics.counter("holdfast_serve_cache_lookups_total",
                            "Inputs looked for among kept answers of models, by what was found.",
                            {{"found", "hit"}})),
      misses_(metrics.counter("holdfast_serve_cache_lookups_total",
                              "Inputs looked for among kept answers of models, by what was found.",
                              {{"found", "miss"}})),
      bytes_gauge_(metrics.gauge("holdfast_serve_cache_bytes", "What kept answers of models take.")) {}

std::shared_ptr<const KeptAnswer> AnswerCache::find(const Key& key) {
  std::lock_guard lock(mutex_);
  const auto place = places_.find(key);
  if (place == places_.end()) {
    misses_.add();
    return nullptr;
  }
  hits_.add();
  entries_.splice(entries_.begin(), entries_, place->second);
  return place->second->answer;
}

void AnswerCache::keep(const Key& key, KeptAnswer answer) {
  const size_t bytes = entry_overhead + std::visit(Size(), answer);
  if (bytes > bytes_max_ / entries_share) return;
  auto kept = std::make_shared<const KeptAnswer>(std::move(answer));
  std::lock_guard lock(mutex_);
  if (places_.contains(key)) return;  // Another asked the same meanwhile: the answer is the same.
  entries_.push_front({key, std::move(kept), bytes});
  places_.emplace(key, entries_.begin());
  bytes_ += bytes;
  while (bytes_ > bytes_max_) {
    bytes_ -= entries_.back().bytes;
    places_.erase(entries_.back().key);
    entries_.pop_back();
  }
  bytes_gauge_.set(static_cast<double>(bytes_));
}

size_t AnswerCache::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace holdfast::serve
