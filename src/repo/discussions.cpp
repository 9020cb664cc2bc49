#include "repo/discussions.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "codec/json.h"
#include "repo/checks.h"
#include "repo/revisions.h"
#include "repo/rights.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

constexpr std::string_view pull_request_prefix = "refs/pr/";

// Of refs/pr/N; 0, which no discussion has, for any other ref and for a number that does not fit.
int64_t number_of(std::string_view ref) {
  int64_t number = 0;
  if (!is_pull_request_ref(ref)) return 0;
  ref.remove_prefix(pull_request_prefix.size());
  std::from_chars(ref.data(), ref.data() + ref.size(), number);
  return number;
}

namespace json = boost::json;

constexpr size_t title_bytes_max = 400, text_bytes_max = 256 << 10;
constexpr size_t events_max = 5000, history_max = 50;

constexpr std::string_view discussion_columns =
    "number, title, author, status, pull_request, base, merge_commit, created";
constexpr std::string_view event_columns = "event, type, author, data, at";

int64_t unix_ms(const Clock& clock) { return clock.wall().time_since_epoch().count(); }
WallTime wall(int64_t ms) { return WallTime(std::chrono::milliseconds(ms)); }

std::optional<DiscussionStatus> status_of(std::string_view name) {
  for (const auto status :
       {DiscussionStatus::open, DiscussionStatus::draft, DiscussionStatus::closed, DiscussionStatus::merged})
    if (status_name(status) == name) return status;
  return std::nullopt;
}

Discussion read_discussion(const sql::Row& row) {
  return {.number = row.integer(0),
          .title = row.text(1),
          .author = row.text(2),
          .kind = row.integer(4) != 0 ? DiscussionKind::pull_request : DiscussionKind::discussion,
          .status = status_of(row.text(3)).value_or(DiscussionStatus::closed),
          .base = row.text(5),
          .merge_commit = row.text(6),
          .created = wall(row.integer(7))};
}

DiscussionEvent read_event(const sql::Row& row) {
  return {.id = row.text(0),
          .type = row.text(1),
          .author = row.text(2),
          .data = row.text(3),
          .at = wall(row.integer(4))};
}

std::string trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

Error unknown_discussion() { return fail(Reason::entry_not_found, "No discussion with this number"); }

}  // namespace

std::string_view status_name(DiscussionStatus status) {
  switch (status) {
    case DiscussionStatus::open:
      return "open";
    case DiscussionStatus::draft:
      return "draft";
    case DiscussionStatus::closed:
      return "closed";
    case DiscussionStatus::merged:
      return "merged";
  }
  return "";
}

Result<DiscussionPage> Discussions::list(RepoId repository, const DiscussionFilter& filter) {
  std::string where = "repo = ?";
  std::vector<sql::Value> values = {repository.raw};
  if (filter.kind) {
    where += " AND pull_request = ?";
    values.emplace_back(int64_t{*filter.kind == DiscussionKind::pull_request});
  }
  switch (filter.state) {
    case DiscussionFilter::State::all:
      break;
    case DiscussionFilter::State::open:
      where += " AND status IN ('open', 'draft')";
      break;
    case DiscussionFilter::State::closed:
      where += " AND status IN ('closed', 'merged')";
      break;
  }
  if (!filter.author.empty()) {
    where += " AND author = ?";
    values.emplace_back(std::string_view(filter.author));
  }
  const std::string count = "SELECT COUNT(*) FROM repo_discussions WHERE " + where;
  const std::string page =
      fmt::format("SELECT {} FROM repo_discussions WHERE {} ORDER BY number DESC LIMIT ? OFFSET ?",
                  discussion_columns, where);
  DiscussionPage out;
  TRY_DONE(database_.read([&](sql::Transaction& tx) -> Status {
    out = {};
    TRY_DONE(tx.query(count, values, [&](const sql::Row& row) {
      out.total = row.integer(0);
      return false;
    }));
    std::vector<sql::Value> paged = values;
    paged.emplace_back(filter.count_max);
    paged.emplace_back(filter.skip);
    return tx.query(page, paged, [&](const sql::Row& row) {
      out.discussions.push_back(read_discussion(row));
      return true;
    });
  }));
  return out;
}

