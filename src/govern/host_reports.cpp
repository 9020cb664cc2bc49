#include "govern/host_reports.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>

#include "codec/json.h"
#include "sql/database.h"

namespace holdfast::govern {
namespace {

namespace json = boost::json;

constexpr size_t host_bytes_max = 64;
constexpr int64_t hosts_max = 1000;

Status check_host(std::string_view host) {
  const bool fits = !host.empty() && host.size() <= host_bytes_max && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
  if (fits) return Done{};
  return fail(Reason::bad_request, "a machine's name is 1 to 64 letters, digits, '.', '-' and '_'");
}

std::string packed(const std::vector<FoundModel>& models) {
  json::array all;
  for (const FoundModel& model : models) {
    json::array files;
    for (const FoundFile& file : model.files) files.push_back(json::array{file.path, file.size, file.sha256});
    all.push_back(json::object{{"dataset", model.dataset},
                               {"folder", model.folder},
                               {"source", model.source},
                               {"claims", model.claims},
                               {"files", std::move(files)}});
  }
  return codec::to_text(json::object{{"models", std::move(all)}});
}

std::string text_of(const json::object& from, std::string_view key) {
  const json::value* found = from.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

Result<std::vector<FoundModel>> unpacked(const std::string& text) {
  const auto damaged = [] {
    return fail(Reason::data_corrupt, "a stored report of a machine cannot be read");
  };
  TRY(const json::object whole, codec::parse_json_object(text));
  TRY(const json::array* all, codec::json_array(whole, "models"));
  std::vector<FoundModel> models;
  for (const json::value& each : *all) {
    if (!each.is_object()) return damaged();
    const json::object& one = each.get_object();
    const json::value* dataset = one.if_contains("dataset");
    FoundModel model{.dataset = dataset != nullptr && dataset->is_bool() && dataset->get_bool(),
                     .folder = text_of(one, "folder"),
                     .source = text_of(one, "source"),
                     .claims = text_of(one, "claims")};
    TRY(const json::array* files, codec::json_array(one, "files"));
    for (const json::value& file : *files) {
      if (!file.is_array() || file.get_array().size() != 3) return damaged();
      const json::array& parts = file.get_array();
      if (!parts[0].is_string() || !parts[1].is_number() || !parts[2].is_string()) return damaged();
      model.files.push_back({std::string(parts[0].get_string()), parts[1].to_number<uint64_t>(),
                             std::string(parts[2].get_string())});
    }
    models.push_back(std::move(model));
  }
  return models;
}

Result<std::optional<identity::UserId>> reporter_of(sql::Transaction& tx, std::string_view host) {
  std::optional<identity::UserId> reporter;
  TRY_DONE(tx.query("SELECT reporter FROM govern_inventory_hosts WHERE host = ?", {host},
                    [&](const sql::Row& row) {
                      reporter = identity::UserId{row.integer(0)};
                      return true;
                    }));
  return reporter;
}

Error unknown(std::string_view host) {
  return fail(Code::not_found, fmt::format("no machine '{}' was reported to you", host));
}

}  // namespace

Judged judge_found(bool dataset, std::string_view claims, std::span<const std::string> digests,
                   const Holders& holders, const std::function<bool(const std::string&)>& is_known) {
  std::map<std::string, size_t> held;
  Judged judged{"unmanaged", {}, 0};
  for (const std::string& digest : digests) {
    const auto found = holders.find(digest);
    if (found == holders.end()) continue;
    ++judged.files_known;
    for (const std::string& name : found->second) ++held[name];
  }
  const std::string claimed = (dataset ? "datasets/" : "") + std::string(claims.substr(0, claims.find('@')));
  size_t most = 0;
  for (const auto& [name, files] : held)
    if (files > most || (files == most && name == claimed)) {
      most = files;
      judged.repository = name;
    }
  if (judged.files_known > 0) judged.state = judged.files_known == digests.size() ? "managed" : "altered";
  // A cached repository whose files are all small has no digests to compare: its name must do.
  if (digests.empty() && is_known(claimed)) judged = {"managed", claimed, 0};
  return judged;
}

Status HostReports::put(const identity::Caller& caller, std::string_view host,
                        const std::vector<FoundModel>& models) {
  TRY_DONE(check_host(host));
  size_t files = 0;
  for (const FoundModel& model : models) files += model.files.size();
  if (models.size() > models_of_a_host_max || files > files_of_a_host_max)
    return fail(Reason::bad_request, fmt::format("a report has at most {} models and {} files",
                                                 models_of_a_host_max, files_of_a_host_max));
  const std::string text = packed(models);
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY(const auto reporter, reporter_of(tx, host));
    if (reporter && *reporter != caller.user && !caller.admin)
      return fail(Reason::forbidden, fmt::format("'{}' is reported by somebody else", host));
    if (!reporter) {
      int64_t count = 0;
      TRY_DONE(tx.query("SELECT count(*) FROM govern_inventory_hosts", {}, [&](const sql::Row& row) {
        count = row.integer(0);
        return true;
      }));
      if (count >= hosts_max)
        return fail(Reason::quota, fmt::format("at most {} machines are kept", hosts_max));
    }
    TRY_DONE(tx.run("DELETE FROM govern_inventory_hosts WHERE host = ?", {host}));
    TRY_DONE(
        tx.run("INSERT INTO govern_inventory_hosts (host, reporter, reporter_name, reported, models, found) "
               "VALUES (?, ?, ?, ?, ?, ?)",
               {host, caller.user.raw, caller.name, int64_t{clock_.wall().time_since_epoch().count()},
                static_cast<int64_t>(models.size()), text}));
    return audit_.append(tx, {.actor = caller.name,
                              .action = "inventory.reported",
                              .subject = std::string(host),
                              .details = {{"models", std::to_string(models.size())}}});
  });
}

