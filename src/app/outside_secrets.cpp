#include "app/outside_secrets.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "codec/json.h"
#include "codec/percent.h"
#include "io/disk.h"

namespace holdfast::app {
namespace {

constexpr uint64_t file_bytes_max = 16 << 10, answer_bytes_max = 1 << 20;
constexpr std::chrono::seconds vault_timeout{10};

Result<Secret> read_secret_file(const std::string& path) {
  const io::Path named(path);
  if (!named.is_absolute()) return fail(Reason::bad_request, "a secret's file is named by its whole path");
  TRY(const auto disk, io::open_posix_disk(named.parent_path()));
  auto text = io::read_text(*disk, named.filename(), file_bytes_max);
  if (!text.ok()) return fail(Reason::dependency_failed, "a secret's file cannot be read");
  return Secret(text.value().substr(0, text.value().find_first_of("\r\n")));
}

// MOUNT/PATH#FIELD: GET /v1/MOUNT/data/PATH answers {"data": {"data": {FIELD: …}, "metadata": …}}.
Result<Secret> read_vault(const SecretOptions& options, net::Client& client, const std::string& reference) {
  const size_t slash = reference.find('/'), mark = reference.rfind('#');
  if (options.vault_url.empty()) return fail(Reason::not_offered, "this server is told of no Vault");
  if (slash == std::string::npos || mark == std::string::npos || slash > mark)
    return fail(Reason::bad_request, "a reference into Vault is MOUNT/PATH#FIELD");
  TRY(const Secret token, read_secret_file(options.vault_token_file));
  net::ClientRequest request;
  request.url = fmt::format(
      "{}/v1/{}/data/{}", options.vault_url, codec::percent_encode(reference.substr(0, slash)),
      codec::percent_encode(reference.substr(slash + 1, mark - slash - 1), codec::PercentKeep::slash));
  request.headers.set("X-Vault-Token", token.reveal());
  request.headers.set("X-Vault-Request", "true");
  request.timeout = vault_timeout;
  request.body_bytes_max = answer_bytes_max;
  TRY(const net::ClientResponse answer, client.send(request, Context{}));
  if (answer.status != 200)
    return fail(Reason::dependency_failed, fmt::format("Vault answers with status {}", answer.status));
  TRY(const boost::json::object body, codec::parse_json_object(answer.body));
  TRY(const boost::json::object* data, codec::json_object(body, "data"));
  TRY(const boost::json::object* fields, codec::json_object(*data, "data"));
  TRY(const std::string_view value, codec::json_text(*fields, reference.substr(mark + 1)));
  return Secret(std::string(value));
}

}  // namespace

identity::OutsideSecrets outside_secrets(const SecretOptions& options, net::Client& client) {
  return {.environment = [options](const std::string& name) -> Result<Secret> {
            auto value = options.environment ? options.environment(name) : std::nullopt;
            if (!value) return fail(Code::not_found, fmt::format("the server's environment has no {}", name));
            return Secret(std::move(*value));
          },
          .file = read_secret_file,
          .vault = [options, &client](
                       const std::string& reference) { return read_vault(options, client, reference); }};
}

}  // namespace holdfast::app
