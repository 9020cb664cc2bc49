#include "cli/export_rules.h"

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "repo/table_rows.h"
#include "sql/database.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;
using repo::TableFate;

// In an order in which rows can be put in. Content is stored anew from the files; a judgement of bytes, and
// what listings show of a card, travel along, since rules and cards are the same over there.
constexpr std::array tables = {
    repo::TableRule{"identity_names"},
    repo::TableRule{"identity_users"},
    repo::TableRule{"identity_organisations"},
    repo::TableRule{"identity_members"},
    repo::TableRule{"identity_token_ages"},
    repo::TableRule{"identity_tokens", TableFate::secret},
    repo::TableRule{"identity_sessions", TableFate::secret},
    repo::TableRule{"identity_sign_in_links", TableFate::secret},
    repo::TableRule{"identity_secrets", TableFate::secret},
    repo::TableRule{"identity_generation", TableFate::made_again},
    repo::TableRule{"identity_audit"},
    repo::TableRule{"identity_private_reads", TableFate::made_again},  // By tokens, which do not leave.
    repo::TableRule{"content_xorbs", TableFate::made_again},
    repo::TableRule{"content_xorb_tables", TableFate::made_again},
    repo::TableRule{"content_chunks", TableFate::made_again},
    repo::TableRule{"content_files", TableFate::made_again},
    repo::TableRule{"content_file_terms", TableFate::made_again},
    repo::TableRule{"content_uses", TableFate::made_again},
    repo::TableRule{"content_trash", TableFate::made_again},
    repo::TableRule{"content_hold", TableFate::made_again},
    repo::TableRule{"repo_repositories"},
    repo::TableRule{"repo_redirects"},
    repo::TableRule{"repo_tombstones"},
    repo::TableRule{"repo_refs"},
    repo::TableRule{"repo_events"},
    repo::TableRule{"repo_objects"},
    repo::TableRule{"repo_uploads", TableFate::made_again},
    repo::TableRule{"repo_cards"},
    repo::TableRule{"repo_tensor_counts", TableFate::made_again},
    repo::TableRule{"repo_tags"},
    repo::TableRule{"repo_likes"},
    repo::TableRule{"repo_gate_requests"},
    repo::TableRule{"repo_discussions"},
    repo::TableRule{"repo_discussion_events"},
    repo::TableRule{"repo_file_verdicts"},
    repo::TableRule{"repo_verdicts"},
    repo::TableRule{"repo_collections"},
    repo::TableRule{"repo_collection_items"},
    repo::TableRule{"repo_file_tensors", TableFate::made_again},
    repo::TableRule{"repo_indexed_files", TableFate::made_again},
    repo::TableRule{"repo_withdrawn"},
    repo::TableRule{"repo_held_releases"},
    repo::TableRule{"repo_clearances"},
    repo::TableRule{"repo_adapter_bases"},
    repo::TableRule{"repo_masking_jobs", TableFate::made_again},
    // An upstream's token is named here and lies in identity_secrets, which stays.
    repo::TableRule{"exchange_upstreams"},
    repo::TableRule{"exchange_revisions"},
    repo::TableRule{"exchange_repositories"},
    repo::TableRule{"exchange_webhooks"},
    repo::TableRule{"exchange_deliveries", TableFate::made_again},
    repo::TableRule{"exchange_cursors"},
    repo::TableRule{"job_files"},
    repo::TableRule{"job_file_parts"},
    repo::TableRule{"job_batches"},
    repo::TableRule{"job_requests"},
    repo::TableRule{"serve_limits"},
    repo::TableRule{"serve_usage"},
    repo::TableRule{"serve_fallbacks"},
    repo::TableRule{"serve_input_rules"},
    repo::TableRule{"serve_guardrails"},
    repo::TableRule{"serve_warm_hours"},
    repo::TableRule{"govern_state"},
    repo::TableRule{"govern_records"},
    repo::TableRule{"govern_features"},
    repo::TableRule{"govern_criteria"},
    repo::TableRule{"govern_releases"},
    repo::TableRule{"govern_evidence"},
    repo::TableRule{"govern_approvals"},
    repo::TableRule{"govern_roles"},
    repo::TableRule{"govern_exceptions"},
    repo::TableRule{"govern_decisions"},
    repo::TableRule{"govern_data_keys", TableFate::secret},
    repo::TableRule{"govern_requests"},
    repo::TableRule{"govern_predictions"},
    repo::TableRule{"govern_incidents"},
    repo::TableRule{"govern_review"},
    repo::TableRule{"govern_golden"},
    repo::TableRule{"govern_endpoints"},
    repo::TableRule{"govern_attachments"},
    repo::TableRule{"endpoint_settings"},
    repo::TableRule{"govern_evaluations"},
    repo::TableRule{"govern_inventory_hosts"},
    // Counts of words under the instance's key: another key knows none of them.
    repo::TableRule{"observe_drift", TableFate::made_again},
    repo::TableRule{"observe_budgets"},
    repo::TableRule{"observe_endpoint_probes"},
};

