#include "exchange/webhooks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "identity/sealed.h"
#include "sql/database.h"

namespace holdfast::exchange {
namespace {

namespace json = boost::json;

constexpr size_t webhooks_max = 100, watched_max = 100, url_bytes_max = 2000, name_bytes_max = 200,
                 secret_bytes_max = 1000;
constexpr int64_t listed_max = 100'000, deliveries_max = 200;

int64_t unix_ms(const Clock& clock) { return clock.wall().time_since_epoch().count(); }

Error unknown() { return fail(Code::not_found, "You have no such webhook"); }

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

Status check(const Webhook& webhook) {
  if (!webhook.url.starts_with("https://") && !webhook.url.starts_with("http://"))
    return fail(Reason::bad_request, "\"url\" must be an http or https address");
  if (webhook.url.size() > url_bytes_max || !is_printable(webhook.url))
    return fail(Reason::bad_request, "\"url\" is no address");
  if (!is_printable(webhook.secret.reveal()) || webhook.secret.reveal().size() > secret_bytes_max)
    return fail(Reason::bad_request, "\"secret\" must be printable and at most 1000 characters long");
  if (webhook.watched.empty() || webhook.watched.size() > watched_max)
    return fail(Reason::bad_request, fmt::format("\"watched\" must name 1 to {} things", watched_max));
  static constexpr auto types =
      std::to_array<std::string_view>({"bucket", "dataset", "model", "org", "space", "user"});
  for (const Watched& each : webhook.watched) {
    if (std::ranges::find(types, each.type) == types.end())
      return fail(Reason::bad_request,
                  "\"watched\" types must be one of [bucket, dataset, model, org, space, user]");
    if (each.name.empty() || each.name.size() > name_bytes_max || !is_printable(each.name))
      return fail(Reason::bad_request, "\"watched\" names must be names");
  }
  for (const std::string& each : webhook.domains)
    if (each != "repo" && each != "discussion" && each != "discussions")
      return fail(Reason::bad_request, "\"domains\" must be of [repo, discussion]");
  return Done{};
}

std::string watched_text(const std::vector<Watched>& watched) {
  json::array out;
  for (const Watched& each : watched) out.push_back(json::array{each.type, each.name});
  return codec::to_text(out);
}

std::vector<Watched> read_watched(const std::string& text) {
  std::vector<Watched> out;
  const auto parsed = codec::parse_json(text);
  if (!parsed.ok() || !parsed.value().is_array()) return out;
  for (const json::value& each : parsed.value().get_array()) {
    const json::array* pair = each.if_array();
    if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_string() || !(*pair)[1].is_string()) continue;
    out.push_back({std::string((*pair)[0].get_string()), std::string((*pair)[1].get_string())});
  }
  return out;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> out;
  for (size_t at = 0; at < text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    out.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return out;
}

std::string join(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& each : parts) out += (out.empty() ? "" : ",") + each;
  return out;
}

}  // namespace

Result<std::vector<Webhook>> Webhooks::read(std::string_view where, std::string_view text, int64_t number) {
  struct Row {
    Webhook webhook;
    std::string sealed;
  };
  std::vector<Row> rows;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    rows.clear();
    return tx.query(fmt::format("SELECT id, owner, url, watched, domains, secret, disabled FROM "
                                "exchange_webhooks WHERE {} ORDER BY created, id LIMIT ?",
                                where),
                    {text, number, listed_max}, [&](const sql::Row& row) {
                      rows.push_back({{.id = row.text(0),
                                       .owner = identity::UserId{row.integer(1)},
                                       .url = row.text(2),
                                       .watched = read_watched(row.text(3)),
                                       .domains = split(row.text(4)),
                                       .secret = {},
                                       .disabled = row.integer(6) != 0},
                                      row.text(5)});
                      return true;
                    });
  }));
  std::vector<Webhook> out;
  for (Row& row : rows) {
    if (!row.sealed.empty()) {
      auto opened = identity::unseal(key_, "webhook:" + row.webhook.id, row.sealed);
      // Sealed under a key that a restored instance no longer has: it may not tell unsigned.
      if (opened.ok())
        row.webhook.secret = std::move(opened).value();
      else
        row.webhook.disabled = true;
    }
    out.push_back(std::move(row.webhook));
  }
  return out;
}

Status Webhooks::store(const Webhook& webhook) {
  std::string sealed;
  if (!webhook.secret.empty()) {
    TRY(sealed, identity::seal(key_, "webhook:" + webhook.id, webhook.secret, random_));
  }
  const std::string watched = watched_text(webhook.watched), domains = join(webhook.domains);
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY(const int64_t changed,
        tx.run(
            "UPDATE exchange_webhooks SET url = ?, watched = ?, domains = ?, secret = ?, disabled = ? WHERE "
            "id = ?",
            {webhook.url, watched, domains, sealed, int64_t{webhook.disabled}, webhook.id}));
    if (changed > 0) return Done{};
    TRY([[maybe_unused]] const int64_t rows,
        tx.run("INSERT INTO exchange_webhooks (id, owner, url, job, watched, domains, secret, disabled, "
               "created) "
               "VALUES (?, ?, ?, '', ?, ?, ?, ?, ?)",
               {webhook.id, webhook.owner.raw, webhook.url, watched, domains, sealed,
                int64_t{webhook.disabled}, unix_ms(clock_)}));
    return Done{};
  });
}

