#include "api/webhook_routes.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "api/error_answer.h"
#include "api/route_rows.h"
#include "codec/json.h"
#include "exchange/webhooks.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using exchange::Delivery;
using exchange::Watched;
using exchange::Webhook;
using exchange::Webhooks;
using net::Response;

constexpr uint64_t body_bytes_max = 64 << 10;

// The secret is its owner's own: the client shows it again.
json::object webhook_view(const Webhook& webhook) {
  json::array watched, domains(webhook.domains.begin(), webhook.domains.end());
  for (const Watched& each : webhook.watched)
    watched.emplace_back(json::object{{"type", each.type}, {"name", each.name}});
  json::object view{{"id", webhook.id},
                    {"url", webhook.url},
                    {"watched", std::move(watched)},
                    {"domains", std::move(domains)},
                    {"disabled", webhook.disabled}};
  view["secret"] =
      webhook.secret.empty() ? json::value(nullptr) : json::value(std::string_view(webhook.secret.reveal()));
  return view;
}

Response answer(const Webhook& webhook) {
  Response response = json_answer(json::object{{"webhook", webhook_view(webhook)}});
  response.headers.set("Cache-Control", "no-store");
  return response;
}

Result<exchange::WebhookChange> change_in(const std::string& text) {
  TRY(const json::object body, codec::parse_json_object(text));
  exchange::WebhookChange out;
  TRY(const auto url, codec::json_text_if(body, "url"));
  TRY(const auto job, codec::json_text_if(body, "jobSourceId"));
  TRY(const auto secret, codec::json_text_if(body, "secret"));
  TRY(const json::array* watched, codec::json_array_if(body, "watched"));
  TRY(const json::array* domains, codec::json_array_if(body, "domains"));
  if (job) return fail(Reason::not_offered, "This hub runs no jobs: give the webhook a \"url\"");
  if (url) out.url = std::string(*url);
  if (secret) out.secret = Secret(std::string(*secret));
  if (watched != nullptr) {
    out.watched.emplace();
    for (const json::value& each : *watched) {
      if (!each.is_object()) return fail(Reason::bad_request, "\"watched\" must be objects");
      TRY(const std::string_view type, codec::json_text(each.get_object(), "type"));
      TRY(const std::string_view name, codec::json_text(each.get_object(), "name"));
      out.watched->push_back({std::string(type), std::string(name)});
    }
  }
  if (domains != nullptr) {
    out.domains.emplace();
    for (const json::value& each : *domains) {
      if (!each.is_string()) return fail(Reason::bad_request, "\"domains\" must be texts");
      out.domains->emplace_back(each.get_string());
    }
  }
  return out;
}

Result<Response> list(Webhooks& webhooks, const Call& call) {
  TRY(const auto all, webhooks.list(call.caller));
  json::array out;
  for (const Webhook& each : all) out.emplace_back(webhook_view(each));
  Response response = json_answer(out);
  response.headers.set("Cache-Control", "no-store");
  return response;
}

Result<Response> create(Webhooks& webhooks, const Call& call) {
  TRY(exchange::WebhookChange wish, change_in(call.request.body));
  Webhook webhook;
  if (wish.url) webhook.url = std::move(*wish.url);
  if (wish.watched) webhook.watched = std::move(*wish.watched);
  if (wish.domains) webhook.domains = std::move(*wish.domains);
  if (wish.secret) webhook.secret = std::move(*wish.secret);
  TRY(const Webhook made, webhooks.create(call.caller, webhook));
  return answer(made);
}

Result<Response> show(Webhooks& webhooks, const Call& call) {
  TRY(const Webhook found, webhooks.find(call.caller, call.capture("webhook")));
  return answer(found);
}

Result<Response> change(Webhooks& webhooks, const Call& call) {
  TRY(exchange::WebhookChange wish, change_in(call.request.body));
  // The hub's client sends an empty list where its caller named nothing.
  if (wish.watched && wish.watched->empty()) wish.watched.reset();
  TRY(const Webhook now, webhooks.change(call.caller, call.capture("webhook"), wish));
  return answer(now);
}

Result<Response> turn(Webhooks& webhooks, const Call& call, Webhooks::Switch to) {
  TRY(const Webhook now, webhooks.turn(call.caller, call.capture("webhook"), to));
  return answer(now);
}

Result<Response> remove(Webhooks& webhooks, const Call& call) {
  TRY_DONE(webhooks.remove(call.caller, call.capture("webhook")));
  return json_answer(json::object{});
}

json::value time_view(WallTime time) {
  return time == WallTime{} ? json::value(nullptr) : json::value(format_time(time));
}

Result<Response> deliveries(Webhooks& webhooks, const Call& call) {
  TRY(const auto all, webhooks.deliveries(call.caller, call.capture("webhook")));
  json::array out;
  for (const Delivery& each : all)
    out.emplace_back(json::object{{"id", each.id},
                                  {"event", each.event},
                                  {"state", each.state},
                                  {"attempts", each.attempts},
                                  {"status", each.status},
                                  {"answer", each.answer},
                                  {"body", each.body},
                                  {"created", time_view(each.created)},
                                  {"next", time_view(each.next)},
                                  {"ended", time_view(each.ended)}});
  return json_answer(json::object{{"deliveries", std::move(out)}});
}

Result<Response> replay(Webhooks& webhooks, const Call& call) {
  const std::string_view text = call.capture("num");
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    return fail(Code::not_found, "There is no such delivery");
  TRY(const int64_t made, webhooks.replay(call.caller, call.capture("webhook"), number));
  return json_answer(json::object{{"id", made}}, 202);
}

}  // namespace

void add_webhook_routes(RouteTable& table, exchange::Webhooks& webhooks) {
  const auto add = route_adder(table, body_bytes_max);
  constexpr const char* all = "/api/settings/webhooks";
  constexpr const char* one = "/api/settings/webhooks/{webhook}";
  add("GET", all, "webhooks", Access::signed_in, [&](const Call& call) { return list(webhooks, call); });
  add("POST", all, "webhook_create", Access::signed_in_write,
      [&](const Call& call) { return create(webhooks, call); });
  add("GET", one, "webhook", Access::signed_in, [&](const Call& call) { return show(webhooks, call); });
  add("POST", one, "webhook_change", Access::signed_in_write,
      [&](const Call& call) { return change(webhooks, call); });
  add("DELETE", one, "webhook_delete", Access::signed_in_write,
      [&](const Call& call) { return remove(webhooks, call); });
  add("POST", "/api/settings/webhooks/{webhook}/enable", "webhook_enable", Access::signed_in_write,
      [&](const Call& call) { return turn(webhooks, call, Webhooks::Switch::on); });
  add("POST", "/api/settings/webhooks/{webhook}/disable", "webhook_disable", Access::signed_in_write,
      [&](const Call& call) { return turn(webhooks, call, Webhooks::Switch::off); });
  add("GET", "/api/settings/webhooks/{webhook}/deliveries", "webhook_deliveries", Access::signed_in,
      [&](const Call& call) { return deliveries(webhooks, call); });
  add("POST", "/api/settings/webhooks/{webhook}/deliveries/{num}/replay", "webhook_replay",
      Access::signed_in_write, [&](const Call& call) { return replay(webhooks, call); });
}

}  // namespace holdfast::api