Result<Discussion> Discussions::find(RepoId repository, int64_t number) {
  std::optional<Discussion> found;
  const std::string query =
      fmt::format("SELECT {} FROM repo_discussions WHERE repo = ? AND number = ?", discussion_columns);
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    return tx.query(query, {repository.raw, number}, [&](const sql::Row& row) {
      found = read_discussion(row);
      return false;
    });
  }));
  if (!found) return unknown_discussion();
  return std::move(*found);
}

Result<std::vector<DiscussionEvent>> Discussions::events(RepoId repository, int64_t number) {
  std::vector<DiscussionEvent> out;
  const std::string query = fmt::format(
      "SELECT {} FROM repo_discussion_events WHERE repo = ? AND number = ? ORDER BY id", event_columns);
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    out.clear();
    return tx.query(query, {repository.raw, number}, [&](const sql::Row& row) {
      out.push_back(read_event(row));
      return out.size() < events_max;
    });
  }));
  return out;
}

Result<int64_t> Discussions::next_number(RepoId repository) {
  int64_t last = 0;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    return tx.query("SELECT discussions FROM repo_repositories WHERE id = ?", {repository.raw},
                    [&](const sql::Row& row) {
                      last = row.integer(0);
                      return false;
                    });
  }));
  return last + 1;
}

std::string Discussions::comment_data(std::string_view author, std::string_view text) {
  json::object latest{{"raw", text}, {"html", ""}, {"updatedAt", format_time(clock_.wall())}};
  latest["author"] = json::object{{"name", author}};
  return codec::to_text(json::object{
      {"edited", false}, {"hidden", false}, {"latest", std::move(latest)}, {"history", json::array()}});
}

Result<DiscussionEvent> Discussions::add_event(sql::Transaction& tx, RepoId repository, int64_t number,
                                               std::string_view author, std::string_view type,
                                               std::string data) {
  DiscussionEvent event{.id = random_.hex(12),
                        .type = std::string(type),
                        .author = std::string(author),
                        .data = std::move(data),
                        .at = clock_.wall()};
  TRY([[maybe_unused]] const int64_t rows,
      tx.run("INSERT INTO repo_discussion_events (repo, number, event, type, author, data, at) "
             "VALUES (?, ?, ?, ?, ?, ?, ?)",
             {repository.raw, number, event.id, event.type, event.author, event.data,
              int64_t{event.at.time_since_epoch().count()}}));
  return event;
}

Status Discussions::insert(sql::Transaction& tx, const identity::Caller& caller, const Repository& repository,
                           int64_t number, const NewDiscussion& wish) {
  TRY(const int64_t counted,
      tx.run("UPDATE repo_repositories SET discussions = ? WHERE id = ? AND discussions = ?",
             {number, repository.id.raw, number - 1}));
  if (counted != 1) return fail(Reason::stale_parent, "Another discussion was opened at the same time");
  TRY([[maybe_unused]] const int64_t rows,
      tx.run(
          "INSERT INTO repo_discussions (repo, number, title, author, status, pull_request, base, created) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
          {repository.id.raw, number, wish.title, caller.name, status_name(wish.status),
           int64_t{wish.kind == DiscussionKind::pull_request}, wish.base, unix_ms(clock_)}));
  TRY([[maybe_unused]] const DiscussionEvent first,
      add_event(tx, repository.id, number, caller.name, "comment",
                comment_data(caller.name, wish.description)));
  return Done{};
}

Status Discussions::add_commit(sql::Transaction& tx, const identity::Caller& caller,
                               const Repository& repository, std::string_view ref, std::string_view subject,
                               const git::ObjectId& commit) {
  const int64_t number = number_of(ref);
  TRY([[maybe_unused]] const DiscussionEvent event,
      add_event(tx, repository.id, number, caller.name, "commit",
                codec::to_text(json::object{{"subject", subject}, {"oid", commit.hex()}})));
  return Done{};
}

