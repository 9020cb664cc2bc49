#include "govern/host_reports.h"

#include <gtest/gtest.h>

namespace holdfast::govern {
namespace {

const std::string one(64, '1'), other(64, '2'), third(64, '3');

TEST(HostReports, AModelIsJudgedByItsBytesAndByItsNameOnlyWithoutAny) {
  const Holders holders{{one, {"lab/a", "lab/b"}}, {other, {"lab/b"}}};
  const auto known = [](const std::string& address) { return address == "datasets/lab/rows"; };
  const auto judge = [&](std::vector<std::string> digests, std::string_view claims = "",
                         bool dataset = false) {
    return judge_found(dataset, claims, digests, holders, known);
  };
  struct Case {
    const char* why;
    Judged judged;
    const char *state, *repository;
    size_t files_known;
  };
  for (const auto& [why, judged, state, repository, files_known] :
       {Case{"all its bytes are there", judge({one, other}), "managed", "lab/b", 2},
        Case{"one that two hold goes by the name it claims", judge({one}, "lab/b@abc"), "managed", "lab/b",
             1},
        Case{"one file is nobody's", judge({other, third}), "altered", "lab/b", 1},
        Case{"none is", judge({third}, "lab/a"), "unmanaged", "", 0},
        Case{"nothing to compare, and the name is known", judge({}, "lab/rows@1", true), "managed",
             "datasets/lab/rows", 0},
        Case{"nothing to compare, and it is no data set's name", judge({}, "lab/rows"), "unmanaged", "",
             0}}) {
    EXPECT_EQ(judged.state, state) << why;
    EXPECT_EQ(judged.repository, repository) << why;
    EXPECT_EQ(judged.files_known, files_known) << why;
  }
}

}  // namespace
}  // namespace holdfast::govern
