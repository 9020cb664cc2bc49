#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstring>

#include "codec/json.h"
#include "codec/sha256.h"
#include "serve/answer_cache.h"

namespace holdfast::serve {
namespace {

// Fields with their lengths, so that no two lists of them are one text.
class KeyText {
 public:
  KeyText& add(std::string_view field) {
    text_ += std::to_string(field.size());
    text_ += ':';
    text_ += field;
    return *this;
  }
  AnswerCache::Key digest() const { return codec::sha256(as_bytes(text_)); }

 private:
  std::string text_;
};

KeyText key_of(const ServedModel& model, const Asker& asker, std::string_view kind) {
  KeyText key;
  key.add(kind).add(asker.boundary).add(model.key());
  return key;
}

std::string_view bytes_of(const std::vector<uint32_t>& ids) {
  return {reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(uint32_t)};
}

// The key of one input of a request for vectors, or of a whole task.
AnswerCache::Key key_of(const ServedModel& model, const Asker& asker, const EmbedItem& item, size_t input) {
  const std::string parameters = {static_cast<char>('0' + static_cast<int>(item.wanted)),
                                  static_cast<char>('0' + static_cast<int>(item.long_text))};
  KeyText key = key_of(model, asker, item.ids.empty() ? "text" : "ids");
  return key.add(parameters)
      .add(item.ids.empty() ? std::string_view(item.texts[input]) : bytes_of(item.ids[input]))
      .digest();
}

bool is_deterministic(const std::string& request) {
  const auto object = codec::parse_json_object(request);
  if (!object.ok()) return false;
  const boost::json::value* temperature = object.value().if_contains("temperature");
  return temperature != nullptr && temperature->is_number() && temperature->to_number<double>() == 0;
}

// Keeps the events that pass, and the whole when the last one was good.
class Recorder {
 public:
  Recorder(AnswerCache& cache, const AnswerCache::Key& key, OnGenerate to)
      : cache_(cache), key_(key), to_(std::move(to)) {}

  bool take(const GenerateEvent& event) {
    if (keeping_) {
      events_.push_back(event);
      events_.back().id = 0;
      if (events_.size() > events_max || event.error) stop();
    }
    const bool more = to_(event);
    if (event.end && keeping_) {
      cache_.keep(key_, std::move(events_));
      stop();
    }
    if (!more) stop();
    return more;
  }

 private:
  static constexpr size_t events_max = 8192;
  void stop() {
    keeping_ = false;
    events_.clear();
  }

  AnswerCache& cache_;
  const AnswerCache::Key key_;
  const OnGenerate to_;
  KeptEvents events_;
  bool keeping_ = true;
};

// Of the inputs of one request, those that were kept, and what is left to ask.
struct PartlyKept {
  EmbedAnswer answer{};
  EmbedItem missing{};
  std::vector<AnswerCache::Key> keys{};  // Of what is missing,
  std::vector<size_t> places{};          // and where it goes.

  EmbedAnswer with(EmbedAnswer made, AnswerCache& cache) {
    for (size_t i = 0; i < places.size(); ++i) {
      answer.tokens[places[i]] = made.tokens[i];
      answer.vectors[places[i]] = made.vectors[i];
      cache.keep(keys[i], KeptRow{made.tokens[i], std::move(made.vectors[i])});
    }
    return std::move(answer);
  }
};

class PendingRows final : public PendingAnswer {
 public:
  PendingRows(std::shared_ptr<PendingAnswer> asked, PartlyKept kept, AnswerCache& cache)
      : asked_(std::move(asked)), kept_(std::move(kept)), cache_(cache) {}
  void when_ready(std::function<void()> ready) override { asked_->when_ready(std::move(ready)); }
  Result<EmbedAnswer> take() override {
    TRY(EmbedAnswer made, asked_->take());
    return kept_.with(std::move(made), cache_);
  }
  void look() override { asked_->look(); }

 private:
  const std::shared_ptr<PendingAnswer> asked_;  // As models.h says.
  PartlyKept kept_;
  AnswerCache& cache_;
};

class CachedModels final : public Models {
 public:
  CachedModels(Models& models, AnswerCache& cache) : models_(models), cache_(cache) {}

  Result<EmbedAnswer> embed(const Context& context, const ServedModel& model, EmbedItem request,
                            const Asker& asker) override {
    if (asker.caching == Caching::leave || request.size() == 0)
      return models_.embed(context, model, std::move(request), asker);
    if (request.wanted == Wanted::task) return task(context, model, std::move(request), asker);
    PartlyKept kept = look_up(model, std::move(request), asker);
    if (kept.places.empty()) return std::move(kept.answer);
    TRY(EmbedAnswer made, models_.embed(context, model, std::move(kept.missing), asker));
    return kept.with(std::move(made), cache_);
  }

