#include "cli/inventory.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <map>

#include "cli/connection.h"
#include "cli/host_models.h"
#include "cli/progress.h"
#include "cli/text_table.h"
#include "cli/user_files.h"
#include "codec/json.h"
#include "codec/percent.h"
#include "govern/host_reports.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;
using exchange::RemoteType;

constexpr FlagRow offline_flag{"--offline", {}, "Asks no hub: only what lies on this machine."};
constexpr FlagRow check_flag{"--check", {}, "Ends with 1 when something is unmanaged or altered."};
constexpr FlagRow report_flag{"--report", "NAME", "Tells the hub, under this machine's name."};
constexpr size_t digests_at_once = 500;
constexpr int pages_max = 1000;

// What the hub knows: its items by address ("ns/name", "datasets/ns/name"), and who holds which bytes.
struct Known {
  bool asked = false;
  json::array items;
  std::map<std::string, size_t> by_address;
  govern::Holders holders;
};

std::string text_in(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  if (found == nullptr || found->is_null()) return {};
  if (found->is_string()) return std::string(found->get_string());
  if (!found->is_array()) return codec::to_text(*found);
  std::string joined;
  for (const json::value& each : found->get_array())
    if (each.is_string()) joined += (joined.empty() ? "" : ", ") + std::string(each.get_string());
  return joined;
}

Status ask_items(World& world, const Arguments& arguments, Known& known) {
  for (const std::string_view type : {"model", "dataset"}) {
    std::string cursor;
    for (int page = 0; page < pages_max; ++page) {
      std::string path = fmt::format("/api/inventory?type={}", type);
      if (!cursor.empty()) path += "&cursor=" + codec::percent_encode(cursor);
      TRY(const json::value answer, ask_json(world, arguments, {.path = path}));
      if (!answer.is_object()) return fail(Code::internal, "the hub's answer is not what was expected");
      TRY(const json::array* items, codec::json_array(answer.get_object(), "items"));
      for (const json::value& item : *items) {
        if (!item.is_object()) continue;
        const std::string name = text_in(item.get_object(), "repository");
        known.by_address[type == "model" ? name : "datasets/" + name] = known.items.size();
        known.items.push_back(item);
      }
      cursor = text_in(answer.get_object(), "next");
      if (cursor.empty()) break;
    }
  }
  return Done{};
}

Status ask_holders(World& world, const Arguments& arguments, const std::vector<HostModel>& models,
                   Known& known) {
  std::vector<std::string> digests;
  for (const HostModel& model : models)
    for (const HostFile& file : model.files) digests.push_back(file.sha256);
  for (size_t at = 0; at < digests.size(); at += digests_at_once) {
    const size_t end = std::min(at + digests_at_once, digests.size());
    json::array asked(digests.begin() + static_cast<ptrdiff_t>(at),
                      digests.begin() + static_cast<ptrdiff_t>(end));
    TRY(const json::value answer,
        ask_json(world, arguments,
                 {.method = "POST",
                  .path = "/api/inventory/holders",
                  .body = codec::to_text(json::object{{"sha256", std::move(asked)}})}));
    if (!answer.is_object()) return fail(Code::internal, "the hub's answer is not what was expected");
    TRY(const json::object* holders, codec::json_object(answer.get_object(), "holders"));
    for (const auto& [digest, names] : *holders)
      if (names.is_array())
        for (const json::value& name : names.get_array())
          if (name.is_string()) known.holders[digest].emplace_back(name.get_string());
  }
  return Done{};
}

// What stands of a model on this machine, compared with the hub.
using govern::Judged;
Judged judge(const HostModel& model, const Known& known) {
  if (!known.asked) return {"unknown", {}, 0};
  std::vector<std::string> digests;
  for (const HostFile& file : model.files) digests.push_back(file.sha256);
  return govern::judge_found(model.type == RemoteType::dataset, model.claims, digests, known.holders,
                             [&](const std::string& address) { return known.by_address.contains(address); });
}

json::object host_view(const HostModel& model, const Judged& judged) {
  json::array files;
  uint64_t bytes = 0;
  for (const HostFile& file : model.files) {
    files.emplace_back(json::object{{"path", file.path}, {"size", file.size}, {"sha256", file.sha256}});
    bytes += file.size;
  }
  return {{"state", judged.state},
          {"type", model.type == RemoteType::dataset ? "dataset" : "model"},
          {"folder", model.folder.string()},
          {"source", source_name(model.source)},
          {"claims", model.claims},
          {"repository", judged.repository},
          {"filesKnown", judged.files_known},
          {"bytes", bytes},
          {"files", std::move(files)}};
}

