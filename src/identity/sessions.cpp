#include "identity/sessions.h"

#include <fmt/format.h>

#include <algorithm>

#include "codec/hex.h"
#include "codec/hmac.h"
#include "identity/account_rows.h"
#include "identity/names.h"
#include "identity/session_rows.h"
#include "sql/database.h"

namespace holdfast::identity {
namespace {

constexpr size_t value_letters = 40, memberships_max = 1000;

Error wrong_link() {
  return fail(Reason::bad_credentials, "This sign-in link was used already or is too old: ask for a new one");
}

bool is_value(std::string_view value) {
  return value.size() == value_letters &&
         std::ranges::all_of(value, [](char c) { return c > ' ' && c < '\x7f'; });
}

// Who acts in the session; nullopt when the user is disabled.
Result<std::optional<Session>> session_of(sql::Transaction& tx, const SessionRow& row) {
  Session session;
  session.expires = row.expires;
  for (const UserId id : row.people) {
    TRY(const User user, user_numbered(tx, id));
    if (user.disabled) {
      if (id == row.owner) return std::optional<Session>();
      continue;
    }
    session.people.push_back({user.id, user.name, user.fullname});
    if (id != row.owner) continue;
    TRY(std::vector<Membership> memberships, memberships_of(tx, id, memberships_max));
    session.caller = Caller{.user = user.id,
                            .name = user.name,
                            .admin = user.kind == UserKind::administrator,
                            .token = TokenId{-row.id},
                            .role = TokenRole::write,
                            .memberships = std::move(memberships)};
  }
  if (session.caller.anonymous()) return fail(Reason::data_corrupt, "a stored session is nobody's");
  return std::optional(std::move(session));
}

class StoredSessions final : public Sessions {
 public:
  StoredSessions(sql::Database& database, const Audit& audit, const Clock& clock, Random& random,
                 const Secret& instance_key, const SessionsOptions& options)
      : database_(database),
        audit_(audit),
        clock_(clock),
        random_(random),
        key_(instance_key),
        options_(options) {}

  Result<IssuedSession> open(const User& user) override {
    return issue([&](sql::Transaction&) -> Result<std::vector<UserId>> { return std::vector{user.id}; },
                 "password");
  }

  Result<Secret> make_link(std::string_view actor, std::span<const std::string> people,
                           std::chrono::minutes lifetime) override {
    if (people.empty() || people.size() > session_people_max)
      return fail(Reason::bad_request, fmt::format("a link is for 1 to {} people", session_people_max));
    if (lifetime.count() < 1 || lifetime > sign_in_link_lifetime_max)
      return fail(Reason::bad_request,
                  fmt::format("a link lives 1 to {} minutes", sign_in_link_lifetime_max.count()));
    Secret value = new_value();
    TRY_DONE(database_.write([&](sql::Transaction& tx) -> Status {
      std::vector<UserId> ids;
      std::string names;
      for (const std::string& name : people) {
        TRY(const User user, user_named(tx, name));
        if (user.disabled) return fail(Reason::precondition_failed, user.name + " is disabled");
        if (std::ranges::find(ids, user.id) == ids.end()) ids.push_back(user.id);
        names += (names.empty() ? "" : " ") + user.name;
      }
      const WallTime now = clock_.wall();
      TRY_DONE(insert_link(tx, digest_of("link", value.reveal()), ids, now, now + lifetime));
      return audit_.append(tx, {.actor = std::string(actor),
                                .action = "sign_in_link.created",
                                .subject = names,
                                .details = {{"expires", format_time(now + lifetime)}}});
    }));
    return value;
  }

  Result<IssuedSession> open_by_link(std::string_view link) override {
    if (!is_value(link)) return wrong_link();
    return issue(
        [&](sql::Transaction& tx) -> Result<std::vector<UserId>> {
          TRY(auto people, take_link(tx, digest_of("link", link), clock_.wall()));
          if (!people || people->empty()) return wrong_link();
          return std::move(*people);
        },
        "link");
  }

