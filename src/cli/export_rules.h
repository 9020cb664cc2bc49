#pragma once

#include <set>
#include <span>
#include <string>

#include "base/random.h"
#include "base/secret.h"
#include "govern/sealed.h"
#include "repo/instance_export.h"

namespace holdfast::cli {

// Every room's tables, and what becomes of each when an instance moves as plain files
// (docs/formats/instance-export.md), in an order in which rows can be put in.
std::span<const repo::TableRule> export_tables();

// Changes rows on their way. Borrows the database. One thread.
class ExportRules {
 public:
  ExportRules(sql::Database& database, const Secret& instance_key, Random& random)
      : database_(database), keys_(database, instance_key, random) {}

  // Kept inputs and golden examples are opened; passwords, tokens of engines and secrets of
  // webhooks are left out.
  Result<repo::ExportRules> outward();
  // Sealed again, with this instance's keys.
  Result<repo::ExportRules> inward();

 private:
  Status open(std::string_view table, boost::json::object& row);
  Status seal(std::string_view table, boost::json::object& row);

  sql::Database& database_;
  govern::DataKeys keys_;
  std::set<std::string> classes_;  // Whose key has not been destroyed.
};

}  // namespace holdfast::cli
