#include "api/served_quota.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "api/served_note.h"
#include "api/services.h"
#include "serve/guards.h"
#include "serve/quotas.h"

namespace holdfast::api {
namespace {

constexpr int64_t bytes_a_token = 4;
constexpr double money_units = 1e6;

serve::Quotas* quotas_of(const Services& services) {
  return services.guards == nullptr ? nullptr : services.guards->quotas;
}

std::vector<std::string> subjects_of(const Call& call) {
  using serve::SubjectKind;
  std::vector<std::string> out;
  const auto add = [&](SubjectKind kind, std::string name) {
    out.push_back(serve::Subject{kind, std::move(name)}.text());
  };
  const identity::Caller& caller = call.caller;
  if (!caller.by_session()) add(SubjectKind::token, std::to_string(caller.token.raw));
  add(SubjectKind::user, caller.name);
  for (const identity::Membership& membership : caller.memberships)
    add(SubjectKind::organisation, membership.organisation);
  if (!call.served->endpoint.empty() && !call.served->endpoint_is_spent)
    add(SubjectKind::endpoint, call.served->endpoint);
  // What its record is for, or what the caller states of a model that no record governs.
  if (call.served->by && !call.served->by->feature.empty())
    add(SubjectKind::feature, call.served->by->feature);
  return out;
}

// "1s", "6m0s", "23h59m4s"
std::string duration_text(std::chrono::milliseconds length) {
  const int64_t seconds = (length.count() + 999) / 1000;
  std::string out;
  if (seconds >= 3600) out += fmt::format("{}h", seconds / 3600);
  if (seconds >= 60) out += fmt::format("{}m", seconds / 60 % 60);
  return out + fmt::format("{}s", seconds % 60);
}

void took(const Services& services, const ServedNote& note) {
  const serve::Work& work = note.work;
  const auto time = work.busy.count() > 0 ? work.busy : work.model;
  const double money = std::chrono::duration<double>(time).count() * services.guards->price_per_second;
  note.allowance->took(static_cast<int64_t>(work.tokens),
                       quotas_of(services)->whole_money(money * money_units));
}

bool was_refused(const Result<net::Response>& answer) {
  if (answer.ok()) return answer.value().status == 429 || answer.value().status == 503;
  const ReasonRow& row = reason_row(answer.error().code, answer.error().reason);
  return row.error_class == ErrorClass::capacity;
}

}  // namespace

Status take_quota(Services& services, const Call& call) {
  serve::Quotas* quotas = quotas_of(services);
  if (quotas == nullptr || !call.served || call.request.method != "POST") return Done{};
  if (!call.served->quota_subjects.empty()) return Done{};  // The same request, asked of something else.
  call.served->quota_subjects = subjects_of(call);
  const auto tokens = static_cast<int64_t>(call.request.body.size()) / bytes_a_token + 1;
  std::chrono::milliseconds retry_after{};
  auto allowed = quotas->admit(call.served->quota_subjects, tokens, retry_after);
  if (!allowed.ok()) call.served->work.retry_after = retry_after;
  TRY(call.served->allowance, std::move(allowed));
  return Done{};
}

void settle_quota(Services& services, const Call& call, Result<net::Response>& answer) {
  const bool streams =
      answer.ok() && std::holds_alternative<std::shared_ptr<net::PushedBody>>(answer.value().body);
  if (const auto& allowance = call.served->allowance; allowance && !streams) {
    took(services, *call.served);
    if (was_refused(answer))
      allowance->give_back();
    else if (answer.ok())
      allowance->settle();  // After a failure something else may answer yet.
  }
  if (answer.ok()) say_quota(services, call, answer.value());
}

void settle_stream(const Services& services, const ServedNote& note) {
  if (!note.allowance) return;
  took(services, note);
  note.allowance->settle();
}

void say_quota(Services& services, const Call& call, net::Response& response) {
  serve::Quotas* quotas = quotas_of(services);
  if (quotas == nullptr || !call.served || call.served->quota_subjects.empty()) return;
  const auto tightest = quotas->tightest(call.served->quota_subjects);
  static constexpr std::string_view names[] = {"requests", "tokens", "cost-micros"};
  for (size_t i = 0; i < tightest.size(); ++i) {
    if (!tightest[i]) continue;
    const auto say = [&](const char* what, std::string value) {
      response.headers.set(fmt::format("x-ratelimit-{}-{}", what, names[i]), std::move(value));
    };
    say("limit", std::to_string(tightest[i]->limit));
    say("remaining", std::to_string(tightest[i]->remaining()));
    say("reset", duration_text(tightest[i]->resets_in));
  }
}

}  // namespace holdfast::api
