#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "git/object_id.h"
#include "identity/caller.h"
#include "repo/publisher.h"
#include "repo/repository.h"

namespace holdfast::repo {

class Checks;
class Rights;

enum class DiscussionKind : uint8_t { discussion, pull_request };
enum class DiscussionStatus : uint8_t { open, draft, closed, merged };
std::string_view status_name(DiscussionStatus status);

struct Discussion {
  int64_t number = 0;  // From 1 within the repository, shared by discussions and pull requests.
  std::string title, author;
  DiscussionKind kind = DiscussionKind::discussion;
  DiscussionStatus status = DiscussionStatus::open;
  std::string base;          // Of a pull request: the full name of the branch it goes to.
  std::string merge_commit;  // Hex, once merged.
  WallTime created{};
};

struct DiscussionEvent {
  std::string id;    // 24 hexadecimal digits.
  std::string type;  // "comment", "status-change", "commit", "title-change".
  std::string author;
  std::string data;  // JSON, as the client expects it of the type.
  WallTime at{};
};

struct NewDiscussion {
  std::string title, description;
  DiscussionKind kind = DiscussionKind::discussion;
  DiscussionStatus status = DiscussionStatus::open;
  std::string base = std::string(main_ref);
};

struct DiscussionFilter {
  std::optional<DiscussionKind> kind;
  enum class State : uint8_t { all, open, closed } state = State::all;  // closed includes merged.
  std::string author;                                                   // Empty: everybody's.
  int64_t skip = 0, count_max = 10;
};
struct DiscussionPage {
  std::vector<Discussion> discussions;  // Newest first.
  int64_t total = 0;
};

// Discussions and pull requests. Who may see the repository is checked before; what beyond that is needed is
// checked here (authors and writers may rename, close and push; writers merge). Safe from any thread.
class Discussions {
 public:
  Discussions(sql::Database& database, Storage& storage, Publisher& publisher, Rights& rights,
              const Checks& checks, const Clock& clock, Random& random)
      : database_(database),
        storage_(storage),
        publisher_(publisher),
        rights_(rights),
        checks_(checks),
        clock_(clock),
        random_(random) {}

  Result<DiscussionPage> list(RepoId repository, const DiscussionFilter& filter);
  Result<Discussion> find(RepoId repository, int64_t number);
  Result<std::vector<DiscussionEvent>> events(RepoId repository, int64_t number);

  Result<Discussion> open(const identity::Caller& caller, const Repository& repository, NewDiscussion wish);
  Result<DiscussionEvent> comment(const identity::Caller& caller, const Repository& repository,
                                  int64_t number, std::string_view text);
  Result<DiscussionEvent> edit_comment(const identity::Caller& caller, const Repository& repository,
                                       int64_t number, std::string_view event, std::string_view text);
  Result<DiscussionEvent> hide_comment(const identity::Caller& caller, const Repository& repository,
                                       int64_t number, std::string_view event);
  Result<DiscussionEvent> rename(const identity::Caller& caller, const Repository& repository, int64_t number,
                                 std::string_view title);
  Result<DiscussionEvent> set_status(const identity::Caller& caller, const Repository& repository,
                                     int64_t number, DiscussionStatus status, std::string_view comment);
  Result<git::ObjectId> merge(const identity::Caller& caller, const Repository& repository, int64_t number,
                              std::string_view comment);
  // Paths that hinder merging; empty when it would go through.
  Result<std::vector<std::string>> conflicts(const Repository& repository, const Discussion& pull_request);
  // Unified diff of a pull request against its base, cut at 1 MiB.
  Result<std::string> diff(const Repository& repository, const Discussion& pull_request);

  // For commits and pushes, under the repository's lock.
  Result<int64_t> next_number(RepoId repository);
  Status insert(sql::Transaction& tx, const identity::Caller& caller, const Repository& repository,
                int64_t number, const NewDiscussion& wish);
  Status add_commit(sql::Transaction& tx, const identity::Caller& caller, const Repository& repository,
                    std::string_view ref, std::string_view subject, const git::ObjectId& commit);
  // Whether the caller opened the pull request behind refs/pr/N, and it is not over.
  Result<bool> may_push(const identity::Caller& caller, const Repository& repository, std::string_view ref);

 private:
  Result<DiscussionEvent> add_event(sql::Transaction& tx, RepoId repository, int64_t number,
                                    std::string_view author, std::string_view type, std::string data);
  Result<DiscussionEvent> change_comment(const identity::Caller& caller, const Repository& repository,
                                         int64_t number, std::string_view event,
                                         std::optional<std::string_view> text);
  Status check_author(const identity::Caller& caller, const Repository& repository,
                      const Discussion& discussion);
  std::string comment_data(std::string_view author, std::string_view text);

  sql::Database& database_;
  Storage& storage_;
  Publisher& publisher_;
  Rights& rights_;
  const Checks& checks_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace holdfast::repo
