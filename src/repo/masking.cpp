#include "repo/masking.h"

#include <fmt/format.h>

#include "content/store.h"
#include "git/refs.h"
#include "git/repository.h"
#include "repo/hub.h"
#include "repo/masked_content.h"
#include "repo/revisions.h"

namespace holdfast::repo {
namespace {

constexpr size_t files_max = 100'000, listed_max = 1000, piece_bytes = 1 << 20;

class Masker {
 public:
  Masker(Hub& hub, content::Store& content, const identity::Caller& caller, const Repository& repository,
         const MaskingWish& wish, const std::string& key)
      : hub_(hub), content_(content), caller_(caller), repository_(repository), wish_(wish), key_(key) {}

  Result<MaskingReport> run(const std::stop_token& stop) {
    TRY(const git::Repository objects, hub_.storage.open(repository_.id));
    TRY(const Revision from, find_revision(hub_.publisher, objects, repository_.id, wish_.revision));
    report_.from = report_.commit = from.commit;
    TRY(const auto draft, hub_.commits.begin(caller_, repository_));
    TRY(const auto files, hub_.browser.files(repository_, objects, from.commit, files_max));
    for (const FileEntry& file : files) {
      if (stop.stop_requested()) return fail(Reason::shutting_down, "the server stops");
      TRY_DONE(look_at(objects, file, *draft));
    }
    if (report_.findings == 0) return std::move(report_);
    TRY(const auto earlier, made_earlier(objects));
    if (earlier) {
      report_.commit = *earlier;
      return std::move(report_);
    }
    TRY_DONE(make_branch(from.commit));
    CommitTarget target;
    target.revision = wish_.into;
    target.parent_commit = from.commit.hex();
    target.summary = fmt::format("Mask personal data: {} places in {} files", report_.findings, changed_);
    target.description = mark();
    TRY(const CommitDone done, draft->finish(target));
    report_.commit = done.commit;
    return std::move(report_);
  }

 private:
  std::string mark() const {
    return fmt::format("Masked-From: {}\nMasked-With: {}", report_.from.hex(),
                       scan::mask_with_name(wish_.with));
  }

  // A job that was cut off after its commit is made again and finds it.
  Result<std::optional<git::ObjectId>> made_earlier(const git::Repository& objects) {
    TRY(const std::string ref, branch_ref(wish_.into));
    TRY(const auto head, hub_.publisher.ref(repository_.id, ref));
    if (!head) return std::optional<git::ObjectId>();
    TRY(const git::Commit commit, objects.commit(*head));
    const bool same = commit.message.find(mark()) != std::string::npos && commit.parents.size() == 1 &&
                      commit.parents[0] == report_.from;
    return same ? head : std::optional<git::ObjectId>();
  }

  Status make_branch(const git::ObjectId& at) {
    TRY(const std::string ref, branch_ref(wish_.into));
    TRY(const auto head, hub_.publisher.ref(repository_.id, ref));
    if (head && *head == at) return Done{};
    if (head)
      return fail(Reason::already_exists,
                  fmt::format("the branch {} is there and does not stand at {}: name another one", wish_.into,
                              wish_.revision));
    return hub_.branches.create(caller_, repository_, {.name = wish_.into, .starting_point = at.hex()});
  }

  void leave(std::string what, std::string why) {
    if (report_.unread.size() < listed_max) report_.unread.emplace_back(std::move(what), std::move(why));
  }

  Result<std::string> read(const git::Repository& objects, const FileEntry& file) {
    if (!file.large) return objects.read_blob(file.id, masked_text_bytes_max);
    TRY(const auto reader, content_.open(file.large->hash));
    std::string text(file.size(), '\0');
    for (size_t at = 0; at < text.size();) {
      TRY(const size_t got,
          reader->read_at(at, std::as_writable_bytes(std::span(text.data() + at, text.size() - at))));
      if (got == 0) return fail(Reason::data_corrupt, "a stored file is shorter than it says");
      at += got;
    }
    return text;
  }

  Status look_at(const git::Repository& objects, const FileEntry& file, CommitDraft& draft) {
    if (file.kind != git::EntryKind::file && file.kind != git::EntryKind::executable) return Done{};
    if (file.size() > masked_bytes_max(file.path)) {
      leave(file.path, "is too large");
      return Done{};
    }
    TRY(const std::string bytes, read(objects, file));
    const MaskedContent found = mask_content(file.path, as_bytes(bytes), wish_.with, key_);
    for (const auto& [part, why] : found.unread)
      leave(part.empty() ? file.path : fmt::format("{}: {}", file.path, part), why);
    if (!found.looked_into) return Done{};
    ++report_.files;
    report_.left_findings += found.left_findings;
    if (!found.instead) return Done{};
    report_.findings += found.findings;
    if (report_.masked.size() < listed_max) report_.masked.push_back({file.path, found.findings});
    ++changed_;
    return put(file, *found.instead, draft);
  }

  // What was a large file stays one.
  Status put(const FileEntry& file, const std::string& text, CommitDraft& draft) {
    if (!file.large && text.size() <= regular_file_bytes_max)
      return draft.put_file(file.path, as_bytes(text));
    TRY(const auto ingest, content_.begin());
    for (size_t at = 0; at < text.size(); at += piece_bytes)
      TRY_DONE(ingest->write(as_bytes(std::string_view(text).substr(at, piece_bytes))));
    TRY(const content::FileInfo stored, ingest->finish({}));
    TRY_DONE(hub_.uploads.record_file(caller_, stored));
    return draft.put_large(file.path, stored.sha256, stored.size);
  }

  Hub& hub_;
  content::Store& content_;
  const identity::Caller& caller_;
  const Repository& repository_;
  const MaskingWish& wish_;
  const std::string& key_;
  MaskingReport report_;
  uint64_t changed_ = 0;
};

}  // namespace

Result<MaskingReport> mask_revision(Hub& hub, content::Store& content, const identity::Caller& caller,
                                    const Repository& repository, const MaskingWish& wish,
                                    const std::string& key, const std::stop_token& stop) {
  return Masker(hub, content, caller, repository, wish, key).run(stop);
}

}  // namespace holdfast::repo
