#include "cli/batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <thread>

#include "cli/batch_source.h"
#include "cli/connection.h"
#include "cli/predictions.h"
#include "cli/progress.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "net/client.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr uint64_t file_bytes_max = 512 << 20;
constexpr std::string_view boundary =
    "holdfast-batch-input-5f0c2a";  // Never in a line of JSON as we write it.
constexpr std::chrono::milliseconds step{250};
constexpr int network_failures_max = 480;  // In a row: a server that restarts is waited for.
constexpr size_t pages_most = 20;

Result<std::string> bytes_of(World& world, const Arguments& arguments, const std::string& path) {
  TRY(Connection connection, connect(world, arguments));
  std::string out;
  net::ClientRequest request;
  request.url = connection.hub->endpoint() + path;
  if (!connection.hub->token().empty())
    request.headers.set("Authorization", "Bearer " + connection.hub->token().reveal());
  request.take = [&](ByteView piece) -> Status {
    out += as_text(piece);
    return out.size() > file_bytes_max ? Status(fail(Reason::body_too_large, "too large")) : Status(Done{});
  };
  TRY(const net::ClientResponse answer, connection.client->send(request, Context{}));
  if (answer.status >= 400)
    return fail(Code::not_found, fmt::format("{} answered with status {}", path, answer.status));
  return out;
}

