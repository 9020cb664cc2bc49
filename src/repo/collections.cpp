#include "repo/collections.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/random.h"
#include "repo/repositories.h"
#include "repo/rights.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

constexpr size_t id_digits = 24, slug_title_max = 60, listed_items_max = 4;
constexpr int64_t scanned_max = 10'000;
constexpr std::array<std::string_view, 6> themes = {"orange", "blue", "green", "purple", "pink", "indigo"};
constexpr std::string_view columns =
    "id, owner, creator, title, description, theme, private, position, updated";

int64_t unix_ms(const Clock& clock) { return clock.wall().time_since_epoch().count(); }

Collection read_collection(const sql::Row& row) {
  return {.id = row.text(0),
          .owner = row.text(1),
          .creator = row.text(2),
          .title = row.text(3),
          .description = row.text(4),
          .theme = row.text(5),
          .visibility = row.integer(6) != 0 ? Visibility::private_ : Visibility::public_,
          .position = row.integer(7),
          .updated = WallTime(std::chrono::milliseconds(row.integer(8)))};
}

Error hidden() { return fail(Code::not_found, "Collection not found"); }

// The last 24 digits of a slug; empty when it has none.
std::string_view id_of(std::string_view slug) {
  if (slug.size() < id_digits) return {};
  const std::string_view id = slug.substr(slug.size() - id_digits);
  const bool digits = std::all_of(id.begin(), id.end(),
                                  [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  return digits ? id : std::string_view();
}

Status check_text(std::string_view what, std::string_view text, size_t bytes_max) {
  if (text.size() > bytes_max)
    return fail(Reason::bad_request, fmt::format("\"{}\" may have {} bytes at most", what, bytes_max));
  return Done{};
}

Status check_title(std::string_view title) {
  if (title.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return fail(Reason::bad_request, "\"title\" must not be empty");
  return check_text("title", title, collection_title_bytes_max);
}

Status check_change(const CollectionChange& change) {
  if (change.title) TRY_DONE(check_title(*change.title));
  if (change.description) TRY_DONE(check_text("description", *change.description, collection_text_bytes_max));
  if (change.position && *change.position < 0)
    return fail(Reason::bad_request, "\"position\" must not be negative");
  if (change.theme && std::find(themes.begin(), themes.end(), *change.theme) == themes.end())
    return fail(Reason::bad_request,
                fmt::format("\"theme\" must be one of [{}]", fmt::join(themes.begin(), themes.end(), ", ")));
  return Done{};
}

// What an entry is stored under: "model/17" for a repository, "paper/2307.09288", "collection/ID".
std::string key_of(std::string_view type, std::string_view what) { return fmt::format("{}/{}", type, what); }

Result<std::optional<Repository>> find_repository(sql::Transaction& tx, std::string_view condition,
                                                  std::string_view place, int64_t id) {
  std::optional<Repository> found;
  const std::string query =
      fmt::format("SELECT {} FROM repo_repositories WHERE {} = ?", repository_columns, condition);
  const sql::Value value = place.empty() ? sql::Value(id) : sql::Value(place);
  TRY_DONE(tx.query(query, {value}, [&](const sql::Row& row) {
    found = read_repository(row);
    return false;
  }));
  return found;
}

// Papers are named by their arXiv numbers, new ("2307.09288") or old ("hep-th/9901001").
bool is_paper(std::string_view name) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto plain = [&](char c) {
    return digit(c) || (c >= 'a' && c <= 'z') || c == '.' || c == '/' || c == '-';
  };
  return !name.empty() && name.size() <= 40 && digit(name.back()) && name.front() != '.' &&
         name.front() != '/' && name.find("..") == std::string_view::npos &&
         std::all_of(name.begin(), name.end(), plain);
}

void move_to(std::vector<std::string>& order, const std::string& id, int64_t position) {
  order.erase(std::remove(order.begin(), order.end(), id), order.end());
  order.insert(order.begin() + std::min<int64_t>(position, static_cast<int64_t>(order.size())), id);
}

}  // namespace

std::string Collection::slug() const {
  std::string words;
  for (const char c : title) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool plain = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain)
      words += upper ? static_cast<char>(c - 'A' + 'a') : c;
    else if (!words.empty() && words.back() != '-')
      words += '-';
    if (words.size() >= slug_title_max) break;
  }
  while (!words.empty() && words.back() == '-') words.pop_back();
  return words.empty() ? fmt::format("{}/{}", owner, id) : fmt::format("{}/{}-{}", owner, words, id);
}

bool Collections::may(const identity::Caller& caller, identity::Right right,
                      const Collection& collection) const {
  return permission_.may(caller, right,
                         {.kind = identity::EntityKind::organisation,
                          .ns = collection.owner,
                          .name = collection.id,
                          .visibility = collection.visibility,
                          .creator = collection.creator});
}

