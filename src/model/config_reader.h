#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::model {

// Reads config.json key by key for a family file. The first name that is there counts, null counts as absent.
// What does not fit is remembered, so that a family lists its keys and asks `status` once at the end; until
// then answers after a mistake are harmless defaults. Borrows the object.
class ConfigReader {
 public:
  using Names = std::vector<std::string_view>;

  explicit ConfigReader(const boost::json::object& json) : json_(json) {}

  bool has(std::string_view name) const;
  // 1 to `most`; the fallback may be 0.
  size_t size(const Names& names, size_t fallback, size_t most = 131'072);
  // Also 0 and negative, which count as 0.
  size_t size_or_zero(const Names& names, size_t fallback, size_t most = 131'072);
  float number(const Names& names, double fallback);
  bool flag(const Names& names, bool fallback);
  std::string text(const Names& names, std::string_view fallback);
  const boost::json::object* object(std::string_view name);  // Null when there is none.
  const boost::json::array* array(std::string_view name);
  const boost::json::object& json() const { return json_; }

  // Remembers a failure unless there is one already.
  void refuse(Error error);
  Status status() const { return status_; }

 private:
  const boost::json::value* find(const Names& names, std::string_view& name) const;

  const boost::json::object& json_;
  Status status_ = Done{};
};

}  // namespace holdfast::model
