#include "sql/postgres_connection.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "sql/statement_text.h"

namespace holdfast::sql {
namespace {

// Answers come in text form, in which bytea is "\x" and hexadecimal digits.
class PostgresRow final : public Row {
 public:
  PostgresRow(const PGresult* result, int row) : result_(result), row_(row) {}
  bool is_null(int column) const override { return PQgetisnull(result_, row_, in(column)) != 0; }
  int64_t integer(int column) const override {
    const std::string_view text = view(column);
    if (text == "t") return 1;  // A comparison's own type; SQLite says 1 and 0.
    int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }
  double real(int column) const override {
    double value = 0;
    const std::string_view text = view(column);
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }
  std::string text(int column) const override { return std::string(view(column)); }
  Bytes blob(int column) const override {
    const std::string_view text = view(column);
    size_t size = 0;
    const std::unique_ptr<unsigned char, void (*)(void*)> raw(
        PQunescapeBytea(reinterpret_cast<const unsigned char*>(text.data()), &size), PQfreemem);
    const auto* bytes = reinterpret_cast<const std::byte*>(raw.get());
    return bytes == nullptr ? Bytes() : Bytes(bytes, bytes + size);
  }

 private:
  int in(int column) const {
    CHECK(column >= 0 && column < PQnfields(result_));
    return column;
  }
  std::string_view view(int column) const {
    return {PQgetvalue(result_, row_, in(column)), static_cast<size_t>(PQgetlength(result_, row_, column))};
  }
  const PGresult* result_;
  int row_;
};

// Parameters as libpq takes them. All go as text of a type the server infers from the statement, so that a
// number may meet a text column as in SQLite; bytes go in binary form.
struct Parameters {
  explicit Parameters(std::span<const Value> values) {
    texts.reserve(values.size());
    for (const Value& value : values) add(value);
  }

  void add(const Value& value) {
    const char* pointer = nullptr;
    int length = 0, format = 0;
    if (const auto* number = std::get_if<int64_t>(&value)) {
      pointer = texts.emplace_back(std::to_string(*number)).c_str();
    } else if (const auto* real = std::get_if<double>(&value)) {
      pointer = texts.emplace_back(fmt::format("{}", *real)).c_str();
    } else if (const auto* text = std::get_if<std::string_view>(&value)) {
      has_zero = has_zero || text->find('\0') != std::string_view::npos;
      pointer = texts.emplace_back(*text).c_str();
    } else if (const auto* bytes = std::get_if<ByteView>(&value)) {
      // Empty bytes still need an address: a null pointer is NULL.
      pointer = bytes->empty() ? "" : reinterpret_cast<const char*>(bytes->data());
      length = static_cast<int>(bytes->size());
      format = 1;
    }
    pointers.push_back(pointer);
    lengths.push_back(length);
    formats.push_back(format);
  }

