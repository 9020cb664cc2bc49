#include "identity/secrets.h"

#include <fmt/format.h>

#include "identity/names.h"
#include "identity/sealed.h"
#include "sql/database.h"

namespace holdfast::identity {
namespace {

constexpr size_t value_bytes_max = 16 << 10, reference_bytes_max = 1024, host_bytes_max = 255;
constexpr int64_t secrets_max = 10'000;
constexpr std::string_view columns = "name, place, reference, host, actor, updated, sealed";

Error unknown(std::string_view name) {
  return fail(Code::not_found, fmt::format("there is no secret '{}'", name));
}

SecretEntry read_entry(const sql::Row& row) {
  return {.name = row.text(0),
          .place = secret_place_of_name(row.text(1)).value_or(SecretPlace::stored),
          .reference = row.text(2),
          .host = row.text(3),
          .by = row.text(4),
          .updated = WallTime(std::chrono::milliseconds(row.integer(5)))};
}

Status check(const NewSecret& wish) {
  TRY_DONE(check_account_name(wish.name));
  TRY_DONE(check_display_text(wish.reference, reference_bytes_max, "reference"));
  TRY_DONE(check_display_text(wish.host, host_bytes_max, "host"));
  if (wish.place == SecretPlace::stored) {
    if (wish.value.empty()) return fail(Reason::bad_request, "a stored secret needs a value");
    if (wish.value.reveal().size() > value_bytes_max)
      return fail(Reason::bad_request, fmt::format("a secret has at most {} bytes", value_bytes_max));
    return Done{};
  }
  if (wish.reference.empty())
    return fail(Reason::bad_request, "a secret that lies outside needs a reference to its place");
  if (wish.place == SecretPlace::vault && wish.reference.find('#') == std::string::npos)
    return fail(Reason::bad_request, "a reference into Vault is MOUNT/PATH#FIELD");
  return Done{};
}

}  // namespace

std::string_view secret_place_name(SecretPlace place) {
  switch (place) {
    case SecretPlace::stored:
      return "stored";
    case SecretPlace::environment:
      return "environment";
    case SecretPlace::file:
      return "file";
    case SecretPlace::vault:
      return "vault";
  }
  return {};
}

std::optional<SecretPlace> secret_place_of_name(std::string_view name) {
  for (const auto place :
       {SecretPlace::stored, SecretPlace::environment, SecretPlace::file, SecretPlace::vault})
    if (secret_place_name(place) == name) return place;
  return std::nullopt;
}

Status Secrets::set(std::string_view actor, const NewSecret& wish) {
  TRY_DONE(check(wish));
  std::string sealed;
  if (wish.place == SecretPlace::stored) {
    TRY(sealed, seal(key_, wish.name, wish.value, random_));
  }
  const std::string host = lower_case(wish.host);
  return database_.write([&](sql::Transaction& tx) -> Status {
    const std::string_view place = secret_place_name(wish.place);
    const int64_t now = clock_.wall().time_since_epoch().count();
    TRY(const int64_t changed,
        tx.run("UPDATE identity_secrets SET place = ?, reference = ?, host = ?, actor = ?, updated = ?, "
               "sealed = ? WHERE name = ?",
               {place, wish.reference, host, actor, now, sealed, wish.name}));
    if (changed == 0) {
      TRY([[maybe_unused]] const int64_t rows,
          tx.run("INSERT INTO identity_secrets (place, reference, host, actor, updated, sealed, name) "
                 "VALUES (?, ?, ?, ?, ?, ?, ?)",
                 {place, wish.reference, host, actor, now, sealed, wish.name}));
    }
    return audit_.append(tx, {.actor = std::string(actor),
                              .action = "secret.set",
                              .subject = wish.name,
                              .details = {{"host", host}, {"place", std::string(place)}}});
  });
}

Result<std::vector<SecretEntry>> Secrets::list() {
  std::vector<SecretEntry> out;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    out.clear();
    return tx.query(fmt::format("SELECT {} FROM identity_secrets ORDER BY name LIMIT ?", columns),
                    {secrets_max}, [&](const sql::Row& row) {
                      out.push_back(read_entry(row));
                      return true;
                    });
  }));
  return out;
}

Status Secrets::remove(std::string_view actor, std::string_view name) {
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY(const int64_t gone, tx.run("DELETE FROM identity_secrets WHERE name = ?", {name}));
    if (gone == 0) return unknown(name);
    return audit_.append(tx, {.actor = std::string(actor),
                              .action = "secret.removed",
                              .subject = std::string(name),
                              .details = {}});
  });
}

Result<Secrets::Row> Secrets::find(std::string_view name) {
  std::optional<Row> found;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    found.reset();
    return tx.query(fmt::format("SELECT {} FROM identity_secrets WHERE name = ?", columns), {name},
                    [&](const sql::Row& row) {
                      found = Row{read_entry(row), row.text(6)};
                      return false;
                    });
  }));
  if (!found) return unknown(name);
  return std::move(*found);
}

Result<Secret> Secrets::reveal(std::string_view name, std::string_view host) {
  TRY(const Row row, find(name));
  if (!row.entry.host.empty() && row.entry.host != lower_case(host))
    return fail(Reason::policy_refused, fmt::format("the secret '{}' is not meant for this host", name));
  const auto read = [&](const OutsideSecrets::Read& from) -> Result<Secret> {
    if (!from) return fail(Reason::not_offered, "this server reads no secrets from there");
    return from(row.entry.reference);
  };
  switch (row.entry.place) {
    case SecretPlace::stored:
      return unseal(key_, row.entry.name, row.sealed);
    case SecretPlace::environment:
      return read(outside_.environment);
    case SecretPlace::file:
      return read(outside_.file);
    case SecretPlace::vault:
      return read(outside_.vault);
  }
  return unknown(name);
}

}  // namespace holdfast::identity
