// The half of Endpoints that is about how they are kept: settings, states and what changes them.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "govern/endpoint_rows.h"
#include "govern/endpoints.h"
#include "govern/rows.h"

namespace holdfast::govern {
namespace {

constexpr std::array<std::string_view, 8> names = {"pending", "initializing", "updating", "running",
                                                   "paused",  "scaledToZero", "failed",   "updateFailed"};
constexpr int64_t replicas_most = 64, idle_minutes_most = 60 * 24 * 30;
constexpr int64_t queue_delay_ms_most = 3'600'000;
constexpr size_t spec_bytes_max = 64 << 10;

}  // namespace

std::string_view state_name(EndpointState state) { return names[static_cast<size_t>(state)]; }

EndpointState endpoint_state_of(std::string_view name) {
  const auto* found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? EndpointState::failed : static_cast<EndpointState>(found - names.begin());
}

Status check_settings(const EndpointSettings& settings) {
  if (settings.replicas_min < 0 || settings.replicas_max < 1 || settings.replicas_max > replicas_most ||
      settings.replicas_min > settings.replicas_max)
    return fail(Reason::bad_request,
                fmt::format("replicas are from 0 to {}, the least not above the most", replicas_most));
  if (settings.idle_minutes < 0 || settings.idle_minutes > idle_minutes_most)
    return fail(Reason::bad_request, "an endpoint is scaled to zero after 1 minute to 30 days");
  if (settings.queue_delay_ms < -1 || settings.queue_delay_ms > queue_delay_ms_most)
    return fail(Reason::bad_request,
                fmt::format("'queue_delay_ms' is from 0, which is no bound, to {}", queue_delay_ms_most));
  if (settings.spec.size() > spec_bytes_max)
    return fail(Reason::bad_request, "that is too much to say of it");
  return Done{};
}

Status write_settings(sql::Transaction& tx, const std::string& id, const EndpointSettings& settings,
                      EndpointState state, WallTime at) {
  TRY_DONE(tx.run(
      "INSERT INTO endpoint_settings (endpoint, state, replicas_min, replicas_max, idle_minutes, spec, "
      "updated, queue_delay_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (endpoint) DO UPDATE SET state = "
      "excluded.state, why = '', replicas_min = excluded.replicas_min, replicas_max = "
      "excluded.replicas_max, idle_minutes = excluded.idle_minutes, spec = excluded.spec, updated = "
      "excluded.updated, queue_delay_ms = excluded.queue_delay_ms",
      {id, state_name(state), settings.replicas_min, settings.replicas_max, settings.idle_minutes,
       settings.spec, milliseconds(at), settings.queue_delay_ms}));
  return Done{};
}

Result<Endpoint> Endpoints::foresee(const identity::Caller& caller, const std::string& id,
                                    const EndpointChange& change) const {
  TRY(Endpoint before, find(caller, id));
  TRY_DONE(parts_.access.check_change(caller, std::string_view(id).substr(0, id.find('/'))));
  TRY_DONE(check_settings(change.settings.value_or(before.settings.value_or(EndpointSettings{}))));
  const bool other = (change.model && *change.model != before.model) ||
                     (change.revision && *change.revision != before.revision);
  if (!other) return before;
  if (!before.record.empty() || !before.attachments.empty())
    return fail(Code::conflict,
                "releases of its record, or its engine, decide what this endpoint answers with");
  const size_t slash = id.find('/');
  return place(caller, {.ns = id.substr(0, slash),
                        .name = id.substr(slash + 1),
                        .model = change.model.value_or(before.model),
                        .revision = change.revision.value_or(change.model ? "" : before.revision)});
}

Result<Endpoint> Endpoints::update(const identity::Caller& caller, const std::string& id,
                                   const EndpointChange& change) {
  TRY(const Endpoint before, find(caller, id));
  TRY(const Endpoint after, foresee(caller, id, change));
  const EndpointSettings settings = change.settings.value_or(before.settings.value_or(EndpointSettings{}));
  const bool other = (change.model && *change.model != before.model) ||
                     (change.revision && *change.revision != before.revision);
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY(const WallTime now, parts_.decisions.now(tx));
    if (other)
      TRY_DONE(tx.run("UPDATE govern_endpoints SET model = ?, revision = ?, repo = ? WHERE id = ?",
                      {after.model, after.revision, after.repository, id}));
    const bool resting =
        before.state == EndpointState::paused || before.state == EndpointState::scaled_to_zero;
    const bool reload = !resting && (other || before.state != EndpointState::running);
    TRY_DONE(write_settings(tx, id, settings, reload ? EndpointState::updating : before.state, now));
    return parts_.decisions.append(
        tx, {.actor = caller.name,
             .action = "endpoint.updated",
             .record = before.record.empty() ? id : before.record,
             .details = {{"endpoint", id}, {"model", after.model}, {"revision", after.revision}}});
  }));
  return find(caller, id);
}

