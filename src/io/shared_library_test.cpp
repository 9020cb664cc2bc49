#include "io/shared_library.h"

#include <gtest/gtest.h>

namespace holdfast::io {
namespace {

TEST(SharedLibrary, FindsWhatALibraryHasAndNothingElse) {
  const auto library = SharedLibrary::open("libm.so.6");
  ASSERT_TRUE(library.ok()) << library.error().message;
  auto* const root = reinterpret_cast<double (*)(double)>(library.value().find("sqrt"));
  ASSERT_NE(root, nullptr);
  EXPECT_EQ(root(9.0), 3.0);
  EXPECT_EQ(library.value().find("no_such_function_of_anybody"), nullptr);
}

TEST(SharedLibrary, ThatIsNotThereSaysWhichOne) {
  const auto library = SharedLibrary::open("/nowhere/libnothing.so");
  ASSERT_FALSE(library.ok());
  EXPECT_EQ(library.error().code, Code::not_found);
  EXPECT_NE(library.error().message.find("libnothing.so"), std::string::npos) << library.error().message;
}

}  // namespace
}  // namespace holdfast::io
