#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "api/authenticate.h"
#include "api/bound_token.h"
#include "api/error_answer.h"
#include "api/input_check.h"
#include "api/mount_watched.h"
#include "api/route.h"
#include "api/served_answer.h"
#include "api/served_model.h"
#include "api/served_note.h"
#include "api/served_quota.h"
#include "api/services.h"
#include "api/upstream_door.h"
#include "base/log.h"
#include "identity/permission.h"
#include "identity/tokens.h"
#include "net/late_answer.h"
#include "repo/hub.h"
#include "repo/tombstones.h"
#include "serve/guards.h"

namespace holdfast::api {
namespace {

using identity::Caller;
using identity::Right;

// A moved repository is no failure: its new address travels as one.
struct Redirect {
  std::string location;
};
using Admitted = std::variant<Call, Redirect>;

Error hidden() { return fail(Reason::repo_not_found, "Repository not found"); }
Error needs_token() { return fail(Reason::unauthenticated, "This needs a token: none was given"); }
Error forbidden() {
  return fail(Reason::forbidden, "The token or its user does not have the rights for this");
}

std::string base_url(const Services& services, const net::Request& request) {
  if (!services.public_url.empty()) {
    std::string_view url = services.public_url;
    while (url.ends_with('/')) url.remove_suffix(1);
    return std::string(url);
  }
  return fmt::format("{}://{}", request.secure ? "https" : "http", request.headers.get("Host"));
}

// The raw path with the two segments of {ns} and {name} replaced; the suffix after {name} in its segment
// stays.
std::string moved_target(const net::Request& request, std::string_view pattern, const repo::Repository& now) {
  std::string out;
  std::string_view path = request.path(), rest = pattern;
  while (!path.empty()) {
    path.remove_prefix(1);
    if (!rest.empty()) rest.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    const std::string_view word = rest.substr(0, rest.find('/'));
    out += '/';
    if (word == "{ns}") {
      out += now.ns;
    } else if (word.starts_with("{name}")) {
      out += now.name;
      out += word.substr(6);
    } else {
      out += segment;
    }
    path.remove_prefix(segment.size());
    rest.remove_prefix(std::min(word.size(), rest.size()));
  }
  const size_t query = request.target.find('?');
  if (query != std::string::npos) out += request.target.substr(query);
  return out;
}

std::optional<Right> right_of(Access access) {
  switch (access) {
    case Access::repo_read:
    case Access::repo_content:
      return Right::read;
    case Access::repo_contribute:
      return Right::contribute;
    case Access::repo_write:
      return Right::write;
    case Access::repo_admin:
      return Right::admin;
    case Access::open:
    case Access::signed_in:
    case Access::signed_in_write:
    case Access::instance_admin:
    case Access::cas_token:
    case Access::signed_url:
      return std::nullopt;
  }
  return std::nullopt;
}

// May the token change anything anywhere? Where exactly is the service's question.
bool may_write_somewhere(const Caller& caller) {
  switch (caller.role) {
    case identity::TokenRole::read:
      return false;
    case identity::TokenRole::write:
      return true;
    case identity::TokenRole::fine_grained:
      for (const identity::Scope& scope : caller.scopes)
        if (scope.grants.has(identity::Grant::repo_write) || scope.grants.has(identity::Grant::admin))
          return true;
      return false;
  }
  return false;
}

Status check_without_repository(const Services& services, Access access, const Caller& caller) {
  switch (access) {
    case Access::open:
    case Access::cas_token:
    case Access::signed_url:
      return Done{};
    case Access::signed_in:
      return caller.anonymous() ? Status(needs_token()) : Done{};
    case Access::signed_in_write:
      if (caller.anonymous()) return needs_token();
      return may_write_somewhere(caller) && caller.environment.empty() ? Status(Done{}) : forbidden();
    case Access::instance_admin:
      if (caller.anonymous()) return needs_token();
      return services.permission.may_administer_instance(caller) ? Status(Done{}) : forbidden();
    case Access::repo_read:
    case Access::repo_content:
    case Access::repo_contribute:
    case Access::repo_write:
    case Access::repo_admin:
      return Done{};
  }
  return forbidden();
}

bool retryable(int status) { return status == 429 || status == 503; }

int64_t retry_seconds(std::chrono::milliseconds wait) {
  constexpr int64_t most = 86'400;
  return std::clamp<int64_t>((wait.count() + 999) / 1000, 1, most);
}

// One row mounted at one of its patterns.
class Mounted {
 public:
  Mounted(const ApiRoute& route, ExpandedPattern pattern, Services& services, observe::Desk* desk,
          UpstreamDoor* upstream)
      : route_(route), pattern_(std::move(pattern)), services_(services), desk_(desk), upstream_(upstream) {}

