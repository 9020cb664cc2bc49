#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exchange/hub_client.h"
#include "exchange/mirror.h"
#include "exchange/staged.h"
#include "exchange/upstreams.h"

namespace holdfast::exchange {

// One file of a revision on its way. Guarded by the mirror's mutex, but for `remote` and `staged`.
struct ArrivingFile {
  enum class State : uint8_t { coming, checking, whole, refused };

  RemoteFile remote;
  StagedFile staged;
  std::vector<uint64_t> have;  // Bytes of each piece that lie on the disk.
  std::vector<bool> busy;      // Somebody fetches this piece.
  std::optional<bool> ranges;  // Whether the upstream sends ranges of it; unknown before the first answer.
  State state = State::coming;
  std::string why{};  // It was refused.
  int waiting = 0;    // Clients: such files come first.

  bool all_here() const;
  // How far the bytes from `offset` on are here without a gap.
  uint64_t here_from(uint64_t offset) const;
  uint64_t bytes_here() const;
  // The next piece to fetch; nullopt: none now.
  std::optional<size_t> next_piece() const;
};

// A revision on its way. Guarded as its files.
struct Arrival {
  enum class State : uint8_t { fetching, publishing, done, quarantined, failed };
  enum class Findings : uint8_t { usual, accepted };  // accepted: by a person, who said why.

  int64_t id = 0;
  UpstreamPlace place;
  repo::RepoType type = repo::RepoType::model;
  std::string ns, name, asked, remote_commit;
  std::shared_ptr<const std::vector<RemoteFile>> list;
  WallTime since{};
  std::vector<ArrivingFile> files;
  State state = State::fetching;
  Findings findings = Findings::usual;
  bool moves_main = false;         // Though main is somewhere already.
  std::string folder{};            // Taken from one of this machine, by this name; empty: from the upstream.
  std::optional<Error> failure{};  // The last one; of a failed arrival the reason.
  int failures = 0;                // In a row.
  bool ends = false;               // The last failure is the end; the state says so once that is stored.
  std::chrono::milliseconds retry_at{};

  RemoteRepo remote() const;
  uint64_t bytes() const;
};

std::string files_as_json(const std::vector<RemoteFile>& files);
Result<std::vector<RemoteFile>> files_of_json(std::string_view text);
std::string_view state_name(Arrival::State state);  // "fetching" while it publishes, too.

// Lays out what is known of a revision; what lies in `folder` from before counts.
Status lay_out(Arrival& arrival, io::Disk& disk, const io::Path& folder);

// ok when the staged bytes are what the upstream's list says (SHA-256, or git's name of the blob).
Status check_digest(const ArrivingFile& file);
// Nothing, or why this file may not come in by this policy.
Result<std::optional<std::string>> check_staged_file(const ArrivingFile& file,
                                                     const repo::CheckPolicy& policy,
                                                     const repo::Checks::IsLiveToken& is_live_token);

// Makes the repository where it is missing, stores the files and moves the refs, all in one step that is
// seen.
struct Published {
  repo::RepoId repository{};
  std::string commit, digest, license;
};
Result<Published> publish(const Arrival& arrival, const std::string& ref, const MirrorParts& parts);

// The mirror's own hand: may do all, and is named so in commits and in the audit log.
identity::Caller mirror_caller();

}  // namespace holdfast::exchange
