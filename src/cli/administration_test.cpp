// The commands on users, organisations, tokens and the audit log, each as a program would run them.
#include <gtest/gtest.h>

#include <fstream>

#include "cli/administration.h"
#include "cli/audit.h"
#include "cli/org.h"
#include "cli/recording_world.h"
#include "cli/text_table.h"
#include "cli/token.h"
#include "cli/user.h"
#include "io/temporary_folder.h"

namespace holdfast::cli {
namespace {

struct Answer {
  int exit;
  std::string output, complaints;
};

class AdministrationTest : public testing::Test {
 protected:
  // `line` is split at spaces; --data is added.
  Answer run(const std::string& line, const std::string& input = "") {
    std::vector<Command> all;
    for (auto* commands : {user_commands, org_commands, token_commands, audit_commands})
      for (Command& command : commands()) all.push_back(std::move(command));
    RecordingWorld world;
    world.input = input;
    world.variables["HOLDFAST_DATA"] = folder_.path() / "data";
    std::vector<std::string_view> words;
    for (std::string_view rest = line; !rest.empty();) {
      const size_t end = std::min(rest.find(' '), rest.size());
      words.push_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    const int exit = dispatch(all, world, words);
    return {exit, world.output, world.complaints};
  }
  std::string good(const std::string& line, const std::string& input = "") {
    const Answer answer = run(line, input);
    EXPECT_EQ(answer.exit, exit_done) << line << ": " << answer.complaints << answer.output;
    return answer.output;
  }
  // The instance as the server beside the commands has it.
  std::unique_ptr<Administration> server() {
    return Administration::open({.data = folder_.path() / "data", .database = ""}, WhenMissing::refuse,
                                world_.clock(), world_.random())
        .value();
  }

  io::TemporaryFolder folder_;
  RecordingWorld world_;
};

TEST_F(AdministrationTest, EveryCommandHasAnExampleThatIsItself) {
  for (auto* commands : {user_commands, org_commands, token_commands, audit_commands})
    for (const Command& command : commands()) {
      EXPECT_TRUE(command.example.starts_with("holdfast " + command.words)) << command.words;
      EXPECT_TRUE(command.summary.ends_with(".")) << command.words;
    }
}

TEST_F(AdministrationTest, UsersAreMadeListedAndDisabled) {
  EXPECT_EQ(good("user create ada --email a@b.org --admin --fullname Ada"), "user ada created\n");
  const std::string bob = good("user create bob --json --password-stdin", "a long password\nrest");
  EXPECT_NE(bob.find(R"("name":"bob")"), std::string::npos) << bob;
  EXPECT_EQ(bob.find("password"), std::string::npos) << bob;
  EXPECT_EQ(good("user disable bob"), "user bob disabled\n");
  const std::string list = good("user list");
  EXPECT_NE(list.find("ada   admin"), std::string::npos) << list;
  EXPECT_NE(list.find("bob   disabled"), std::string::npos) << list;
  EXPECT_EQ(good("user enable bob --json"), "{\"name\":\"bob\"}\n");
  good("user password bob", "another password\n");
  EXPECT_TRUE(server()->accounts().check_password("bob", Secret("another password")).ok());
}

TEST_F(AdministrationTest, MisuseIsTwoFailureIsOne) {
  struct Case {
    const char* why;
    const char* line;
    int exit;
    const char* part;
  };
  good("user create ada");
  for (const auto& [why, line, exit, part] : {
           Case{"no name", "user create", 2, "argument"},
           Case{"a flag that is not there", "user create bob --adnim", 2, "--admin"},
           Case{"a name of a route", "user create api", 2, "api"},
           Case{"no such name can be", "user create a/b", 2, "name"},
           Case{"taken", "user create ADA", 1, "taken"},
           Case{"nobody", "user disable nobody", 1, "nobody"},
           Case{"no role", "org member add lab ada", 2, "--role"},
           Case{"a role that is none", "org member add lab ada --role owner", 2, "owner"},
           Case{"no organisation", "org member add lab ada --role read", 1, "lab"},
           Case{"a token without a user", "token create --name x --role read", 2, "--user"},
           Case{"a role of no token", "token create --user ada --name x --role admin", 2, "admin"},
           Case{"a scope that is none", "token create --user ada --name x --role fine-grained --scope x", 2,
                "scope"},
           Case{"a span that is none", "token create --user ada --name x --role read --expires soon", 2,
                "soon"},
           Case{"nothing on standard input", "token create --user ada --name x --role read --value-stdin", 2,
                "value"},
           Case{"no number", "token revoke hf_abc", 2, "number"},
           Case{"no such token", "token revoke 7", 1, "7"},
           Case{"no such data", "user list --data /nonexistent/holdfast", 1, ""},
       }) {
    const Answer answer = run(line);
    EXPECT_EQ(answer.exit, exit) << why << ": " << answer.output << answer.complaints;
    EXPECT_NE(answer.complaints.find(part), std::string::npos) << why << ": " << answer.complaints;
  }
  const Answer json = run("user disable nobody --json");
  EXPECT_EQ(json.exit, 1);
  EXPECT_NE(json.output.find("\"error\""), std::string::npos) << json.output;
}

TEST_F(AdministrationTest, OnlyUserCreateMakesAnInstance) {
  EXPECT_EQ(run("user list").exit, 1);
  EXPECT_EQ(run("org create lab").exit, 1);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "data"));
  EXPECT_EQ(run("user create ada").exit, 0);
  EXPECT_EQ(run("org create lab").exit, 0);
}

TEST_F(AdministrationTest, OrganisationsHaveMembers) {
  good("user create ada");
  EXPECT_EQ(good("org create EnterpriseOrgPrivate --private"), "organisation EnterpriseOrgPrivate created\n");
  good("org member add enterpriseorgprivate ada --role write");
  EXPECT_EQ(good("org member list EnterpriseOrgPrivate --json"),
            "[{\"user\":\"ada\",\"role\":\"write\",\"fullname\":\"\"}]\n");
  const std::string list = good("org list");
  EXPECT_NE(list.find("EnterpriseOrgPrivate  private"), std::string::npos) << list;
  good("org member remove EnterpriseOrgPrivate ada");
  EXPECT_EQ(good("org member list EnterpriseOrgPrivate --json"), "[]\n");
}

TEST_F(AdministrationTest, ATokenMadeBesideARunningServerWorksThereAndStopsThere) {
  good("user create ada");
  const auto running = server();
  const Answer made =
      run("token create --user ada --name ci --role fine-grained --scope model:lab/m=repo.write");
  ASSERT_EQ(made.exit, 0) << made.complaints;
  const std::string value = made.output.substr(0, made.output.size() - 1);
  EXPECT_EQ(value.size(), 37U) << "the value alone is on standard output";
  const auto caller = running->tokens().authenticate(value);
  ASSERT_TRUE(caller.ok());
  EXPECT_EQ(caller.value().scopes.size(), 1U);
  EXPECT_EQ(good("token list --user ada").find(value.substr(3)), std::string::npos);
  EXPECT_EQ(good("token revoke 1"), "token 1 of ada (ci) revoked\n");
  world_.manual_clock.advance(std::chrono::milliseconds(250));
  EXPECT_FALSE(running->tokens().authenticate(value).ok());
  EXPECT_NE(good("token list").find("revoked"), std::string::npos);
}

TEST_F(AdministrationTest, ATokenTakesAValueFromOutsideAndRotates) {
  good("user create ada");
  const std::string made =
      good("token create --user ada --name tests --role write --expires 30d --value-stdin --json",
           "hf_enterprise_admin_token\n");
  EXPECT_NE(made.find(R"("token":"hf_enterprise_admin_token")"), std::string::npos) << made;
  EXPECT_NE(made.find(R"("expires":"2023-12-14T22:13:20.000Z")"), std::string::npos) << made;
  const auto running = server();
  EXPECT_TRUE(running->tokens().authenticate("hf_enterprise_admin_token").ok());
  const std::string fresh = good("token rotate 1 --overlap 1h");
  EXPECT_TRUE(running->tokens().authenticate(fresh.substr(0, fresh.size() - 1)).ok());
  EXPECT_TRUE(running->tokens().authenticate("hf_enterprise_admin_token").ok());
  world_.manual_clock.advance(std::chrono::hours(1));
  EXPECT_FALSE(running->tokens().authenticate("hf_enterprise_admin_token").ok());
}

TEST_F(AdministrationTest, TheAuditLogIsVerifiedAgainstACheckpoint) {
  good("user create ada");
  good("user create bob");
  EXPECT_EQ(good("audit verify"), "the audit log is sound: 2 rows\n");
  const std::string checkpoint = folder_.path() / "checkpoint.json";
  std::ofstream(checkpoint) << good("audit checkpoint");
  good("user create eve");
  EXPECT_EQ(good("audit verify --checkpoint " + checkpoint + " --json"), "{\"sound\":true,\"rows\":3}\n");
  const std::string rows = good("audit export");
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 3);
  EXPECT_NE(rows.find(R"x("actor":"(command line)","action":"user.created","subject":"bob")x"),
            std::string::npos);
  const Status cut = server()->database().write([](sql::Transaction& tx) -> Status {
    TRY_DONE(tx.run("DELETE FROM identity_audit WHERE number > 1"));
    return Done{};
  });
  ASSERT_TRUE(cut.ok());
  EXPECT_EQ(run("audit verify").exit, 0);
  const Answer broken = run("audit verify --checkpoint " + checkpoint);
  EXPECT_EQ(broken.exit, 1);
  EXPECT_NE(broken.complaints.find("row 2"), std::string::npos) << broken.complaints;
}

TEST(TextTable, ColumnsStandUnderEachOther) {
  EXPECT_EQ(text_table({{"A", "BB", "C"}, {"long", "\xc3\xa9", ""}, {"x", "y", "z"}}),
            "A     BB  C\nlong  \xc3\xa9\nx     y   z\n");
  EXPECT_EQ(text_table({}), "");
}

}  // namespace
}  // namespace holdfast::cli