  Dialect dialect() const { return route_.dialect; }
  const ApiRoute& route() const { return route_; }
  Services& services() const { return services_; }
  void log_failure(const Error& error, const Context& context) const {
    if (error.code == Code::internal || error.code == Code::corrupt)
      services_.log.failure("request_failed", error,
                            {{"route", route_.name}, {"trace_id", context.trace_id}});
  }

  // What an upstream hub answers where this one has no repository or no revision; `error` where none does.
  Result<net::Response> ask_upstream(const net::Request& request, const Context& context,
                                     const Error& error) const {
    const bool absent = error.reason == Reason::repo_not_found || error.reason == Reason::revision_not_found;
    if (upstream_ == nullptr || !absent || !pattern_.names_repository) return error;
    TRY(identity::Caller caller, authenticate(services_, request));
    TRY(auto answer, upstream_->answer({.route = route_.name,
                                        .request = request,
                                        .context = context,
                                        .caller = std::move(caller),
                                        .type = *pattern_.type,
                                        .base_url = base_url(services_, request)}));
    if (answer) return std::move(*answer);
    return error;
  }

  Result<Admitted> admit(const net::Request& request, const Context& context) const {
    const Access access = route_.access.access;
    Call call{.request = request,
              .context = context,
              .caller = {},
              .type = pattern_.type,
              .found = {},
              .base_url = base_url(services_, request),
              .served = std::make_shared<ServedNote>()};
    TRY_DONE(read_urgency(services_, request, call.context));
    call.served->route = pattern_.pattern;
    if (services_.guards != nullptr && !says_deadline(request))
      call.served->queue_delay_max = services_.guards->queue_delay_max;
    if (request.headers.get("X-Holdfast-Retention") == "none" ||
        (services_.guards != nullptr && services_.guards->retention == serve::Guards::Retention::none))
      call.served->retention = ServedNote::Retention::none;
    call.served->desk = desk_;
    if (access != Access::cas_token && access != Access::signed_url) {
      TRY(call.caller, authenticate(services_, request));
    }
    TRY_DONE(check_without_repository(services_, access, call.caller));
    if (!pattern_.names_repository) return Admitted(std::move(call));
    const std::string_view ns = request.capture("ns"), name = request.capture("name");
    TRY(call.found, services_.hub.repositories.find(*pattern_.type, ns, name));
    if (!call.found) {
      TRY(const auto moved, services_.hub.repositories.find_moved(*pattern_.type, ns, name));
      if (!moved) return absent(call.caller, ns, name);
      if (!services_.hub.rights.may_see(call.caller, *moved)) return hidden();
      return Admitted(Redirect{moved_target(request, pattern_.pattern, *moved)});
    }
    TRY_DONE(check_repository(call, access));
    return Admitted(std::move(call));
  }

 private:
  // Nothing is here; whoever might have seen what was is told that it was deleted.
  Error absent(const Caller& caller, std::string_view ns, std::string_view name) const {
    const auto found = repo::find_tombstone(services_.database, *pattern_.type, ns, name);
    if (!found.ok()) return found.error();
    if (!found.value() || !services_.hub.rights.may_see(caller, found.value()->was)) return hidden();
    return repo::deleted_error(found.value()->was.full_name(), found.value()->at);
  }