Result<std::vector<Webhook>> Webhooks::list(const identity::Caller& caller) {
  return read("id <> ? AND owner = ?", "", caller.user.raw);
}

Result<std::vector<Webhook>> Webhooks::live() {
  TRY(auto found, read("id <> ? AND disabled = ?", "", 0));
  std::erase_if(found, [](const Webhook& each) { return each.disabled; });
  return found;
}

Result<std::optional<Webhook>> Webhooks::find(std::string_view id) {
  TRY(auto found, read("id = ? AND owner > ?", id, 0));
  if (found.empty()) return std::optional<Webhook>();
  return std::optional(std::move(found.front()));
}

Result<Webhook> Webhooks::find(const identity::Caller& caller, std::string_view id) {
  TRY(auto found, read("id = ? AND owner = ?", id, caller.user.raw));
  if (found.empty()) return unknown();
  return std::move(found.front());
}

Result<Webhook> Webhooks::create(const identity::Caller& caller, const Webhook& wish) {
  Webhook webhook = wish;
  if (webhook.domains.empty()) webhook.domains = {"repo", "discussion"};
  TRY_DONE(check(webhook));
  TRY(const auto have, list(caller));
  if (have.size() >= webhooks_max)
    return fail(Reason::quota, fmt::format("a user has at most {} webhooks", webhooks_max));
  webhook.id = random_.hex(12);
  webhook.owner = caller.user;
  webhook.disabled = false;
  TRY_DONE(store(webhook));
  return webhook;
}

Result<Webhook> Webhooks::change(const identity::Caller& caller, std::string_view id,
                                 const WebhookChange& change) {
  TRY(Webhook webhook, find(caller, id));
  if (change.url) webhook.url = *change.url;
  if (change.watched) webhook.watched = *change.watched;
  if (change.domains) webhook.domains = *change.domains;
  if (change.secret) webhook.secret = *change.secret;
  TRY_DONE(check(webhook));
  TRY_DONE(store(webhook));
  return webhook;
}

Result<Webhook> Webhooks::turn(const identity::Caller& caller, std::string_view id, Switch to) {
  TRY(Webhook webhook, find(caller, id));
  webhook.disabled = to == Switch::off;
  TRY_DONE(store(webhook));
  return webhook;
}

Status Webhooks::remove(const identity::Caller& caller, std::string_view id) {
  TRY([[maybe_unused]] const Webhook webhook, find(caller, id));
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY([[maybe_unused]] const int64_t gone, tx.run("DELETE FROM exchange_webhooks WHERE id = ?", {id}));
    TRY([[maybe_unused]] const int64_t rows,
        tx.run("DELETE FROM exchange_deliveries WHERE webhook = ?", {id}));
    return Done{};
  });
}

Result<std::vector<Delivery>> Webhooks::deliveries(const identity::Caller& caller, std::string_view id) {
  TRY([[maybe_unused]] const Webhook webhook, find(caller, id));
  std::vector<Delivery> out;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    out.clear();
    return tx.query(
        "SELECT id, webhook, event, body, state, attempts, status, answer, created, next_at, ended FROM "
        "exchange_deliveries WHERE webhook = ? ORDER BY id DESC LIMIT ?",
        {id, deliveries_max}, [&](const sql::Row& row) {
          const auto time = [&](int column) {
            return WallTime(std::chrono::milliseconds(row.integer(column)));
          };
          out.push_back({.id = row.integer(0),
                         .webhook = row.text(1),
                         .event = row.text(2),
                         .body = row.text(3),
                         .state = row.text(4),
                         .attempts = row.integer(5),
                         .status = row.integer(6),
                         .answer = row.text(7),
                         .created = time(8),
                         .next = time(9),
                         .ended = time(10)});
          return true;
        });
  }));
  return out;
}

Result<int64_t> Webhooks::replay(const identity::Caller& caller, std::string_view id, int64_t delivery) {
  TRY([[maybe_unused]] const Webhook webhook, find(caller, id));
  const int64_t now = unix_ms(clock_);
  return database_.write<int64_t>([&](sql::Transaction& tx) -> Result<int64_t> {
    std::string event, body;
    TRY_DONE(tx.query("SELECT event, body FROM exchange_deliveries WHERE webhook = ? AND id = ?",
                      {id, delivery}, [&](const sql::Row& row) {
                        event = row.text(0);
                        body = row.text(1);
                        return false;
                      }));
    if (body.empty()) return fail(Code::not_found, "There is no such delivery");
    TRY([[maybe_unused]] const int64_t made,
        tx.run("INSERT INTO exchange_deliveries (webhook, event, body, state, attempts, next_at, status, "
               "answer, created, ended) VALUES (?, ?, ?, 'pending', 0, ?, 0, '', ?, 0)",
               {id, event, body, now, now}));
    int64_t number = 0;
    TRY_DONE(
        tx.query("SELECT MAX(id) FROM exchange_deliveries WHERE webhook = ?", {id}, [&](const sql::Row& row) {
          number = row.integer(0);
          return false;
        }));
    return number;
  });
}

}  // namespace holdfast::exchange
