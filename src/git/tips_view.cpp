#include "git/tips_view.h"

#include <algorithm>

#include "codec/hex.h"
#include "codec/sha256.h"
#include "git/pkt_line.h"

namespace holdfast::git {
namespace {

constexpr std::string_view configuration = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n";

}  // namespace

Result<io::Path> ensure_tips_view(io::Disk& disk, const io::Path& folder, const io::Path& repository,
                                  std::span<const NamedCommit> commits) {
  std::vector<std::string> refs, cuts;
  for (const NamedCommit& one : commits) {
    refs.push_back(one.commit.hex() + " " + one.ref + "\n");
    cuts.push_back(one.commit.hex() + "\n");
  }
  std::sort(refs.begin(), refs.end(), [](const std::string& left, const std::string& right) {
    return left.substr(left.find(' ')) < right.substr(right.find(' '));
  });
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  std::string packed = "# pack-refs with: sorted \n", shallow;
  for (const std::string& line : refs) packed += line;
  for (const std::string& line : cuts) shallow += line;

  const std::string what = repository.string() + "\n" + packed;
  const std::string name = codec::to_hex(codec::sha256(as_bytes(what))).substr(0, 32);
  const io::Path place = folder / name;
  if (disk.stat(place / "HEAD").ok()) return disk.absolute(place);
  // HEAD comes last: without it the folder is no repository. Two at once write the same bytes.
  TRY_DONE(disk.make_directories(place / "objects" / "info"));
  TRY_DONE(disk.make_directories(place / "refs"));
  TRY_DONE(io::publish_text(disk, place / "objects" / "info" / "alternates",
                            (repository / "objects").string() + "\n"));
  TRY_DONE(io::publish_text(disk, place / "config", configuration));
  TRY_DONE(io::publish_text(disk, place / "packed-refs", packed));
  TRY_DONE(io::publish_text(disk, place / "shallow", shallow));
  TRY_DONE(io::publish_text(disk, place / "HEAD", "ref: refs/heads/main\n"));
  return disk.absolute(place);
}

Status check_wants(ByteView body, std::span<const NamedCommit> commits) {
  constexpr std::string_view want = "want ";
  while (!body.empty()) {
    TRY(const std::optional<Pkt> pkt, take_pkt(body));
    if (!pkt) return fail(Reason::bad_request, "the request ends too early");
    if (pkt->kind == PktKind::delimiter || pkt->kind == PktKind::response_end)
      return fail(Reason::bad_request, "this is a request of another version of the protocol");
    if (pkt->kind == PktKind::flush || !pkt->text().starts_with(want)) continue;
    const std::string_view rest = pkt->text().substr(want.size());
    const std::string_view wanted = rest.substr(0, rest.find(' '));
    if (std::none_of(commits.begin(), commits.end(),
                     [&](const NamedCommit& one) { return one.commit.hex() == wanted; }))
      return fail(Reason::policy_refused, "this is no approved revision");
  }
  return Done{};
}

}  // namespace holdfast::git
