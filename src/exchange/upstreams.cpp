#include "exchange/upstreams.h"

#include <fmt/format.h>

#include <algorithm>

#include "exchange/provenance.h"
#include "identity/accounts.h"
#include "identity/audit.h"
#include "identity/names.h"
#include "repo/repositories.h"
#include "sql/database.h"

namespace holdfast::exchange {
namespace {

constexpr int64_t upstreams_max = 1000;
constexpr size_t list_bytes_max = 4096, url_bytes_max = 1000;
constexpr std::string_view columns =
    "name, url, secret, namespaces, allow, deny, visibility, follow, every_ms, bytes_max, actor, updated";

Upstream read_upstream(const sql::Row& row) {
  return {.name = row.text(0),
          .url = row.text(1),
          .secret = row.text(2),
          .namespaces = row.text(3),
          .allow = row.text(4),
          .deny = row.text(5),
          .visibility = repo::visibility_of_name(row.text(6)).value_or(repo::Visibility::private_),
          .follow = row.integer(7) != 0 ? Follow::upstream : Follow::pinned,
          .every = std::chrono::milliseconds(row.integer(8)),
          .bytes_max = static_cast<uint64_t>(row.integer(9)),
          .by = row.text(10),
          .updated = WallTime(std::chrono::milliseconds(row.integer(11)))};
}

Status check(const Upstream& upstream) {
  TRY_DONE(identity::check_account_name(upstream.name));
  if (!upstream.url.starts_with("http://") && !upstream.url.starts_with("https://"))
    return fail(Reason::bad_request, "an upstream's address starts with http:// or https://");
  if (upstream.url.size() > url_bytes_max || upstream.url.ends_with('/') ||
      upstream.url.find_first_of(" \t\r\n@") != std::string::npos)
    return fail(Reason::bad_request, "an upstream's address has no last slash, no user and no spaces");
  for (const std::string& text : {upstream.namespaces, upstream.allow, upstream.deny})
    TRY_DONE(identity::check_display_text(text, list_bytes_max, "list of names"));
  if (upstream.every < std::chrono::milliseconds(0))
    return fail(Reason::bad_request, "how often is no negative time");
  TRY(const auto pairs, parse_namespaces(upstream.namespaces));
  if (pairs.empty()) return fail(Reason::bad_request, "an upstream stands behind at least one namespace");
  return Done{};
}

}  // namespace

std::string host_of(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  const size_t colon = url.rfind(':');
  if (colon != std::string_view::npos && url.find(']', colon) == std::string_view::npos)
    url = url.substr(0, colon);
  return identity::lower_case(url);
}

Result<std::vector<NamespacePair>> parse_namespaces(std::string_view text) {
  std::vector<NamespacePair> out;
  for (size_t at = 0; at <= text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    std::string_view part = text.substr(at, comma - at);
    at = comma + 1;
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (part.empty()) continue;
    const size_t equals = part.find('=');
    NamespacePair pair{std::string(part.substr(0, equals)),
                       std::string(equals == std::string_view::npos ? part : part.substr(equals + 1))};
    TRY_DONE(identity::check_account_name(pair.here));
    TRY_DONE(identity::check_account_name(pair.there));
    out.push_back(std::move(pair));
  }
  return out;
}

Status check_rules(const UpstreamPlace& place) {
  if (fits_any(place.remote, place.upstream.allow) && !fits_any(place.remote, place.upstream.deny))
    return Done{};
  return fail(Reason::policy_refused, fmt::format("the rules of this hub do not let {} be taken over from {}",
                                                  place.remote, place.upstream.name));
}

Status Upstreams::take_namespace(std::string_view actor, std::string_view ns, std::string_view fullname,
                                 repo::Visibility visibility) {
  const auto found = accounts_.find_namespace(ns);
  if (found.ok() && found.value().kind == identity::Namespace::Kind::user)
    return fail(Reason::bad_request, fmt::format("'{}' is a user", ns));
  if (found.ok()) return Done{};
  if (found.error().code != Code::not_found) return found.error();
  TRY([[maybe_unused]] const auto made,
      accounts_.create_organisation(
          actor,
          {.name = std::string(ns), .fullname = std::string(fullname), .default_visibility = visibility}));
  return Done{};
}

Status Upstreams::take_namespaces(std::string_view actor, const Upstream& upstream) {
  TRY(const auto pairs, parse_namespaces(upstream.namespaces));
  TRY(const auto others, list());
  for (const NamespacePair& pair : pairs) {
    for (const Upstream& other : others) {
      if (other.name == upstream.name) continue;
      TRY(const auto taken, parse_namespaces(other.namespaces));
      for (const NamespacePair& each : taken)
        if (identity::equal_names(each.here, pair.here))
          return fail(Reason::bad_request,
                      fmt::format("behind '{}' stands the upstream {} already", pair.here, other.name));
    }
    TRY_DONE(take_namespace(actor, pair.here, pair.there + " of " + upstream.name, upstream.visibility));
  }
  return Done{};
}

namespace {

// A name mistyped here would be found out at the first request, which would then be somebody's in a hurry.
Status check_secret(sql::Transaction& tx, const std::string& name) {
  if (name.empty()) return Done{};
  bool there = false;
  TRY_DONE(tx.query("SELECT 1 FROM identity_secrets WHERE name = ?", {name}, [&](const sql::Row&) {
    there = true;
    return false;
  }));
  if (there) return Done{};
  return fail(Reason::bad_request,
              fmt::format("there is no secret '{}': `holdfast secret set {}` puts one in", name, name));
}

}  // namespace

Status Upstreams::set(std::string_view actor, const Upstream& upstream) {
  TRY_DONE(check(upstream));
  TRY_DONE(take_namespaces(actor, upstream));
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(check_secret(tx, upstream.secret));
    TRY([[maybe_unused]] const int64_t gone,
        tx.run("DELETE FROM exchange_upstreams WHERE name = ?", {upstream.name}));
    TRY([[maybe_unused]] const int64_t rows,
        tx.run(
            fmt::format("INSERT INTO exchange_upstreams ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        columns),
            {upstream.name, upstream.url, upstream.secret, upstream.namespaces, upstream.allow, upstream.deny,
             repo::visibility_name(upstream.visibility), int64_t{upstream.follow == Follow::upstream},
             int64_t{upstream.every.count()}, static_cast<int64_t>(upstream.bytes_max), actor,
             int64_t{clock_.wall().time_since_epoch().count()}}));
    return audit_.append(tx, {.actor = std::string(actor),
                              .action = "upstream.set",
                              .subject = upstream.name,
                              .details = {{"allow", upstream.allow},
                                          {"deny", upstream.deny},
                                          {"namespaces", upstream.namespaces},
                                          {"secret", upstream.secret},
                                          {"url", upstream.url}}});
  });
}

