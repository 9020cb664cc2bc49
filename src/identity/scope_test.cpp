#include "identity/scope.h"

#include <gtest/gtest.h>

namespace holdfast::identity {
namespace {

TEST(Scope, TheCommandLinesForm) {
  struct Case {
    std::string_view text;
    bool good;
  };
  for (const auto& [text, good] : {
           Case{"model:lab/engine=repo.content.read,repo.write", true},
           Case{"everything=infer", true},
           Case{"org:lab=admin", true},
           Case{"user:ada=discussion.write", true},
           Case{"endpoint:lab/chat=infer", true},
           Case{"", false},
           Case{"=", false},
           Case{"model", false},
           Case{"model:=repo.write", false},
           Case{"model:lab=repo.write", false},
           Case{"model:lab/a/b=repo.write", false},
           Case{"model:lab/../x=repo.write", false},
           Case{"everything:all=infer", false},
           Case{"org:lab/x=admin", false},
           Case{"kernel:lab/x=admin", false},
           Case{"model:lab/x=", false},
           Case{"model:lab/x=repo.delete", false},
           Case{"model:lab/x=repo.write,", true},
       }) {
    const auto scope = parse_scope(text);
    EXPECT_EQ(scope.ok(), good) << text;
    if (!scope.ok()) continue;
    const auto again = parse_scope(scope_text(scope.value()));
    ASSERT_TRUE(again.ok()) << text;
    EXPECT_EQ(again.value(), scope.value()) << text;
    const auto stored = parse_scopes_json(scopes_json({scope.value(), scope.value()}));
    ASSERT_TRUE(stored.ok()) << stored.error().message;
    EXPECT_EQ(stored.value(), (std::vector{scope.value(), scope.value()}));
  }
}

TEST(Scope, StoredScopesThatAreNoneAreRefused) {
  for (const char* text : {"", "{}", "[1]", "[{}]", R"([{"entity":{},"permissions":["infer"]}])",
                           R"([{"entity":{"type":"everything"},"permissions":[]}])",
                           R"([{"entity":{"type":"everything"},"permissions":[1]}])",
                           R"([{"entity":{"type":"everything"},"permissions":"infer"}])"})
    EXPECT_FALSE(parse_scopes_json(text).ok()) << text;
  std::string many = "[";
  for (int i = 0; i < 101; ++i)
    many += std::string(i == 0 ? "" : ",") + R"({"entity":{"type":"everything"},"permissions":["infer"]})";
  EXPECT_FALSE(parse_scopes_json(many + "]").ok());
}

}  // namespace
}  // namespace holdfast::identity
