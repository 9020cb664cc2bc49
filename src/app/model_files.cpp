#include "app/model_files.h"

#include <fmt/format.h>

namespace holdfast::app {
namespace {

constexpr size_t files_max = 10'000;
constexpr size_t piece_bytes = 1 << 20;
constexpr uint64_t blob_bytes_max = 64 << 20;

struct Opened {
  repo::Repository repository;
  git::Repository objects;
  git::ObjectId commit;
};

class HubFiles final : public serve::FileSource {
 public:
  HubFiles(repo::Hub& hub, content::Store& content) : hub_(hub), content_(content) {}

  Result<std::vector<File>> list(const serve::ServedModel& model) override {
    TRY(const Opened opened, open(model));
    TRY(const std::vector<repo::FileEntry> entries,
        hub_.browser.files(opened.repository, opened.objects, opened.commit, files_max));
    std::vector<File> files;
    for (const repo::FileEntry& entry : entries) files.push_back({entry.path, entry.size()});
    return files;
  }

  Status copy(const serve::ServedModel& model, const std::string& path, io::WriteFile& into) override {
    TRY(const Opened opened, open(model));
    TRY(const std::optional<repo::FileEntry> entry,
        hub_.browser.find(opened.repository, opened.objects, opened.commit, path));
    if (!entry || entry->is_folder()) return repo::no_such_entry(path);
    if (!entry->large)
      return opened.objects.stream_blob(entry->id, blob_bytes_max,
                                        [&into](ByteView piece) { return into.append(piece); });
    TRY(const std::unique_ptr<content::Reader> reader, content_.open(entry->large->hash));
    Bytes piece(piece_bytes);
    for (uint64_t at = 0; at < entry->large->size;) {
      TRY(const size_t got, reader->read_at(at, piece));
      if (got == 0) return fail(Reason::data_corrupt, fmt::format("{} ends early", path));
      TRY_DONE(into.append(ByteView(piece).first(got)));
      at += got;
    }
    return Done{};
  }

  Result<std::optional<serve::ServedModel>> base_of(const serve::ServedModel& model) override {
    TRY(const std::optional<repo::Repository> repository,
        hub_.repositories.find(repo::RepoId{model.repository}));
    if (!repository) return fail(Reason::repo_not_found, "Repository not found");
    TRY(const git::ObjectId commit, git::ObjectId::parse(model.commit));
    TRY(std::optional<repo::AdapterBase> base, hub_.adapter_bases.find(*repository, commit));
    if (!base) return std::optional<serve::ServedModel>();
    return std::optional(
        serve::ServedModel{base->repository.raw, std::move(base->name), std::move(base->commit)});
  }

 private:
  Result<Opened> open(const serve::ServedModel& model) {
    TRY(std::optional<repo::Repository> repository, hub_.repositories.find(repo::RepoId{model.repository}));
    if (!repository) return fail(Reason::repo_not_found, "Repository not found");
    TRY(git::Repository objects, hub_.storage.open(repository->id));
    TRY(const git::ObjectId commit, git::ObjectId::parse(model.commit));
    return Opened{std::move(*repository), std::move(objects), commit};
  }

  repo::Hub& hub_;
  content::Store& content_;
};

}  // namespace

std::unique_ptr<serve::FileSource> make_model_files(repo::Hub& hub, content::Store& content) {
  return std::make_unique<HubFiles>(hub, content);
}

}  // namespace holdfast::app
