#include "exchange/webhook_sender.h"

#include <fmt/format.h>

#include <array>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/bytes.h"
#include "base/guarded.h"
#include "codec/hex.h"
#include "codec/hmac.h"
#include "exchange/webhook_events.h"
#include "exchange/webhooks.h"
#include "identity/accounts.h"
#include "identity/audit.h"
#include "net/client.h"
#include "repo/hub.h"
#include "sql/database.h"

namespace holdfast::exchange {
namespace {

constexpr std::chrono::milliseconds step{500};
constexpr std::chrono::seconds answer_timeout{10};
constexpr int64_t audit_rows_a_round = 500, due_a_round = 32, pending_max = 1000;
constexpr size_t answer_bytes_kept = 500, answer_bytes_max = 64 << 10;
constexpr std::chrono::hours kept_span{30 * 24};
// Between one attempt and the next; after the last of them it is given up.
constexpr auto waits = std::to_array<std::chrono::milliseconds>(
    {std::chrono::seconds(10), std::chrono::minutes(1), std::chrono::minutes(5), std::chrono::minutes(30),
     std::chrono::hours(2), std::chrono::hours(6)});

int64_t unix_ms(const Clock& clock) { return clock.wall().time_since_epoch().count(); }

Result<std::optional<int64_t>> cursor(sql::Database& database, std::string_view name) {
  std::optional<int64_t> out;
  TRY_DONE(database.read([&](sql::Transaction& tx) {
    out.reset();
    return tx.query("SELECT position FROM exchange_cursors WHERE name = ?", {name}, [&](const sql::Row& row) {
      out = row.integer(0);
      return false;
    });
  }));
  return out;
}

Status move_cursor(sql::Transaction& tx, std::string_view name, int64_t position) {
  TRY(const int64_t changed,
      tx.run("UPDATE exchange_cursors SET position = ? WHERE name = ?", {position, name}));
  if (changed > 0) return Done{};
  TRY([[maybe_unused]] const int64_t rows,
      tx.run("INSERT INTO exchange_cursors (name, position) VALUES (?, ?)", {name, position}));
  return Done{};
}

// The owner with all that he may now, whatever token made the webhook; nullopt when disabled or gone.
Result<std::optional<identity::Caller>> owner_of(const Webhook& webhook, identity::Accounts& accounts) {
  const auto user = accounts.find_user(webhook.owner);
  if (!user.ok() && user.error().code == Code::not_found) return std::optional<identity::Caller>();
  if (!user.ok()) return user.error();
  if (user.value().disabled) return std::optional<identity::Caller>();
  identity::Caller caller;
  caller.user = user.value().id;
  caller.name = user.value().name;
  caller.role = identity::TokenRole::write;
  caller.admin = user.value().kind == identity::UserKind::administrator;
  TRY(caller.memberships, accounts.memberships(caller.user));
  return std::optional(std::move(caller));
}

struct NewDelivery {
  std::string webhook, event, body;
};

Result<std::vector<NewDelivery>> deliveries_for(const std::vector<WebhookEvent>& events,
                                                const WebhookSenderParts& parts) {
  std::vector<NewDelivery> out;
  if (events.empty()) return out;
  TRY(const auto webhooks, parts.webhooks.live());
  std::map<int64_t, std::optional<identity::Caller>> owners;
  const std::string url = parts.public_url;
  for (const WebhookEvent& event : events)
    for (const Webhook& webhook : webhooks) {
      if (!watches(webhook, event)) continue;
      const auto known = owners.find(webhook.owner.raw);
      if (known == owners.end()) {
        TRY(owners[webhook.owner.raw], owner_of(webhook, parts.accounts));
      }
      const auto& owner = owners[webhook.owner.raw];
      if (!owner) continue;
      TRY(auto body, payload_of(webhook, event, *owner, parts.hub, url));
      if (body)
        out.push_back({webhook.id, fmt::format("{} {}", event.action, event.scope), std::move(*body)});
    }
  return out;
}

struct Due {
  int64_t id = 0, attempts = 0;
  std::string webhook, body;
};

// What came of one attempt.
struct Outcome {
  std::string state = "pending", answer{};
  int64_t status = 0;
};

Outcome attempt(const Due& due, const Webhook& webhook, const WebhookSenderParts& parts) {
  const int64_t seconds = unix_ms(parts.clock) / 1000;
  net::ClientRequest request;
  request.method = "POST";
  request.url = webhook.url;
  request.headers.set("Content-Type", "application/json");
  request.headers.set("X-Holdfast-Delivery", std::to_string(due.id));
  if (!webhook.secret.empty()) {
    request.headers.set("X-Webhook-Secret", webhook.secret.reveal());
    request.headers.set("X-Holdfast-Signature", webhook_signature(webhook.secret, seconds, due.body));
  }
  request.body = due.body;
  request.timeout = answer_timeout;
  request.body_bytes_max = answer_bytes_max;
  const auto answer = parts.client.send(request, Context{});
  Outcome out;
  if (answer.ok()) {
    out.status = answer.value().status;
    out.answer = answer.value().body.substr(0, answer_bytes_kept);
    if (out.status >= 200 && out.status < 300) out.state = "delivered";
  } else {
    out.answer = answer.error().message.substr(0, answer_bytes_kept);
    if (answer.error().reason == Reason::body_too_large) out.state = "delivered";  // It was taken.
    if (answer.error().reason == Reason::policy_refused || answer.error().reason == Reason::bad_request)
      out.state = "failed";  // An address that may not be told stays one.
  }
  if (out.state == "pending" && due.attempts >= static_cast<int64_t>(waits.size())) out.state = "failed";
  return out;
}

}  // namespace

std::string webhook_signature(const Secret& secret, int64_t unix_seconds, std::string_view body) {
  const std::string signed_text = fmt::format("{}.{}", unix_seconds, body);
  const auto digest = codec::hmac_sha256(as_bytes(secret.reveal()), as_bytes(signed_text));
  return fmt::format("t={},v1={}", unix_seconds, codec::to_hex(digest));
}

Result<bool> collect_events(const WebhookSenderParts& parts) {
  TRY(const auto audit_at, cursor(parts.database, "audit"));
  TRY(const auto discussions_at, cursor(parts.database, "discussions"));
  if (!audit_at || !discussions_at) {  // The first start tells nothing of what was before.
    TRY(const identity::AuditCheckpoint head, parts.audit.head(parts.database));
    TRY_DONE(parts.database.write([&](sql::Transaction& tx) -> Status {
      int64_t last = 0;
      TRY_DONE(
          tx.query("SELECT COALESCE(MAX(id), 0) FROM repo_discussion_events", {}, [&](const sql::Row& row) {
            last = row.integer(0);
            return false;
          }));
      TRY_DONE(move_cursor(tx, "audit", head.number));
      return move_cursor(tx, "discussions", last);
    }));
    return false;
  }
  const int64_t audit_from = audit_at.value_or(0), discussions_from = discussions_at.value_or(0);
  TRY(const auto rows, parts.audit.list(parts.database, audit_from, audit_rows_a_round));
  int64_t audit_now = audit_from, discussions_now = discussions_from;
  std::vector<WebhookEvent> events;
  for (const identity::AuditRow& row : rows) {
    audit_now = row.number;
    if (auto event = event_of(row)) events.push_back(std::move(*event));
  }
  TRY(auto more, discussion_events(parts.database, parts.hub, parts.public_url, discussions_now));
  for (WebhookEvent& event : more) events.push_back(std::move(event));
  if (audit_now == audit_from && discussions_now == discussions_from) return false;
  TRY(const auto made, deliveries_for(events, parts));
  const int64_t now = unix_ms(parts.clock);
  TRY_DONE(parts.database.write([&](sql::Transaction& tx) -> Status {
    for (const NewDelivery& each : made) {
      int64_t waiting = 0;
      TRY_DONE(tx.query("SELECT COUNT(*) FROM exchange_deliveries WHERE webhook = ? AND state = 'pending'",
                        {each.webhook}, [&](const sql::Row& row) {
                          waiting = row.integer(0);
                          return false;
                        }));
      if (waiting >= pending_max) continue;  // Its receiver has not answered for long.
      TRY([[maybe_unused]] const int64_t inserted,
          tx.run("INSERT INTO exchange_deliveries (webhook, event, body, state, attempts, next_at, status, "
                 "answer, created, ended) VALUES (?, ?, ?, 'pending', 0, ?, 0, '', ?, 0)",
                 {each.webhook, each.event, each.body, now, now}));
    }
    TRY_DONE(move_cursor(tx, "audit", audit_now));
    return move_cursor(tx, "discussions", discussions_now);
  }));
  return true;
}

Result<bool> send_due(const WebhookSenderParts& parts) {
  const int64_t now = unix_ms(parts.clock);
  std::vector<Due> due;
  TRY_DONE(parts.database.read([&](sql::Transaction& tx) {
    due.clear();
    return tx.query(
        "SELECT id, attempts, webhook, body FROM exchange_deliveries WHERE state = 'pending' AND next_at <= "
        "? "
        "ORDER BY id LIMIT ?",
        {now, due_a_round}, [&](const sql::Row& row) {
          due.push_back({row.integer(0), row.integer(1), row.text(2), row.text(3)});
          return true;
        });
  }));
  std::set<std::string> failed;  // Of this round: the others of it wait their turn.
  for (const Due& each : due) {
    if (failed.contains(each.webhook)) continue;
    TRY(const auto webhook, parts.webhooks.find(each.webhook));
    Outcome outcome{.state = "failed", .answer = "the webhook is off"};
    if (webhook && !webhook->disabled) outcome = attempt(each, *webhook, parts);
    if (outcome.state != "delivered") failed.insert(each.webhook);
    const int64_t at = unix_ms(parts.clock);
    const int64_t next =
        outcome.state == "pending" ? at + waits[static_cast<size_t>(each.attempts)].count() : 0;
    TRY_DONE(parts.database.write([&](sql::Transaction& tx) -> Status {
      TRY([[maybe_unused]] const int64_t rows,
          tx.run(
              "UPDATE exchange_deliveries SET state = ?, attempts = ?, next_at = ?, status = ?, answer = ?, "
              "ended = ? WHERE id = ?",
              {outcome.state, each.attempts + 1, next, outcome.status, outcome.answer,
               outcome.state == "pending" ? int64_t{0} : at, each.id}));
      return Done{};
    }));
    parts.metrics
        .counter("holdfast_webhook_deliveries_total", "Attempts to tell webhooks, by what came of them.",
                 {{"state", outcome.state}})
        .add();
  }
  return !due.empty();
}

namespace {

class RunningSender final : public WebhookSender {
 public:
  explicit RunningSender(const WebhookSenderParts& parts) : parts_(parts) {
    // Before anybody is let in: a new server's first events are told, too.
    collect();
    thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
  }

