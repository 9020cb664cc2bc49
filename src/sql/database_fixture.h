#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "base/check.h"
#include "io/temporary_folder.h"
#include "sql/database.h"

// For tests of every room: the same suite on a fresh SQLite file and a fresh PostgreSQL schema.
namespace holdfast::sql {

// One PostgreSQL server for the test program, reached by a socket in its own folder. It refuses to run as
// root, so then it runs as nobody.
class TestServer {
 public:
  static TestServer& instance() {
    static TestServer server;
    return server;
  }
  bool running() const { return running_; }
  std::string url(const std::string& schema) const {
    return "postgresql://holdfast@/postgres?host=" + folder_.path().string() +
           (schema.empty() ? "" : "&options=-csearch_path%3D" + schema);
  }

 private:
  TestServer() {
    for (const char* version : {"17", "16", "15", "14"}) {
      programs_ = std::string("/usr/lib/postgresql/") + version + "/bin/";
      if (std::filesystem::exists(programs_ + "initdb")) break;
      programs_.clear();
    }
    if (programs_.empty()) return;
    const std::string folder = folder_.path().string();
    if (::geteuid() == 0) {
      runner_ = "runuser -u nobody -- ";
      if (std::system(("chown nobody " + folder).c_str()) != 0) return;
    }
    const std::string data = folder + "/data";
    running_ = shell(programs_ + "initdb -A trust -U holdfast -D " + data) &&
               shell(programs_ + "pg_ctl -w -D " + data + " -l " + folder +
                     "/log -o \"-c listen_addresses= " + "-c unix_socket_directories=" + folder +
                     " -c fsync=off -c max_connections=200\" start");
  }
  ~TestServer() {
    if (running_) shell(programs_ + "pg_ctl -m immediate -D " + folder_.path().string() + "/data stop");
  }
  bool shell(const std::string& command) const {
    return std::system(("cd / && " + runner_ + command + " >/dev/null 2>&1").c_str()) == 0;
  }

  io::TemporaryFolder folder_;
  std::string programs_, runner_;
  bool running_ = false;
};

// A fresh schema of the server; CHECKs that it runs.
inline std::string fresh_schema_url() {
  static std::atomic<int> count = 0;
  TestServer& server = TestServer::instance();
  CHECK(server.running());
  const std::string schema = "test_" + std::to_string(++count);
  auto admin = open_database(server.url(""));
  CHECK(admin.ok());
  const Status made = admin.value()->write([&](Transaction& tx) -> Status {
    TRY([[maybe_unused]] int64_t rows, tx.run("CREATE SCHEMA " + schema));
    return Done{};
  });
  CHECK(made.ok());
  return server.url(schema);
}

// For a fixture that makes its own database: a fresh schema where HOLDFAST_TEST_ENGINE is postgresql (ctest
// runs such a room's tests once more with it), a new file of the folder otherwise.
inline std::string test_database_url(const std::filesystem::path& folder) {
  if (io::test_wish("HOLDFAST_TEST_ENGINE") == "postgresql") return fresh_schema_url();
  return "sqlite:" + (folder / "test.db").string();
}

class OnEachDatabase : public testing::TestWithParam<Engine> {
 protected:
  void SetUp() override {
    if (GetParam() == Engine::sqlite) {
      url_ = "sqlite:" + (folder_.path() / "test.db").string();
    } else {
      TestServer& server = TestServer::instance();
      if (!server.running()) {
        std::fprintf(stderr,
                     "SKIPPED: no PostgreSQL server could be started; install the package postgresql\n");
        GTEST_SKIP() << "no PostgreSQL server";
      }
      url_ = fresh_schema_url();
    }
    database_ = open();
  }
  // Another Database on the same data, as another process would have.
  std::unique_ptr<Database> open() {
    auto opened = open_database(url_);
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    return opened.ok() ? std::move(opened).value() : nullptr;
  }
  Database& database() { return *database_; }

  io::TemporaryFolder folder_;
  std::string url_;
  std::unique_ptr<Database> database_;
};

inline std::string engine_name(const testing::TestParamInfo<Engine>& engine) {
  return engine.param == Engine::sqlite ? "sqlite" : "postgresql";
}
inline const std::array<Engine, 2> each_engine{Engine::sqlite, Engine::postgresql};

}  // namespace holdfast::sql
