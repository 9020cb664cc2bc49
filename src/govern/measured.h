#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "repo/repository.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::govern {

// What an evaluation that this server ran by itself found of a model. Evidence that was handed in is no such
// thing: its answers were made elsewhere.
struct MeasuredResult {
  int64_t evaluation = 0;                     // Its evidence's number.
  std::string revision{};                     // Of the model.
  std::string dataset{}, dataset_revision{};  // "ns/name", and its commit.
  std::string split{};
  std::map<std::string, double> metrics{};  // "accuracy", "f1_macro", "ece", as shares.
};

// The newest first, at most a hundred. Says nothing of who may see the records: only figures that the caller
// already has may be compared with it.
Result<std::vector<MeasuredResult>> measured_results(sql::Database& database, repo::RepoId model);

}  // namespace holdfast::govern
