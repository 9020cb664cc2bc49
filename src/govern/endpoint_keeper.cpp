#include "govern/endpoint_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/reason.h"

namespace holdfast::govern {
namespace {

constexpr std::chrono::milliseconds patience{5'000};  // With one endpoint, before others have their turn.
constexpr int failures_most = 5;
// A request that was told the revision from before reaches its model within this time; without it the last
// one of a switch would find the workers gone and load them once more.
constexpr std::chrono::milliseconds on_its_way{5'000};
constexpr std::array loading = {EndpointState::pending, EndpointState::initializing, EndpointState::updating};

serve::ServedModel model_of(const Endpoint& endpoint) {
  return {endpoint.repository, endpoint.model, endpoint.revision};
}

// Its model is a worker's of ours, and this endpoint alone says which.
bool is_ours(const Endpoint& endpoint) { return endpoint.record.empty() && endpoint.attachments.empty(); }

}  // namespace

Status EndpointKeeper::load(const Endpoint& endpoint, const std::stop_token& stop) {
  const bool updates = endpoint.state == EndpointState::updating;
  if (!is_ours(endpoint)) {
    TRY_DONE(parts_.endpoints.set_state(endpoint.id, loading, EndpointState::running, ""));
    return Done{};
  }
  constexpr std::array waiting = {EndpointState::pending};
  TRY_DONE(parts_.endpoints.set_state(endpoint.id, waiting, EndpointState::initializing, ""));
  Context context;
  context.deadline = parts_.clock.now() + patience;
  context.stop = stop;
  const auto facts = parts_.models.facts(context, model_of(endpoint), serve::Asker());
  if (stop.stop_requested()) return Done{};
  int failures = 0;
  {
    std::lock_guard lock(mutex_);
    failures_[endpoint.id] = failures = facts.ok() ? 0 : failures_[endpoint.id];
  }
  if (facts.ok()) {
    TRY_DONE(parts_.endpoints.set_state(endpoint.id, loading, EndpointState::running, ""));
    stands(endpoint);
    return Done{};
  }
  const Error& error = facts.error();
  const bool crashed = error.reason == Reason::worker_failed;
  if (crashed) {
    std::lock_guard lock(mutex_);
    failures = ++failures_[endpoint.id];
  }
  if (reason_row(error.code, error.reason).retryable && failures < failures_most) return Done{};
  parts_.log.failure("endpoint_failed", error, {{"endpoint", endpoint.id}});
  TRY_DONE(parts_.endpoints.set_state(
      endpoint.id, loading, updates ? EndpointState::update_failed : EndpointState::failed,
      error.code == Code::internal ? "the server failed; its log says why" : error.message));
  return Done{};
}

// Another endpoint may stand for the same model; then it stays.
void EndpointKeeper::rest(const Endpoint& endpoint, const std::vector<Endpoint>& all) {
  {
    std::lock_guard lock(mutex_);
    const auto known = rested_.find(endpoint.id);
    if (known != rested_.end() && known->second == endpoint.state) return;
  }
  const bool used = std::any_of(all.begin(), all.end(), [&](const Endpoint& other) {
    return is_ours(other) && other.state == EndpointState::running &&
           other.repository == endpoint.repository && other.revision == endpoint.revision;
  });
  if (is_ours(endpoint) && !used && !parts_.models.unload(model_of(endpoint))) return;  // Busy: next round.
  std::lock_guard lock(mutex_);
  rested_[endpoint.id] = endpoint.state;
}

void EndpointKeeper::forget(const Endpoint& endpoint) {
  if (is_ours(endpoint)) (void)parts_.models.unload(model_of(endpoint));
  std::lock_guard lock(mutex_);
  asked_.erase(endpoint.id);
  failures_.erase(endpoint.id);
  rested_.erase(endpoint.id);
  standing_.erase(endpoint.id);
}

void EndpointKeeper::stands(const Endpoint& endpoint) {
  if (!is_ours(endpoint)) return;
  const serve::ServedModel model = model_of(endpoint);
  std::lock_guard lock(mutex_);
  const auto [known, fresh] = standing_.try_emplace(endpoint.id, model);
  if (fresh || known->second.key() == model.key()) return;
  replaced_.push_back({std::exchange(known->second, model), parts_.clock.now()});
}

Endpoint EndpointKeeper::standing(const Endpoint& endpoint) {
  if (endpoint.state != EndpointState::updating && endpoint.state != EndpointState::update_failed)
    return endpoint;
  std::lock_guard lock(mutex_);
  const auto known = standing_.find(endpoint.id);
  if (known == standing_.end()) return endpoint;
  Endpoint out = endpoint;
  out.repository = known->second.repository;
  out.model = known->second.name;
  out.revision = known->second.commit;
  return out;
}

bool EndpointKeeper::answers_as_before(const Endpoint& endpoint) {
  const Endpoint now = standing(endpoint);
  return now.revision != endpoint.revision || now.repository != endpoint.repository;
}

// What an endpoint had before it got another model goes when nobody asks it any more.
void EndpointKeeper::unload_unused(const std::vector<Endpoint>& all) {
  std::erase_if(replaced_, [&](const Replaced& old) {
    const bool used = std::any_of(all.begin(), all.end(), [&](const Endpoint& other) {
      return is_ours(other) && model_of(standing(other)).key() == old.model.key();
    });
    if (used) return true;
    return parts_.clock.now() - old.since >= on_its_way && parts_.models.unload(old.model);
  });
}

Status EndpointKeeper::look_at(const Endpoint& endpoint, const std::vector<Endpoint>& all,
                               const std::stop_token& stop) {
  switch (endpoint.state) {
    case EndpointState::pending:
    case EndpointState::initializing:
    case EndpointState::updating:
      return load(endpoint, stop);
    case EndpointState::scaled_to_zero:
      if (by_schedule(endpoint) > 0) return wake_in_time(endpoint);
      rest(endpoint, all);
      return Done{};
    case EndpointState::paused:
      rest(endpoint, all);
      return Done{};
    case EndpointState::failed:
    case EndpointState::update_failed:
      return Done{};
    case EndpointState::running:
      break;
  }
  stands(endpoint);
  std::lock_guard lock(mutex_);
  rested_.erase(endpoint.id);
  if (endpoint.settings->idle_minutes == 0 || least_of(endpoint) > 0) return Done{};
  const auto asked = asked_.try_emplace(endpoint.id, parts_.clock.now()).first->second;
  if (parts_.clock.now() - asked < std::chrono::minutes(endpoint.settings->idle_minutes)) return Done{};
  asked_.erase(endpoint.id);
  constexpr std::array from = {EndpointState::running};
  TRY_DONE(parts_.endpoints.set_state(endpoint.id, from, EndpointState::scaled_to_zero, ""));
  return Done{};
}

serve::Models::ReplicaCount EndpointKeeper::replicas(const Endpoint& endpoint) const {
  return is_ours(endpoint) ? parts_.models.replicas(model_of(endpoint)) : serve::Models::ReplicaCount{};
}

int64_t EndpointKeeper::by_schedule(const Endpoint& endpoint) const {
  return parts_.schedules == nullptr ? 0 : parts_.schedules->replicas_at(endpoint.id, parts_.clock.wall());
}

int64_t EndpointKeeper::least_of(const Endpoint& endpoint) const {
  return std::max(endpoint.settings->replicas_min, by_schedule(endpoint));
}

// Its warm hours have begun: as by a request.
Status EndpointKeeper::wake_in_time(const Endpoint& endpoint) {
  constexpr std::array from = {EndpointState::scaled_to_zero};
  TRY_DONE(parts_.endpoints.set_state(endpoint.id, from, EndpointState::initializing, ""));
  return Done{};
}

// Several endpoints may stand for one model: the most of each holds.
void EndpointKeeper::keep_replicas(const std::vector<Endpoint>& all) {
  std::map<std::string, Kept> wanted;
  for (const Endpoint& endpoint : all) {
    const bool up = endpoint.state == EndpointState::running ||
                    std::find(loading.begin(), loading.end(), endpoint.state) != loading.end();
    const bool failed = endpoint.state == EndpointState::update_failed;
    if ((!up && !failed) || !is_ours(endpoint)) continue;
    // While it is updated, both.
    for (const serve::ServedModel& model : {model_of(standing(endpoint)), model_of(endpoint)}) {
      if (failed && model.key() == model_of(endpoint).key()) continue;
      serve::Replicas& replicas = wanted.try_emplace(model.key(), Kept{model, {}}).first->second.replicas;
      const auto least = static_cast<size_t>(least_of(endpoint));
      replicas.least = std::max(replicas.least, least);
      replicas.most = std::max({replicas.most, static_cast<size_t>(endpoint.settings->replicas_max), least});
    }
  }
  for (const auto& [key, kept] : kept_)
    if (!wanted.contains(key)) (void)parts_.models.keep(kept.model, {});
  for (const auto& [key, kept] : wanted) {
    const auto before = kept_.find(key);
    const bool news = before == kept_.end() || before->second.replicas != kept.replicas;
    if (!news && kept.replicas.least == 0) continue;
    const Status done = parts_.models.keep(kept.model, kept.replicas);
    if (!done.ok() && news)
      parts_.log.failure("replicas_not_kept", done.error(), {{"model", kept.model.name}});
  }
  kept_ = std::move(wanted);
}

Status EndpointKeeper::run_round(const std::stop_token& stop) {
  TRY(const std::vector<Endpoint> all, parts_.endpoints.managed());
  keep_replicas(all);
  for (const Endpoint& endpoint : all) {
    if (stop.stop_requested()) return Done{};
    TRY_DONE(look_at(endpoint, all, stop));
  }
  unload_unused(all);
  return Done{};
}

Status EndpointKeeper::admit(const Endpoint& endpoint) {
  if (!endpoint.settings) return Done{};
  if (endpoint.state == EndpointState::paused)
    return fail(Code::unavailable, fmt::format("the endpoint {} is paused: resume it first", endpoint.id));
  if (endpoint.state == EndpointState::failed)
    return fail(Code::unavailable, fmt::format("the endpoint {} failed: {}", endpoint.id, endpoint.why));
  {
    std::lock_guard lock(mutex_);
    asked_[endpoint.id] = parts_.clock.now();
  }
  if (endpoint.state != EndpointState::scaled_to_zero) return Done{};
  constexpr std::array from = {EndpointState::scaled_to_zero};
  TRY_DONE(parts_.endpoints.set_state(endpoint.id, from, EndpointState::initializing, ""));
  return Done{};
}

}  // namespace holdfast::govern
