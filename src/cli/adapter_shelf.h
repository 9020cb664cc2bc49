#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "model/text_generator.h"

namespace holdfast::cli {

// A model and the adapters that were asked for of late, each read when it is first named; the least recently
// used go where there are too many, or they take too much together. Who holds one keeps it. One thread at a
// time.
class AdapterShelf {
 public:
  static constexpr size_t adapters_max = 16, bytes_max = size_t{1} << 30;

  explicit AdapterShelf(std::shared_ptr<const model::TextGenerator> base) : base_(std::move(base)) {}

  using Generator = std::shared_ptr<const model::TextGenerator>;
  const Generator& base() const { return base_; }
  // The base with the adapter of a folder; the base alone where that is empty. model_unsupported and
  // bad_request as Adapter::open says.
  Result<Generator> find(std::string_view folder);
  size_t held() const { return held_.size(); }

 private:
  struct Held {
    std::string folder;
    Generator generator;
  };

  const Generator base_;
  std::list<Held> held_;  // Most recently used first.
};

}  // namespace holdfast::cli