Result<Endpoint> Endpoints::move(const identity::Caller& caller, const std::string& id, EndpointState to,
                                 std::string_view action) {
  TRY(const Endpoint before, find(caller, id));
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY(const WallTime now, parts_.decisions.now(tx));
    TRY_DONE(write_settings(tx, id, before.settings.value_or(EndpointSettings{}), to, now));
    return parts_.decisions.append(tx, {.actor = caller.name,
                                        .action = std::string(action),
                                        .record = before.record.empty() ? id : before.record,
                                        .details = {{"endpoint", id}}});
  }));
  return find(caller, id);
}

Result<Endpoint> Endpoints::pause(const identity::Caller& caller, const std::string& id) {
  TRY_DONE(find(caller, id));
  TRY_DONE(parts_.access.check_change(caller, std::string_view(id).substr(0, id.find('/'))));
  return move(caller, id, EndpointState::paused, "endpoint.paused");
}

Result<Endpoint> Endpoints::resume(const identity::Caller& caller, const std::string& id) {
  TRY(const Endpoint before, find(caller, id));
  TRY_DONE(parts_.access.check_change(caller, std::string_view(id).substr(0, id.find('/'))));
  switch (before.state) {
    case EndpointState::paused:
    case EndpointState::scaled_to_zero:
    case EndpointState::failed:
    case EndpointState::update_failed:
      return move(caller, id, EndpointState::pending, "endpoint.resumed");
    case EndpointState::pending:
    case EndpointState::initializing:
    case EndpointState::updating:
    case EndpointState::running:
      break;
  }
  return fail(Reason::bad_request, fmt::format("the endpoint {} is already running", id));
}

Result<Endpoint> Endpoints::scale_to_zero(const identity::Caller& caller, const std::string& id) {
  TRY(const Endpoint before, find(caller, id));
  TRY_DONE(parts_.access.check_change(caller, std::string_view(id).substr(0, id.find('/'))));
  if (before.state == EndpointState::paused || before.state == EndpointState::failed)
    return fail(Reason::bad_request,
                fmt::format("the endpoint {} is {}: resume it first", id, state_name(before.state)));
  return move(caller, id, EndpointState::scaled_to_zero, "endpoint.scaled_to_zero");
}

Result<std::vector<Endpoint>> Endpoints::managed() const {
  TRY(std::vector<Endpoint> all, parts_.database.read<std::vector<Endpoint>>(
                                     [&](sql::Transaction& tx) { return endpoint_rows(tx, ""); }));
  std::erase_if(all, [](const Endpoint& endpoint) { return !endpoint.settings; });
  return all;
}

Result<bool> Endpoints::set_state(const std::string& id, std::span<const EndpointState> from,
                                  EndpointState to, const std::string& why) const {
  return parts_.database.write<bool>([&](sql::Transaction& tx) -> Result<bool> {
    int64_t changed = 0;
    TRY(const WallTime now, parts_.decisions.now(tx));
    for (const EndpointState state : from) {
      TRY(const int64_t rows,
          tx.run(
              "UPDATE endpoint_settings SET state = ?, why = ?, updated = ? WHERE endpoint = ? AND state = ?",
              {state_name(to), why, milliseconds(now), id, state_name(state)}));
      changed += rows;
      if (changed > 0) break;
    }
    return changed > 0;
  });
}

}  // namespace holdfast::govern