Result<bool> Discussions::may_push(const identity::Caller& caller, const Repository& repository,
                                   std::string_view ref) {
  if (!is_pull_request_ref(ref) || !rights_.may(caller, identity::Right::contribute, repository))
    return false;
  auto found = find(repository.id, number_of(ref));
  if (!found.ok()) return false;
  const Discussion& discussion = found.value();
  return discussion.kind == DiscussionKind::pull_request && discussion.author == caller.name &&
         (discussion.status == DiscussionStatus::open || discussion.status == DiscussionStatus::draft);
}

Result<Discussion> Discussions::open(const identity::Caller& caller, const Repository& repository,
                                     NewDiscussion wish) {
  wish.title = trimmed(wish.title);
  if (wish.title.empty() || wish.title.size() > title_bytes_max)
    return fail(Reason::bad_request, "A title has 1 to 400 characters");
  if (wish.description.size() > text_bytes_max)
    return fail(Reason::body_too_large, "The description is too long");
  TRY_DONE(checks_.check_text(wish.title + "\n" + wish.description, "a discussion"));
  const Storage::Lock lock = storage_.lock(repository.id);
  TRY(const int64_t number, next_number(repository.id));
  if (wish.kind == DiscussionKind::discussion) {
    TRY_DONE(
        database_.write([&](sql::Transaction& tx) { return insert(tx, caller, repository, number, wish); }));
    return find(repository.id, number);
  }
  wish.status = DiscussionStatus::draft;
  TRY(const git::Repository objects, storage_.open(repository.id));
  TRY(const auto head, publisher_.ref(repository.id, wish.base));
  if (!head) return fail(Reason::revision_not_found, fmt::format("Invalid rev id: {}", wish.base));
  Publication publication;
  publication.kind = "pull_request_opened";
  publication.moves.push_back({.ref = fmt::format("refs/pr/{}", number), .before = {}, .after = *head});
  publication.more = [&](sql::Transaction& tx) { return insert(tx, caller, repository, number, wish); };
  TRY_DONE(publisher_.publish(lock, caller, repository, objects, publication));
  return find(repository.id, number);
}

Result<DiscussionEvent> Discussions::comment(const identity::Caller& caller, const Repository& repository,
                                             int64_t number, std::string_view text) {
  if (text.size() > text_bytes_max) return fail(Reason::body_too_large, "The comment is too long");
  TRY_DONE(checks_.check_text(text, "a comment"));
  TRY([[maybe_unused]] const Discussion there, find(repository.id, number));
  return database_.write<DiscussionEvent>([&](sql::Transaction& tx) {
    return add_event(tx, repository.id, number, caller.name, "comment", comment_data(caller.name, text));
  });
}

Result<DiscussionEvent> Discussions::change_comment(const identity::Caller& caller,
                                                    const Repository& repository, int64_t number,
                                                    std::string_view event,
                                                    std::optional<std::string_view> text) {
  if (text && text->size() > text_bytes_max) return fail(Reason::body_too_large, "The comment is too long");
  if (text) TRY_DONE(checks_.check_text(*text, "a comment"));
  const std::string query = fmt::format(
      "SELECT {} FROM repo_discussion_events WHERE repo = ? AND number = ? AND event = ?", event_columns);
  return database_.write<DiscussionEvent>([&](sql::Transaction& tx) -> Result<DiscussionEvent> {
    std::optional<DiscussionEvent> found;
    TRY_DONE(tx.query(query, {repository.id.raw, number, event}, [&](const sql::Row& row) {
      found = read_event(row);
      return false;
    }));
    if (!found || found->type != "comment") return fail(Reason::entry_not_found, "No comment with this id");
    if (found->author != caller.name && !rights_.may_administer(caller, repository))
      return fail(Reason::forbidden, "Only its author may change a comment");
    TRY(json::object data, codec::parse_json_object(found->data));
    json::array history = data["history"].is_array() ? data["history"].get_array() : json::array();
    if (history.size() < history_max) history.push_back(data["latest"]);
    json::object latest{{"raw", text.value_or("")}, {"html", ""}, {"updatedAt", format_time(clock_.wall())}};
    latest["author"] = json::object{{"name", caller.name}};
    data["latest"] = std::move(latest);
    data["history"] = text ? std::move(history) : json::array();
    data[text ? "edited" : "hidden"] = true;
    found->data = codec::to_text(data);
    TRY([[maybe_unused]] const int64_t rows,
        tx.run("UPDATE repo_discussion_events SET data = ? WHERE repo = ? AND number = ? AND event = ?",
               {found->data, repository.id.raw, number, event}));
    return std::move(*found);
  });
}