  Result<std::optional<Session>> find(std::string_view value) override {
    if (!is_value(value)) return std::optional<Session>();
    const TokenDigest digest = digest_of("session", value);
    const WallTime now = clock_.wall();
    std::optional<SessionRow> row;
    TRY(auto found,
        database_.read<std::optional<Session>>([&](sql::Transaction& tx) -> Result<std::optional<Session>> {
          TRY(row, session_of_digest(tx, digest));
          if (!row || !is_live(*row, now)) return std::optional<Session>();
          return session_of(tx, *row);
        }));
    if (found && now - row->last_used >= options_.last_used_step)
      TRY_DONE(database_.write([&](sql::Transaction& tx) -> Status {
        TRY_DONE(tx.run("UPDATE identity_sessions SET last_used = ? WHERE id = ?",
                        {int64_t{now.time_since_epoch().count()}, row->id}));
        return Done{};
      }));
    return found;
  }

  Result<IssuedSession> switch_to(std::string_view value, std::string_view name) override {
    TRY(const auto session, find(value));
    if (!session) return fail(Reason::unauthenticated, "This browser is not signed in");
    const auto person = std::ranges::find_if(
        session->people, [&](const SessionPerson& one) { return equal_names(one.name, name); });
    if (person == session->people.end())
      return fail(Code::not_found, fmt::format("this session has nobody called '{}'", name));
    std::vector<UserId> people{person->id};
    for (const SessionPerson& one : session->people)
      if (one.id != person->id) people.push_back(one.id);
    return issue(
        [&](sql::Transaction& tx) -> Result<std::vector<UserId>> {
          TRY_DONE(remove(tx, value));
          return people;
        },
        "switch");
  }

  Status close(std::string_view value) override {
    if (!is_value(value)) return Done{};
    return database_.write([&](sql::Transaction& tx) -> Status {
      TRY(const auto row, session_of_digest(tx, digest_of("session", value)));
      if (!row) return Done{};
      TRY_DONE(remove(tx, value));
      TRY(const User user, user_numbered(tx, row->owner));
      return audit_.append(
          tx, {.actor = user.name, .action = "session.closed", .subject = user.name, .details = {}});
    });
  }

  std::string csrf_token(std::string_view value) const override {
    return codec::to_hex(digest_of("csrf", value));
  }

 private:
  Secret new_value() { return Secret(random_.letters(value_letters)); }

  // `use` keeps apart what one value stands for.
  TokenDigest digest_of(std::string_view use, std::string_view value) const {
    return codec::hmac_sha256(as_bytes(key_.reveal()), as_bytes(fmt::format("{}:{}", use, value)));
  }

  bool is_live(const SessionRow& row, WallTime now) const {
    return now < row.expires && now < row.last_used + options_.idle;
  }

  Status remove(sql::Transaction& tx, std::string_view value) {
    TRY_DONE(
        tx.run("DELETE FROM identity_sessions WHERE digest = ?", {ByteView(digest_of("session", value))}));
    return Done{};
  }

  // A session of the people that `choose` gives in the same transaction; the first of them acts.
  Result<IssuedSession> issue(const std::function<Result<std::vector<UserId>>(sql::Transaction&)>& choose,
                              std::string_view how) {
    std::optional<IssuedSession> issued;
    TRY_DONE(database_.write([&](sql::Transaction& tx) -> Status {
      TRY(std::vector<UserId> people, choose(tx));
      const WallTime now = clock_.wall();
      SessionRow row{.owner = people.front(),
                     .people = std::move(people),
                     .created = now,
                     .expires = now + options_.lifetime,
                     .last_used = now};
      // Listed in the order of their accounts, so that switching does not move them about.
      std::ranges::sort(row.people, {}, &UserId::raw);
      Secret value = new_value();
      TRY_DONE(insert_session(tx, digest_of("session", value.reveal()), row, options_.sessions_of_user_max));
      TRY(auto session, session_of(tx, row));
      if (!session) return wrong_link();
      const std::string name = session->caller.name;
      issued.emplace(IssuedSession{std::move(*session), std::move(value)});
      return audit_.append(tx, {.actor = name,
                                .action = "session.opened",
                                .subject = name,
                                .details = {{"by", std::string(how)}}});
    }));
    return std::move(*issued);
  }

  sql::Database& database_;
  const Audit& audit_;
  const Clock& clock_;
  Random& random_;
  const Secret key_;
  const SessionsOptions options_;
};

}  // namespace

std::unique_ptr<Sessions> make_sessions(sql::Database& database, const Audit& audit, const Clock& clock,
                                        Random& random, const Secret& instance_key, SessionsOptions options) {
  return std::make_unique<StoredSessions>(database, audit, clock, random, instance_key, options);
}

}  // namespace holdfast::identity