// The columns that hold samples under the key of their row's data class.
std::vector<std::string_view> sealed_columns(std::string_view table) {
  if (table == "govern_requests") return {"input", "output"};
  if (table == "govern_golden") return {"input"};
  return {};
}

// A batch runs by its maker's token, and tokens stay: over there the same number will be somebody else's.
void end_batch(json::object& row) {
  row["token"] = 0;
  const json::value& state = row["state"];
  if (state != "validating" && state != "in_progress" && state != "cancelling") return;
  row["state"] = "failed";
  row["ended"] = row["created"];
  row["errors"] = codec::to_text(json::array{
      json::object{{"code", "moved"},
                   {"line", nullptr},
                   {"message", "the batch had not ended when everything was moved to this server"},
                   {"param", nullptr}}});
}

Result<govern::DataClass> class_of(const json::object& row) {
  TRY(std::string_view name, codec::json_text(row, "data_class"));
  const auto found = govern::data_class_of(name);
  if (!found) return fail(Reason::data_corrupt, "a sample is of no known data class");
  return *found;
}

}  // namespace

std::span<const repo::TableRule> export_tables() { return tables; }

Result<repo::ExportRules> ExportRules::outward() {
  classes_.clear();
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    return tx.query("SELECT data_class FROM govern_data_keys", {}, [&](const sql::Row& row) {
      classes_.insert(row.text(0));
      return true;
    });
  }));
  // A key is read at first use, which must not be inside of the export's transaction.
  for (const std::string& name : classes_)
    if (const auto data_class = govern::data_class_of(name)) TRY_DONE(keys_.seal(*data_class, ""));
  return repo::ExportRules{tables,
                           [this](std::string_view table, json::object& row) { return open(table, row); }};
}

Result<repo::ExportRules> ExportRules::inward() {
  using enum govern::DataClass;
  for (const govern::DataClass data_class : {public_, internal, confidential, restricted})
    TRY_DONE(keys_.seal(data_class, ""));
  return repo::ExportRules{tables,
                           [this](std::string_view table, json::object& row) { return seal(table, row); }};
}

Status ExportRules::open(std::string_view table, json::object& row) {
  if (table == "identity_users") row["password"] = "";
  if (table == "govern_attachments") row["sealed_token"] = repo::bytes_value({});
  if (table == "job_batches") end_batch(row);
  if (table == "exchange_webhooks") {
    // Its receiver knows it by the secret, which stays: it rests until its owner gives it one again.
    if (row["secret"] != json::value("")) row["disabled"] = 1;
    row["secret"] = "";
  }
  for (const std::string_view column : sealed_columns(table)) {
    TRY(const govern::DataClass data_class, class_of(row));
    TRY(const Bytes sealed, repo::bytes_of(row[column]));
    row[column] = nullptr;  // Destroyed samples stay destroyed.
    if (!classes_.contains(std::string(govern::data_class_name(data_class)))) continue;
    auto text = keys_.open(data_class, sealed);
    if (text.ok()) row[column] = repo::text_value(text.value());
    if (!text.ok() && text.error().reason != Reason::data_corrupt) return std::move(text).error();
  }
  return Done{};
}

Status ExportRules::seal(std::string_view table, json::object& row) {
  for (const std::string_view column : sealed_columns(table)) {
    if (row[column].is_null()) {
      row[column] = repo::bytes_value({});
      continue;
    }
    TRY(const govern::DataClass data_class, class_of(row));
    TRY(const Bytes text, repo::bytes_of(row[column]));
    TRY(const Bytes sealed, keys_.seal(data_class, as_text(text)));
    row[column] = repo::bytes_value(sealed);
  }
  return Done{};
}

}  // namespace holdfast::cli