Result<Collection> Collections::find_row(sql::Transaction& tx, const identity::Caller& caller,
                                         std::string_view slug) {
  std::optional<Collection> found;
  TRY_DONE(tx.query(fmt::format("SELECT {} FROM repo_collections WHERE id = ?", columns), {id_of(slug)},
                    [&](const sql::Row& row) {
                      found = read_collection(row);
                      return false;
                    }));
  if (!found || !may(caller, identity::Right::read, *found)) return hidden();
  return std::move(*found);
}

Result<Collection> Collections::find_for_change(sql::Transaction& tx, const identity::Caller& caller,
                                                std::string_view slug) {
  TRY(Collection found, find_row(tx, caller, slug));
  if (!may(caller, identity::Right::write, found))
    return fail(Reason::forbidden,
                fmt::format("You don't have the rights to change collections of {}", found.owner));
  return found;
}

Status Collections::read_items(sql::Transaction& tx, const identity::Caller& caller, Collection& collection,
                               size_t count_max) {
  struct Stored {
    std::string id, type, what, note;
  };
  std::vector<Stored> stored;
  TRY_DONE(
      tx.query("SELECT id, type, what, note FROM repo_collection_items WHERE collection = ? "
               "ORDER BY position, id",
               {collection.id}, [&](const sql::Row& row) {
                 stored.push_back({row.text(0), row.text(1), row.text(2), row.text(3)});
                 return stored.size() < collection_items_max;
               }));
  for (Stored& each : stored) {
    if (collection.items.size() == count_max) break;
    CollectionItem item{.id = std::move(each.id),
                        .type = each.type,
                        .name = each.what,
                        .title = {},
                        .note = std::move(each.note)};
    if (type_of_name(each.type)) {
      int64_t id = 0;
      for (const char c : each.what) id = id * 10 + (c - '0');
      TRY(item.repository, find_repository(tx, "id", {}, id));
      if (!item.repository || !rights_.may_find(caller, *item.repository)) continue;
      item.name = item.repository->full_name();
    } else if (each.type == "collection") {
      auto other = find_row(tx, caller, each.what);
      if (!other.ok()) {
        if (other.error().code == Code::not_found) continue;
        return other.error();
      }
      item.name = other.value().slug();
      item.title = other.value().title;
    }
    collection.items.push_back(std::move(item));
  }
  return Done{};
}

Status Collections::touch(sql::Transaction& tx, const Collection& collection) {
  TRY([[maybe_unused]] const int64_t rows,
      tx.run("UPDATE repo_collections SET updated = ? WHERE id = ?", {unix_ms(clock_), collection.id}));
  return Done{};
}

Result<Collection> Collections::create(const identity::Caller& caller, const NewCollection& wish) {
  TRY_DONE(check_title(wish.title));
  TRY_DONE(check_text("description", wish.description, collection_text_bytes_max));
  if (!permission_.may_create(caller, identity::EntityKind::organisation, wish.owner, "collections"))
    return fail(Reason::forbidden,
                fmt::format("You don't have the rights to create a collection under the namespace \"{}\"",
                            wish.owner));
  Collection made{.id = random_.hex(id_digits / 2),
                  .owner = wish.owner,
                  .creator = caller.name,
                  .title = wish.title,
                  .description = wish.description,
                  .theme = std::string(themes[0]),
                  .visibility = wish.visibility};
  TRY_DONE(database_.write([&](sql::Transaction& tx) -> Status {
    int64_t titled = 0;
    TRY_DONE(
        tx.query("SELECT COUNT(*), SUM(CASE WHEN title = ? THEN 1 ELSE 0 END) FROM repo_collections "
                 "WHERE owner = ?",
                 {wish.title, wish.owner}, [&](const sql::Row& row) {
                   made.position = row.integer(0);
                   titled = row.integer(1);
                   return false;
                 }));
    if (titled > 0)
      return fail(Reason::already_exists,
                  fmt::format("{} has a collection of this title already", wish.owner));
    if (made.position >= scanned_max)
      return fail(Reason::bad_request,
                  fmt::format("{} has {} collections, no more are taken", wish.owner, scanned_max));
    made.updated = clock_.wall();
    TRY([[maybe_unused]] const int64_t rows,
        tx.run(fmt::format("INSERT INTO repo_collections ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", columns),
               {made.id, made.owner, made.creator, made.title, made.description, made.theme,
                int64_t{made.visibility == Visibility::private_}, made.position, unix_ms(clock_)}));
    return Done{};
  }));
  return made;
}

