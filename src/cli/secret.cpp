#include "cli/secret.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "cli/administration.h"
#include "cli/text_table.h"
#include "cli/user_files.h"
#include "codec/json.h"
#include "identity/sealed.h"
#include "identity/secrets.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;
using Run = const AdministrationRun&;
using identity::SecretEntry;
using identity::SecretPlace;

constexpr FlagRow key_file_flag{"--key-file", "PATH",
                                "Key of the store; HOLDFAST_SECRETS_KEY_FILE, else the data folder's own."};

Result<identity::Secrets> open_secrets(Run run) {
  const auto environment = [&](const std::string& name) { return run.world.environment(name); };
  const std::string file(
      run.arguments.value_or("--key-file", environment("HOLDFAST_SECRETS_KEY_FILE").value_or("")));
  TRY(const Secret given, given_sealing_key(environment, file));
  TRY(Secret key, identity::open_sealing_key(run.instance.disk(), run.world.random(), given));
  return identity::Secrets(run.instance.database(), run.instance.audit(), run.world.clock(),
                           run.world.random(), std::move(key));
}

json::object secret_json(const SecretEntry& entry) {
  return {{"name", entry.name},
          {"place", identity::secret_place_name(entry.place)},
          {"reference", entry.reference},
          {"host", entry.host},
          {"by", entry.by},
          {"updated", format_time(entry.updated)}};
}

Status set(Run run) {
  identity::NewSecret wish{.name = std::string(run.positional(0)),
                           .place = SecretPlace::stored,
                           .reference = {},
                           .host = std::string(run.arguments.value_or("--host", "")),
                           .value = {}};
  int places = 0;
  for (const auto& [flag, place] :
       {std::pair("--from-environment", SecretPlace::environment),
        std::pair("--from-file", SecretPlace::file), std::pair("--from-vault", SecretPlace::vault)}) {
    const auto reference = run.arguments.value(flag);
    if (!reference) continue;
    ++places;
    wish.place = place;
    wish.reference = *reference;
  }
  if (places + (run.arguments.has("--value-stdin") ? 1 : 0) != 1)
    return fail(Reason::bad_request,
                "give one of --value-stdin, --from-environment, --from-file and --from-vault");
  if (wish.place == SecretPlace::stored) {
    TRY(wish.value, read_secret(run.world, "value"));
  }
  TRY(identity::Secrets secrets, open_secrets(run));
  TRY_DONE(secrets.set(command_line_actor, wish));
  run.world.print(run.output == Output::json
                      ? codec::to_text(json::object{{"name", wish.name}, {"set", true}}) + "\n"
                      : fmt::format("secret {} set\n", wish.name));
  return Done{};
}

Status list(Run run) {
  TRY(identity::Secrets secrets, open_secrets(run));
  TRY(const auto entries, secrets.list());
  if (run.output == Output::json) {
    json::array all;
    for (const SecretEntry& entry : entries) all.push_back(secret_json(entry));
    run.world.print(codec::to_text(all) + "\n");
    return Done{};
  }
  std::vector<std::vector<std::string>> rows{{"NAME", "PLACE", "REFERENCE", "HOST", "BY", "UPDATED"}};
  for (const SecretEntry& entry : entries)
    rows.push_back({entry.name, std::string(identity::secret_place_name(entry.place)), entry.reference,
                    entry.host, entry.by, format_time(entry.updated)});
  run.world.print(text_table(rows));
  return Done{};
}

Status remove(Run run) {
  TRY(identity::Secrets secrets, open_secrets(run));
  TRY_DONE(secrets.remove(command_line_actor, run.positional(0)));
  run.world.print(run.output == Output::json
                      ? codec::to_text(json::object{{"name", run.positional(0)}, {"removed", true}}) + "\n"
                      : fmt::format("secret {} removed\n", run.positional(0)));
  return Done{};
}

constexpr FlagRow set_flags[] = {
    data_flag,
    database_flag,
    json_flag,
    key_file_flag,
    {"--value-stdin", "", "Take the value from standard input's first line; it is kept sealed."},
    {"--from-environment", "NAME", "Read it from the server's environment when it is needed."},
    {"--from-file", "PATH", "Read it from a file on the server when it is needed."},
    {"--from-vault", "PLACE", "Read MOUNT/PATH#FIELD from Vault (KV version 2) when it is needed."},
    {"--host", "HOST", "The only host that it may be sent to."}};
constexpr FlagRow shared[] = {data_flag, database_flag, json_flag, key_file_flag};

}  // namespace

Result<Secret> given_sealing_key(const Environment& environment, const std::string& key_file) {
  if (const auto key = environment("HOLDFAST_SECRETS_KEY"); key && !key->empty()) return Secret(*key);
  if (key_file.empty()) return Secret();
  TRY(UserFiles files, UserFiles::open());
  TRY(std::string text, files.read(key_file, 4096));
  return Secret(std::move(text));
}

std::vector<Command> secret_commands() {
  return {
      {"secret set",
       "NAME [--value-stdin | --from-environment NAME | --from-file PATH | --from-vault MOUNT/PATH#FIELD] "
       "[--host HOST] [--data DIR]",
       "Keep a secret that the server needs for what it calls: an upstream's token, a webhook's key.",
       "holdfast secret set upstream --from-environment UPSTREAM_TOKEN --host hub.example.org",
       administers({set_flags, 1, 1}, set)},
      {"secret list", "[--data DIR] [--json]", "List the secrets, without their values.",
       "holdfast secret list", administers({shared, 0, 0}, list)},
      {"secret rm", "NAME [--data DIR]", "Remove a secret.", "holdfast secret rm upstream",
       administers({shared, 1, 1}, remove)},
  };
}

}  // namespace holdfast::cli