Result<std::vector<Upstream>> Upstreams::list() {
  std::vector<Upstream> out;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    out.clear();
    return tx.query(fmt::format("SELECT {} FROM exchange_upstreams ORDER BY name LIMIT ?", columns),
                    {upstreams_max}, [&](const sql::Row& row) {
                      out.push_back(read_upstream(row));
                      return true;
                    });
  }));
  return out;
}

Result<Upstream> Upstreams::find(std::string_view name) {
  TRY(std::vector<Upstream> all, list());
  for (Upstream& each : all)
    if (each.name == name) return std::move(each);
  return fail(Code::not_found, fmt::format("there is no upstream '{}'", name));
}

Status Upstreams::remove(std::string_view actor, std::string_view name) {
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY(const int64_t gone, tx.run("DELETE FROM exchange_upstreams WHERE name = ?", {name}));
    if (gone == 0) return fail(Code::not_found, fmt::format("there is no upstream '{}'", name));
    return audit_.append(tx, {.actor = std::string(actor),
                              .action = "upstream.removed",
                              .subject = std::string(name),
                              .details = {}});
  });
}

Result<std::optional<UpstreamPlace>> Upstreams::behind(std::string_view ns, std::string_view name) {
  TRY(std::vector<Upstream> all, list());
  for (Upstream& upstream : all) {
    TRY(const auto pairs, parse_namespaces(upstream.namespaces));
    for (const NamespacePair& pair : pairs)
      if (identity::equal_names(pair.here, ns))
        return std::optional(UpstreamPlace{std::move(upstream), fmt::format("{}/{}", pair.there, name)});
  }
  return std::optional<UpstreamPlace>();
}

}  // namespace holdfast::exchange
