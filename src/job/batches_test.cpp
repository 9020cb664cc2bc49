#include "job/batches.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <set>
#include <tuple>

#include "codec/json.h"
#include "identity/accounts.h"
#include "identity/audit.h"
#include "identity/schema.h"
#include "identity/tokens.h"
#include "io/temporary_folder.h"
#include "job/limits.h"
#include "job/schema.h"
#include "sql/database_fixture.h"

namespace holdfast::job {
namespace {

namespace json = boost::json;
using identity::Caller;

template <class T>
T must(Result<T> result) {
  EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
  return std::move(result).value();
}
void must(const Status& status) { EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message); }

// Says the body back; what is told to fail fails, what is told to wait has no room for a while.
class Echo final : public RequestAsker {
 public:
  bool answers(const std::string& endpoint) const override { return endpoint == "/v1/echo"; }
  Asked ask(const Context&, const Caller& caller, const std::string&, const std::string& body) override {
    std::lock_guard lock(mutex);
    ++asked[body];
    callers.insert(caller.name);
    if (after) after();
    if (body.find("\"bad\"") != std::string::npos)
      return {.status = 400, .body = R"({"error":{"message":"bad"}})"};
    if (body.find("\"busy\"") != std::string::npos && asked[body] < 3)
      return {.status = 429, .body = "{}", .later = true};
    return {.status = 200,
            .body = body,
            .tokens_read = 3,
            .tokens_written = 2,
            .worker_us = 1'000,
            .cost_nano = 7};
  }
  std::mutex mutex;
  std::map<std::string, int> asked;
  std::set<std::string> callers;
  std::function<void()> after;
};

// The clock goes on by itself while something waits.
class Jobs : public ::testing::Test {
 protected:
  Jobs() {
    must(sql::migrate(*database_, identity::migrations(), 1));
    must(sql::migrate(*database_, migrations(), 1));
    for (const char* name : {"ada", "bob"})
      must(accounts_->create_user("(test)", {.name = name, .fullname = "", .email = ""}));
  }

  Caller caller(const std::string& user) {
    const auto token =
        must(tokens_->create("(test)", {.user = user, .label = "test", .role = identity::TokenRole::read}));
    return must(tokens_->authenticate(token.value.reveal()));
  }
  Batch start(const Caller& who, const std::string& lines) {
    const File file = must(files_.add(who, "in.jsonl", as_bytes(lines)));
    return must(batches_.create(who, {.endpoint = "/v1/echo", .input = file.id, .metadata = R"({"a":"b"})"}));
  }
  void run_all(Batches& batches) {
    for (int turn = 0; turn < 1000 && must(batches.run_next(echo_, stop_.get_token())); ++turn) {
    }
  }
  std::vector<json::object> lines_of(const Caller& who, const std::string& id) {
    const File file = must(files_.find(who, id));
    auto bytes = must(files_.open(file));
    std::string text;
    for (std::string piece = must(bytes->next()); !piece.empty(); piece = must(bytes->next())) text += piece;
    EXPECT_EQ(static_cast<int64_t>(text.size()), file.size);
    std::vector<json::object> out;
    for (size_t at = 0; at < text.size();) {
      const size_t end = text.find('\n', at);
      out.push_back(must(codec::parse_json_object(std::string_view(text).substr(at, end - at))));
      at = end + 1;
    }
    return out;
  }

  io::TemporaryFolder folder_;
  SystemClock clock_;
  SystemRandom random_;
  MemoryLogSink sink_;
  Log log_{sink_, clock_};
  std::unique_ptr<sql::Database> database_ = must(sql::open_database(sql::test_database_url(folder_.path())));
  identity::Audit audit_{clock_};
  std::unique_ptr<identity::Accounts> accounts_ =
      std::make_unique<identity::Accounts>(*database_, audit_, clock_);
  std::unique_ptr<identity::Tokens> tokens_ =
      identity::make_tokens(*database_, audit_, clock_, random_, Secret(std::string(64, 'a')));
  Files files_{{.database = *database_, .clock = clock_, .random = random_}};
  Batches::Parts parts_{.database = *database_,
                        .files = files_,
                        .accounts = *accounts_,
                        .tokens = *tokens_,
                        .clock = clock_,
                        .random = random_,
                        .log = log_};
  Batches batches_{parts_};
  Echo echo_;
  std::stop_source stop_;
};

std::string line(const std::string& id, const std::string& says) {
  return R"({"custom_id":")" + id + R"(","method":"POST","url":"/v1/echo","body":{"x":")" + says + "\"}}\n";
}