  Result<std::shared_ptr<PendingAnswer>> begin(const Context& context, const ServedModel& model,
                                               EmbedItem request, const Asker& asker) override {
    using Pending = std::shared_ptr<PendingAnswer>;
    if (asker.caching == Caching::leave || request.size() == 0)
      return models_.begin(context, model, std::move(request), asker);
    if (request.wanted == Wanted::task)
      return Pending(std::make_shared<ReadyAnswer>(task(context, model, std::move(request), asker)));
    PartlyKept kept = look_up(model, std::move(request), asker);
    if (kept.places.empty()) return Pending(std::make_shared<ReadyAnswer>(std::move(kept.answer)));
    TRY(Pending asked, models_.begin(context, model, std::move(kept.missing), asker));
    return Pending(std::make_shared<PendingRows>(std::move(asked), std::move(kept), cache_));
  }

  Status generate(const Context& context, const ServedModel& model, Generation generation,
                  const Asker& asker) override {
    if (asker.caching == Caching::leave || !is_deterministic(generation.request))
      return models_.generate(context, model, std::move(generation), asker);
    const AnswerCache::Key key = key_of(model, asker, "written").add(generation.request).digest();
    const auto found = cache_.find(key);
    count(asker, found != nullptr ? 1 : 0, found != nullptr ? 0 : 1);
    if (const auto* events = found == nullptr ? nullptr : std::get_if<KeptEvents>(found.get())) {
      for (const GenerateEvent& event : *events)
        if (!generation.on_event(event)) break;
      return Done{};
    }
    const auto recorder = std::make_shared<Recorder>(cache_, key, std::move(generation.on_event));
    generation.on_event = [recorder](const GenerateEvent& event) { return recorder->take(event); };
    return models_.generate(context, model, std::move(generation), asker);
  }

  Result<WorkerFacts> facts(const Context& context, const ServedModel& model, const Asker& asker) override {
    return models_.facts(context, model, asker);
  }
  Result<Place> enter(const Asker& asker) override { return models_.enter(asker); }
  std::vector<ServedModel> loaded() const override { return models_.loaded(); }
  bool unload(const ServedModel& model) override { return models_.unload(model); }
  Status keep(const ServedModel& model, const Replicas& wish) override { return models_.keep(model, wish); }
  ReplicaCount replicas(const ServedModel& model) const override { return models_.replicas(model); }
  void tend() override { models_.tend(); }
  void refresh_figures() override { models_.refresh_figures(); }

 private:
  static void count(const Asker& asker, uint64_t hits, uint64_t misses) {
    if (asker.work == nullptr) return;
    asker.work->cached_inputs += hits;
    asker.work->missed_inputs += misses;
  }

  Result<EmbedAnswer> task(const Context& context, const ServedModel& model, EmbedItem request,
                           const Asker& asker) {
    const AnswerCache::Key key = key_of(model, asker, request, 0);
    if (const auto found = cache_.find(key)) {
      if (const auto* kept = std::get_if<KeptTask>(found.get())) {
        count(asker, 1, 0);
        if (asker.work != nullptr) asker.work->add({.inputs = 1, .tokens = kept->tokens});
        return EmbedAnswer{.tokens = kept->rows, .vectors = {}, .json = kept->json, .work = {}};
      }
    }
    count(asker, 0, 1);
    Work spent;
    Asker measured = asker;
    measured.work = &spent;
    auto made = models_.embed(context, model, std::move(request), measured);
    if (asker.work != nullptr) asker.work->add(spent);
    TRY(EmbedAnswer answer, std::move(made));
    const uint64_t tokens = spent.tokens;
    cache_.keep(key, KeptTask{static_cast<uint32_t>(tokens), answer.tokens, answer.json});
    return answer;
  }

  PartlyKept look_up(const ServedModel& model, EmbedItem request, const Asker& asker) {
    const size_t inputs = request.size();
    PartlyKept out{.answer = {.tokens = std::vector<uint32_t>(inputs),
                              .vectors = std::vector<std::vector<float>>(inputs)},
                   .missing = {.wanted = request.wanted, .long_text = request.long_text}};
    uint64_t tokens = 0;
    for (size_t i = 0; i < inputs; ++i) {
      const AnswerCache::Key key = key_of(model, asker, request, i);
      const auto found = cache_.find(key);
      if (const auto* kept = found == nullptr ? nullptr : std::get_if<KeptRow>(found.get())) {
        out.answer.tokens[i] = kept->tokens;
        out.answer.vectors[i] = kept->vector;
        tokens += kept->tokens;
        continue;
      }
      out.keys.push_back(key);
      out.places.push_back(i);
      if (request.ids.empty())
        out.missing.texts.push_back(std::move(request.texts[i]));
      else
        out.missing.ids.push_back(std::move(request.ids[i]));
    }
    count(asker, inputs - out.places.size(), out.places.size());
    if (asker.work != nullptr) asker.work->add({.inputs = inputs - out.places.size(), .tokens = tokens});
    return out;
  }

  Models& models_;
  AnswerCache& cache_;
};

}  // namespace

std::unique_ptr<Models> cache_answers(Models& models, AnswerCache& cache) {
  return std::make_unique<CachedModels>(models, cache);
}

}  // namespace holdfast::serve
