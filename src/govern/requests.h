#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "govern/access.h"
#include "govern/decisions.h"
#include "govern/prediction.h"
#include "govern/sealed.h"
#include "serve/release_gate.h"

namespace holdfast::govern {

// A label, a correction or a rejection that followed an answer.
struct Feedback {
  std::string request;
  int64_t item = 0;
  std::optional<std::string> label, edit, reject;
};

struct KeptPrediction {
  int64_t item = 0;
  std::string label;
  double score = 0;
  std::string truth;  // Empty: not known yet.
};

struct KeptRequest {
  std::string id, record, deployment, model, revision, tokenizer, feature, user, door, content_type;
  std::vector<std::pair<std::string, std::string>> captures{};
  WallTime at{};
  int64_t release = 0, repository = 0, status = 0, took_ms = 0;
  std::string output_digest;
  std::vector<KeptPrediction> predictions{};
  std::optional<std::string> input{}, output{};  // Where they were asked for and kept.
};

// What governed models answered: kept for replay, labels and review; inputs and outputs are sealed by data
// class. Answers are gathered in memory and written a few times a second, so that serving waits for no disk;
// what a crash takes with it was not labelled yet. Safe from any thread.
class Requests {
 public:
  struct Parts {
    sql::Database& database;
    const RegistryAccess& access;
    const Decisions& decisions;
    DataKeys& keys;
    const Clock& clock;
    Log& log;
  };
  explicit Requests(const Parts& parts) : parts_(parts) {}

  static constexpr size_t waiting_max = 8192;          // Answers gathered; more are dropped and counted.
  static constexpr size_t kept_bytes_max = 256 << 10;  // Of an input or output; longer ones are not kept.

  void take(serve::ServedCall call);
  Status flush();

  // not_found for a request that is not known, or not to this caller; conflict for a second label that
  // differs. All or none. Returns the records that got labels.
  Result<std::vector<std::string>> label(const identity::Caller& caller,
                                         const std::vector<Feedback>& feedback);

  enum class Content : uint8_t { without, with };
  Result<KeptRequest> find(const identity::Caller& caller, const std::string& id, Content content);
  // Newest first.
  Result<std::vector<KeptRequest>> list(const identity::Caller& caller, const std::string& record,
                                        int64_t count_max);
  // The text of one input. For those who keep it: checks nothing.
  Result<std::string> input_text(const std::string& request, int64_t item);
  struct Input {
    std::string text;
    DataClass data_class = DataClass::internal;
  };
  Result<Input> input_of(const std::string& request, int64_t item);

 private:
  using Taken = std::pair<serve::ServedCall, WallTime>;
  Status write(const std::vector<Taken>& calls);
  Status write_feedback(sql::Transaction& tx, const identity::Caller& caller, const Feedback& feedback,
                        std::vector<std::string>& records);

  Parts parts_;
  std::mutex mutex_;  // Guards the two below.
  std::vector<Taken> waiting_;
  uint64_t dropped_ = 0;
  std::mutex flushing_;  // One flush at a time, so that a label finds what was taken before it.
};

}  // namespace holdfast::govern
