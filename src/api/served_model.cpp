#include "api/served_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/input_check.h"
#include "api/known_endpoints.h"
#include "api/served_note.h"
#include "api/served_quota.h"
#include "base/clock.h"
#include "identity/permission.h"
#include "observe/desk.h"
#include "repo/hub.h"
#include "repo/revisions.h"

namespace holdfast::api {
namespace {

constexpr std::string_view deadline_header = "X-Holdfast-Deadline", priority_header = "X-Holdfast-Priority";
constexpr std::chrono::milliseconds deadline_max{3'600'000};
constexpr size_t stated_bytes_max = 200;  // Of a header that names a feature, a class or a key.

std::string_view stated(const Call& call, std::string_view header) {
  return call.request.headers.get(header).substr(0, stated_bytes_max);
}

// Whether an answer that was given before will do, and this one may be kept.
bool wants_kept(const Call& call) {
  if (!call.served || call.served->retention == ServedNote::Retention::none) return false;
  const std::string_view said = call.request.headers.get("Cache-Control");
  return said.find("no-cache") == std::string_view::npos && said.find("no-store") == std::string_view::npos;
}

// Through the gate, which may put an approved release in the place of a revision that was left open.
Result<serve::ReleaseAnswer> admitted(Services& services, const Call& call, const serve::ServedModel& model,
                                      serve::ReleaseQuestion::Revision revision) {
  if (services.release_gate == nullptr) {
    if (!call.caller.environment.empty())
      return fail(Reason::policy_refused, "nothing is approved for this token's environment");
    return serve::ReleaseAnswer{.model = model};
  }
  const serve::ReleaseQuestion question{.model = model,
                                        .revision = revision,
                                        .user = call.caller.name,
                                        .environment = call.caller.environment,
                                        .feature = stated(call, "X-Holdfast-Feature"),
                                        .data_class = stated(call, "X-Holdfast-Data-Class"),
                                        .key = call_key(call),
                                        .record = {}};
  auto asked = services.release_gate->ask(question);
  if (!asked.ok() && call.served && call.served->desk != nullptr)
    call.served->desk->turned_away(asked.error());
  return asked;
}

// The repository that the caller may ask.
Result<repo::Repository> find_repository(Services& services, const Call& call, std::string_view name) {
  const Error missing =
      fail(Reason::repo_not_found, fmt::format("The model '{}' does not exist", name.substr(0, 200)));
  const auto wanted = repo::parse_repo_name(repo::RepoType::model, name.substr(0, name.find('@')));
  if (!wanted.ok()) return missing;
  const auto& [type, ns, short_name] = wanted.value();
  TRY(std::optional<repo::Repository> found, services.hub.repositories.find(type, ns, short_name));
  if (!found) {
    TRY(found, services.hub.repositories.find_moved(type, ns, short_name));
  }
  if (!found || !services.hub.rights.may_find(call.caller, *found)) return missing;
  if (found->disabled && !services.hub.rights.may_administer(call.caller, *found))
    return fail(Reason::forbidden, "Access to this resource is disabled.");
  TRY(const bool past_gate, services.hub.rights.may_read_files(call.caller, *found));
  if (!past_gate) return repo::gate_refusal(*found, call.base_url);
  const identity::Resource resource{repo::entity_kind(found->type), found->ns, found->name,
                                    found->visibility == repo::Visibility::private_
                                        ? identity::Visibility::private_
                                        : identity::Visibility::public_,
                                    found->creator};
  if (!services.permission.may_infer(call.caller, resource))
    return fail(Reason::forbidden, "this token may not call models");
  return std::move(*found);
}

// What an adapter changes goes into the answer of the gate. Who asks for one by itself needs the right to its
// base as well; what a record governs, or an endpoint has, was approved as it is, also where nobody can look.
// An adapter without its base is refused where it is loaded: an outside engine may have one. `found` is the
// model's repository where the caller has it; null asks for it, which every request would pay for.
Status note_base(Services& services, const Call& call, serve::ReleaseAnswer& by, bool approved,
                 const repo::Repository* found) {
  std::optional<repo::Repository> asked;
  if (found == nullptr || found->id.raw != by.model.repository) {
    auto adapter = services.hub.repositories.find(repo::RepoId{by.model.repository});
    if (!adapter.ok()) return approved ? Status(Done{}) : adapter.error();
    if (!adapter.value()) return Done{};
    asked = std::move(adapter).value();
    found = &*asked;
  }
  TRY(const git::ObjectId commit, git::ObjectId::parse(by.model.commit));
  const auto base = services.hub.adapter_bases.find(*found, commit);
  if (!base.ok() || !base.value()) return Done{};
  by.base = fmt::format("{}@{}", base.value()->name, base.value()->commit);
  if (approved) return Done{};
  TRY(const auto whole, services.hub.repositories.find(base.value()->repository));
  const Error missing = fail(Reason::model_unsupported, "the adapter's base is not there, or not for you");
  if (!whole || !services.hub.rights.may_find(call.caller, *whole)) return missing;
  TRY(const bool past_gate, services.hub.rights.may_read_files(call.caller, *whole));
  if (!past_gate) return repo::gate_refusal(*whole, call.base_url);
  return Done{};
}

Result<serve::ReleaseAnswer> find_release(Services& services, const Call& call, std::string_view name,
                                          const Result<repo::Repository>& found) {
  if (!found.ok()) return found.error();
  const size_t at = name.find('@');
  const bool open = at == std::string_view::npos;
  TRY(const repo::Revision commit,
      services.hub.revisions.find(found.value().id, open ? std::string_view("main") : name.substr(at + 1)));
  TRY(serve::ReleaseAnswer by,
      admitted(services, call, {found.value().id.raw, found.value().full_name(), commit.commit.hex()},
               open ? serve::ReleaseQuestion::Revision::left_open : serve::ReleaseQuestion::Revision::named));
  TRY_DONE(note_base(services, call, by, !by.record.empty(), &found.value()));
  return by;
}

}  // namespace

serve::Asker asker_of(const Call& call) {
  serve::Asker asker(call.served ? &call.served->work : nullptr);
  const identity::Caller& caller = call.caller;
  asker.key = caller.by_session() ? fmt::format("user:{}", caller.user.raw)
                                  : fmt::format("token:{}", caller.token.raw);
  asker.priority =
      serve::priority_of_name(call.request.headers.get(priority_header)).value_or(serve::Priority::normal);
  asker.caching = wants_kept(call) ? serve::Caching::use : serve::Caching::leave;
  if (call.served) asker.queue_delay_max = call.served->queue_delay_max;
  asker.boundary = fmt::format("{}/{}", caller.user.raw, caller.environment);
  return asker;
}

bool says_deadline(const net::Request& request) { return request.headers.find(deadline_header).has_value(); }

Status read_urgency(const Services& services, const net::Request& request, Context& context) {
  if (const auto said = request.headers.find(priority_header); said && !serve::priority_of_name(*said))
    return fail(Reason::bad_request, fmt::format("{} is low, normal or high", priority_header));
  const auto said = request.headers.find(deadline_header);
  if (!said) return Done{};
  int64_t left = 0;
  const auto [end, error] = std::from_chars(said->data(), said->data() + said->size(), left);
  if (error != std::errc{} || end != said->data() + said->size() || left < 1 || left > deadline_max.count())
    return fail(Reason::bad_request,
                fmt::format("{} is from 1 to {} milliseconds", deadline_header, deadline_max.count()));
  context.deadline = std::min(context.deadline, services.clock.now() + std::chrono::milliseconds(left));
  return Done{};
}

std::string_view call_key(const Call& call) {
  const std::string_view key = stated(call, "X-Holdfast-Key");
  return key.empty() ? std::string_view(call.context.trace_id) : key;
}

Result<serve::ServedModel> find_served_model(Services& services, const Call& call, std::string_view name) {
  if (call.served && call.served->fixed) {
    call.served->by = call.served->fixed;
    TRY_DONE(note_base(services, call, *call.served->by, true, nullptr));
    return call.served->fixed->model;
  }
  KnownEndpoints* known = services.known_models;
  const std::string key = known == nullptr ? std::string() : KnownEndpoints::key(call, name);
  const auto repository = find_repository(services, call, name);
  // In an outage nobody can say whether the caller still may: whom it answered a moment ago, it answers.
  if (!repository.ok() && !(known != nullptr && is_outage(repository.error()) && known->knows(key))) {
    if (known == nullptr) return repository.error();
    TRY_DONE(known->settle(key, repository.error()));
  }
  TRY_DONE(check_input(services, call));
  auto by = find_release(services, call, name, repository);
  if (known != nullptr) {
    auto settled = known->settle(
        key, by.ok() ? Result<KnownEndpoints::Known>(KnownEndpoints::Known{{}, std::move(by).value()})
                     : Result<KnownEndpoints::Known>(by.error()));
    if (!settled.ok()) return settled.error();
    by = std::move(settled.value().by);
  }
  TRY(serve::ReleaseAnswer answer, std::move(by));
  const serve::ServedModel chosen = answer.model;
  if (services.release_gate == nullptr) return chosen;
  if (call.served) call.served->by = std::move(answer);
  TRY_DONE(take_quota(services, call));
  return chosen;
}

}  // namespace holdfast::api
