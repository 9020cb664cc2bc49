#include "exchange/mirror.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <stdexcept>
#include <thread>

#include "codec/hex.h"
#include "codec/sha1.h"
#include "exchange/arrival.h"
#include "exchange/schema.h"
#include "identity/secrets.h"
#include "net/client.h"
#include "repo/creation.h"
#include "repo/hub_test_kit.h"

namespace holdfast::exchange {
namespace {

using repo::TestHub;

const std::string commit_there(40, 'c');

// An upstream of one repository, whose answers are written down here.
class FakeUpstream final : public net::Client {
 public:
  std::map<std::string, std::string> files;
  std::atomic<int> asked_info{0}, asked_files{0};
  std::function<void()> before_file{};
  int file_status = 200;

  Result<net::ClientResponse> send(const net::ClientRequest& request, const Context&) override {
    if (request.url.find("/api/models/demo/bert/revision/main") != std::string::npos) {
      ++asked_info;
      std::string rows;
      for (const auto& [path, text] : files)
        rows += fmt::format(R"({}{{"rfilename": "{}", "size": {}, "blobId": "{}"}})", rows.empty() ? "" : ",",
                            path, text.size(), codec::to_hex(codec::git_blob_sha1(as_bytes(text))));
      return net::ClientResponse{
          .status = 200,
          .headers = {},
          .body = fmt::format(R"({{"sha": "{}", "siblings": [{}]}})", commit_there, rows)};
    }
    const std::string before = fmt::format("/demo/bert/resolve/{}/", commit_there);
    const size_t at = request.url.find(before);
    const auto file =
        at == std::string::npos ? files.end() : files.find(request.url.substr(at + before.size()));
    if (file == files.end()) return net::ClientResponse{.status = 404, .headers = {}, .body = ""};
    ++asked_files;
    if (before_file) before_file();
    if (file_status != 200) return net::ClientResponse{.status = file_status, .headers = {}, .body = ""};
    TRY_DONE(request.take(as_bytes(file->second)));
    return net::ClientResponse{.status = 200, .headers = {}, .body = ""};
  }
};

// Keeps whoever logs `event` until it is let go: the moment between what is decided and what is stored of it.
class HeldLog final : public LogSink {
 public:
  explicit HeldLog(std::string event) : event_(std::move(event)) {}
  std::atomic<bool> let_go{false};
  std::atomic<int> held{0};