Result<std::optional<Collection>> Collections::find_titled(const identity::Caller& caller,
                                                           std::string_view owner, std::string_view title) {
  std::optional<Collection> found;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    found.reset();
    return tx.query(fmt::format("SELECT {} FROM repo_collections WHERE owner = ? AND title = ?", columns),
                    {owner, title}, [&](const sql::Row& row) {
                      found = read_collection(row);
                      return false;
                    });
  }));
  if (found && !may(caller, identity::Right::read, *found)) found.reset();
  return found;
}

Result<Collection> Collections::find(const identity::Caller& caller, std::string_view slug) {
  return database_.read<Collection>([&](sql::Transaction& tx) -> Result<Collection> {
    TRY(Collection found, find_row(tx, caller, slug));
    TRY_DONE(read_items(tx, caller, found, collection_items_max));
    return found;
  });
}

Result<std::vector<Collection>> Collections::list(const identity::Caller& caller,
                                                  const CollectionQuery& query) {
  // "models/ns/name" to "model/17"; what nobody may see is in no collection.
  const auto keys = [&](sql::Transaction& tx) -> Result<std::vector<std::string>> {
    std::vector<std::string> out;
    for (const std::string_view item : query.items) {
      const size_t slash = item.find('/');
      if (slash == std::string_view::npos)
        return fail(Reason::bad_request, "\"item\" must be like models/owner/name");
      const std::string_view plural = item.substr(0, slash), name = item.substr(slash + 1);
      const auto type = type_of_plural(plural);
      if (!type) {
        out.push_back(plural == "collections" ? key_of("collection", id_of(name))
                                              : key_of(plural.substr(0, plural.size() - 1), name));
        continue;
      }
      TRY(const RepoName named, parse_repo_name(*type, name));
      TRY(const auto found, find_repository(tx, "place", place_of(*type, named.ns, named.name), 0));
      if (found && rights_.may_find(caller, *found))
        out.push_back(key_of(type_name(*type), std::to_string(found->id.raw)));
    }
    return out;
  };
  return database_.read<std::vector<Collection>>(
      [&](sql::Transaction& tx) -> Result<std::vector<Collection>> {
        std::vector<Collection> out;
        std::string where = "1 = 1";
        std::vector<sql::Value> values;
        const auto any_of = [&](std::string_view column, const std::vector<std::string>& wanted,
                                std::string_view after) {
          where += fmt::format(" AND {} (", column);
          for (size_t i = 0; i < wanted.size(); ++i) {
            where += i == 0 ? "?" : ", ?";
            values.emplace_back(std::string_view(wanted[i]));
          }
          where += after;
        };
        if (!query.owners.empty()) any_of("owner IN", query.owners, ")");
        TRY(const std::vector<std::string> wanted, keys(tx));
        if (!query.items.empty()) {
          if (wanted.empty()) return out;
          any_of("id IN (SELECT collection FROM repo_collection_items WHERE type || '/' || what IN", wanted,
                 "))");
        }
        const std::string_view order =
            query.sort == CollectionQuery::Sort::position ? "owner, position, id" : "updated DESC, id";
        int64_t skipped = 0;
        values.emplace_back(scanned_max);
        const std::string text = fmt::format("SELECT {} FROM repo_collections WHERE {} ORDER BY {} LIMIT ?",
                                             columns, where, order);
        TRY_DONE(tx.query(text, values, [&](const sql::Row& row) {
          Collection each = read_collection(row);
          if (!may(caller, identity::Right::read, each) || skipped++ < query.skip) return true;
          out.push_back(std::move(each));
          return static_cast<int64_t>(out.size()) < query.count_max;
        }));
        for (Collection& each : out) TRY_DONE(read_items(tx, caller, each, listed_items_max));
        return out;
      });
}

Result<Collection> Collections::change(const identity::Caller& caller, std::string_view slug,
                                       const CollectionChange& change) {
  TRY_DONE(check_change(change));
  return database_.write<Collection>([&](sql::Transaction& tx) -> Result<Collection> {
    TRY(Collection now, find_for_change(tx, caller, slug));
    now.title = change.title.value_or(now.title);
    now.description = change.description.value_or(now.description);
    now.theme = change.theme.value_or(now.theme);
    now.visibility = change.visibility.value_or(now.visibility);
    now.position = change.position.value_or(now.position);
    now.updated = clock_.wall();
    TRY([[maybe_unused]] const int64_t rows,
        tx.run(
            "UPDATE repo_collections SET title = ?, description = ?, theme = ?, private = ?, position = ?, "
            "updated = ? WHERE id = ?",
            {now.title, now.description, now.theme, int64_t{now.visibility == Visibility::private_},
             now.position, unix_ms(clock_), now.id}));
    TRY_DONE(read_items(tx, caller, now, collection_items_max));
    return now;
  });
}

