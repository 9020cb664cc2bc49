#include "repo/adapter_bases.h"

#include <gtest/gtest.h>

#include "repo/hub_test_kit.h"

namespace holdfast::repo {
namespace {

class AdapterBasesTest : public testing::Test {
 protected:
  git::ObjectId put(const Repository& where, const std::string& path, const std::string& text) {
    return TestHub::require_value(hub_.commit(hub_.caller("ada"), where, path, text)).commit;
  }
  Repository base(const std::string& name) {
    const Repository out = hub_.create("ada", name);
    put(out, "pytorch_model.bin", "weights");
    return out;
  }
  Result<std::optional<AdapterBase>> find(const Repository& where, const git::ObjectId& commit) {
    return hub_.hub().adapter_bases.find(where, commit);
  }
  static std::string config(const std::string& name, const std::string& revision = "null") {
    return R"({"peft_type":"LORA","base_model_name_or_path":")" + name + R"(","revision":)" + revision + "}";
  }

  TestHub hub_;
};

TEST_F(AdapterBasesTest, TheBaseIsTheCommitThatMainWasWhenItWasFirstAsked) {
  const Repository base_model = base("lab/base"), adapter = hub_.create("ada", "lab/tuned");
  const auto first = put(base_model, "config.json", "{}");
  const auto commit = put(adapter, "adapter_config.json", config("lab/base"));
  const AdapterBase wanted{base_model.id, "lab/base", first.hex()};
  EXPECT_EQ(*TestHub::require_value(find(adapter, commit)), wanted);
  const auto second = put(base_model, "config.json", R"({"more":1})");
  EXPECT_EQ(*TestHub::require_value(find(adapter, commit)), wanted);
  // From the database as well, as after a restart.
  Hub again(HubParts{.database = hub_.database(),
                     .disk = hub_.disk(),
                     .content = hub_.content(),
                     .permission = hub_.permission(),
                     .audit = hub_.audit(),
                     .clock = hub_.clock(),
                     .random = hub_.random(),
                     .log = hub_.log()});
  EXPECT_EQ(*TestHub::require_value(again.adapter_bases.find(adapter, commit)), wanted);
  const auto later = put(adapter, "README.md", "a new commit of the adapter");
  EXPECT_EQ(TestHub::require_value(find(adapter, later))->commit, second.hex());
}

TEST_F(AdapterBasesTest, ARevisionThatTheConfigNamesIsTaken) {
  const Repository base_model = base("lab/base"), adapter = hub_.create("ada", "lab/tuned");
  const auto first = put(base_model, "config.json", "{}");
  put(base_model, "config.json", R"({"more":1})");
  const auto commit = put(adapter, "adapter_config.json", config("lab/base", "\"" + first.hex() + "\""));
  EXPECT_EQ(TestHub::require_value(find(adapter, commit))->commit, first.hex());
}

TEST_F(AdapterBasesTest, TheCardNamesTheBaseWhereTheConfigHasAPath) {
  const Repository base_model = base("lab/base"), adapter = hub_.create("ada", "lab/tuned");
  put(adapter, "README.md", "---\nbase_model:\n- lab/base\n---\n");
  const auto commit = put(adapter, "adapter_config.json", config("./out/checkpoint-7", "\"main\""));
  EXPECT_EQ(TestHub::require_value(find(adapter, commit))->repository, base_model.id);
}

TEST_F(AdapterBasesTest, AModelWithWeightsOfItsOwnIsNoAdapter) {
  const Repository model = base("lab/merged");
  const auto commit = put(model, "adapter_config.json", config("lab/base"));
  EXPECT_FALSE(TestHub::require_value(find(model, commit)));
  const Repository plain = hub_.create("ada", "lab/plain");
  EXPECT_FALSE(TestHub::require_value(find(plain, put(plain, "config.json", "{}"))));
}

TEST_F(AdapterBasesTest, WhatCannotBeFoundIsNamed) {
  const Repository adapter = hub_.create("ada", "lab/tuned");
  hub_.create("ada", "lab/empty");
  base("lab/base");
  const struct {
    std::string config, said;
  } cases[] = {{config("lab/none"), "'lab/none'"},
               {config("lab/tuned"), "is itself"},
               {config("lab/empty"), "has no weights"},
               {config("lab/base", "\"never\""), "lab/base@never"},
               {"{", "adapter_config.json"},
               {R"({"base_model_name_or_path":7})", "base_model_name_or_path"}};
  for (const auto& one : cases) {
    SCOPED_TRACE(one.config);
    const auto found = find(adapter, put(adapter, "adapter_config.json", one.config));
    ASSERT_FALSE(found.ok());
    EXPECT_NE(found.error().message.find(one.said), std::string::npos) << found.error().message;
  }
  // And is looked for again: it may come.
  const auto commit = put(adapter, "adapter_config.json", config("lab/later"));
  EXPECT_FALSE(find(adapter, commit).ok());
  base("lab/later");
  EXPECT_TRUE(find(adapter, commit).ok());
}

}  // namespace
}  // namespace holdfast::repo
