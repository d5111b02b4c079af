// Goal: a mention means the entity that bears its name or alias, whole and without guessing.
// Method: a resolver that knows a few entities is asked for mentions of them and of others.
#include "umbranet/extraction/entity_resolution.h"

#include <vector>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

Entity Known(std::string name, std::vector<std::string> aliases) {
  Entity entity;
  entity.name = std::move(name);
  entity.aliases = std::move(aliases);
  return entity;
}

TEST(EntityResolution, CaseDiacriticsAndArticlesDoNotMatter) {
  const std::vector<Entity> known = {Known("Jos\xC3\xA9 N\xC3\xBA\xC3\xB1"
                                           "ez",
                                           {}),
                                     Known("The Old Mill", {})};
  const EntityResolver resolver(known);
  EXPECT_EQ(resolver.Resolve("jose nunez"), known[0].name);
  EXPECT_EQ(resolver.Resolve("old  mill"), "The Old Mill");
}

TEST(EntityResolution, ANicknameCountsOnlyOnceItWasGiven) {
  EntityResolver resolver;
  resolver.Learn({"Elizabeth", EntityType::kPerson, {}});
  EXPECT_EQ(resolver.Resolve("Liz"), "Liz");
  resolver.Learn({"Elizabeth", EntityType::kPerson, {"Liz"}});
  EXPECT_EQ(resolver.Resolve("liz"), "Elizabeth");
}

TEST(EntityResolution, ADescriptionMeansTheNamedOneAfterwards) {
  EntityResolver resolver;
  resolver.Learn({"my sister", EntityType::kPerson, {}});
  EXPECT_EQ(resolver.Resolve("my sister"), "my sister");
  EXPECT_TRUE(resolver.MayBear("Ana", "my sister"));
  resolver.Learn({"Ana", EntityType::kPerson, {"my sister"}});
  EXPECT_EQ(resolver.Resolve("My sister"), "Ana");
  EXPECT_FALSE(resolver.MayBear("Rita", "my sister"));
}

TEST(EntityResolution, WhatTwoBearMeansNeither) {
  const std::vector<Entity> known = {Known("Ana", {"boss"}), Known("Rita", {"boss"})};
  const EntityResolver resolver(known);
  EXPECT_EQ(resolver.Resolve("boss"), "boss");
  EXPECT_FALSE(resolver.IsKnown("boss"));
}

TEST(EntityResolution, ANameOutranksAnotherOnesAlias) {
  const std::vector<Entity> known = {Known("Theodore", {"Teddy"}), Known("Teddy", {})};
  const EntityResolver resolver(known);
  EXPECT_EQ(resolver.Resolve("teddy"), "Teddy");
}

TEST(EntityResolution, LikenessIsNotEnough) {
  const std::vector<Entity> known = {Known("Anna", {})};
  const EntityResolver resolver(known);
  EXPECT_EQ(resolver.Resolve("Ana"), "Ana");
  EXPECT_EQ(resolver.Resolve("Anna Berg"), "Anna Berg");
}

}  // namespace
}  // namespace umbranet
