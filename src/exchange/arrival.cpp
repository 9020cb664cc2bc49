#include "exchange/arrival.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <numeric>

#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha1.h"
#include "codec/sha256.h"
#include "scan/scan_file.h"

namespace holdfast::exchange {
namespace {

namespace json = boost::json;

constexpr size_t list_bytes_max = 256 << 20, files_max = 100'000;

RemoteType remote_type_of(repo::RepoType type) {
  switch (type) {
    case repo::RepoType::model:
      return RemoteType::model;
    case repo::RepoType::dataset:
      return RemoteType::dataset;
    case repo::RepoType::space:
      return RemoteType::space;
  }
  return RemoteType::model;
}

repo::OnFinding policy_for(const scan::Finding& finding, const repo::CheckPolicy& policy) {
  if (finding.severity != scan::Severity::dangerous) return repo::OnFinding::warn;
  switch (finding.topic) {
    case scan::Topic::secret:
      return policy.secrets;
    case scan::Topic::license:
      return policy.license;
    case scan::Topic::pickle:
    case scan::Topic::archive:
    case scan::Topic::format:
      return policy.pickle;
    case scan::Topic::card:
    case scan::Topic::personal:
      return repo::OnFinding::warn;
  }
  return repo::OnFinding::warn;
}

}  // namespace

bool ArrivingFile::all_here() const { return bytes_here() == staged.size(); }

uint64_t ArrivingFile::bytes_here() const { return std::accumulate(have.begin(), have.end(), uint64_t{0}); }

uint64_t ArrivingFile::here_from(uint64_t offset) const {
  uint64_t count = 0;
  for (auto piece = static_cast<size_t>(offset / piece_bytes); piece < have.size(); ++piece) {
    const uint64_t begin = piece * piece_bytes, end = begin + have[piece];
    if (end <= offset + count) break;
    count = end - offset;
    if (have[piece] < staged.length(piece)) break;
  }
  return count;
}

std::optional<size_t> ArrivingFile::next_piece() const {
  if (state != State::coming) return std::nullopt;
  const bool alone = !ranges.value_or(false);  // One at a time, until it is known that ranges come.
  if (alone && std::find(busy.begin(), busy.end(), true) != busy.end()) return std::nullopt;
  for (size_t piece = 0; piece < have.size(); ++piece) {
    if (have[piece] == staged.length(piece)) continue;
    if (!busy[piece]) return piece;
    if (alone) return std::nullopt;
  }
  return std::nullopt;
}

RemoteRepo Arrival::remote() const { return {remote_type_of(type), place.remote}; }

uint64_t Arrival::bytes() const {
  uint64_t sum = 0;
  for (const RemoteFile& file : *list) sum += file.size;
  return sum;
}

std::string files_as_json(const std::vector<RemoteFile>& files) {
  json::array out;
  for (const RemoteFile& file : files)
    out.push_back(json::array{file.path, file.size, file.blob, file.sha256.value_or("")});
  return codec::to_text(out);
}

Result<std::vector<RemoteFile>> files_of_json(std::string_view text) {
  TRY(const json::value parsed, codec::parse_json(text, {.bytes_max = list_bytes_max}));
  std::vector<RemoteFile> out;
  const Error wrong = fail(Reason::data_corrupt, "the list of a revision's files is damaged");
  if (!parsed.is_array()) return wrong;
  for (const json::value& each : parsed.get_array()) {
    const json::array* row = each.if_array();
    if (row == nullptr || row->size() != 4 || !(*row)[0].is_string() || !(*row)[1].is_int64() ||
        !(*row)[2].is_string() || !(*row)[3].is_string())
      return wrong;
    RemoteFile file{.path = std::string((*row)[0].get_string()),
                    .size = static_cast<uint64_t>((*row)[1].get_int64()),
                    .blob = std::string((*row)[2].get_string()),
                    .sha256 = {}};
    if (!(*row)[3].get_string().empty()) file.sha256 = std::string((*row)[3].get_string());
    out.push_back(std::move(file));
  }
  return out;
}

std::string_view state_name(Arrival::State state) {
  switch (state) {
    case Arrival::State::fetching:
    case Arrival::State::publishing:
      return "fetching";
    case Arrival::State::done:
      return "done";
    case Arrival::State::quarantined:
      return "quarantined";
    case Arrival::State::failed:
      return "failed";
  }
  return {};
}

Status lay_out(Arrival& arrival, io::Disk& disk, const io::Path& folder) {
  if (arrival.list->size() > files_max)
    return fail(Reason::body_too_large, fmt::format("the revision has more than {} files", files_max));
  arrival.files.clear();
  arrival.files.reserve(arrival.list->size());
  for (size_t i = 0; i < arrival.list->size(); ++i) {
    const RemoteFile& remote = (*arrival.list)[i];
    if (remote.sha256 ? !codec::is_lower_hex(*remote.sha256, 64) : !codec::is_lower_hex(remote.blob, 40))
      return fail(Reason::dependency_failed,
                  fmt::format("the upstream names no digest of {}", remote.path.substr(0, 300)));
    ArrivingFile file{.remote = remote,
                      .staged = StagedFile(disk, folder / std::to_string(i), remote.size),
                      .have = {},
                      .busy = {},
                      .ranges = {}};
    for (size_t piece = 0; piece < file.staged.pieces(); ++piece) {
      TRY(const uint64_t have, file.staged.have(piece));
      file.have.push_back(have);
    }
    // Begun without knowing whether the upstream sends ranges: the first piece tells.
    file.busy.assign(file.have.size(), false);
    arrival.files.push_back(std::move(file));
  }
  return Done{};
}

Status check_digest(const ArrivingFile& file) {
  codec::Sha256 sha256;
  codec::Sha1 sha1;
  sha1.update(as_bytes(fmt::format("blob {}", file.staged.size()) + '\0'));
  TRY_DONE(file.staged.each([&](ByteView bytes) -> Status {
    if (file.remote.sha256)
      sha256.update(bytes);
    else
      sha1.update(bytes);
    return Done{};
  }));
  const std::string found =
      file.remote.sha256 ? codec::to_hex(sha256.finish()) : codec::to_hex(sha1.finish());
  if (found == file.remote.etag()) return Done{};
  return fail(Reason::digest_mismatch,
              fmt::format("{}: the upstream's bytes are not what it lists", file.remote.path.substr(0, 300)));
}

Result<std::optional<std::string>> check_staged_file(const ArrivingFile& file,
                                                     const repo::CheckPolicy& policy,
                                                     const repo::Checks::IsLiveToken& is_live_token) {
  using Answer = std::optional<std::string>;
  const auto source = file.staged.source();
  TRY(const scan::FileReport report, scan::scan_file(*source, file.remote.path));
  bool live = false;  // Each is asked about, for the question ends those that live.
  for (const std::string& token : report.tokens) live = is_live_token(token, file.remote.path) || live;
  if (live) return Answer(file.remote.path + ": holds a live token of this hub");
  for (const scan::Finding& finding : report.findings) {
    if (policy_for(finding, policy) != repo::OnFinding::refuse) continue;
    return Answer(fmt::format("{}{}: {} [{}]", file.remote.path,
                              finding.place.member.empty() ? "" : " (" + finding.place.member + ")",
                              finding.reason, finding.rule));
  }
  return Answer();
}

identity::Caller mirror_caller() {
  identity::Caller caller;
  caller.user = identity::UserId{-1};
  caller.name = "(mirror)";
  caller.admin = true;
  caller.role = identity::TokenRole::write;
  return caller;
}

}  // namespace holdfast::exchange
