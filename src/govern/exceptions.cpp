#include "govern/exceptions.h"

#include <fmt/format.h>

#include "govern/records.h"
#include "govern/releases.h"
#include "govern/roles.h"
#include "sql/database.h"

namespace holdfast::govern {
namespace {

Decisions::Made made(std::string_view actor, std::string_view action, const Exception& exception,
                     std::string_view reason) {
  return {.actor = std::string(actor),
          .action = std::string(action),
          .record = exception.record,
          .release = exception.release,
          .details = {{"exception", std::to_string(exception.id)},
                      {"reason", std::string(reason)},
                      {"expires", format_time(exception.expires)},
                      {"proposed_by", exception.proposed_by}}};
}

Status set(sql::Transaction& tx, const Exception& exception, std::string_view state) {
  TRY_DONE(tx.run("UPDATE govern_exceptions SET state = ? WHERE id = ?", {state, exception.id}));
  return Done{};
}

}  // namespace

Result<Exception> Exceptions::propose(const identity::Caller& caller, const std::string& record,
                                      int64_t release, std::string_view reason, WallTime expires) {
  TRY_DONE(access_.changeable(database_, caller, record));
  TRY_DONE(check_reason(reason));
  return database_.write<Exception>([&](sql::Transaction& tx) -> Result<Exception> {
    TRY(const WallTime now, decisions_.now(tx));
    TRY(const Release of, release_numbered(tx, record, release));
    if (expires <= now) return fail(Reason::bad_request, "'expires' is over already");
    if (expires > now + exception_span_max)
      return fail(Reason::bad_request, "'expires': an exception lasts at most 30 days");
    TRY_DONE(next_state(of.state, ReleaseEvent::start_canary_by_exception));
    int64_t id = 0;
    TRY_DONE(
        tx.query("INSERT INTO govern_exceptions (record, release, state, reason, proposed_by, at, expires) "
                 "VALUES (?, ?, 'proposed', ?, ?, ?, ?) RETURNING id",
                 {record, release, reason, caller.name, milliseconds(now), milliseconds(expires)},
                 [&](const sql::Row& row) {
                   id = row.integer(0);
                   return true;
                 }));
    TRY(Exception exception, exception_numbered(tx, id));
    TRY_DONE(decisions_.append(tx, made(caller.name, "exception.proposed", exception, reason)));
    return exception;
  });
}

Result<Exception> Exceptions::confirm(const identity::Caller& caller, int64_t id, std::string_view reason) {
  TRY_DONE(check_reason(reason));
  TRY(const Exception known,
      database_.read<Exception>([&](sql::Transaction& tx) { return exception_numbered(tx, id); }));
  TRY(const StoredRecord stored, access_.seen(database_, caller, known.record));
  if (!caller.environment.empty() || caller.role == identity::TokenRole::read)
    return fail(Reason::forbidden, "this token may not decide anything");
  return database_.write<Exception>([&](sql::Transaction& tx) -> Result<Exception> {
    TRY(const WallTime now, decisions_.now(tx));
    TRY(const Exception exception, exception_numbered(tx, id));
    if (exception.state != ExceptionState::proposed)
      return fail(Code::conflict, fmt::format("the exception is {}", exception_state_name(exception.state)));
    if (exception.expires <= now) return fail(Code::conflict, "the exception's time is over");
    if (caller.name == exception.proposed_by)
      return fail(Reason::forbidden, "an exception is confirmed by a second person");
    TRY(const bool has_role, Roles::holds_any(tx, stored.record.ns(), caller.name));
    if (!has_role)
      return fail(Reason::forbidden, fmt::format("{} has no role in {}", caller.name, stored.record.ns()));
    TRY_DONE(tx.run("UPDATE govern_exceptions SET state = 'live', confirmed_by = ? WHERE id = ?",
                    {caller.name, id}));
    TRY_DONE(decisions_.append(tx, made(caller.name, "exception.confirmed", exception, reason)));
    return exception_numbered(tx, id);
  });
}

Result<Exception> Exceptions::end(const identity::Caller& caller, int64_t id, std::string_view reason) {
  TRY_DONE(check_reason(reason));
  TRY(const Exception known,
      database_.read<Exception>([&](sql::Transaction& tx) { return exception_numbered(tx, id); }));
  TRY(const StoredRecord stored, access_.seen(database_, caller, known.record));
  TRY_DONE(access_.check_operate(database_, caller, stored));
  return database_.write<Exception>([&](sql::Transaction& tx) -> Result<Exception> {
    TRY(const Exception exception, exception_numbered(tx, id));
    if (exception.state == ExceptionState::expired || exception.state == ExceptionState::ended)
      return fail(Code::conflict, fmt::format("the exception is {}", exception_state_name(exception.state)));
    TRY_DONE(set(tx, exception, "ended"));
    TRY_DONE(decisions_.append(tx, made(caller.name, "exception.ended", exception, reason)));
    TRY(const Release release, release_numbered(tx, exception.record, exception.release));
    if (release.state == ReleaseState::canary && release.exception == id)
      TRY_DONE(releases_.roll_back(tx, stored.record, release, 0, caller.name, "its exception was ended"));
    return exception_numbered(tx, id);
  });
}

Result<std::vector<Exception>> Exceptions::list(const identity::Caller& caller,
                                                const std::string& record) const {
  TRY_DONE(access_.seen(database_, caller, record));
  return database_.read<std::vector<Exception>>(
      [&](sql::Transaction& tx) { return exceptions_of(tx, record, std::nullopt); });
}

Result<int64_t> Exceptions::expire() {
  std::vector<int64_t> over;
  TRY_DONE(database_.read([&](sql::Transaction& tx) -> Status {
    TRY(const WallTime now, decisions_.now(tx));
    over.clear();
    return tx.query(
        "SELECT id FROM govern_exceptions WHERE state IN ('proposed', 'live') AND expires <= ? LIMIT 100",
        {milliseconds(now)}, [&](const sql::Row& row) {
          over.push_back(row.integer(0));
          return true;
        });
  }));
  for (const int64_t id : over)
    TRY_DONE(database_.write([&](sql::Transaction& tx) -> Status {
      TRY(const Exception exception, exception_numbered(tx, id));
      if (exception.state != ExceptionState::proposed && exception.state != ExceptionState::live)
        return Done{};
      TRY_DONE(set(tx, exception, "expired"));
      TRY_DONE(decisions_.append(tx, made("(server)", "exception.expired", exception, "its time is over")));
      TRY(const Release release, release_numbered(tx, exception.record, exception.release));
      if (release.state != ReleaseState::canary || release.exception != id) return Done{};
      TRY(const StoredRecord stored, record_named(tx, exception.record));
      TRY_DONE(releases_.roll_back(tx, stored.record, release, 0, "(server)", "its exception expired"));
      return Done{};
    }));
  return static_cast<int64_t>(over.size());
}

}  // namespace holdfast::govern