Result<DiscussionEvent> Discussions::edit_comment(const identity::Caller& caller,
                                                  const Repository& repository, int64_t number,
                                                  std::string_view event, std::string_view text) {
  return change_comment(caller, repository, number, event, text);
}
Result<DiscussionEvent> Discussions::hide_comment(const identity::Caller& caller,
                                                  const Repository& repository, int64_t number,
                                                  std::string_view event) {
  return change_comment(caller, repository, number, event, std::nullopt);
}

Status Discussions::check_author(const identity::Caller& caller, const Repository& repository,
                                 const Discussion& discussion) {
  if (discussion.author == caller.name || rights_.may_write(caller, repository)) return Done{};
  return fail(Reason::forbidden, "Only its author and those who may write the repository can do this");
}

Result<DiscussionEvent> Discussions::rename(const identity::Caller& caller, const Repository& repository,
                                            int64_t number, std::string_view title) {
  const std::string to = trimmed(title);
  if (to.empty() || to.size() > title_bytes_max)
    return fail(Reason::bad_request, "A title has 1 to 400 characters");
  TRY_DONE(checks_.check_text(to, "a title"));
  TRY(const Discussion there, find(repository.id, number));
  TRY_DONE(check_author(caller, repository, there));
  return database_.write<DiscussionEvent>([&](sql::Transaction& tx) -> Result<DiscussionEvent> {
    TRY([[maybe_unused]] const int64_t rows,
        tx.run("UPDATE repo_discussions SET title = ? WHERE repo = ? AND number = ?",
               {to, repository.id.raw, number}));
    return add_event(tx, repository.id, number, caller.name, "title-change",
                     codec::to_text(json::object{{"from", there.title}, {"to", to}}));
  });
}

Result<DiscussionEvent> Discussions::set_status(const identity::Caller& caller, const Repository& repository,
                                                int64_t number, DiscussionStatus status,
                                                std::string_view comment) {
  TRY(const Discussion there, find(repository.id, number));
  TRY_DONE(check_author(caller, repository, there));
  if (there.status == DiscussionStatus::merged)
    return fail(Reason::bad_request, "This pull request is merged already");
  if (status != DiscussionStatus::open && status != DiscussionStatus::closed)
    return fail(Reason::bad_request, "The status must be open or closed");
  TRY_DONE(checks_.check_text(comment, "a comment"));
  return database_.write<DiscussionEvent>([&](sql::Transaction& tx) -> Result<DiscussionEvent> {
    TRY([[maybe_unused]] const int64_t rows,
        tx.run("UPDATE repo_discussions SET status = ? WHERE repo = ? AND number = ?",
               {status_name(status), repository.id.raw, number}));
    if (!comment.empty()) {
      TRY([[maybe_unused]] const DiscussionEvent said,
          add_event(tx, repository.id, number, caller.name, "comment", comment_data(caller.name, comment)));
    }
    return add_event(tx, repository.id, number, caller.name, "status-change",
                     codec::to_text(json::object{{"status", status_name(status)}}));
  });
}

}  // namespace holdfast::repo
