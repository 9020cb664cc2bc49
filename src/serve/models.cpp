#include "serve/models.h"

#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <map>
#include <mutex>

#include "serve/request_cost.h"

namespace holdfast::serve {
namespace {

size_t bytes_of(const EmbedItem& request) {
  size_t bytes = 0;
  for (const std::string& text : request.texts) bytes += text.size();
  for (const std::vector<uint32_t>& ids : request.ids) bytes += ids.size() * sizeof(uint32_t);
  return bytes;
}

// A slot on its way out: its worker is ended first, then the files that the worker had mapped are removed.
struct Leaving {
  io::Disk& disk;
  std::shared_ptr<ModelSlot> slot{};
  io::Path copy{};

  explicit Leaving(io::Disk& of) : disk(of) {}
  Leaving(const Leaving&) = delete;
  ~Leaving() {
    slot.reset();
    if (!copy.empty()) (void)disk.remove_tree(copy);
  }
};

class OpenModels final : public Models {
 public:
  OpenModels(ModelsOptions options, const ModelsParts& parts)
      : options_(std::move(options)), parts_(parts), probe_(parts.metrics, options_.workers_max) {}

  Result<EmbedAnswer> embed(const Context& context, const ServedModel& model, EmbedItem request,
                            const Asker& asker) override {
    TRY_DONE(check(request));
    TRY(const Place place, enter(asker));
    Work spent{.inputs = request.size()};
    auto answer = wait(context, model, std::move(request), asker, spent);
    if (asker.work != nullptr) asker.work->add(spent);
    return answer;
  }

  Result<Place> enter(const Asker& asker) override {
    std::lock_guard lock(entering_);
    size_t& of_key = inside_[asker.key];
    if (all_inside_ >= options_.waiting_max || of_key >= options_.waiting_of_key_max) {
      if (of_key == 0) inside_.erase(asker.key);
      if (asker.work != nullptr) asker.work->retry_after = std::chrono::seconds(1);
      return fail(Reason::queue_full, "as many requests wait for models as are taken");
    }
    ++of_key;
    ++all_inside_;
    return Place(static_cast<const void*>(this), [this, key = asker.key](const void*) { leave(key); });
  }

  Status generate(const Context& context, const ServedModel& model, Generation generation,
                  const Asker& asker) override {
    if (generation.request.size() > options_.input_bytes_max)
      return fail(Reason::input_too_long,
                  fmt::format("the request has more than {} bytes", options_.input_bytes_max));
    TRY(const std::shared_ptr<ModelSlot> slot, slot_for(model));
    generation.deadline = std::min(generation.deadline, context.deadline);
    generation.cost = cost_of_generation(generation.request);
    return slot->push(std::move(generation), asker);
  }

  Result<WorkerFacts> facts(const Context& context, const ServedModel& model, const Asker& asker) override {
    TRY(const std::shared_ptr<ModelSlot> slot, slot_for(model));
    if (const auto known = slot->facts()) return *known;
    EmbedItem request;
    request.texts = {""};
    Work spent;
    Asker alike = asker;
    alike.work = &spent;
    const auto answer = embed(context, model, std::move(request), alike);
    spent.inputs = spent.tokens = spent.unknown_tokens = 0;  // Nobody sent that text.
    if (asker.work != nullptr) asker.work->add(spent);
    // A model that has no vectors is loaded as well by now.
    if (const auto known = slot->facts()) return *known;
    if (!answer.ok()) return answer.error();
    return fail(Reason::model_loading, "the model is being loaded");
  }

  bool unload(const ServedModel& model) override {
    Leaving leaving{parts_.disk};  // Ended after the lock is released: that takes a while.
    std::lock_guard lock(mutex_);
    const auto slot = std::find_if(slots_.begin(), slots_.end(),
                                   [&](const auto& one) { return one->model().key() == model.key(); });
    if (slot == slots_.end()) return true;
    if (!(*slot)->idle() || slot->use_count() > 1) return false;
    take_out(slot, leaving);
    return true;
  }

  void refresh_figures() override { probe_.refresh(parts_.ticks.now()); }

  std::vector<ServedModel> loaded() const override {
    std::lock_guard lock(mutex_);
    std::vector<ServedModel> out;
    for (const auto& slot : slots_)
      if (slot->facts()) out.push_back(slot->model());
    return out;
  }

 private:
  void leave(const std::string& key) {
    std::lock_guard lock(entering_);
    const auto of_key = inside_.find(key);
    if (--of_key->second == 0) inside_.erase(of_key);
    --all_inside_;
  }

