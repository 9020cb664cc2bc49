// What a cache of states can and cannot do.
#include <gtest/gtest.h>

#include <cstring>

#include "model/recurrent/recurrent_cases.h"

namespace holdfast::model {
namespace {

TEST(RecurrentCaches, AStateIsTakenAsAWholeOrNotAtAll) {
  const auto threads = tensor::make_threads(1);
  const DecoderModel model = opened(cases[0]);
  KvCache cache;
  KvCache* mine[] = {&cache};
  ASSERT_TRUE(model.decoder().forward(batch_of({text}), mine, *threads).ok());
  EXPECT_EQ(cache.keeps(3), 0U);
  EXPECT_EQ(cache.keeps(99), text.size());
  KvCache copy = cache;  // What goes on with one leaves the other as it was.
  KvCache* other[] = {&copy};
  const auto first = model.decoder().forward(batch_of({{5}}, {text.size()}), other, *threads);
  const auto second = model.decoder().forward(batch_of({{5}}, {text.size()}), mine, *threads);
  EXPECT_EQ(std::memcmp(first.value().last.data(), second.value().last.data(), 32), 0);
  cache.shorten(3);
  EXPECT_EQ(cache.tokens, 0U);
  const auto again = model.decoder().forward(batch_of({text}), mine, *threads);
  const auto fresh = model.decoder().forward(batch_of({text}), {}, *threads);
  EXPECT_EQ(std::memcmp(again.value().last.data(), fresh.value().last.data(), text.size() * 32), 0);
}

TEST(RecurrentCaches, ATextThatBringsNoTokensChangesNothingBesideOthers) {
  const auto threads = tensor::make_threads(1);
  for (const Case& one : cases) {
    SCOPED_TRACE(one.type);
    const DecoderModel model = opened(one);
    KvCache empty, cache;
    KvCache* both[] = {&empty, &cache};
    const auto beside = model.decoder().forward(batch_of({{}, text}), both, *threads);
    const auto alone = model.decoder().forward(batch_of({text}), {}, *threads);
    ASSERT_TRUE(beside.ok() && alone.ok());
    EXPECT_EQ(std::memcmp(beside.value().last.data(), alone.value().last.data(), text.size() * 32), 0);
    EXPECT_EQ(empty.tokens, 0U);
  }
}

TEST(RecurrentCaches, AdaptersBesideThemAreRefusedByTheFamilysName) {
  const auto disk = folder_of(cases[0]);
  const auto model = DecoderModel::open(*disk, "", {}, DecoderModel::Adapters::may_come);
  ASSERT_TRUE(model.ok()) << model.error().message;
  const auto adapter = model.value().open_adapter(*disk, "");
  ASSERT_FALSE(adapter.ok());
  EXPECT_NE(adapter.error().message.find("lfm2"), std::string::npos) << adapter.error().message;
}

}  // namespace
}  // namespace holdfast::model
