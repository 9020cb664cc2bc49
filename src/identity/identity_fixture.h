#pragma once

#include <memory>

#include "identity/accounts.h"
#include "identity/schema.h"
#include "identity/tokens.h"
#include "sql/database_fixture.h"

// For tests of every room that needs users and tokens: a database of each kind with identity's tables.
namespace holdfast::identity {

inline constexpr PasswordCost cheap_password{.operations = 1, .memory_bytes = 8192};

class IdentityTest : public sql::OnEachDatabase {
 protected:
  void SetUp() override {
    OnEachDatabase::SetUp();
    if (IsSkipped()) return;
    const Status migrated = sql::migrate(database(), migrations(), 1);
    ASSERT_TRUE(migrated.ok()) << migrated.error().message;
    accounts_ = std::make_unique<Accounts>(
        database(), audit_, clock_,
        AccountsOptions{.reserved_names = {"api", "Datasets"}, .password_cost = cheap_password});
    tokens_ = make_tokens(database(), audit_, clock_, random_, key_);
  }
  void TearDown() override {
    tokens_.reset();  // Writes what it noted before the database closes.
  }

  User user(const std::string& name, UserKind kind = UserKind::ordinary) {
    auto made = accounts_->create_user("test", {.name = name, .kind = kind});
    EXPECT_TRUE(made.ok()) << made.error().message;
    return made.value();
  }
  IssuedToken token(const std::string& of, TokenRole role = TokenRole::write) {
    auto issued = tokens_->create("test", {.user = of, .label = "laptop", .role = role});
    EXPECT_TRUE(issued.ok()) << issued.error().message;
    return issued.value();
  }

  ManualClock clock_;
  SeededRandom random_{7};
  Audit audit_{clock_};
  Secret key_{"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"};
  std::unique_ptr<Accounts> accounts_;
  std::unique_ptr<Tokens> tokens_;
};

}  // namespace holdfast::identity