  Status check(const EmbedItem& request) const {
    if (request.size() == 0) return fail(Reason::bad_request, "there is no input");
    if (request.size() > options_.inputs_max)
      return fail(Reason::bad_request,
                  fmt::format("{} inputs are too many, {} are allowed", request.size(), options_.inputs_max));
    if (bytes_of(request) > options_.input_bytes_max)
      return fail(Reason::input_too_long,
                  fmt::format("the inputs have more than {} bytes together", options_.input_bytes_max));
    return Done{};
  }

  Result<EmbedAnswer> wait(const Context& context, const ServedModel& model, EmbedItem request,
                           const Asker& asker, Work& spent) {
    TRY(const std::shared_ptr<ModelSlot> slot, slot_for(model));
    auto [ticket, slices] = cut_request(std::move(request));
    const auto began = parts_.ticks.now();
    const auto deadline = std::min(context.deadline, parts_.clock.now() + options_.request_timeout);
    for (Slice& slice : slices) slice.deadline = deadline;
    Asker measured = asker;
    measured.work = &spent;
    TRY_DONE(slot->push(std::move(slices), measured));
    auto answer = ticket->wait(context, parts_.clock, deadline);
    const auto ended = parts_.ticks.now();
    spent.add(ticket->work());
    spent.load = slot->loading_between(began, ended);
    spent.queue = std::max(ended - began - spent.load - spent.tokenize - spent.model - spent.post,
                           std::chrono::nanoseconds{});
    if (!answer.ok() && answer.error().reason == Reason::timed_out && !slot->facts())
      return fail(Reason::model_loading, fmt::format("Model {} is currently loading", model.name));
    return answer;
  }

  Result<std::shared_ptr<ModelSlot>> slot_for(const ServedModel& model) {
    Leaving leaving{parts_.disk};  // Ended after the lock is released: that takes a while.
    std::lock_guard lock(mutex_);
    const auto found = std::find_if(slots_.begin(), slots_.end(),
                                    [&](const auto& slot) { return slot->model().key() == model.key(); });
    if (found != slots_.end()) {
      slots_.splice(slots_.begin(), slots_, found);
      return slots_.front();
    }
    if (slots_.size() >= options_.workers_max) {
      TRY_DONE(take_idle(leaving));
    }
    auto prepare = [this, model]() -> Result<io::Path> {
      TRY(const io::Path copy,
          ensure_serving_copy(parts_.disk, options_.folder, parts_.files, model, parts_.random));
      return parts_.disk.absolute(copy);
    };
    slots_.push_front(std::make_shared<ModelSlot>(model, options_.slot, free_place(), std::move(prepare),
                                                  parts_.starter, probe_, parts_.clock, parts_.ticks,
                                                  parts_.log));
    return slots_.front();
  }

  size_t free_place() const {
    size_t place = 0;
    while (
        std::any_of(slots_.begin(), slots_.end(), [&](const auto& slot) { return slot->place() == place; }))
      ++place;
    return place;
  }

  // The least recently used slot that nobody waits for. Its copy loses its name at once, so that a request
  // that comes for the same model meanwhile makes its own.
  Status take_idle(Leaving& leaving) {
    for (auto slot = slots_.rbegin(); slot != slots_.rend(); ++slot) {
      if (!(*slot)->idle() || slot->use_count() > 1) continue;
      take_out(std::next(slot).base(), leaving);
      return Done{};
    }
    return fail(Reason::queue_full, "all workers are busy with other models");
  }

  void take_out(std::list<std::shared_ptr<ModelSlot>>::iterator slot, Leaving& leaving) {
    leaving.slot = std::move(*slot);
    slots_.erase(slot);
    leaving.copy = options_.folder / ("old-" + parts_.random.hex(8));
    (void)parts_.disk.rename(options_.folder / leaving.slot->model().key(), leaving.copy);
    parts_.log.info("model_unloaded", {{"model", leaving.slot->model().name}});
  }

  const ModelsOptions options_;
  const ModelsParts parts_;
  ServeProbe probe_;
  std::mutex entering_;                   // Guards the two below.
  std::map<std::string, size_t> inside_;  // By key, those that wait.
  size_t all_inside_ = 0;
  mutable std::mutex mutex_;                     // Guards slots_.
  std::list<std::shared_ptr<ModelSlot>> slots_;  // Most recently used first. Shared with requests that wait.
};

}  // namespace

Result<std::unique_ptr<Models>> open_models(ModelsOptions options, const ModelsParts& parts) {
  // Copies of an earlier run may be of repositories that have changed hands since.
  TRY_DONE(parts.disk.remove_tree(options.folder));
  TRY_DONE(parts.disk.make_directories(options.folder));
  return std::unique_ptr<Models>(std::make_unique<OpenModels>(std::move(options), parts));
}

}  // namespace holdfast::serve
