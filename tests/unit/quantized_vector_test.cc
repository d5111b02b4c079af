// Goal: quantised vectors keep cosines, and the fast product is the portable one.
// Method: random vectors of many sizes against exact arithmetic.
#include "umbranet/base/quantized_vector.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

std::vector<float> RandomUnit(std::mt19937& random, std::size_t size) {
  std::normal_distribution<float> normal;
  std::vector<float> vector(size);
  double squares = 0;
  for (float& value : vector) {
    value = normal(random);
    squares += static_cast<double>(value) * value;
  }
  for (float& value : vector) {
    value = static_cast<float>(value / std::sqrt(squares));
  }
  return vector;
}

TEST(QuantizedVector, KeepsCosinesToAboutAHundredth) {
  std::mt19937 random(7);
  for (const std::size_t size : {2U, 384U, 1536U}) {
    for (int round = 0; round < 50; ++round) {
      const std::vector<float> a = RandomUnit(random, size);
      std::vector<float> b = RandomUnit(random, size);
      double exact = 0;
      for (std::size_t i = 0; i < size; ++i) {
        exact += static_cast<double>(a[i]) * b[i];
      }
      const QuantizedVector stored = Quantize(b);
      EXPECT_NEAR(VectorProbe(a).Product(stored.values, stored.scale), exact, 0.01);
    }
  }
}

TEST(QuantizedVector, TheFastProductIsThePortableOne) {
  std::mt19937 random(11);
  std::uniform_int_distribution<int> bytes(-127, 127);
  std::uniform_int_distribution<int> words(-2047, 2047);
  for (std::size_t size = 0; size < 100; ++size) {
    std::vector<std::int16_t> a(size);
    std::vector<std::int8_t> b(size);
    for (std::size_t i = 0; i < size; ++i) {
      a[i] = static_cast<std::int16_t>(words(random));
      b[i] = static_cast<std::int8_t>(bytes(random));
    }
    EXPECT_EQ(FastProduct(a, b), PortableProduct(a, b)) << size;
  }
}

TEST(QuantizedVector, TheLargestVectorsDoNotOverflow) {
  const std::size_t size = 100'003;
  const std::vector<std::int16_t> a(size, 2047);
  const std::vector<std::int8_t> b(size, 127);
  EXPECT_EQ(FastProduct(a, b), std::int64_t{2047} * 127 * static_cast<std::int64_t>(size));
}

TEST(QuantizedVector, UnpacksWhatWasPackedAndNothingElse) {
  std::mt19937 random(3);
  const QuantizedVector vector = Quantize(RandomUnit(random, 384));
  const std::optional<QuantizedVector> back = UnpackVector(PackVector(vector));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->scale, vector.scale);
  EXPECT_EQ(back->values, vector.values);
  EXPECT_FALSE(UnpackVector("").has_value());
  EXPECT_FALSE(UnpackVector("abcd").has_value());
  EXPECT_FALSE(UnpackVector(std::string("\x00\x00\x80\x7f", 4) + "a").has_value());  // Infinity.
}

TEST(QuantizedVector, ZeroAndBrokenVectorsAreNearNothing) {
  const std::vector<float> broken{std::numeric_limits<float>::quiet_NaN(), 1,
                                  std::numeric_limits<float>::infinity()};
  for (const std::vector<float>& vector : {std::vector<float>(3, 0.0F), broken}) {
    const QuantizedVector stored = Quantize(vector);
    const std::vector<float> one{1, 0, 0};
    EXPECT_EQ(VectorProbe(one).Product(stored.values, stored.scale), 0);
  }
}

}  // namespace
}  // namespace umbranet
