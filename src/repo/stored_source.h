#pragma once

#include <memory>
#include <utility>

#include "content/store.h"
#include "scan/source.h"

namespace holdfast::repo {

// A file of the content store as something to be looked at. One thread at a time.
class StoredSource final : public scan::Source {
 public:
  explicit StoredSource(std::unique_ptr<content::Reader> reader) : reader_(std::move(reader)) {}
  uint64_t size() const override { return reader_->info().size; }
  Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) override {
    return reader_->read_at(offset, into);
  }

 private:
  std::unique_ptr<content::Reader> reader_;
};

}  // namespace holdfast::repo
