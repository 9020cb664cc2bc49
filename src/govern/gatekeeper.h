#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "govern/live.h"
#include "repo/pull_gate.h"
#include "serve/release_gate.h"

namespace holdfast::repo {
struct Hub;
}

namespace holdfast::govern {

class ReleaseParts;
class Requests;

// Answers both gates of design decision 9 from what is live now. A model that no record governs, and one
// whose record is of tier prototype, answers as it is asked; otherwise only releases that are approved do,
// for the features, the environment and the data that the record names. Safe from any thread.
class Gatekeeper final : public serve::ReleaseGate, public repo::PullGate {
 public:
  struct Parts {
    LiveReleases& live;
    repo::Hub& hub;
    const ReleaseParts& parts;
    Requests& requests;
  };
  explicit Gatekeeper(const Parts& parts) : parts_(parts) {}

  Result<serve::ReleaseAnswer> ask(const serve::ReleaseQuestion& question) override;
  void served(serve::ServedCall call) override;

  Status may_pull(std::string_view environment, const repo::Repository& repository,
                  const git::ObjectId& commit) override;
  Status may_pull(std::string_view environment, const repo::Repository& repository,
                  const content::Sha256Digest& file) override;
  Result<std::vector<Approved>> approved(std::string_view environment,
                                         const repo::Repository& repository) override;

 private:
  Result<std::string> tokenizer_of(const serve::ServedModel& model);
  Result<serve::ReleaseAnswer> on_demand(const serve::ReleaseQuestion& question, std::string feature);
  Result<serve::ReleaseAnswer> answer(const Governed& governed, const Release& release,
                                      const serve::ReleaseQuestion& question);
  using Digests = std::set<content::Sha256Digest>;
  Result<std::shared_ptr<const Digests>> large_files(const repo::Repository& repository,
                                                     const std::string& commit);

  static constexpr size_t cached_max = 256;
  Parts parts_;
  std::mutex mutex_;  // Guards both caches; commits never change, so entries never age.
  std::map<std::string, std::string> tokenizers_;
  std::map<std::string, std::shared_ptr<const Digests>> files_;  // Shared with readers.
};

}  // namespace holdfast::govern