TEST_F(Jobs, EachRequestHasOneAnswerInTheOrderOfTheInputAndFailuresHaveTheirOwnFile) {
  const Caller ada = caller("ada");
  std::string input;
  for (int i = 0; i < 150; ++i)
    input += line("r" + std::to_string(i), i % 50 == 7 ? "bad" : std::to_string(i));
  const Batch made = start(ada, input + line("last", "busy"));
  EXPECT_EQ(made.state, BatchState::validating);
  run_all(batches_);
  const Batch done = must(batches_.find(ada, made.id));
  ASSERT_EQ(done.state, BatchState::completed);
  EXPECT_EQ(done.total, 151);
  EXPECT_EQ(done.answered, 148);
  EXPECT_EQ(done.failed, 3);
  EXPECT_EQ(std::tuple(done.tokens_read, done.tokens_written, done.worker_us, done.cost_nano),
            std::tuple(3 * 148, 2 * 148, 1'000 * 148, 7 * 148));
  const auto answers = lines_of(ada, done.output_file);
  ASSERT_EQ(answers.size(), 148U);
  EXPECT_EQ(answers[0].at("custom_id").as_string(), "r0");
  EXPECT_EQ(answers[0].at("response").at("body").at("x").as_string(), "0");
  EXPECT_EQ(answers.back().at("custom_id").as_string(), "last");
  const auto failures = lines_of(ada, done.error_file);
  ASSERT_EQ(failures.size(), 3U);
  EXPECT_EQ(failures[0].at("response").at("status_code").as_int64(), 400);
  EXPECT_EQ(echo_.callers, std::set<std::string>{"ada"});
}

TEST_F(Jobs, WhatACrashInterruptedIsNeitherLostNorTwiceInTheOutput) {
  const Caller ada = caller("ada");
  std::string input;
  for (int i = 0; i < 200; ++i) input += line("r" + std::to_string(i), std::to_string(i));
  const Batch made = start(ada, input);
  std::atomic<int> count = 0;
  echo_.after = [&] {
    if (++count % 30 == 0) stop_.request_stop();
  };
  for (int process = 0; process < 50 && !must(batches_.find(ada, made.id)).over(); ++process) {
    stop_ = {};
    Batches next(parts_);  // Knows nothing of the one before.
    while (!stop_.stop_requested() && must(next.run_next(echo_, stop_.get_token()))) {
    }
  }
  const Batch done = must(batches_.find(ada, made.id));
  ASSERT_EQ(done.state, BatchState::completed);
  std::set<std::string> ids;
  for (const json::object& one : lines_of(ada, done.output_file))
    ids.emplace(one.at("custom_id").as_string());
  EXPECT_EQ(ids.size(), 200U);
  EXPECT_EQ(done.answered, 200);
}

TEST_F(Jobs, AnInputThatIsWrongSaysWhereAndAsksNothing) {
  const Caller ada = caller("ada");
  const Batch made = start(ada, line("a", "1") + line("a", "2") + "{\"custom_id\":\"b\"}\nnonsense\n" +
                                    R"({"custom_id":"c","method":"GET","url":"/v1/echo","body":{}})" + "\n" +
                                    R"({"custom_id":"d","url":"/v1/other","body":{}})" + "\n" +
                                    R"({"custom_id":"e","url":"/v1/echo","body":{"stream":true}})" + "\n");
  run_all(batches_);
  const Batch done = must(batches_.find(ada, made.id));
  ASSERT_EQ(done.state, BatchState::failed);
  const json::value errors = must(codec::parse_json(done.errors));
  std::vector<int64_t> at;
  for (const json::value& error : errors.as_array()) at.push_back(error.at("line").to_number<int64_t>());
  EXPECT_EQ(at, (std::vector<int64_t>{2, 3, 4, 5, 6, 7}));
  EXPECT_TRUE(echo_.asked.empty());
  const Batch empty = start(ada, "\n");
  run_all(batches_);
  EXPECT_EQ(must(batches_.find(ada, empty.id)).state, BatchState::failed);
}

TEST_F(Jobs, ACancelledOneKeepsWhatWasAnswered) {
  const Caller ada = caller("ada");
  std::string input;
  for (int i = 0; i < 300; ++i) input += line("r" + std::to_string(i), std::to_string(i));
  const Batch made = start(ada, input);
  must(batches_.run_next(echo_, stop_.get_token()));
  must(batches_.run_next(echo_, stop_.get_token()));
  EXPECT_EQ(must(batches_.cancel(ada, made.id)).state, BatchState::cancelling);
  run_all(batches_);
  const Batch done = must(batches_.find(ada, made.id));
  EXPECT_EQ(done.state, BatchState::cancelled);
  EXPECT_EQ(done.answered, static_cast<int64_t>(slice_requests));
  EXPECT_EQ(lines_of(ada, done.output_file).size(), slice_requests);
  EXPECT_FALSE(batches_.cancel(ada, made.id).ok());
}

TEST_F(Jobs, OthersSeeNothingAndBatchesTakeTurns) {
  const Caller ada = caller("ada"), bob = caller("bob");
  std::string input;
  for (int i = 0; i < 200; ++i) input += line("r" + std::to_string(i), std::to_string(i));
  const Batch long_one = start(ada, input), short_one = start(bob, line("x", "1"));
  for (int i = 0; i < 5; ++i) must(batches_.run_next(echo_, stop_.get_token()));
  EXPECT_FALSE(must(batches_.find(ada, long_one.id)).over());
  run_all(batches_);
  EXPECT_EQ(must(batches_.find(bob, short_one.id)).state, BatchState::completed);
  EXPECT_FALSE(batches_.find(bob, long_one.id).ok());
  EXPECT_FALSE(batches_.cancel(bob, long_one.id).ok());
  EXPECT_FALSE(files_.find(bob, long_one.input).ok());
  EXPECT_FALSE(files_.remove(bob, long_one.input).ok());
  EXPECT_FALSE(batches_.create(bob, {.endpoint = "/v1/echo", .input = long_one.input}).ok());
  EXPECT_EQ(must(files_.list(bob, {})).items.size(), 2U);
  const auto first = must(batches_.list(ada, {.limit = 1}));
  EXPECT_FALSE(first.more);
  ASSERT_EQ(first.items.size(), 1U);
  EXPECT_EQ(first.items[0].id, long_one.id);
  EXPECT_TRUE(must(batches_.list(ada, {.limit = 1, .after = long_one.id})).items.empty());
}

TEST_F(Jobs, ATokenThatIsRevokedEndsItsBatch) {
  const Caller ada = caller("ada");
  const Batch made = start(ada, line("x", "1"));
  must(batches_.run_next(echo_, stop_.get_token()));
  must(tokens_->revoke("(test)", ada.token));
  run_all(batches_);
  EXPECT_EQ(must(batches_.find(ada, made.id)).state, BatchState::failed);
  EXPECT_TRUE(echo_.asked.empty());
}

TEST_F(Jobs, FilesAreListedNewestFirstBoundedAndGoWithTheirAnswers) {
  const Caller ada = caller("ada");
  const Batch made = start(ada, line("x", "1") + line("y", "bad"));
  run_all(batches_);
  const Batch done = must(batches_.find(ada, made.id));
  EXPECT_EQ(must(files_.list(ada, {})).items.size(), 3U);
  EXPECT_TRUE(must(files_.list(ada, {.limit = 2})).more);
  must(files_.remove(ada, done.output_file));
  EXPECT_FALSE(files_.find(ada, done.output_file).ok());
  EXPECT_EQ(lines_of(ada, done.error_file).size(), 1U);
  EXPECT_EQ(must(batches_.find(ada, made.id)).answered, 1) << "what was counted stays";
  EXPECT_FALSE(files_.add(ada, "big", Bytes(file_bytes_max + 1)).ok());
  const File two = must(files_.add(ada, "two", Bytes((1 << 20) + 5, std::byte{'x'})));
  EXPECT_EQ(must(files_.read(two.id)).size(), (1U << 20) + 5);
}

}  // namespace
}  // namespace holdfast::job