  void line(std::string_view text) override {
    if (text.find(event_) == std::string_view::npos) return;
    ++held;
    while (!let_go) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

 private:
  const std::string event_;
};

class MirrorTest : public testing::Test {
 protected:
  MirrorTest() {
    TestHub::require(sql::migrate(hub_.database(), migrations(), 1));
    // The text of a token's form makes the hub's checks call back: the moment between the objects of a
    // first revision and its publication.
    upstream_.files = {{"README.md", "---\nlicense: mit\n---\n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\n"},
                       {"config.json", "{}"}};
    hub_.hub().checks.configure({}, [this](std::string_view, std::string_view) {
      if (between_) between_();
      return false;
    });
    TestHub::require(
        upstreams_.set("(test)", {.name = "fake", .url = "https://hub.example.org", .namespaces = "demo"}));
  }
  void open() { open(hub_.log()); }
  void open(Log& log) {
    mirror_ = TestHub::require_value(open_mirror({.upstreams = upstreams_,
                                                  .secrets = secrets_,
                                                  .client = upstream_,
                                                  .hub = hub_.hub(),
                                                  .content = hub_.content(),
                                                  .disk = hub_.disk(),
                                                  .database = hub_.database(),
                                                  .audit = hub_.audit(),
                                                  .clock = hub_.clock(),
                                                  .log = log,
                                                  .metrics = hub_.metrics()},
                                                 [](std::string_view, std::string_view) { return false; }));
  }
  // As a door does: the whole of what the upstream has, though the hub shows no repository.
  void expect_whole_from_upstream() {
    const auto found = mirror_->find({}, repo::RepoType::model, "demo", "bert", "main");
    ASSERT_TRUE(found.ok()) << found.error().message;
    ASSERT_TRUE(found.value());
    EXPECT_EQ(found.value()->commit, commit_there);
    ASSERT_EQ(found.value()->files->size(), upstream_.files.size());
    for (const auto& [path, text] : upstream_.files) {
      const auto bytes = mirror_->read(found.value()->id, path, 0, text.size());
      ASSERT_TRUE(bytes.ok()) << bytes.error().message;
      EXPECT_EQ(std::get<std::string>(bytes.value()), text);
    }
  }
  std::optional<repo::Repository> here() {
    return TestHub::require_value(hub_.hub().repositories.find(repo::RepoType::model, "demo", "bert"));
  }
  void wait_until(const std::function<bool()>& fits) {
    for (int i = 0; i < 120'000 && !fits(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ASSERT_TRUE(fits());
  }

  TestHub hub_;
  FakeUpstream upstream_;
  Upstreams upstreams_{hub_.database(), hub_.accounts(), hub_.audit(), hub_.clock()};
  identity::Secrets secrets_{hub_.database(), hub_.audit(), hub_.clock(), hub_.random(),
                             Secret(std::string(64, 'd'))};
  std::function<void()> between_;
  std::unique_ptr<Mirror> mirror_;
};

TEST_F(MirrorTest, WhoAsksBetweenCreationAndPublicationGetsTheWholeRevision) {
  std::atomic<bool> asked{false};
  between_ = [&] {
    if (asked) return;
    EXPECT_FALSE(here()) << "a repository is seen before its first revision";
    expect_whole_from_upstream();
    asked = true;
  };
  open();
  const auto id = TestHub::require_value(mirror_->start(repo::RepoType::model, "demo", "bert", "main"));
  wait_until([&] { return mirror_->show(id).value().state != "fetching"; });
  EXPECT_TRUE(asked);
  EXPECT_EQ(mirror_->show(id).value().state, "done") << mirror_->show(id).value().detail;
  const auto repository = here();
  ASSERT_TRUE(repository);
  EXPECT_EQ(repository->visibility, repo::Visibility::public_);
  const auto refs = TestHub::require_value(hub_.hub().publisher.refs(repository->id));
  ASSERT_EQ(refs.size(), 2U) << "main and the commit's name upstream, and nothing that nobody wrote";
  EXPECT_EQ(refs[0].target, refs[1].target);
  const auto objects = TestHub::require_value(hub_.hub().storage.open(repository->id));
  EXPECT_TRUE(TestHub::require_value(objects.commit(refs[0].target)).parents.empty());
  // Whoever saw no repository a moment ago is still answered, and nothing is fetched twice.
  expect_whole_from_upstream();
  EXPECT_EQ(upstream_.asked_info, 1);
  EXPECT_EQ(upstream_.asked_files, 2);
}

TEST_F(MirrorTest, AStopBetweenCreationAndPublicationLeavesNothingAndIsGoneOnWith) {
  std::atomic<bool> stopped{false};
  between_ = [&] {
    stopped = true;
    // Leaves on the disk what a power cut would leave now. The clock stands still, so it is not tried again.
    throw std::runtime_error("stopped");
  };
  open();
  const auto id = TestHub::require_value(mirror_->start(repo::RepoType::model, "demo", "bert", "main"));
  wait_until([&] { return stopped.load(); });
  mirror_.reset();
  EXPECT_FALSE(here());
  between_ = {};
  EXPECT_EQ(
      TestHub::require_value(repo::sweep_unborn(hub_.disk(), hub_.hub().storage, hub_.hub().repositories)),
      1U);
  open();
  wait_until([&] { return mirror_->show(id).value().state != "fetching"; });
  EXPECT_EQ(mirror_->show(id).value().state, "done") << mirror_->show(id).value().detail;
  EXPECT_TRUE(here());
  EXPECT_EQ(upstream_.asked_files, 2) << "what had come was fetched again";
}

TEST_F(MirrorTest, WhatIsCancelledOnItsWayIsGoneAndBeginsAnew) {
  std::atomic<bool> let_go{false};
  upstream_.before_file = [&] {
    while (!let_go) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  };
  open();
  const auto id = TestHub::require_value(mirror_->start(repo::RepoType::model, "demo", "bert", "main"));
  wait_until([&] { return upstream_.asked_files > 0; });
  {
    const std::jthread canceller([&] { TestHub::require(mirror_->discard(hub_.caller("ada"), id)); });
    wait_until([&] { return !mirror_->show(id).ok(); });
    let_go = true;  // The piece that was on its way ends after its revision.
  }
  EXPECT_TRUE(TestHub::require_value(mirror_->list("")).empty());
  EXPECT_FALSE(here());
  EXPECT_FALSE(hub_.disk().stat(io::Path("incoming") / std::to_string(id)).ok());
  const auto again = TestHub::require_value(mirror_->start(repo::RepoType::model, "demo", "bert", "main"));
  wait_until([&] { return mirror_->show(again).value().state != "fetching"; });
  EXPECT_EQ(mirror_->show(again).value().state, "done") << mirror_->show(again).value().detail;
  EXPECT_FALSE(mirror_->discard(hub_.caller("ada"), again).ok()) << "what is here is not thrown away";
  EXPECT_TRUE(here());
}

TEST_F(MirrorTest, WhatIsThrownAwayIsNotInTheListAndIsLookedAtAgain) {
  using namespace std::string_literals;
  upstream_.files["weights.pkl"] = "\x80\x02" + "cos\nsystem\nU\x02id\x85R."s;
  open();
  const auto start = [&] {
    const auto id = TestHub::require_value(mirror_->start(repo::RepoType::model, "demo", "bert", "main"));
    wait_until([&] { return mirror_->show(id).value().state != "fetching"; });
    EXPECT_EQ(mirror_->show(id).value().state, "quarantined");
    return id;
  };
  TestHub::require(mirror_->discard(hub_.caller("ada"), start()));
  EXPECT_TRUE(TestHub::require_value(mirror_->list("")).empty());
  start();
  EXPECT_EQ(TestHub::require_value(mirror_->list("quarantined")).size(), 1U);
  EXPECT_FALSE(here());
}

// Two files refused at the same moment looked like an upstream that fails again and again (504), until the
// state of the revision was stored.
TEST_F(MirrorTest, AFailureThatIsTheEndIsToldBeforeItsStateIsStored) {
  HeldLog sink("mirror_fetch_failed");
  Log log(sink, hub_.clock());
  upstream_.file_status = 403;
  open(log);
  const auto id = TestHub::require_value(mirror_->start(repo::RepoType::model, "demo", "bert", "main"));
  wait_until([&] { return sink.held > 0; });
  EXPECT_EQ(mirror_->show(id).value().state, "fetching") << "nothing of the end is stored yet";
  for (const auto& [path, text] : upstream_.files) {
    const auto read = mirror_->read(id, path, 0, text.size());
    ASSERT_FALSE(read.ok()) << path;
    EXPECT_EQ(read.error().reason, Reason::forbidden) << path << ": " << read.error().message;
  }
  EXPECT_EQ(mirror_->show(id).value().state, "fetching");
  sink.let_go = true;
  wait_until([&] { return mirror_->show(id).value().state == "failed"; });
  mirror_.reset();  // Before its log.
}

}  // namespace
}  // namespace holdfast::exchange