Status Collections::remove(const identity::Caller& caller, std::string_view slug) {
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY(const Collection found, find_for_change(tx, caller, slug));
    TRY([[maybe_unused]] const int64_t items,
        tx.run("DELETE FROM repo_collection_items WHERE collection = ?", {found.id}));
    TRY([[maybe_unused]] const int64_t rows, tx.run("DELETE FROM repo_collections WHERE id = ?", {found.id}));
    return Done{};
  });
}

Result<Collection> Collections::add(const identity::Caller& caller, std::string_view slug,
                                    std::string_view type, std::string_view name, std::string_view note) {
  TRY_DONE(check_text("note", note, collection_text_bytes_max));
  return database_.write<Collection>([&](sql::Transaction& tx) -> Result<Collection> {
    TRY(Collection found, find_for_change(tx, caller, slug));
    std::string what(name);
    if (const auto repo_type = type_of_name(type)) {
      TRY(const RepoName named, parse_repo_name(*repo_type, name));
      TRY(const auto there, find_repository(tx, "place", place_of(*repo_type, named.ns, named.name), 0));
      if (!there || !rights_.may_find(caller, *there))
        return fail(Reason::repo_not_found, "Repository not found");
      what = std::to_string(there->id.raw);
    } else if (type == "collection") {
      TRY(const Collection other, find_row(tx, caller, name));
      if (other.id == found.id) return fail(Reason::bad_request, "A collection cannot hold itself");
      what = other.id;
    } else if (type == "paper") {
      if (!is_paper(name)) return fail(Reason::bad_request, "A paper is named by its arXiv number");
    } else {
      return fail(Reason::bad_request, "\"type\" must be one of [model, dataset, space, paper, collection]");
    }
    int64_t count = 0, there = 0;
    TRY_DONE(
        tx.query("SELECT COUNT(*), SUM(CASE WHEN type = ? AND what = ? THEN 1 ELSE 0 END), MAX(position) "
                 "FROM repo_collection_items WHERE collection = ?",
                 {type, what, found.id}, [&](const sql::Row& row) {
                   count = row.integer(0) == 0 ? 0 : row.integer(2) + 1;
                   there = row.integer(1);
                   return false;
                 }));
    if (there > 0) return fail(Reason::already_exists, "The collection has this item already");
    if (count >= static_cast<int64_t>(collection_items_max))
      return fail(Reason::bad_request,
                  fmt::format("A collection has {} items at most", collection_items_max));
    TRY([[maybe_unused]] const int64_t rows,
        tx.run("INSERT INTO repo_collection_items (id, collection, type, what, note, position) "
               "VALUES (?, ?, ?, ?, ?, ?)",
               {random_.hex(id_digits / 2), found.id, type, what, note, count}));
    TRY_DONE(touch(tx, found));
    found.updated = clock_.wall();
    TRY_DONE(read_items(tx, caller, found, collection_items_max));
    return found;
  });
}

Status Collections::change_item(const identity::Caller& caller, std::string_view slug, std::string_view item,
                                const std::optional<std::string>& note, std::optional<int64_t> position) {
  if (note) TRY_DONE(check_text("note", *note, collection_text_bytes_max));
  if (position && *position < 0) return fail(Reason::bad_request, "\"position\" must not be negative");
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY(const Collection found, find_for_change(tx, caller, slug));
    std::vector<std::string> order;
    TRY_DONE(tx.query("SELECT id FROM repo_collection_items WHERE collection = ? ORDER BY position, id",
                      {found.id}, [&](const sql::Row& row) {
                        order.push_back(row.text(0));
                        return true;
                      }));
    if (std::find(order.begin(), order.end(), item) == order.end())
      return fail(Code::not_found, "The collection has no such item");
    if (note) {
      TRY([[maybe_unused]] const int64_t rows,
          tx.run("UPDATE repo_collection_items SET note = ? WHERE id = ?", {*note, item}));
    }
    if (position) {
      move_to(order, std::string(item), *position);
      for (size_t i = 0; i < order.size(); ++i) {
        TRY([[maybe_unused]] const int64_t rows,
            tx.run("UPDATE repo_collection_items SET position = ? WHERE id = ?",
                   {static_cast<int64_t>(i), order[i]}));
      }
    }
    return touch(tx, found);
  });
}

Status Collections::remove_item(const identity::Caller& caller, std::string_view slug,
                                std::string_view item) {
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY(const Collection found, find_for_change(tx, caller, slug));
    TRY(const int64_t rows,
        tx.run("DELETE FROM repo_collection_items WHERE collection = ? AND id = ?", {found.id, item}));
    if (rows == 0) return fail(Code::not_found, "The collection has no such item");
    return touch(tx, found);
  });
}

}  // namespace holdfast::repo
