#include "serve/models.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <list>
#include <map>
#include <mutex>

#include "codec/json.h"
#include "serve/adapter_copies.h"
#include "serve/kept_replicas.h"
#include "serve/model_slot.h"
#include "serve/request_cost.h"
#include "serve/task_text.h"

namespace holdfast::serve {
namespace {

size_t bytes_of(const EmbedItem& request) {
  size_t bytes = 0;
  for (const std::string& text : request.texts) bytes += text.size();
  for (const std::vector<uint32_t>& ids : request.ids) bytes += ids.size() * sizeof(uint32_t);
  return bytes;
}

constexpr uint64_t seed_mask = (uint64_t{1} << 53) - 1;  // What JSON readers hold.

// Every answer has a seed, so that another worker can write it once more.
void add_seed(std::string& request, Random& random) {
  const auto object = codec::parse_json_object(request);
  if (!object.ok() || object.value().empty() || object.value().contains("seed")) return;
  const size_t end = request.rfind('}');
  request.insert(end, fmt::format(",\"seed\":{}", random.u64() & seed_mask));
}

// A slot on its way out: its workers are ended first, then the files that they had mapped are removed.
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

// A request that is in a model's queue, and what is told of it when it has ended.
struct Underway {
  const ModelsParts& parts;
  Work* work;  // The asker's; null: nobody asks.
  Models::Place place{};
  std::shared_ptr<ModelSlot> slot{};  // Shared with Models, and with others that wait.
  std::shared_ptr<const AdapterCopy> adapter{};
  std::shared_ptr<Ticket> ticket{};  // As ticket.h says.
  std::chrono::nanoseconds began{};
  std::chrono::milliseconds deadline{};
  Work spent{};

  void tell() const {
    if (work != nullptr) work->add(spent);
  }

  Result<EmbedAnswer> end(Result<EmbedAnswer> answer) {
    const auto ended = parts.ticks.now();
    spent.add(ticket->work());
    spent.load = slot->loading_between(began, ended);
    spent.queue = std::max(ended - began - spent.load - spent.tokenize - spent.model - spent.post,
                           std::chrono::nanoseconds{});
    tell();
    const bool loads = !answer.ok() && answer.error().reason == Reason::timed_out && !slot->facts();
    if (loads)
      answer = fail(Reason::model_loading, fmt::format("Model {} is currently loading", slot->model().name));
    slot.reset();
    place.reset();
    return answer;
  }
};

class PendingEmbed final : public PendingAnswer {
 public:
  PendingEmbed(Underway underway, const std::stop_token& stop)
      : underway_(std::move(underway)),
        clock_(underway_.parts.clock),
        ticket_(underway_.ticket),
        deadline_(underway_.deadline),
        left_(stop, [ticket = ticket_.get()] { ticket->give_up(client_left()); }) {}
  ~PendingEmbed() override { ticket_->give_up(client_left()); }

  void when_ready(std::function<void()> ready) override { ticket_->when_done(std::move(ready)); }
  Result<EmbedAnswer> take() override { return underway_.end(ticket_->take()); }
  void look() override {
    if (clock_.now() >= deadline_) ticket_->give_up(too_late());
  }

 private:
  Underway underway_;  // Who takes has it; the rest is for who looks meanwhile.
  const Clock& clock_;
  const std::shared_ptr<Ticket> ticket_;
  const std::chrono::milliseconds deadline_;
  const std::stop_callback<std::function<void()>> left_;
};

class OpenModels final : public Models {
 public:
  OpenModels(ModelsOptions options, const ModelsParts& parts)
      : options_(std::move(options)),
        parts_(parts),
        probe_(parts.metrics, options_.workers_max),
        adapters_(parts.disk, options_.folder, parts.files, parts.starter, parts.random) {}

  Result<EmbedAnswer> embed(const Context& context, const ServedModel& model, EmbedItem request,
                            const Asker& asker) override {
    Underway underway{.parts = parts_, .work = asker.work};
    TRY_DONE(push(context, model, std::move(request), asker, underway));
    return underway.end(underway.ticket->wait(context, parts_.clock, underway.deadline));
  }

