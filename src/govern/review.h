#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "govern/access.h"
#include "govern/decisions.h"
#include "govern/requests.h"
#include "sql/database.h"

namespace holdfast::repo {
struct Hub;
}

namespace holdfast::govern {

struct ReviewItem {
  int64_t id = 0, item = 0, release = 0;
  std::string record{}, request{}, why{}, state{}, predicted{}, truth{}, reason{}, reviewer{};
  double score = 0;
  WallTime at{};
  std::string input{};  // Empty where it was not kept.
};

struct GoldenExample {
  int64_t id = 0;
  std::string request{}, label{}, input{};
  WallTime at{};
};

// What people make of answers: an item of the queue is accepted, edited or rejected; edited and rejected ones
// become rows of a data set, edited ones golden examples that every later release must pass. Safe from any
// thread.
class Review {
 public:
  struct Parts {
    sql::Database& database;
    const RegistryAccess& access;
    const Decisions& decisions;
    DataKeys& keys;
    Requests& requests;
    repo::Hub& hub;
  };
  explicit Review(const Parts& parts) : parts_(parts) {}

  Result<std::vector<ReviewItem>> list(const identity::Caller& caller, const std::string& record,
                                       const std::string& state);
  // `action`: accept, edit (with the right label), reject (with the reason).
  Result<ReviewItem> judge(const identity::Caller& caller, int64_t id, std::string_view action,
                           std::string_view label, std::string_view reason);

  struct Exported {
    std::string dataset, revision, path;
    int64_t rows = 0, golden = 0;
  };
  // One commit to the data set's main: what was edited or rejected since the last time, a JSON object a line.
  Result<Exported> export_rows(const identity::Caller& caller, const std::string& record,
                               std::string_view dataset);
  Result<std::vector<GoldenExample>> golden(const identity::Caller& caller, const std::string& record);

 private:
  Result<std::vector<ReviewItem>> select(std::string_view where, std::initializer_list<sql::Value> values);
  Status add_golden(sql::Transaction& tx, const ReviewItem& item, DataClass data_class, ByteView sealed,
                    WallTime now) const;

  Parts parts_;
};

}  // namespace holdfast::govern
