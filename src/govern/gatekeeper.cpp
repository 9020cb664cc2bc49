#include "govern/gatekeeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/value.hpp>

#include "govern/release_parts.h"
#include "govern/requests.h"
#include "repo/hub.h"

namespace holdfast::govern {
namespace {

using serve::ReleaseAnswer;
using serve::ReleaseQuestion;

Error refuse(std::string message) { return fail(Reason::policy_refused, std::move(message)); }

bool names_feature(const Record& record, std::string_view feature) {
  return std::find(record.features.begin(), record.features.end(), feature) != record.features.end();
}

// The record that a question falls under. Null where none does and none needs to.
Result<const Governed*> record_for(const LiveSnapshot& live, const ReleaseQuestion& question) {
  if (!question.record.empty()) {
    const Governed* named = live.named(question.record);
    if (named == nullptr)
      return fail(Code::not_found, fmt::format("there is no record '{}'", question.record));
    return named;
  }
  const auto governing = live.of_repository(question.model.repository);
  if (governing.empty()) return static_cast<const Governed*>(nullptr);
  if (!question.feature.empty()) {
    for (const Governed* governed : governing)
      if (names_feature(governed->stored.record, question.feature)) return governed;
  } else if (governing.size() == 1) {
    return governing.front();
  }
  const bool all_free = std::all_of(governing.begin(), governing.end(), [](const Governed* governed) {
    return governed->stored.record.tier == Tier::prototype;
  });
  if (all_free) return static_cast<const Governed*>(nullptr);
  if (question.feature.empty())
    return refuse(
        fmt::format("{} is used by several features: say which in X-Holdfast-Feature", question.model.name));
  return refuse(
      fmt::format("{} is not approved for the feature '{}'", question.model.name, question.feature));
}

Status check_scope(const Record& record, const ReleaseQuestion& question) {
  if (!question.environment.empty() && question.environment != record.environment)
    return refuse(fmt::format("{} is approved for the environment {}, not for {}", record.id,
                              record.environment, question.environment));
  if (record.tier == Tier::prototype) return Done{};
  if (!question.feature.empty() && !names_feature(record, question.feature))
    return refuse(fmt::format("{} is not approved for the feature '{}'", record.id, question.feature));
  if (question.data_class.empty()) return Done{};
  const auto data_class = data_class_of(question.data_class);
  if (!data_class)
    return fail(Reason::bad_request, "X-Holdfast-Data-Class is public, internal, confidential or restricted");
  if (!record.data_class || *data_class > *record.data_class)
    return refuse(fmt::format("{} is approved for data that is {} at most, not {}", record.id,
                              record.data_class ? data_class_name(*record.data_class) : "public",
                              question.data_class));
  return Done{};
}

}  // namespace

Result<std::string> Gatekeeper::tokenizer_of(const serve::ServedModel& model) {
  {
    std::lock_guard lock(mutex_);
    if (const auto known = tokenizers_.find(model.key()); known != tokenizers_.end()) return known->second;
  }
  std::string digest;
  TRY(auto repository, parts_.hub.repositories.find(repo::RepoId{model.repository}));
  auto commit = git::ObjectId::parse(model.commit);
  // An adapter's texts are cut by its base's; one that has none here is refused where it is loaded.
  if (repository && commit.ok())
    if (const auto base = parts_.hub.adapter_bases.find(*repository, commit.value());
        base.ok() && base.value()) {
      TRY(repository, parts_.hub.repositories.find(base.value()->repository));
      commit = git::ObjectId::parse(base.value()->commit);
    }
  if (repository && commit.ok()) {
    TRY(digest, parts_.parts.file_digest(*repository, commit.value(), "tokenizer.json"));
  }
  std::lock_guard lock(mutex_);
  if (tokenizers_.size() >= cached_max) tokenizers_.clear();
  tokenizers_[model.key()] = digest;
  return digest;
}

Result<ReleaseAnswer> Gatekeeper::on_demand(const ReleaseQuestion& question, std::string feature) {
  if (!question.environment.empty())
    return refuse(
        fmt::format("{} is not approved for the environment {}", question.model.name, question.environment));
  ReleaseAnswer answer{.model = question.model, .tokenizer = {}, .record = {}, .feature = std::move(feature)};
  TRY(answer.tokenizer, tokenizer_of(question.model));
  return answer;
}

Result<ReleaseAnswer> Gatekeeper::answer(const Governed& governed, const Release& release,
                                         const ReleaseQuestion& question) {
  const Record& record = governed.stored.record;
  ReleaseAnswer answer{.model = {governed.stored.repository, release.model, release.revision},
                       .deployment = fmt::format("{}/{}/{}", record.id, release.number,
                                                 release.state == ReleaseState::canary ? "canary" : "stable"),
                       .tokenizer = {},
                       .record = record.id,
                       .feature = std::string(question.feature),
                       .release = release.number};
  if (answer.feature.empty() && record.features.size() == 1) answer.feature = record.features.front();
  TRY(answer.tokenizer, tokenizer_of(answer.model));
  return answer;
}

Result<ReleaseAnswer> Gatekeeper::ask(const ReleaseQuestion& question) {
  TRY(const std::shared_ptr<const LiveSnapshot> live, parts_.live.look());
  TRY(const Governed* governed, record_for(*live, question));
  if (governed == nullptr) return on_demand(question, std::string(question.feature));
  const Record& record = governed->stored.record;
  TRY_DONE(check_scope(record, question));
  const bool free = record.tier == Tier::prototype && question.environment.empty();
  if (question.revision == ReleaseQuestion::Revision::named) {
    const Release* release = governed->of_revision(question.model.commit);
    if (release != nullptr && may_serve(release->state)) return answer(*governed, *release, question);
    if (free) return on_demand(question, std::string(question.feature));
    return refuse(release == nullptr ? fmt::format("this revision is no release of {}", record.id)
                                     : fmt::format("release {} of {} is {}: it is not approved",
                                                   release->number, record.id, state_name(release->state)));
  }
  const Release* stable = governed->in(ReleaseState::deployed);
  const Release* canary = governed->in(ReleaseState::canary);
  if (stable != nullptr) {
    const bool tries = canary != nullptr && takes_canary(record.id, question.key, canary->percent);
    return answer(*governed, tries ? *canary : *stable, question);
  }
  if (free && question.record.empty()) return on_demand(question, std::string(question.feature));
  return refuse(fmt::format("no release of {} is deployed", record.id));
}

void Gatekeeper::served(serve::ServedCall call) { parts_.requests.take(std::move(call)); }

// Of a model the releases that may answer; of a data set the revisions that such releases were judged on; of
// a Space nothing.
Result<std::vector<repo::PullGate::Approved>> Gatekeeper::approved(std::string_view environment,
                                                                   const repo::Repository& repository) {
  TRY(const std::shared_ptr<const LiveSnapshot> live, parts_.live.look());
  std::vector<Approved> found;
  const auto add = [&](std::string name, const std::string& revision) -> Status {
    TRY(const git::ObjectId commit, git::ObjectId::parse(revision));
    for (const Approved& one : found)
      if (one.commit == commit) return Done{};
    found.push_back({std::move(name), commit});
    return Done{};
  };
  for (const Governed& governed : live->records) {
    if (governed.stored.record.environment != environment) continue;
    if (repository.type == repo::RepoType::dataset) {
      for (const JudgedOn& data : governed.judged_on)
        if (data.dataset == repository.full_name())
          TRY_DONE(add(fmt::format("data-of-release-{}", data.release), data.revision));
    } else if (repository.type == repo::RepoType::model && governed.stored.repository == repository.id.raw) {
      if (const Release* stable = governed.in(ReleaseState::deployed))
        TRY_DONE(add(fmt::format("release-{}", stable->number), stable->revision));
      for (const Release& release : governed.releases)
        if (may_serve(release.state))
          TRY_DONE(add(fmt::format("release-{}", release.number), release.revision));
    }
  }
  return found;
}

Status Gatekeeper::may_pull(std::string_view environment, const repo::Repository& repository,
                            const git::ObjectId& commit) {
  TRY(const std::vector<Approved> all, approved(environment, repository));
  for (const Approved& one : all)
    if (one.commit == commit) return Done{};
  return refuse(fmt::format("this revision of {} is not approved for the environment {}",
                            repository.full_name(), environment));
}

Result<std::shared_ptr<const Gatekeeper::Digests>> Gatekeeper::large_files(const repo::Repository& repository,
                                                                           const std::string& commit) {
  const std::string key = std::to_string(repository.id.raw) + "-" + commit;
  {
    std::lock_guard lock(mutex_);
    if (const auto known = files_.find(key); known != files_.end()) return known->second;
  }
  TRY(const git::ObjectId id, git::ObjectId::parse(commit));
  TRY(const git::Repository objects, parts_.hub.storage.open(repository.id));
  TRY(const auto files, parts_.hub.browser.files(repository, objects, id));
  auto digests = std::make_shared<Digests>();
  for (const repo::FileEntry& file : files)
    if (file.large) digests->insert(file.large->sha256);
  std::lock_guard lock(mutex_);
  if (files_.size() >= cached_max) files_.clear();
  files_[key] = digests;
  return std::shared_ptr<const Digests>(std::move(digests));
}

Status Gatekeeper::may_pull(std::string_view environment, const repo::Repository& repository,
                            const content::Sha256Digest& file) {
  TRY(const std::vector<Approved> all, approved(environment, repository));
  for (const Approved& one : all) {
    TRY(const auto files, large_files(repository, one.commit.hex()));
    if (files->contains(file)) return Done{};
  }
  return refuse(fmt::format("this file is in no revision of {} that is approved for the environment {}",
                            repository.full_name(), environment));
}

}  // namespace holdfast::govern