  Result<std::shared_ptr<PendingAnswer>> begin(const Context& context, const ServedModel& model,
                                               EmbedItem request, const Asker& asker) override {
    Underway underway{.parts = parts_, .work = asker.work};
    TRY_DONE(push(context, model, std::move(request), asker, underway));
    return std::shared_ptr<PendingAnswer>(std::make_shared<PendingEmbed>(std::move(underway), context.stop));
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
    TRY(const ServedModel host, adapters_.host_of(model));
    TRY(const std::shared_ptr<ModelSlot> slot, slot_for(host));
    TRY(generation.adapter, adapters_.get(model));
    generation.deadline = std::min(generation.deadline, context.deadline);
    generation.cost = cost_of_generation(generation.request);
    add_seed(generation.request, parts_.random);
    return slot->push(std::move(generation), asker);
  }

  Result<WorkerFacts> facts(const Context& context, const ServedModel& model, const Asker& asker) override {
    TRY(const ServedModel host, adapters_.host_of(model));
    TRY(const std::shared_ptr<ModelSlot> slot, slot_for(host));
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

  // The base of an adapter goes with its last one.
  bool unload(const ServedModel& model) override {
    const auto host = adapters_.host_of(model);
    if (!host.ok()) return true;
    if (!host.value().same_as(model)) {
      adapters_.drop(model);
      if (!adapters_.of(host.value()).empty()) return true;
    }
    Leaving leaving{parts_.disk};  // Ended after the lock is released: that takes a while.
    std::lock_guard lock(mutex_);
    const auto slot = std::find_if(slots_.begin(), slots_.end(),
                                   [&](const auto& one) { return one->model().same_as(host.value()); });
    if (slot == slots_.end()) return true;
    if (!(*slot)->idle() || slot->use_count() > 1) return false;
    take_out(slot, leaving);
    return true;
  }

  Status keep(const ServedModel& model, const Replicas& wish) override {
    TRY(const ServedModel host, adapters_.host_of(model));
    {
      std::lock_guard lock(mutex_);
      const Replicas all = kept_.set(host, model, wish);
      for (const auto& slot : slots_)
        if (slot->model().same_as(host)) slot->set_bounds(all);
    }
    if (wish.least == 0) return Done{};
    TRY_DONE(slot_for(host));
    return Done{};
  }

  ReplicaCount replicas(const ServedModel& model) const override {
    const auto host = adapters_.host_of(model);
    if (!host.ok()) return {};
    std::lock_guard lock(mutex_);
    for (const auto& slot : slots_)
      if (slot->model().same_as(host.value())) return {slot->ready(), slot->wanted()};
    return {};
  }

  void tend() override {
    // Ended after the lock is released: that takes a while. A replica goes before its slot.
    std::vector<std::unique_ptr<Leaving>> leaving;
    std::vector<std::shared_ptr<ModelSlot>> of;
    std::vector<std::unique_ptr<Replica>> left;
    std::lock_guard lock(mutex_);
    size_t wanted = 0, waiting = 0;
    std::chrono::milliseconds delay{};
    std::vector<ModelSlot*> all;
    for (const auto& slot : slots_) all.push_back(slot.get());
    for (ModelSlot* slot : all) {
      const auto here =
          std::find_if(slots_.begin(), slots_.end(), [&](const auto& one) { return one.get() == slot; });
      if (here == slots_.end()) continue;  // Gave way to one before it.
      const ModelSlot::Look look = slot->look();
      wanted += look.wanted;
      waiting += slot->waiting();
      delay = std::max(delay, look.load.queue_delay);
      for (auto& replica : slot->take_left()) {
        left.push_back(std::move(replica));
        of.push_back(*here);
      }
      while (slot->staying() > look.wanted) slot->retire_one();
      while (slot->staying() < look.wanted) {
        if (workers() >= options_.workers_max) {
          leaving.push_back(std::make_unique<Leaving>(parts_.disk));
          if (!take_idle(*leaving.back(), slot).ok()) break;
        }
        slot->add_replica(free_place());
      }
    }
    probe_.replicas(wanted, waiting, delay);
  }

  void refresh_figures() override { probe_.refresh(parts_.ticks.now()); }

  std::vector<ServedModel> loaded() const override {
    std::vector<ServedModel> hosts;
    {
      std::lock_guard lock(mutex_);
      for (const auto& slot : slots_)
        if (slot->facts()) hosts.push_back(slot->model());
    }
    std::vector<ServedModel> out;
    for (const ServedModel& host : hosts)
      for (const ServedModel& adapter : adapters_.of(host)) out.push_back(adapter);
    for (ServedModel& host : hosts) {
      host.takes_adapters = false;  // It answers by itself too.
      if (std::ranges::none_of(out, [&](const ServedModel& one) { return one.same_as(host); }))
        out.push_back(std::move(host));
    }
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
    const size_t file = request.wanted == Wanted::task && request.texts.size() == 1
                            ? split_task_text(request.texts[0]).file.size()
                            : 0;
    if (file > task_file_bytes_max)
      return fail(Reason::input_too_long,
                  fmt::format("the file has more than {} bytes", task_file_bytes_max));
    if (bytes_of(request) - file > options_.input_bytes_max)
      return fail(Reason::input_too_long,
                  fmt::format("the inputs have more than {} bytes together", options_.input_bytes_max));
    return Done{};
  }

  // What is told of a refusal as well.
  Status push(const Context& context, const ServedModel& model, EmbedItem request, const Asker& asker,
              Underway& underway) {
    TRY_DONE(check(request));
    TRY(underway.place, enter(asker));
    underway.spent.inputs = request.size();
    const Status pushed = push_slices(context, model, std::move(request), asker, underway);
    if (!pushed.ok()) underway.tell();
    return pushed;
  }

  Status push_slices(const Context& context, const ServedModel& model, EmbedItem request, const Asker& asker,
                     Underway& underway) {
    TRY(const ServedModel host, adapters_.host_of(model));
    TRY(underway.slot, slot_for(host));
    TRY(underway.adapter, adapters_.get(model));
    if (underway.adapter != nullptr) request.adapter = underway.adapter->place();
    auto [ticket, slices] = cut_request(std::move(request));
    underway.ticket = std::move(ticket);
    underway.began = parts_.ticks.now();
    underway.deadline = std::min(context.deadline, parts_.clock.now() + options_.request_timeout);
    for (Slice& slice : slices) slice.deadline = underway.deadline;
    Asker measured = asker;
    measured.work = &underway.spent;
    return underway.slot->push(std::move(slices), measured);
  }

  Result<std::shared_ptr<ModelSlot>> slot_for(const ServedModel& model) {
    Leaving leaving{parts_.disk};  // Ended after the lock is released: that takes a while.
    std::lock_guard lock(mutex_);
    const auto found = std::find_if(slots_.begin(), slots_.end(),
                                    [&](const auto& slot) { return slot->model().same_as(model); });
    if (found != slots_.end()) {
      slots_.splice(slots_.begin(), slots_, found);
      return slots_.front();
    }
    if (workers() >= options_.workers_max) {
      TRY_DONE(take_idle(leaving, nullptr));
    }
    auto prepare = [this, model]() -> Result<io::Path> {
      TRY(const io::Path copy,
          ensure_serving_copy(parts_.disk, options_.folder, parts_.files, model, parts_.random));
      return parts_.disk.absolute(copy);
    };
    slots_.push_front(std::make_shared<ModelSlot>(model, options_.slot, free_place(), std::move(prepare),
                                                  parts_.starter, probe_, parts_.clock, parts_.ticks,
                                                  parts_.log));
    if (const auto bounds = kept_.of(model)) slots_.front()->set_bounds(*bounds);
    return slots_.front();
  }

  std::vector<size_t> places() const {
    std::vector<size_t> out;
    for (const auto& slot : slots_)
      for (const size_t place : slot->places()) out.push_back(place);
    return out;
  }
  size_t workers() const { return places().size(); }
  size_t free_place() const {
    const std::vector<size_t> taken = places();
    size_t place = 0;
    while (std::find(taken.begin(), taken.end(), place) != taken.end()) ++place;
    return place;
  }

  // The least recently used slot that nobody waits for and nobody keeps, but `spared`. Its copy loses its
  // name at once, so that a request that comes for the same model meanwhile makes its own.
  Status take_idle(Leaving& leaving, const ModelSlot* spared) {
    for (auto slot = slots_.rbegin(); slot != slots_.rend(); ++slot) {
      if (slot->get() == spared || (*slot)->bounds().least > 0) continue;
      if (!(*slot)->idle() || slot->use_count() > 1) continue;
      take_out(std::next(slot).base(), leaving);
      return Done{};
    }
    // Models that have nothing to do give their second worker and more; that room is there a moment later.
    for (const auto& slot : slots_)
      if (slot->idle() && slot->staying() > std::max<size_t>(slot->bounds().least, 1)) slot->retire_one();
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
  mutable AdapterCopies adapters_;
  mutable std::mutex mutex_;                     // Guards the two below.
  KeptReplicas kept_;                            // Where they are not the usual ones.
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