std::string text_in(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

// The batch of this part of the plan that an earlier run handed in, unless it came to nothing.
Result<std::string> find_earlier(World& world, const Arguments& arguments, const std::string& key,
                                 const std::string& part) {
  std::string after;
  for (size_t page = 0; page < pages_most; ++page) {
    TRY(const json::value list,
        ask_json(world, arguments,
                 {.path = "/v1/batches?limit=100" + (after.empty() ? std::string() : "&after=" + after)}));
    TRY(const json::array* data, codec::json_array(list.get_object(), "data"));
    for (const json::value& one : *data) {
      const json::object& batch = one.as_object();
      after = text_in(batch, "id");
      const json::value* metadata = batch.if_contains("metadata");
      if (metadata == nullptr || !metadata->is_object()) continue;
      const std::string state = text_in(batch, "status");
      if (text_in(metadata->get_object(), "key") == key && text_in(metadata->get_object(), "part") == part &&
          state != "failed" && state != "cancelled" && state != "cancelling" && state != "expired")
        return after;
    }
    TRY(const auto more, codec::json_flag_if(list.get_object(), "has_more"));
    if (!more.value_or(false)) break;
  }
  return std::string();
}

Result<std::string> hand_in(World& world, const Arguments& arguments, const PredictionPlan& plan,
                            const std::string& input, const std::string& key, const std::string& part) {
  const std::string form = fmt::format(
      "--{0}\r\nContent-Disposition: form-data; "
      "name=\"purpose\"\r\n\r\nbatch\r\n--{0}\r\nContent-Disposition: "
      "form-data; name=\"file\"; filename=\"rows.jsonl\"\r\nContent-Type: "
      "application/jsonl\r\n\r\n{1}\r\n--{0}--\r\n",
      boundary, input);
  TRY(const json::value file,
      ask_json(world, arguments,
               {"POST", "/v1/files", form, fmt::format("multipart/form-data; boundary={}", boundary)}));
  const json::object wish{{"input_file_id", text_in(file.as_object(), "id")},
                          {"endpoint", plan.address()},
                          {"completion_window", "24h"},
                          {"metadata", json::object{{"key", key}, {"part", part}}}};
  TRY(const json::value batch, ask_json(world, arguments, {"POST", "/v1/batches", codec::to_text(wish)}));
  return text_in(batch.as_object(), "id");
}

bool is_of_the_network(const Error& error) {
  return error.reason == Reason::dependency_failed || error.reason == Reason::timed_out ||
         error.code == Code::unavailable || error.code == Code::busy;
}

// Says how far it is, how fast and how long it takes; a server that restarts meanwhile is waited for.
Result<json::object> wait_for(World& world, const Arguments& arguments, const std::string& id, size_t before,
                              size_t rows) {
  Progress progress(world, "batch");
  const auto began = world.clock().now();
  std::optional<int64_t> first;
  int failures = 0;
  while (true) {
    auto asked = ask_json(world, arguments, {.path = "/v1/batches/" + id});
    if (!asked.ok() && is_of_the_network(asked.error()) && ++failures < network_failures_max) {
      std::this_thread::sleep_for(step);
      continue;
    }
    TRY(const json::value answer, std::move(asked));
    failures = 0;
    const json::object& batch = answer.as_object();
    const std::string state = text_in(batch, "status");
    TRY(const json::object* counts, codec::json_object(batch, "request_counts"));
    TRY(const int64_t good, codec::json_integer(*counts, "completed"));
    TRY(const int64_t bad, codec::json_integer(*counts, "failed"));
    if (!first) first = good + bad;
    if (state == "completed") {
      progress.end();
      return batch;
    }
    if (state == "failed" || state == "cancelled" || state == "cancelling" || state == "expired") {
      progress.end();
      const json::value* errors = batch.if_contains("errors");
      return fail(Reason::dependency_failed, fmt::format("the batch {} {}: {}", id, state,
                                                         errors == nullptr ? "" : codec::to_text(*errors)));
    }
    const std::chrono::duration<double> took = world.clock().now() - began;
    const int64_t done = static_cast<int64_t>(before) + good + bad;
    std::string place = fmt::format("{} of {} rows", done, rows);
    if (const auto fresh = static_cast<double>(good + bad - *first); fresh > 0 && took.count() > 0)
      place += fmt::format(", {:.1f} a second, {:.0f} s left", fresh / took.count(),
                           (static_cast<double>(rows) - static_cast<double>(done)) * took.count() / fresh);
    progress.say(place);
    std::this_thread::sleep_for(step);
  }
}

// The card says what a revision was made of: the same once is enough.
Result<bool> is_there_already(Connection& connection, const RemoteRepo& repo, const std::string& key,
                              std::string& commit) {
  const auto found = connection.hub->revision(repo, "main", Context{});
  if (!found.ok()) return false;
  commit = found.value().commit;
  std::string card;
  const Status read = connection.hub->download(
      repo, commit, "README.md", 0,
      [&](ByteView piece) -> Status {
        card += as_text(piece);
        return Done{};
      },
      Context{});
  return read.ok() && card.find(key) != std::string::npos;
}

class TextBody final : public net::BodySource {
 public:
  explicit TextBody(std::string_view text) : text_(text) {}
  Result<size_t> read(std::span<std::byte> into) override {
    const size_t size = std::min(into.size(), text_.size());
    const ByteView from = as_bytes(text_.substr(0, size));
    std::copy(from.begin(), from.end(), into.begin());
    text_.remove_prefix(size);
    return size;
  }

 private:
  std::string_view text_;
};

// As a part of a commit; a long one is sent before.
Result<CommitPart> part_of(HubClient& hub, const RemoteRepo& repo, const std::string& path,
                           std::string text) {
  TRY(const auto large, hub.wants_large(repo, "main", {{path, text.substr(0, 512), text.size()}}, Context{}));
  if (!large.front()) return CommitPart{.path = path, .content = std::move(text), .sha256 = {}};
  codec::Sha256 hash;
  hash.update(as_bytes(text));
  CommitPart part{.kind = CommitPart::Kind::large,
                  .path = path,
                  .content = {},
                  .sha256 = codec::to_hex(hash.finish()),
                  .size = text.size()};
  TextBody body(text);
  TRY_DONE(hub.upload_large(repo, part.sha256, text.size(), body, Context{}));
  return part;
}

int tell(World& world, const Arguments& arguments, const std::string& to, const std::string& commit,
         size_t rows, size_t failed, std::string_view how) {
  if (arguments.has("--json"))
    world.print(codec::to_text(json::object{
                    {"dataset", to}, {"commit", commit}, {"rows", rows}, {"failed", failed}, {"how", how}}) +
                "\n");
  else
    world.print(fmt::format("{} rows, {} failed: {}@{} ({})\n", rows, failed, to, commit, how));
  return exit_done;
}

Result<int> run(World& world, const Arguments& arguments) {
  const auto to = arguments.value("--to");
  if (!to) return fail(Reason::bad_request, "--to NS/NAME says which data set the predictions become");
  TRY(const PredictionSource source, read_prediction_source(world, arguments));
  const std::string key = source.plan.key(source.rows);
  const RemoteRepo repo{RemoteType::dataset, std::string(*to)};
  TRY(Connection connection, connect(world, arguments));
  std::string commit;
  TRY(const bool there, is_there_already(connection, repo, key, commit));
  if (there) return tell(world, arguments, repo.name, commit, source.rows.size(), 0, "was there already");
  std::vector<std::string> answers;
  for (size_t first = 0, part = 0; first < source.rows.size(); ++part) {
    const size_t before = first;
    const std::string input = batch_input(source.plan, source.rows, first);
    TRY(std::string id, find_earlier(world, arguments, key, std::to_string(part)));
    if (id.empty()) {
      TRY(id, hand_in(world, arguments, source.plan, input, key, std::to_string(part)));
    }
    TRY(const json::object batch, wait_for(world, arguments, id, before, source.rows.size()));
    for (const char* file : {"output_file_id", "error_file_id"})
      if (const std::string name = text_in(batch, file); !name.empty()) {
        TRY(std::string text, bytes_of(world, arguments, fmt::format("/v1/files/{}/content", name)));
        answers.push_back(std::move(text));
      }
  }
  size_t failed = 0;
  TRY(std::string predictions, predictions_of(source.plan, source.rows, answers, failed));
  TRY_DONE(connection.hub->create_repo(repo, "private", HubClient::IfExists::accept, Context{}));
  CommitRequest request{.summary = fmt::format("Predictions of {}", source.plan.model),
                        .description = {},
                        .parent = {},
                        .parts = {}};
  request.parts.push_back({.path = "README.md",
                           .content = predictions_card(source.plan, key, source.rows.size(), failed),
                           .sha256 = {}});
  TRY(CommitPart long_one, part_of(*connection.hub, repo, "predictions.jsonl", std::move(predictions)));
  request.parts.push_back(std::move(long_one));
  TRY(commit, connection.hub->commit(repo, "main", request, Context{}));
  return tell(world, arguments, repo.name, commit, source.rows.size(), failed, "made");
}

Result<int> list(World& world, const Arguments& arguments) {
  TRY(const json::value answer, ask_json(world, arguments, {.path = "/v1/batches?limit=100"}));
  if (arguments.has("--json")) {
    world.print(codec::to_text(answer) + "\n");
    return exit_done;
  }
  TRY(const json::array* data, codec::json_array(answer.get_object(), "data"));
  for (const json::value& one : *data) {
    const json::object& batch = one.as_object();
    TRY(const json::object* counts, codec::json_object(batch, "request_counts"));
    world.print(fmt::format("{} {} {} {}\n", text_in(batch, "id"), text_in(batch, "status"),
                            text_in(batch, "endpoint"), codec::to_text(*counts)));
  }
  return exit_done;
}

Result<int> cancel(World& world, const Arguments& arguments) {
  TRY(const json::value batch,
      ask_json(world, arguments,
               {"POST", fmt::format("/v1/batches/{}/cancel", arguments.positionals()[0]), "{}"}));
  if (arguments.has("--json"))
    world.print(codec::to_text(batch) + "\n");
  else
    world.print(
        fmt::format("{} {}\n", text_in(batch.as_object(), "id"), text_in(batch.as_object(), "status")));
  return exit_done;
}

constexpr FlagRow model_flag{"--model", "REPO[@REV]", "Who is asked."};
constexpr FlagRow to_flag{"--to", "NS/NAME", "The data set that the predictions become a revision of."};
constexpr FlagRow split_flag{"--split", "NAME", "Of the data set [test]."};
constexpr FlagRow column_flag{"--column", "NAME", "The texts [text]."};
constexpr FlagRow parameters_flag{"--parameters", "JSON", "Of the model's task, or of the chat call."};
constexpr FlagRow chat_flag{
    "--chat", {}, "Each text is a turn of a chat; else the input of the model's task."};

}  // namespace

std::vector<Command> batch_commands() {
  return {client_command("batch run", "DATASET[@REV]|FILE.jsonl",
                         "Predictions for rows, as a new revision of a data set; goes on where it was.",
                         "holdfast batch run demo/tickets --model demo/intents --to demo/tickets-predicted",
                         {{model_flag, to_flag, split_flag, column_flag, parameters_flag, chat_flag,
                           endpoint_flag, token_flag, client_json_flag},
                          1,
                          1},
                         run),
          client_command("batch list", "", "Lists your batches on the server.", "holdfast batch list",
                         {{endpoint_flag, token_flag, client_json_flag}, 0, 0}, list),
          client_command("batch cancel", "BATCH", "Ends a batch; what was answered stays.",
                         "holdfast batch cancel batch_0a1b",
                         {{endpoint_flag, token_flag, client_json_flag}, 1, 1}, cancel)};
}

}  // namespace holdfast::cli