 private:
  void run(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    WallTime swept{};
    while (!stop.stop_requested()) {
      wake_.wait_for(lock, stop, step, [] { return false; });
      if (stop.stop_requested()) return;
      collect();
      const auto sent = guarded([this] { return send_due(parts_); });
      if (!sent.ok()) parts_.log.failure("webhook_deliveries_failed", sent.error());
      if (parts_.clock.wall() - swept < std::chrono::hours(1)) continue;
      swept = parts_.clock.wall();
      const Status gone = guarded([this] { return sweep(); });
      if (!gone.ok()) parts_.log.failure("webhook_log_not_swept", gone.error());
    }
  }

  void collect() {
    const auto collected = guarded([this] { return collect_events(parts_); });
    if (!collected.ok()) parts_.log.failure("webhook_events_failed", collected.error());
  }

  Status sweep() {
    const int64_t before =
        unix_ms(parts_.clock) - std::chrono::duration_cast<std::chrono::milliseconds>(kept_span).count();
    return parts_.database.write([&](sql::Transaction& tx) -> Status {
      TRY([[maybe_unused]] const int64_t rows,
          tx.run("DELETE FROM exchange_deliveries WHERE state <> 'pending' AND ended < ?", {before}));
      return Done{};
    });
  }

  const WebhookSenderParts parts_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace

std::unique_ptr<WebhookSender> start_webhook_sender(const WebhookSenderParts& parts) {
  return std::make_unique<RunningSender>(parts);
}

}  // namespace holdfast::exchange