  Status check_repository(const Call& call, Access access) const {
    const auto right = right_of(access);
    if (!right) return Done{};
    const repo::Rights& rights = services_.hub.rights;
    if (!rights.may_see(call.caller, call.repo())) return hidden();
    if (!rights.may_find(call.caller, call.repo()))
      return absent(call.caller, call.repo().ns, call.repo().name);
    if (call.repo().disabled && !rights.may_administer(call.caller, call.repo()))
      return fail(Reason::forbidden, "Access to this resource is disabled.");
    if (*right != Right::read && call.caller.anonymous()) return needs_token();
    if (*right != Right::read && !call.caller.environment.empty()) return forbidden();
    if (!rights.may(call.caller, *right, call.repo())) return forbidden();
    if (access == Access::repo_content) {
      TRY(const bool past_gate, rights.may_read_files(call.caller, call.repo()));
      if (!past_gate) return repo::gate_refusal(call.repo(), call.base_url);
      return check_pull(services_, call);
    }
    return Done{};
  }

  const ApiRoute& route_;
  ExpandedPattern pattern_;
  Services& services_;
  observe::Desk* desk_;     // Null: nobody watches.
  UpstreamDoor* upstream_;  // Null: nobody else is asked.
};

net::Response redirect_answer(const Redirect& redirect) {
  net::Response response;
  response.status = 307;
  response.headers.set("Location", redirect.location);
  response.headers.set("Content-Type", "text/plain; charset=utf-8");
  response.body = "Temporary Redirect. Redirecting to " + redirect.location;
  return response;
}

// Takes the place of a sink when the answer is known before the body came: reads it away and answers.
class AnsweredSink final : public net::BodySink {
 public:
  explicit AnsweredSink(net::Response response) : response_(std::move(response)) {}
  Status write(ByteView) override { return Done{}; }
  Result<net::Response> finish() override { return std::move(response_); }

 private:
  net::Response response_;
};

// Errors after the body began are written in the route's dialect as well.
class DialectSink final : public net::BodySink {
 public:
  DialectSink(std::shared_ptr<const Mounted> mounted, const net::Request& request, Context context,
              std::unique_ptr<net::BodySink> inner)
      : mounted_(std::move(mounted)),
        request_(request),
        context_(std::move(context)),
        inner_(std::move(inner)) {}

  // A failure is kept until the end, so that the client has sent its body and reads the answer.
  Status write(ByteView bytes) override {
    if (failed_) return Done{};
    Status written = inner_->write(bytes);
    if (!written.ok()) {
      failed_ = written.error();
      inner_.reset();
    }
    return Done{};
  }
  Result<net::Response> finish() override {
    if (failed_) return refuse(*failed_);
    auto answer = inner_->finish();
    return answer.ok() ? std::move(answer) : refuse(answer.error());
  }

 private:
  net::Response refuse(const Error& error) const {
    mounted_->log_failure(error, context_);
    return error_answer(mounted_->dialect(), request_, error, context_);
  }

