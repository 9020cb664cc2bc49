#pragma once

#include <optional>
#include <string>
#include <vector>

#include "govern/facts.h"

namespace holdfast::sql {
class Row;
class Transaction;
}  // namespace holdfast::sql

namespace holdfast::govern {

// A record as it is kept: with its text, and what the registry knows beside it.
struct StoredRecord {
  Record record{};
  int64_t repository = 0;  // Of its model.
  std::string source{};    // The text as it was put.
  std::string digest{};    // SHA-256 of record_json's text.
  WallTime changed{};
  std::string changed_by{};
  std::optional<Freeze> freeze{};
};

// How the tables become values, inside of the caller's transaction. not_found where something must be there.
Result<StoredRecord> record_named(sql::Transaction& tx, const std::string& id);
Result<std::vector<StoredRecord>> all_records(sql::Transaction& tx);
Result<Release> release_numbered(sql::Transaction& tx, const std::string& record, int64_t number);
Result<std::vector<Release>> releases_of(sql::Transaction& tx, const std::string& record);  // Newest first.
// The one in this state, of which there is at most one (canary, deployed).
Result<std::optional<Release>> release_in(sql::Transaction& tx, const std::string& record,
                                          ReleaseState state);
Status set_state(sql::Transaction& tx, const Release& release, ReleaseState to, WallTime now, double percent,
                 int64_t exception);

Result<std::vector<Criteria>> criteria_of(sql::Transaction& tx, const std::string& record);
Result<Criteria> parse_criteria(const boost::json::object& body);
boost::json::object criteria_json(const Criteria& criteria);
// From the columns id, release, kind, digest, rows_digest, author, rows_count, at; the body is left empty.
Evidence evidence_row(const sql::Row& row);
Result<std::vector<Evidence>> evidence_of(sql::Transaction& tx, const std::string& record, int64_t release);
Result<std::vector<Approval>> approvals_of(sql::Transaction& tx, const std::string& record, int64_t release);

Result<Exception> exception_numbered(sql::Transaction& tx, int64_t id);
// Of one release, or of all of a record, oldest first.
Result<std::vector<Exception>> exceptions_of(sql::Transaction& tx, const std::string& record,
                                             std::optional<int64_t> release);
std::string_view exception_state_name(ExceptionState state);

Result<std::vector<int64_t>> golden_of(sql::Transaction& tx, const std::string& record);

// All that the gates look at, of one moment.
Result<Facts> facts_of(sql::Transaction& tx, const std::string& record, int64_t release, WallTime now);

int64_t milliseconds(WallTime time);
WallTime time_of(int64_t milliseconds);

}  // namespace holdfast::govern
