#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "base/secret.h"
#include "net/client.h"

namespace holdfast::exchange {

// A file of a repository at a commit, as the hub describes it.
struct RemoteFile {
  std::string path;
  uint64_t size = 0;
  std::string blob;                   // Git's name of the blob (of the pointer, for large files): 40 digits.
  std::optional<std::string> sha256;  // Of the bytes, for large files.

  // Name of the file in the shared cache: what the hub sends as ETag.
  const std::string& etag() const { return sha256 ? *sha256 : blob; }
};

struct RemoteRevision {
  std::string commit;
  std::vector<RemoteFile> files;
};

enum class RemoteType : uint8_t { model, dataset, space };
std::string_view remote_plural(RemoteType type);  // "models"
std::string_view remote_prefix(
    RemoteType type);  // "", "datasets/", "spaces/": before the name in web addresses.
std::optional<RemoteType> remote_type(std::string_view name);

struct RemoteRepo {
  RemoteType type = RemoteType::model;
  std::string name;  // "ns/name"
};

// What a commit does, in order.
struct CommitPart {
  enum class Kind : uint8_t { regular, large, removed } kind = Kind::regular;
  std::string path;
  std::string content;  // Of a regular file.
  std::string sha256;   // Of a large file, uploaded before.
  uint64_t size = 0;
};

struct CommitRequest {
  std::string summary, description;
  std::optional<std::string> parent;  // Refused with stale_parent when the branch is not there any more.
  std::vector<CommitPart> parts;
};

// Speaks to a hub as huggingface_hub does (docs/compatibility.md): ours, or any that speaks the protocol.
// Errors carry the hub's own message; the reason follows X-Error-Code where it names one of ours, else the
// status. Safe from any thread; borrows the client.
class HubClient {
 public:
  // `endpoint` without a last slash. An empty token asks anonymously.
  HubClient(net::Client& client, std::string endpoint, Secret token)
      : client_(client), endpoint_(std::move(endpoint)), token_(std::move(token)) {}

  const std::string& endpoint() const { return endpoint_; }
  const Secret& token() const { return token_; }

  Result<std::string> whoami(const Context& context);  // The user's name; bad_credentials otherwise.
  // Returns the repository's web address; already_exists is not an error when `exist_ok`.
  enum class IfExists : uint8_t { refuse, accept };
  Result<std::string> create_repo(const RemoteRepo& repo, std::string_view visibility, IfExists if_exists,
                                  const Context& context);
  Status delete_repo(const RemoteRepo& repo, const Context& context);
  // With its files; where the answer names them without their sizes they are listed by the tree, page by
  // page.
  Result<RemoteRevision> revision(const RemoteRepo& repo, std::string_view revision, const Context& context);
  // Which of these the hub wants as large files, by path. `sample` is the first 512 bytes.
  struct Candidate {
    std::string path, sample;
    uint64_t size = 0;
  };
  Result<std::vector<bool>> wants_large(const RemoteRepo& repo, std::string_view branch,
                                        const std::vector<Candidate>& files, const Context& context);
  // Sends a large file's bytes by LFS; nothing is sent when the hub says it has them. Returns the bytes sent.
  Result<uint64_t> upload_large(const RemoteRepo& repo, std::string_view sha256, uint64_t size,
                                net::BodySource& bytes, const Context& context);
  // Returns the new commit's hash.
  Result<std::string> commit(const RemoteRepo& repo, std::string_view branch, const CommitRequest& request,
                             const Context& context);
  // Hands the bytes of a file from `offset` on to `take`.
  Status download(const RemoteRepo& repo, std::string_view commit, std::string_view path, uint64_t offset,
                  const std::function<Status(ByteView)>& take, const Context& context);
  // `length` bytes of it from `offset`. A hub without ranges sends the file from its start all the same:
  // `take` gets more than was asked, and Sent::whole is the answer.
  enum class Sent : uint8_t { range, whole };
  Result<Sent> download_range(const RemoteRepo& repo, std::string_view commit, std::string_view path,
                              uint64_t offset, uint64_t length, const std::function<Status(ByteView)>& take,
                              const Context& context);
  // How long the last answer of too many questions (429) or of a hub that is not well (5xx) asked to wait;
  // nought where it did not say.
  std::chrono::seconds asked_to_wait() const { return std::chrono::seconds(asked_to_wait_->load()); }
  // The full name of the ref that `name` is there: "refs/tags/v1"; empty: neither a branch nor a tag.
  Result<std::string> ref_of(const RemoteRepo& repo, std::string_view name, const Context& context);

 private:
  net::ClientRequest file_request(const RemoteRepo& repo, std::string_view commit,
                                  std::string_view path) const;
  net::ClientRequest request(std::string method, std::string path) const;
  Result<net::ClientResponse> ask(const net::ClientRequest& request, const Context& context);
  Result<std::vector<RemoteFile>> tree(const RemoteRepo& repo, const std::string& commit,
                                       const Context& context);

  net::Client& client_;
  std::string endpoint_;
  Secret token_;
  // Shared by copies of this client, which speak for it.
  std::shared_ptr<std::atomic<int64_t>> asked_to_wait_ = std::make_shared<std::atomic<int64_t>>(0);
};

}  // namespace holdfast::exchange
