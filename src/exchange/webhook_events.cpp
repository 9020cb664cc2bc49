#include "exchange/webhook_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "identity/names.h"
#include "repo/comparison.h"
#include "repo/hub.h"
#include "sql/database.h"

namespace holdfast::exchange {
namespace {

namespace json = boost::json;

constexpr int64_t events_a_round = 500;

json::object parsed(const std::string& text) {
  auto value = codec::parse_json_object(text);
  return value.ok() ? std::move(value).value() : json::object();
}

std::string text_of(const json::object& from, std::string_view key) {
  const auto found = codec::json_text_if(from, key);
  return found.ok() && found.value() ? std::string(*found.value()) : std::string();
}

// "model:lab/engine"
bool read_subject(const std::string& subject, WebhookEvent& event) {
  const size_t colon = subject.find(':'), slash = subject.find('/');
  if (colon == std::string::npos || slash == std::string::npos || slash < colon) return false;
  const auto type = repo::type_of_name(subject.substr(0, colon));
  if (!type) return false;
  event.type = *type;
  event.ns = subject.substr(colon + 1, slash - colon - 1);
  event.name = subject.substr(slash + 1);
  return true;
}

std::string web_url(const std::string& public_url, const WebhookEvent& event) {
  return fmt::format("{}/{}{}/{}", public_url, repo::url_prefix(event.type), event.ns, event.name);
}
std::string api_url(const std::string& public_url, const WebhookEvent& event) {
  return fmt::format("{}/api/{}/{}/{}", public_url, repo::type_plural(event.type), event.ns, event.name);
}

// Which kinds of things a push changed, where both its ends are there: whoever relies on a tokenizer or a
// licence need not look himself.
void add_changes(const repo::Repository& repository, repo::Hub& hub, json::object& body) {
  const json::value* refs = body.if_contains("updatedRefs");
  if (refs == nullptr || !refs->is_array() || refs->get_array().empty()) return;
  const json::value& first = refs->get_array().front();
  if (!first.is_object()) return;
  const auto before = git::ObjectId::parse(text_of(first.get_object(), "oldSha"));
  const auto after = git::ObjectId::parse(text_of(first.get_object(), "newSha"));
  if (!before.ok() || !after.ok()) return;
  const auto objects = hub.storage.open(repository.id);
  if (!objects.ok()) return;
  const auto changes = repo::compare_revisions(objects.value(), before.value(), after.value());
  if (!changes.ok()) return;  // A commit that is gone again.
  json::array flags;
  for (const std::string& flag : changes.value().flags) flags.emplace_back(flag);
  body["changed"] = std::move(flags);
}

WebhookEvent leaked_token(const identity::AuditRow& row) {
  const json::object details = parsed(row.details);
  WebhookEvent event;
  event.action = "delete";
  event.scope = "token";
  event.user = row.subject;
  event.more = codec::to_text(json::object{{"token", json::object{{"id", text_of(details, "token")},
                                                                  {"name", text_of(details, "label")},
                                                                  {"role", text_of(details, "role")},
                                                                  {"foundIn", text_of(details, "found_in")},
                                                                  {"revokedAt", format_time(row.at)}}}});
  return event;
}

WebhookEvent old_token(const identity::AuditRow& row) {
  const json::object details = parsed(row.details);
  WebhookEvent event;
  event.action = row.action == "token.ageing" ? "update" : "delete";
  event.scope = "token";
  event.user = row.subject;
  const std::string ends = text_of(details, "ends");
  event.more = codec::to_text(
      json::object{{"token", json::object{{"id", text_of(details, "token")},
                                          {"name", text_of(details, "label")},
                                          {"role", text_of(details, "role")},
                                          {"createdAt", text_of(details, "made")},
                                          {"endsAt", ends.empty() ? json::value(nullptr) : json::value(ends)},
                                          {"endsBy", text_of(details, "by")}}}});
  return event;
}

}  // namespace

std::optional<WebhookEvent> event_of(const identity::AuditRow& row) {
  WebhookEvent event;
  if (row.action == "token.revoked" && row.actor == "(scan)") return leaked_token(row);
  if (row.actor == "(age)" && row.action.starts_with("token.")) return old_token(row);
  if (!read_subject(row.subject, event)) return std::nullopt;
  const json::object details = parsed(row.details);
  event.scope = "repo";
  if (row.action == "repo.created") {
    event.action = "create";
  } else if (row.action == "repo.deleted") {
    event.action = "delete";
    event.gone = true;
  } else if (row.action == "repo.moved") {
    event.action = "move";
    event.more = codec::to_text(json::object{{"movedTo", json::object{{"name", text_of(details, "to")}}}});
  } else if (row.action == "repo.settings_changed") {
    event.action = "update";
    event.scope = "repo.config";
    event.more = codec::to_text(json::object{{"updatedConfig", details}});
  } else if (row.action == "repo.verdict_changed") {
    event.action = "update";
    event.scope = "repo.config";
    event.more = codec::to_text(json::object{{"updatedConfig", json::object{{"verdict_changed", details}}}});
  } else if (row.action == "mirror.upstream_changed" || row.action == "mirror.dependency_changed") {
    event.action = "update";
    event.scope = "repo.config";
    event.more =
        codec::to_text(json::object{{"updatedConfig", json::object{{row.action.substr(7), details}}}});
  } else if (row.action.starts_with("repo.") && details.contains("ref")) {
    event.action = "update";
    event.scope = "repo.content";
    const auto sha = [&](const char* key) -> json::value {
      const std::string text = text_of(details, key);
      return text.find_first_not_of('0') == std::string::npos ? json::value(nullptr) : json::value(text);
    };
    event.more =
        codec::to_text(json::object{{"updatedRefs", json::array{json::object{{"ref", text_of(details, "ref")},
                                                                             {"oldSha", sha("before")},
                                                                             {"newSha", sha("after")}}}}});
  } else {
    return std::nullopt;
  }
  return event;
}

Result<std::vector<WebhookEvent>> discussion_events(sql::Database& database, repo::Hub& hub,
                                                    const std::string& public_url, int64_t& position) {
  struct Row {
    int64_t id, repo, number;
    std::string event, type, author, data, title, status;
    bool pull_request, first;
  };
  std::vector<Row> rows;
  TRY_DONE(database.read([&](sql::Transaction& tx) {
    rows.clear();
    return tx.query(
        "SELECT e.id, e.repo, e.number, e.event, e.type, e.author, e.data, d.title, d.status, "
        "d.pull_request, "
        "(SELECT MIN(f.id) FROM repo_discussion_events f WHERE f.repo = e.repo AND f.number = e.number) "
        "FROM repo_discussion_events e JOIN repo_discussions d ON d.repo = e.repo AND d.number = e.number "
        "WHERE e.id > ? ORDER BY e.id LIMIT ?",
        {position, events_a_round}, [&](const sql::Row& row) {
          rows.push_back({row.integer(0), row.integer(1), row.integer(2), row.text(3), row.text(4),
                          row.text(5), row.text(6), row.text(7), row.text(8), row.integer(9) != 0,
                          row.integer(10) == row.integer(0)});
          return true;
        });
  }));
  std::vector<WebhookEvent> out;
  for (const Row& row : rows) {
    position = row.id;
    TRY(const auto repository, hub.repositories.find(repo::RepoId{row.repo}));
    if (!repository || (row.type != "comment" && row.type != "status-change" && row.type != "title-change"))
      continue;
    WebhookEvent event;
    event.type = repository->type;
    event.ns = repository->ns;
    event.name = repository->name;
    const bool comment = row.type == "comment";
    event.scope = comment && !row.first ? "discussion.comment" : "discussion";
    event.action = comment ? "create" : "update";
    const std::string web = fmt::format("{}/discussions/{}", web_url(public_url, event), row.number);
    json::object more{
        {"discussion",
         json::object{{"id", fmt::format("{}-{}", row.repo, row.number)},
                      {"title", row.title},
                      {"num", row.number},
                      {"status", row.status},
                      {"isPullRequest", row.pull_request},
                      {"author", json::object{{"id", row.author}}},
                      {"url", json::object{{"web", web},
                                           {"api", fmt::format("{}/discussions/{}",
                                                               api_url(public_url, event), row.number)}}}}}};
    if (comment) {
      const json::object data = parsed(row.data);
      const auto latest = codec::json_object_if(data, "latest");
      const bool there = latest.ok() && latest.value() != nullptr;
      more["comment"] = json::object{{"id", row.event},
                                     {"author", json::object{{"id", row.author}}},
                                     {"content", there ? text_of(*latest.value(), "raw") : std::string()},
                                     {"hidden", false},
                                     {"url", json::object{{"web", web + "#" + row.event}}}};
    }
    event.more = codec::to_text(more);
    out.push_back(std::move(event));
  }
  return out;
}

bool watches(const Webhook& webhook, const WebhookEvent& event) {
  if (!event.user.empty())
    return std::ranges::any_of(webhook.watched, [&](const Watched& each) {
      return each.type == "user" && identity::equal_names(each.name, event.user);
    });
  const bool discussion = event.scope.starts_with("discussion");
  const bool domain = std::ranges::any_of(webhook.domains, [&](const std::string& each) {
    return discussion ? each.starts_with("discussion") : each == "repo";
  });
  if (!domain) return false;
  const std::string full = event.ns + "/" + event.name;
  return std::ranges::any_of(webhook.watched, [&](const Watched& each) {
    if (each.type == "user" || each.type == "org") return identity::equal_names(each.name, event.ns);
    return each.type == repo::type_name(event.type) && identity::equal_names(each.name, full);
  });
}

Result<std::optional<std::string>> payload_of(const Webhook& webhook, const WebhookEvent& event,
                                              const identity::Caller& owner, repo::Hub& hub,
                                              const std::string& public_url) {
  using Answer = std::optional<std::string>;
  if (!event.user.empty()) {
    if (!identity::equal_names(owner.name, event.user)) return Answer();
    json::object body{{"event", json::object{{"action", event.action}, {"scope", event.scope}}}};
    for (const auto& member : parsed(event.more)) body[member.key()] = member.value();
    body["webhook"] = json::object{{"id", webhook.id}, {"version", 3}};
    return Answer(codec::to_text(body));
  }
  json::object repo_part{
      {"type", repo::type_name(event.type)},
      {"name", event.ns + "/" + event.name},
      {"url", json::object{{"web", web_url(public_url, event)}, {"api", api_url(public_url, event)}}},
      {"owner", json::object{{"id", event.ns}}}};
  TRY(auto repository, hub.repositories.find(event.type, event.ns, event.name));
  if (!repository && !event.gone) {
    TRY(repository, hub.repositories.find_moved(event.type, event.ns, event.name));
  }
  if (repository) {
    if (!hub.rights.may_see(owner, *repository)) return Answer();
    repo_part["id"] = std::to_string(repository->id.raw);
    repo_part["private"] = repository->visibility == repo::Visibility::private_;
    TRY(const auto head, hub.publisher.ref(repository->id, repo::main_ref));
    if (head) repo_part["headSha"] = head->hex();
  } else {
    // What is gone can no longer be asked who may see it: only its owners hear of it.
    const bool own = identity::equal_names(owner.name, event.ns) ||
                     std::ranges::any_of(owner.memberships, [&](const identity::Membership& in) {
                       return identity::equal_names(in.organisation, event.ns);
                     });
    if (!own) return Answer();
    repo_part["id"] = "";
    repo_part["private"] = true;
  }
  json::object body{{"event", json::object{{"action", event.action}, {"scope", event.scope}}},
                    {"repo", std::move(repo_part)}};
  for (const auto& member : parsed(event.more)) body[member.key()] = member.value();
  if (repository && event.scope == "repo.content") add_changes(*repository, hub, body);
  body["webhook"] = json::object{{"id", webhook.id}, {"version", 3}};
  return Answer(codec::to_text(body));
}

}  // namespace holdfast::exchange