// The columns that a row takes from the hub's item.
void add_facts(const Known& known, const std::string& address, std::vector<std::string>& row) {
  const auto found = known.by_address.find(address);
  if (found == known.by_address.end()) {
    row.insert(row.end(), {"?", "", "", ""});
    return;
  }
  const json::object& item = known.items[found->second].get_object();
  std::string validated = "never";
  if (const json::value* last = item.if_contains("validated"); last != nullptr && last->is_object())
    validated = text_in(last->get_object(), "at").substr(0, 10);
  const std::string licence = text_in(item, "licence"), used_by = text_in(item, "usedBy");
  row.insert(row.end(), {licence.empty() ? "none named" : licence, text_in(item, "owner"), validated,
                         used_by.empty() ? "nothing" : used_by});
}

std::string table_of(const Known& known, const std::vector<HostModel>& models,
                     const std::vector<Judged>& judged) {
  std::vector<std::vector<std::string>> rows{
      {"STATE", "KIND", "WHERE", "REPOSITORY", "LICENCE", "OWNER", "VALIDATED", "USED BY"}};
  for (const auto& [address, at] : known.by_address) {
    const bool dataset = text_in(known.items[at].get_object(), "type") == "dataset";
    rows.push_back({"managed", dataset ? "dataset" : "model", "hub", address});
    add_facts(known, address, rows.back());
  }
  for (size_t i = 0; i < models.size(); ++i) {
    const std::string shown = judged[i].repository.empty() ? models[i].claims : judged[i].repository;
    rows.push_back({judged[i].state, models[i].type == RemoteType::dataset ? "dataset" : "model",
                    models[i].folder.string(), shown.empty() ? "?" : shown});
    add_facts(known, judged[i].repository, rows.back());
  }
  return text_table(rows);
}

Result<std::vector<HostModel>> look_around(World& world, const Arguments& arguments) {
  TRY(UserFiles files, UserFiles::open());
  std::vector<io::Path> roots;
  for (const std::string_view named : arguments.positionals()) roots.push_back(files.path(named));
  if (const auto cache = world.environment("HF_HUB_CACHE"))
    roots.push_back(files.path(*cache));
  else if (const auto home = hub_home(world); home.ok())
    roots.push_back(files.path((home.value() / "hub").string()));
  const size_t last = roots.size();
  Progress progress(world, "read");
  uint64_t bytes = 0;
  std::vector<HostModel> models;
  for (size_t i = 0; i < last; ++i) {
    const auto there = files.disk().stat(roots[i]);
    if (!there.ok() && i >= arguments.positionals().size()) continue;  // No cache is fine.
    if (!there.ok()) return there.error();
    TRY(HostWalk walk,
        find_host_models(files.disk(), roots[i], [&](uint64_t more) { progress.bytes(bytes += more, 0); }));
    for (const std::string& what : walk.passed_over)
      world.complain(fmt::format("holdfast: passed over {}\n", what));
    for (HostModel& model : walk.models) models.push_back(std::move(model));
  }
  progress.end();
  return models;
}

Result<int> inventory(World& world, const Arguments& arguments) {
  TRY(const std::vector<HostModel> models, look_around(world, arguments));
  Known known;
  if (!arguments.has("--offline")) {
    known.asked = true;
    TRY_DONE(ask_items(world, arguments, known));
    TRY_DONE(ask_holders(world, arguments, models, known));
  }
  std::vector<Judged> judged;
  size_t strangers = 0;
  for (const HostModel& model : models) {
    judged.push_back(judge(model, known));
    strangers += judged.back().state == "unmanaged" || judged.back().state == "altered";
  }
  json::array host;
  for (size_t i = 0; i < models.size(); ++i) host.emplace_back(host_view(models[i], judged[i]));
  if (const auto name = arguments.value("--report")) {
    if (!known.asked)
      return fail(Reason::bad_request, "--report tells the hub, which --offline does not ask");
    TRY([[maybe_unused]] const json::value kept,
        ask_json(world, arguments,
                 {.method = "PUT",
                  .path = "/api/inventory/hosts/" + codec::percent_encode(*name),
                  .body = codec::to_text(json::object{{"models", host}})}));
  }
  if (arguments.has("--json")) {
    world.print(codec::to_text(json::object{{"hub", known.items}, {"host", std::move(host)}}) + "\n");
  } else {
    world.print(table_of(known, models, judged));
    world.print(fmt::format("{} on the hub, {} on this machine, {} of them unmanaged or altered\n",
                            known.items.size(), models.size(), strangers));
  }
  return strangers > 0 && arguments.has("--check") ? exit_failed : exit_done;
}

}  // namespace

std::vector<Command> inventory_commands() {
  return {client_command(
      "inventory", "[FOLDER…]",
      "Lists the models and data sets of the hub, of this machine's cache and of folders: "
      "licence, owner, last "
      "validation, what uses them, and what nobody manages.",
      "holdfast inventory /srv/models --check",
      {{offline_flag, check_flag, report_flag, endpoint_flag, token_flag, client_json_flag}, 0, 64},
      inventory)};
}

}  // namespace holdfast::cli
