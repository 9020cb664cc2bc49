#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jinja/value.h"

namespace holdfast::jinja {

// The names one block of statements sets, above those of the blocks around it.
struct Scope {
  Scope* parent = nullptr;
  std::vector<std::pair<std::string, Value>> names;
  bool captured = false;  // A macro made here may run after the block is left.

  const Value* find(std::string_view name) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->parent)
      for (const auto& [known, value] : scope->names)
        if (known == name) return &value;
    return nullptr;
  }
  void set(std::string_view name, Value value) {
    for (auto& [known, old] : names)
      if (known == name) {
        old = std::move(value);
        return;
      }
    names.emplace_back(std::string(name), std::move(value));
  }
  void capture() {
    for (Scope* scope = this; scope != nullptr && !scope->captured; scope = scope->parent)
      scope->captured = true;
  }
};

// Keeps the scopes that macros captured until the rendering ends; frees the others when their block is left.
class Scopes {
 public:
  // The scope of one block; ends with this object.
  class Block {
   public:
    Block(Scopes& all, Scope& parent) : all_(all), scope_(std::make_unique<Scope>()) {
      scope_->parent = &parent;
    }
    ~Block() {
      if (scope_->captured) all_.kept_.push_back(std::move(scope_));
    }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
    Scope& operator*() { return *scope_; }

   private:
    Scopes& all_;
    std::unique_ptr<Scope> scope_;
  };

 private:
  std::vector<std::unique_ptr<Scope>> kept_;
};

}  // namespace holdfast::jinja
