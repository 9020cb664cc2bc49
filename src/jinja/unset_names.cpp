#include "jinja/unset_names.h"

#include <algorithm>
#include <span>
#include <unordered_map>
#include <unordered_set>

namespace holdfast::jinja {
namespace {

// The names that one scope mentions, in the order of its statements; as `Symbols` of jinja2's idtracking.py.
// A branch of a condition goes on from the names before it.
class Names {
 public:
  explicit Names(const Names* around) : around_(around) {}
  static Names branch_of(const Names& before) {
    Names out(before.around_);
    out.before_ = &before;
    return out;
  }

  void parameter(const std::string& name) { begins_[name] = Begin::given; }
  void read(const std::string& name) {
    if (!mentions(name) && !is_around(name)) begins_[name] = Begin::given;
  }
  void write(const std::string& name) {
    if (!writes(name)) written_.insert(name);
    if (!mentions(name)) begins_[name] = is_around(name) ? Begin::given : Begin::unset;
  }
  // What only some of the branches write is what it was before in the others.
  void merge(std::span<const Names> branches) {
    std::unordered_map<std::string, size_t> counts;
    for (const Names& branch : branches)
      for (const std::string& name : branch.written_) ++counts[name];
    for (const Names& branch : branches) {
      for (const auto& [name, begin] : branch.begins_) begins_[name] = begin;
      written_.insert(branch.written_.begin(), branch.written_.end());
    }
    for (const auto& [name, count] : counts)
      if (count < branches.size()) begins_[name] = Begin::given;
  }

  std::vector<std::string> unset() const {
    std::vector<std::string> out;
    for (const auto& [name, begin] : begins_)
      if (begin == Begin::unset) out.push_back(name);
    std::sort(out.begin(), out.end());
    return out;
  }

 private:
  enum class Begin : uint8_t { given, unset };

  bool mentions(const std::string& name) const {
    for (const Names* names = this; names != nullptr; names = names->before_)
      if (names->begins_.contains(name)) return true;
    return false;
  }
  bool writes(const std::string& name) const {
    for (const Names* names = this; names != nullptr; names = names->before_)
      if (names->written_.contains(name)) return true;
    return false;
  }
  bool is_around(const std::string& name) const {
    for (const Names* names = around_; names != nullptr; names = names->around_)
      if (names->mentions(name)) return true;
    return false;
  }

  const Names* around_;
  const Names* before_ = nullptr;
  std::unordered_map<std::string, Begin> begins_;
  std::unordered_set<std::string> written_;
};

void read(const Expression* expression, Names& names) {
  if (expression == nullptr) return;
  if (expression->kind == ExpressionKind::name) names.read(expression->name);
  for (const ExpressionPtr& part : expression->parts) read(part.get(), names);
  const CallArguments& arguments = expression->arguments;
  for (const ExpressionPtr& one : arguments.positional) read(one.get(), names);
  for (const auto& [name, one] : arguments.named) read(one.get(), names);
  read(arguments.rest.get(), names);
  read(arguments.named_rest.get(), names);
}

enum class As : uint8_t { written, parameter };
void mention(const Target& target, As as, Names& names) {
  if (target.is_several) {
    for (const Target& one : target.several) mention(one, as, names);
  } else if (!target.attribute.empty()) {
    names.read(target.name);
  } else if (as == As::parameter) {
    names.parameter(target.name);
  } else {
    names.write(target.name);
  }
}

// One scope; those within it follow once all its names are known.
class ScopePass {
 public:
  explicit ScopePass(Names& names) : names_(names) {}

  void run(Body& body) {
    walk(body, names_);
    for (Statement* const statement : inner_) mark_inner(*statement);
  }

 private:
  void walk(Body& body, Names& names) {
    for (const auto& statement : body) walk(*statement, names);
  }

  void walk(Statement& statement, Names& names) {
    switch (statement.kind) {
      case StatementKind::data:
      case StatementKind::leave_loop:
      case StatementKind::next_round:
      case StatementKind::unsupported:
        return;
      case StatementKind::output:
        for (const ExpressionPtr& value : statement.values) read(value.get(), names);
        return;
      case StatementKind::conditional:
        conditional(statement, names);
        return;
      case StatementKind::assign:
        read(statement.values[0].get(), names);
        mention(statement.targets[0], As::written, names);
        return;
      case StatementKind::assign_block:
        mention(statement.targets[0], As::written, names);
        break;
      case StatementKind::macro:
        names.write(statement.text);
        break;
      case StatementKind::loop:
      case StatementKind::call_block:
      case StatementKind::filter_block:
        read(statement.values[0].get(), names);
        break;
      case StatementKind::scope:
        for (const ExpressionPtr& value : statement.values) read(value.get(), names);
        break;
      case StatementKind::generation:
      case StatementKind::block:
        break;
    }
    inner_.push_back(&statement);
  }

  // One test and its body, then all that `elif` begins, then `else`.
  void conditional(Statement& statement, Names& names) {
    read(statement.values[0].get(), names);
    std::vector<Names> branches(3, Names::branch_of(names));
    walk(statement.bodies[0], branches[0]);
    for (size_t i = 1; i < statement.values.size(); ++i) {
      read(statement.values[i].get(), branches[1]);
      std::vector<Names> own(3, Names::branch_of(branches[1]));
      walk(statement.bodies[i], own[0]);
      branches[1].merge(own);
    }
    if (statement.bodies.size() > statement.values.size()) walk(statement.bodies.back(), branches[2]);
    names.merge(branches);
  }

  void mark_inner(Statement& statement) {
    for (size_t i = 0; i < statement.bodies.size(); ++i) {
      const bool apart = statement.kind == StatementKind::block && !statement.scoped;
      Names names(apart ? nullptr : &names_);
      const bool is_loop_body = statement.kind == StatementKind::loop && i == 0;
      if (is_loop_body) names.parameter("loop");
      if (is_loop_body || statement.kind == StatementKind::scope)
        for (const Target& target : statement.targets) mention(target, As::parameter, names);
      for (const std::string& name : statement.signature.names) names.parameter(name);
      for (const ExpressionPtr& value : statement.signature.defaults) read(value.get(), names);
      ScopePass(names).run(statement.bodies[i]);
      std::vector<std::string> unset = names.unset();
      if (unset.empty()) continue;
      statement.unset.resize(statement.bodies.size());
      statement.unset[i] = std::move(unset);
    }
  }

  Names& names_;
  std::vector<Statement*> inner_;
};

}  // namespace

std::vector<std::string> mark_unset_names(Body& body) {
  Names names(nullptr);
  ScopePass(names).run(body);
  return names.unset();
}

}  // namespace holdfast::jinja
