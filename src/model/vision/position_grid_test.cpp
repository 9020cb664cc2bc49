#include "model/vision/position_grid.h"

#include <gtest/gtest.h>

namespace holdfast::model {
namespace {

// torch.nn.functional.interpolate(arange(9).reshape(1, 1, 3, 3), (2, 4), mode="bicubic"), and the same with
// antialias=True.
TEST(PositionGrid, ACubicIsBroughtToAnotherGridAsTorchDoes) {
  const std::vector<float> table = {0, 1, 2, 3, 4, 5, 6, 7, 8};
  const std::vector<float> plain = resample_grid(table, 1, {3, 3}, {2, 4}, Resampling::bicubic);
  const std::vector<float> smooth = resample_grid(table, 1, {3, 3}, {2, 4}, Resampling::bicubic_antialias);
  const std::vector<float> wanted_plain = {0.5024414F, 1.104004F, 2.044434F, 2.645996F,
                                           5.354004F,  5.955566F, 6.895996F, 7.497559F},
                           wanted_smooth = {0.8771348F, 1.485969F, 2.372779F, 2.981612F,
                                            5.018387F,  5.627221F, 6.514031F, 7.122865F};
  ASSERT_EQ(plain.size(), 8U);
  ASSERT_EQ(smooth.size(), 8U);
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_NEAR(plain[i], wanted_plain[i], 2e-6) << i;
    EXPECT_NEAR(smooth[i], wanted_smooth[i], 2e-6) << i;
  }
}

TEST(PositionGrid, TheSameGridStaysAsItIs) {
  const std::vector<float> table = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  for (Resampling kind : {Resampling::bicubic, Resampling::bicubic_antialias})
    EXPECT_EQ(resample_grid(table, 2, {2, 3}, {2, 3}, kind), table);
}

}  // namespace
}  // namespace holdfast::model
