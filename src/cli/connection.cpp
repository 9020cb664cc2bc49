#include "cli/connection.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr uint64_t answer_bytes_max = 64 << 20;

// {"missing": [{"fact", "needs", "supply": {"command"}}]} and {"fields": [{"field", "why"}]} as lines.
std::string more_of(const json::object& answer) {
  std::string lines;
  const auto text = [](const json::object& object, std::string_view key) -> std::string {
    const auto value = codec::json_text_if(object, key);
    return value.ok() && value.value() ? std::string(*value.value()) : std::string();
  };
  for (const char* list : {"missing", "fields"}) {
    const auto found = codec::json_array_if(answer, list);
    if (!found.ok() || found.value() == nullptr) continue;
    for (const json::value& one : *found.value()) {
      if (!one.is_object()) continue;
      const json::object& item = one.get_object();
      lines += fmt::format("\n  {:<24} {}", text(item, "fact") + text(item, "field"),
                           text(item, "needs") + text(item, "why"));
      const auto supply = codec::json_object_if(item, "supply");
      if (supply.ok() && supply.value() != nullptr)
        lines += "\n" + std::string(27, ' ') + text(*supply.value(), "command");
    }
  }
  return lines;
}

Error refusal(const net::ClientResponse& answer) {
  std::string message(answer.headers.get("X-Error-Message"));
  const auto body = codec::parse_json_object(answer.body);
  if (body.ok()) {
    const auto said = codec::json_text_if(body.value(), "error");
    if (said.ok() && said.value()) message = *said.value();
    if (const std::string more = more_of(body.value()); !more.empty()) {
      if (const size_t colon = message.find(':'); colon != std::string::npos) message.resize(colon + 1);
      message += more;
    }
  }
  if (message.empty()) message = fmt::format("the hub answered with status {}", answer.status);
  for (const ReasonRow& row : reasons())
    if (row.error_code == answer.headers.get("X-Error-Code"))
      return Error{row.code, row.reason, std::move(message), {}};
  return fail(answer.status == 404 ? Code::not_found : Code::conflict, std::move(message));
}

Result<net::ClientResponse> send(World& world, const Arguments& arguments, const Question& question) {
  TRY(Connection connection, connect(world, arguments));
  net::ClientRequest request;
  request.method = question.method;
  request.url = connection.hub->endpoint() + question.path;
  request.headers.set("Content-Type", question.content_type);
  if (!connection.hub->token().empty())
    request.headers.set("Authorization", "Bearer " + connection.hub->token().reveal());
  request.body = question.body;
  request.body_bytes_max = answer_bytes_max;
  TRY(net::ClientResponse answer, connection.client->send(request, Context{}));
  if (answer.status >= 400) return refusal(answer);
  return answer;
}

}  // namespace

Result<io::Path> hub_home(World& world) {
  if (const auto home = world.environment("HF_HOME")) return io::Path(*home);
  if (const auto cache = world.environment("XDG_CACHE_HOME")) return io::Path(*cache) / "huggingface";
  if (const auto home = world.environment("HOME")) return io::Path(*home) / ".cache" / "huggingface";
  return fail(Reason::bad_request, "neither HF_HOME nor HOME is set: where is the cache?");
}

Result<std::unique_ptr<io::Disk>> open_home(World& world) {
  TRY(io::Path home, hub_home(world));
  return io::open_posix_disk(home);
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

Result<Connection> connect(World& world, const Arguments& arguments) {
  std::string endpoint(arguments.value_or("--endpoint", world.environment("HF_ENDPOINT").value_or("")));
  while (endpoint.ends_with('/')) endpoint.pop_back();
  if (endpoint.empty()) return fail(Reason::bad_request, "which hub? Give --endpoint or set HF_ENDPOINT");
  std::string token(arguments.value_or("--token", world.environment("HF_TOKEN").value_or("")));
  if (token.empty()) {
    TRY(std::unique_ptr<io::Disk> home, open_home(world));
    if (const auto kept = io::read_text(*home, "token", token_bytes_max); kept.ok())
      token = trimmed(kept.value());
  }
  Connection connection;
  net::ClientOptions options;
  options.addresses = net::AddressPolicy::any;  // The user names the hub; it may well be on this machine.
  connection.client = net::make_client(options, world.clock());
  connection.hub = std::make_unique<HubClient>(*connection.client, endpoint, Secret(token));
  return connection;
}

Result<json::value> ask_json(World& world, const Arguments& arguments, const Question& question) {
  TRY(const net::ClientResponse answer, send(world, arguments, question));
  return codec::parse_json(answer.body, {.bytes_max = answer_bytes_max});
}

Result<std::string> ask_text(World& world, const Arguments& arguments, const Question& question) {
  TRY(net::ClientResponse answer, send(world, arguments, question));
  return std::move(answer.body);
}

Command client_command(std::string words, std::string arguments, std::string summary, std::string example,
                       const Shape& shape, Work work) {
  arguments += "\n\n" + flags_help(shape.flags);
  auto run = [shape, work](World& world, std::span<const std::string_view> given) {
    const auto parsed = Arguments::parse({shape.flags, shape.least, shape.most}, given);
    if (!parsed.ok()) return report(world, parsed.error());
    const auto outcome = work(world, parsed.value());
    return outcome.ok()
               ? outcome.value()
               : report(world, outcome.error(), parsed.value().has("--json") ? Output::json : Output::people);
  };
  return {std::move(words), std::move(arguments), std::move(summary), std::move(example), run};
}

}  // namespace holdfast::cli
