#include "repo/search.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "repo/repositories.h"
#include "repo/rights.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

constexpr int64_t page_max = 1000, batch_rows = 1000, batches_max = 100;
constexpr size_t conditions_max = 50;

std::string_view column_of(SortKey sort) {
  switch (sort) {
    case SortKey::modified:
      return "r.updated";
    case SortKey::created:
      return "r.created";
    case SortKey::downloads:
      return "r.downloads";
    case SortKey::likes:
      return "r.likes";
  }
  return "r.updated";
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// For LIKE … ESCAPE '\'.
std::string like_inside(std::string_view word) {
  std::string out = "%";
  for (const char c : lower(word)) {
    if (c == '%' || c == '_' || c == '\\') out += '\\';
    out += c;
  }
  return out + "%";
}

struct Cursor {
  int64_t key = std::numeric_limits<int64_t>::max(), id = std::numeric_limits<int64_t>::max();
};

Result<Cursor> parse_cursor(std::string_view text) {
  Cursor out;
  if (text.empty()) return out;
  const size_t dot = text.find('.');
  const auto number = [](std::string_view digits, int64_t& into) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
    return error == std::errc() && end == digits.data() + digits.size();
  };
  if (dot == std::string_view::npos || !number(text.substr(0, dot), out.key) ||
      !number(text.substr(dot + 1), out.id))
    return fail(Reason::bad_request, "the cursor is not one of ours");
  return out;
}

// The WHERE clause with the texts it borrows.
struct Conditions {
  std::string where = "r.type = ?";
  std::vector<std::string> texts;
  std::vector<int64_t> numbers;
  std::vector<std::pair<bool, size_t>> order;  // Of the parameters: text or number, and its place.

  void text(std::string value) {
    order.emplace_back(true, texts.size());
    texts.push_back(std::move(value));
  }
  void number(int64_t value) {
    order.emplace_back(false, numbers.size());
    numbers.push_back(value);
  }
  std::vector<sql::Value> values() const {
    std::vector<sql::Value> out;
    for (const auto& [is_text, place] : order)
      is_text ? out.emplace_back(std::string_view(texts[place])) : out.emplace_back(numbers[place]);
    return out;
  }
};

Result<Conditions> conditions_of(const SearchQuery& query) {
  if (query.words.size() + query.tags.size() > conditions_max)
    return fail(Reason::bad_request, "too many filters");
  Conditions out;
  out.text(std::string(type_name(query.type)));
  if (!query.author.empty()) {
    out.where += " AND LOWER(r.ns) = ?";
    out.text(lower(query.author));
  }
  for (const std::string& word : query.words) {
    out.where += " AND r.place LIKE ? ESCAPE '\\'";
    out.text(like_inside(word));
  }
  for (const std::string& tag : query.tags) {
    out.where += " AND r.id IN (SELECT repo FROM repo_tags WHERE tag = ?)";
    out.text(tag);
  }
  if (!query.pipeline.empty()) {
    out.where += " AND c.pipeline = ?";
    out.text(query.pipeline);
  }
  if (!query.library.empty()) {
    out.where += " AND c.library = ?";
    out.text(query.library);
  }
  if (query.gated) out.where += *query.gated ? " AND r.gate <> 'none'" : " AND r.gate = 'none'";
  if (query.parameters_min) {
    out.where += " AND c.parameters >= ?";
    out.number(*query.parameters_min);
  }
  if (query.parameters_max) {
    out.where += " AND c.parameters > 0 AND c.parameters <= ?";
    out.number(*query.parameters_max);
  }
  return out;
}

}  // namespace

struct Search::Batch {
  struct Found {
    SearchHit hit;
    int64_t key = 0;
  };
  std::vector<Found> rows;
};

Status Search::read_batch(const SearchQuery& query, int64_t after_key, int64_t after_id, Batch& batch) {
  TRY(Conditions conditions, conditions_of(query));
  const std::string_view key = column_of(query.sort);
  conditions.where += fmt::format(" AND ({} < ? OR ({} = ? AND r.id < ?))", key, key);
  conditions.number(after_key);
  conditions.number(after_key);
  conditions.number(after_id);
  conditions.number(batch_rows);
  std::string columns;  // Qualified, since both tables have some of the names.
  std::string_view rest = repository_columns;
  while (!rest.empty()) {
    const size_t comma = rest.find(", ");
    columns += fmt::format("r.{}, ", rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 2);
  }
  const std::string text = fmt::format(
      "SELECT {}{}, c.commit_oid, c.library, c.pipeline, c.card, c.config, c.safetensors, c.parameters, "
      "c.modified FROM repo_repositories r LEFT JOIN repo_cards c ON c.repo = r.id WHERE {} "
      "ORDER BY {} DESC, r.id DESC LIMIT ?",
      columns, key, conditions.where, key);
  return database_.read([&](sql::Transaction& tx) -> Status {
    batch.rows.clear();
    return tx.query(text, conditions.values(), [&](const sql::Row& row) {
      Card card{.commit = row.text(14),
                .library = row.text(15),
                .pipeline = row.text(16),
                .tags = {},
                .data = row.text(17),
                .config = row.text(18),
                .safetensors = row.text(19),
                .parameters = row.integer(20),
                .modified = WallTime(std::chrono::milliseconds(row.integer(21)))};
      batch.rows.push_back(
          {.hit = {.repository = read_repository(row), .card = std::move(card)}, .key = row.integer(13)});
      return true;
    });
  });
}

Result<SearchPage> Search::find(const identity::Caller& caller, const SearchQuery& query) {
  TRY(Cursor cursor, parse_cursor(query.after));
  const auto count_max = static_cast<size_t>(std::clamp<int64_t>(query.count_max, 1, page_max));
  SearchPage page;
  for (int64_t batches = 0; batches < batches_max; ++batches) {
    Batch batch;
    TRY_DONE(read_batch(query, cursor.key, cursor.id, batch));
    for (Batch::Found& row : batch.rows) {
      if (page.hits.size() == count_max) {
        page.next = fmt::format("{}.{}", cursor.key, cursor.id);
        break;
      }
      cursor = {.key = row.key, .id = row.hit.repository.id.raw};
      if (rights_.may_find(caller, row.hit.repository)) page.hits.push_back(std::move(row.hit));
    }
    if (!page.next.empty() || batch.rows.size() < static_cast<size_t>(batch_rows)) break;
  }
  TRY_DONE(database_.read([&](sql::Transaction& tx) -> Status {
    for (SearchHit& hit : page.hits) {
      hit.card.tags.clear();
      TRY_DONE(tx.query("SELECT tag FROM repo_tags WHERE repo = ? ORDER BY position", {hit.repository.id.raw},
                        [&hit](const sql::Row& row) {
                          hit.card.tags.push_back(row.text(0));
                          return true;
                        }));
    }
    return Done{};
  }));
  return page;
}

Result<int64_t> Search::count(const identity::Caller& caller, RepoType type, std::string_view ns) {
  std::vector<Repository> rows;
  const std::string query = fmt::format(
      "SELECT {} FROM repo_repositories WHERE ns = ? AND type = ? LIMIT 10000", repository_columns);
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    rows.clear();
    return tx.query(query, {ns, type_name(type)}, [&](const sql::Row& row) {
      rows.push_back(read_repository(row));
      return true;
    });
  }));
  int64_t seen = 0;
  for (const Repository& each : rows)
    if (rights_.may_find(caller, each)) ++seen;
  return seen;
}

}  // namespace holdfast::repo
