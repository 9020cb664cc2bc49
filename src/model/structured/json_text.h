#pragma once

#include <boost/json/fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/structured/grammar.h"
#include "model/structured/regex_grammar.h"

namespace holdfast::model::structured {

// JSON (RFC 8259) as pieces of a grammar. Between tokens stands nothing, one space, or a line break with at
// most 20 blanks: enough for pretty printing, an end for endless blanks.
class JsonText {
 public:
  explicit JsonText(GrammarBuilder& builder) : builder_(builder) {}

  struct Member {
    std::string name;
    Sequence value;
    bool required = false;
  };

  RuleId any_value();  // Nested as deep as one likes.
  RuleId number();
  Sequence string(size_t least, size_t most);  // Length in characters.
  // A string whose text the regular expression matches.
  Result<Sequence> matching(std::string_view pattern, Anchoring anchoring);
  // Exactly this value, in our spelling.
  Sequence value(const boost::json::value& wanted);
  // The first ones by `fixed`, further ones by `item`.
  Sequence array(const std::vector<Sequence>& fixed, const Sequence& item, size_t least, size_t most);
  // In the order given; then, where `more` is given, any number of others whose names are none of these.
  Sequence object(const std::vector<Member>& members, const std::optional<Sequence>& more);

  // date, time, date-time, uuid, ipv4, email, hostname; nothing for others.
  static std::optional<std::string_view> format_pattern(std::string_view format);

 private:
  Sequence blank();
  Sequence character();
  Sequence other_name(const std::vector<Member>& members);
  Sequence name_but(std::vector<std::string> names);

  GrammarBuilder& builder_;
  std::optional<RuleId> any_value_, number_, blank_, character_;
};

}  // namespace holdfast::model::structured