  std::vector<std::string> texts;  // Reserved in full, so its strings do not move.
  std::vector<const char*> pointers;
  std::vector<int> lengths, formats;
  bool has_zero = false;
};

}  // namespace

Error postgres_error(std::string_view state, std::string_view detail) {
  if (state == "23505") return fail(Reason::already_exists, "it exists already");
  if (state == "53100") return fail(Reason::disk_full, "there is no space left for the database");
  if (state == "40001" || state == "40P01" || state == "55P03")
    return fail(Reason::dependency_failed, "the database is busy");
  if (state == "XX001" || state == "XX002") return fail(Reason::data_corrupt, "the database is damaged");
  // 08 connection, 53 resources, 57 the operator stopped it, 58 its system; none: the connection is gone.
  const std::string_view group = state.substr(0, 2);
  if (state.empty() || group == "08" || group == "53" || group == "57" || group == "58" || group == "28")
    return fail(Reason::dependency_failed, "the database cannot be reached");
  return fail(Code::internal, fmt::format("PostgreSQL {}: {}", state, detail));
}

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::open(const std::string& url) {
  // A server that does not answer is as good as none; what the address says goes first.
  static constexpr const char* keys[] = {"connect_timeout", "tcp_user_timeout", "dbname", nullptr};
  const char* const values[] = {"5", "10000", url.c_str(), nullptr};
  PGconn* handle = PQconnectdbParams(keys, values, 1);
  if (handle == nullptr) return fail(Code::internal, "libpq has no memory for a connection");
  std::unique_ptr<PostgresConnection> connection(new PostgresConnection(handle));
  if (PQstatus(handle) != CONNECTION_OK)
    return fail(Reason::dependency_failed, "the database cannot be reached");
  PQsetNoticeProcessor(handle, [](void*, const char*) {}, nullptr);  // "relation exists, skipping" on stderr.
  TRY_DONE(connection->execute("SET client_encoding = 'UTF8'"));
  TRY_DONE(connection->execute("SET lock_timeout = '30s'"));
  return connection;
}

bool PostgresConnection::usable() const {
  return PQstatus(handle_.get()) == CONNECTION_OK && PQtransactionStatus(handle_.get()) == PQTRANS_IDLE;
}

Result<PostgresConnection::Answer> PostgresConnection::checked(PGresult* raw) {
  Answer answer(raw);
  const ExecStatusType status = PQresultStatus(raw);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return answer;
  const char* field = PQresultErrorField(raw, PG_DIAG_SQLSTATE);
  const std::string_view state = field == nullptr ? "" : field;
  const char* detail = PQresultErrorField(raw, PG_DIAG_MESSAGE_PRIMARY);
  wants_retry_ = wants_retry_ || state == "40001" || state == "40P01";
  return postgres_error(state, detail == nullptr ? "" : detail);
}

Result<std::string> PostgresConnection::prepare(std::string_view sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) return found->second;
  if (statements_.size() >= statements_max) {
    TRY([[maybe_unused]] Answer answer, checked(PQexec(handle_.get(), "DEALLOCATE ALL")));
    statements_.clear();
  }
  std::string name = fmt::format("s{}", ++names_);
  TRY([[maybe_unused]] Answer answer,
      checked(PQprepare(handle_.get(), name.c_str(), numbered_parameters(sql).c_str(), 0, nullptr)));
  statements_.emplace(sql, name);
  return name;
}

Result<PostgresConnection::Answer> PostgresConnection::ask(std::string_view sql,
                                                           std::span<const Value> values) {
  const Parameters parameters(values);
  if (parameters.has_zero) return fail(Reason::bad_request, "text for the database holds a zero byte");
  TRY(const std::string name, prepare(sql));
  return checked(PQexecPrepared(handle_.get(), name.c_str(), static_cast<int>(values.size()),
                                parameters.pointers.data(), parameters.lengths.data(),
                                parameters.formats.data(), 0));
}

Status PostgresConnection::query(std::string_view sql, std::span<const Value> values,
                                 const std::function<bool(const Row&)>& each) {
  TRY(const Answer answer, ask(sql, values));
  const int rows = PQntuples(answer.get());
  for (int row = 0; row < rows; ++row)
    if (!each(PostgresRow(answer.get(), row))) break;
  return Done{};
}

Result<int64_t> PostgresConnection::run(std::string_view sql, std::span<const Value> values) {
  TRY(const Answer answer, ask(sql, values));
  const std::string_view count = PQcmdTuples(answer.get());
  int64_t rows = 0;  // Empty for statements that change no rows.
  std::from_chars(count.data(), count.data() + count.size(), rows);
  return rows;
}

Status PostgresConnection::execute(const char* sql) {
  wants_retry_ = false;
  TRY([[maybe_unused]] Answer answer, checked(PQexec(handle_.get(), sql)));
  return Done{};
}

void PostgresConnection::roll_back() noexcept {
  const PGTransactionStatusType status = PQtransactionStatus(handle_.get());
  if (status == PQTRANS_INTRANS || status == PQTRANS_INERROR) PQclear(PQexec(handle_.get(), "ROLLBACK"));
}

}  // namespace holdfast::sql