  std::shared_ptr<const Mounted> mounted_;  // Shared with the router's handler.
  const net::Request& request_;
  Context context_;
  std::unique_ptr<net::BodySink> inner_;
  std::optional<Error> failed_;
};

bool asks_models(Dialect dialect) {
  switch (dialect) {
    case Dialect::openai:
    case Dialect::tei:
    case Dialect::tgi:
    case Dialect::llama:
    case Dialect::kserve:
      return true;
    case Dialect::hub:
    case Dialect::git:
    case Dialect::lfs:
      return false;
  }
  return false;
}

// What came of a call, told and written as its clients know it.
Result<net::Response> conclude(const Mounted& mounted, const Call& call, const AnswerBegun& begun,
                               Result<net::Response> made) {
  auto answer = end_answer(mounted.services(), mounted.route().name, call, begun, std::move(made));
  if (answer.ok()) return answer;
  if (asks_models(mounted.dialect()) || call.served->by || call.served->dialect)
    note_refused(mounted.services(), call, answer.error());
  if (!call.served->by && !call.served->dialect)
    return mounted.ask_upstream(call.request, call.context, answer.error());
  // A model's failure says which model's it was.
  mounted.log_failure(answer.error(), call.context);
  net::Response failure = error_answer(call.served->dialect.value_or(mounted.dialect()), call.request,
                                       answer.error(), call.context);
  say_who_answered(mounted.services(), call, failure);
  say_quota(mounted.services(), call, failure);
  if (const auto wait = call.served->work.retry_after; wait.count() > 0 && retryable(failure.status))
    failure.headers.set("Retry-After", std::to_string(retry_seconds(wait)));
  return failure;
}

Result<net::Response> written(const Mounted& mounted, const net::Request& request, const Context& context,
                              Result<net::Response> answer) {
  if (answer.ok()) return answer;
  mounted.log_failure(answer.error(), context);
  return error_answer(mounted.dialect(), request, answer.error(), context);
}

Result<net::Response> run(std::shared_ptr<const Mounted> mounted, const CallHandler& handler,
                          const net::Request& request, const Context& context) {
  auto admitted = mounted->admit(request, context);
  if (!admitted.ok())
    return written(*mounted, request, context, mounted->ask_upstream(request, context, admitted.error()));
  if (const auto* redirect = std::get_if<Redirect>(&admitted.value())) return redirect_answer(*redirect);
  // Shared with a late answer's end.
  const auto call = std::make_shared<Call>(std::get<Call>(std::move(admitted).value()));
  call->may_be_late = true;
  const AnswerBegun begun = begin_answer(mounted->services(), *call);
  auto made = handler(*call);
  const auto end = [mounted = std::move(mounted), call, begun](Result<net::Response> came) {
    return written(*mounted, call->request, call->context, conclude(*mounted, *call, begun, std::move(came)));
  };
  auto late = net::late_part(made);
  if (!late) return end(std::move(made));
  net::Response response;
  response.body = net::then(std::move(late), end);
  return response;
}

net::Handler wrap(std::shared_ptr<const Mounted> mounted, const CallHandler& handler) {
  return [mounted, &handler](const net::Request& request, const Context& context) {
    return run(mounted, handler, request, context);
  };
}

net::SinkMaker wrap(std::shared_ptr<const Mounted> mounted, const CallSinkMaker& maker) {
  return [mounted, &maker](const net::Request& request,
                           const Context& context) -> Result<std::unique_ptr<net::BodySink>> {
    using Sink = std::unique_ptr<net::BodySink>;
    const auto refuse = [&](const Error& error) {
      mounted->log_failure(error, context);
      return Sink(std::make_unique<AnsweredSink>(error_answer(mounted->dialect(), request, error, context)));
    };
    auto admitted = mounted->admit(request, context);
    if (!admitted.ok()) return refuse(admitted.error());
    if (const auto* redirect = std::get_if<Redirect>(&admitted.value()))
      return Sink(std::make_unique<AnsweredSink>(redirect_answer(*redirect)));
    auto sink = maker(std::get<Call>(admitted.value()));
    if (!sink.ok()) return refuse(sink.error());
    return Sink(std::make_unique<DialectSink>(mounted, request, context, std::move(sink).value()));
  };
}

}  // namespace

Status mount_watched(const RouteTable& table, Services& services, observe::Desk* desk, UpstreamDoor* upstream,
                     net::Router& router) {
  for (const ApiRoute& route : table.routes()) {
    for (ExpandedPattern& pattern : expand_pattern(route.pattern)) {
      net::Route wrapped{.method = route.method,
                         .pattern = pattern.pattern,
                         .name = route.name,
                         .body_bytes_max = route.body_bytes_max,
                         .handle = net::Handler()};
      const auto mounted =
          std::make_shared<const Mounted>(route, std::move(pattern), services, desk, upstream);
      if (const auto* handler = std::get_if<CallHandler>(&route.handle))
        wrapped.handle = wrap(mounted, *handler);
      else
        wrapped.handle = wrap(mounted, std::get<CallSinkMaker>(route.handle));
      TRY_DONE(router.add(std::move(wrapped)));
    }
  }
  return Done{};
}

Status mount(const RouteTable& table, Services& services, net::Router& router) {
  return mount_watched(table, services, nullptr, nullptr, router);
}

}  // namespace holdfast::api