Result<std::vector<HostReport>> HostReports::list(const identity::Caller& caller) {
  return database_.read<std::vector<HostReport>>(
      [&](sql::Transaction& tx) -> Result<std::vector<HostReport>> {
        std::vector<HostReport> hosts;
        TRY_DONE(
            tx.query("SELECT host, reporter, reporter_name, reported, models FROM govern_inventory_hosts "
                     "ORDER BY host LIMIT ?",
                     {hosts_max}, [&](const sql::Row& row) {
                       HostReport report{.host = row.text(0),
                                         .reporter = identity::UserId{row.integer(1)},
                                         .reporter_name = row.text(2),
                                         .reported = WallTime{std::chrono::milliseconds{row.integer(3)}},
                                         .models = row.integer(4)};
                       if (caller.admin || report.reporter == caller.user) hosts.push_back(std::move(report));
                       return true;
                     }));
        return hosts;
      });
}

Result<std::vector<FoundModel>> HostReports::find(const identity::Caller& caller, std::string_view host) {
  std::optional<std::string> text;
  TRY_DONE(database_.read([&](sql::Transaction& tx) -> Status {
    text.reset();
    TRY(const auto reporter, reporter_of(tx, host));
    if (!reporter || (*reporter != caller.user && !caller.admin)) return unknown(host);
    return tx.query("SELECT found FROM govern_inventory_hosts WHERE host = ?", {host},
                    [&](const sql::Row& row) {
                      text = row.text(0);
                      return true;
                    });
  }));
  if (!text) return unknown(host);
  return unpacked(*text);
}

Status HostReports::remove(const identity::Caller& caller, std::string_view host) {
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY(const auto reporter, reporter_of(tx, host));
    if (!reporter || (*reporter != caller.user && !caller.admin)) return unknown(host);
    TRY_DONE(tx.run("DELETE FROM govern_inventory_hosts WHERE host = ?", {host}));
    return audit_.append(
        tx, {.actor = caller.name, .action = "inventory.forgotten", .subject = std::string(host)});
  });
}

}  // namespace holdfast::govern
