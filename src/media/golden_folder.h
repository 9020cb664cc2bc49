#pragma once

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "codec/safetensors.h"
#include "io/disk.h"

namespace holdfast::media {

// For tests: a folder of the reference data, with golden.json and golden.safetensors as its README says.
class GoldenFolder {
 public:
  explicit GoldenFolder(const std::filesystem::path& path) {
    auto disk = io::open_posix_disk(path.string());
    EXPECT_TRUE(disk.ok());
    if (disk.ok()) disk_ = std::move(disk).value();
    cases_ = json("golden.json").at("cases").as_array();
    tensors_ = text("golden.safetensors");
    auto header = codec::parse_safetensors_header(as_bytes(tensors_), tensors_.size());
    EXPECT_TRUE(header.ok());
    if (header.ok()) header_ = std::move(header).value();
  }

  const boost::json::array& cases() const { return cases_; }

  std::string text(const std::string& name) const {
    auto read = io::read_text(*disk_, name, 64 << 20);
    EXPECT_TRUE(read.ok()) << name;
    return read.ok() ? std::move(read).value() : std::string();
  }

  boost::json::object json(const std::string& name) const {
    return boost::json::parse(text(name)).as_object();
  }

  template <class T>
  std::vector<T> tensor(std::string_view name) const {
    const codec::SafetensorsEntry* entry = header_.find(name);
    EXPECT_NE(entry, nullptr) << name;
    if (entry == nullptr || (entry->end - entry->begin) != entry->elements() * sizeof(T)) return {};
    std::vector<T> values(entry->elements());
    std::memcpy(values.data(), tensors_.data() + header_.data_offset + entry->begin,
                entry->end - entry->begin);
    return values;
  }

  std::vector<size_t> shape(std::string_view name) const {
    const codec::SafetensorsEntry* entry = header_.find(name);
    if (entry == nullptr) return {};
    return {entry->shape.begin(), entry->shape.end()};
  }

 private:
  std::unique_ptr<io::Disk> disk_;
  boost::json::array cases_;
  std::string tensors_;
  codec::SafetensorsHeader header_;
};

}  // namespace holdfast::media
