#include "observe/endpoint_figures.h"

#include <gtest/gtest.h>

namespace holdfast::observe {
namespace {

TEST(EndpointFigures, OnlyItsOwnAreShownEachFamilyWithItsType) {
  constexpr std::string_view all =
      "# HELP a_total x\n# TYPE a_total counter\n"
      "a_total{endpoint=\"r-1\",version=\"2\"} 7\na_total{endpoint=\"r-12\",version=\"2\"} 8\n"
      "# HELP b x\n# TYPE b gauge\nb{endpoint=\"r-12\"} 3\n"
      "# HELP c_seconds x\n# TYPE c_seconds histogram\n"
      "c_seconds_bucket{class=\"x\",endpoint=\"r-1\",le=\"1\"} "
      "1\nc_seconds_count{class=\"x\",endpoint=\"r-1\"} 1\n"
      "# HELP d_total x\n# TYPE d_total counter\nd_total 5";
  EXPECT_EQ(figures_of_endpoint(all, "r-1"),
            "# HELP a_total x\n# TYPE a_total counter\na_total{endpoint=\"r-1\",version=\"2\"} 7\n"
            "# HELP c_seconds x\n# TYPE c_seconds histogram\n"
            "c_seconds_bucket{class=\"x\",endpoint=\"r-1\",le=\"1\"} 1\n"
            "c_seconds_count{class=\"x\",endpoint=\"r-1\"} 1\n");
  EXPECT_EQ(figures_of_endpoint(all, "r-9"), "");
  EXPECT_EQ(figures_of_endpoint("", "r-1"), "");
}

}  // namespace
}  // namespace holdfast::observe
