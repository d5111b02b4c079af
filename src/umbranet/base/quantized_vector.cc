#include "umbranet/base/quantized_vector.h"

#include <algorithm>
#include <bit>
#include <cmath>

#if defined(__x86_64__)
// The header leaves results of intrinsics uninitialised on purpose, which g++ 12 takes for a
// mistake of whoever inlines them (its bug 105593).
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#endif

namespace umbranet {
namespace {

constexpr float kByteMax = 127;
constexpr float kProbeMax = 2047;
constexpr std::size_t kScaleBytes = 4;
// Products summed up in 32 bits before they are widened: 2047 * 127 * 8192 is below 2^31.
[[maybe_unused]] constexpr std::size_t kBlock = 8192;

float LargestMagnitude(std::span<const float> vector) {
  float largest = 0;
  for (const float value : vector) {
    largest = std::max(largest, std::fabs(value));
  }
  return largest;
}

template <typename T>
float Fill(std::span<const float> vector, float most, std::vector<T>& values) {
  values.resize(vector.size());
  const float largest = LargestMagnitude(vector);
  if (largest <= 0 || !std::isfinite(largest)) {
    return 0;
  }
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const float scaled = std::isfinite(vector[i]) ? vector[i] / largest * most : 0;
    values[i] = static_cast<T>(std::lround(scaled));
  }
  return largest / most;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) std::int64_t Avx2Product(const std::int16_t* a,
                                                         const std::int8_t* b, std::size_t size) {
  std::int64_t total = 0;
  std::size_t i = 0;
  while (i + 16 <= size) {
    const std::size_t end = std::min(size, i + kBlock);
    __m256i sums = _mm256_setzero_si256();
    for (; i + 16 <= end; i += 16) {
      const __m256i left = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + i));
      const __m256i right =
          _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(b + i)));
      sums = _mm256_add_epi32(sums, _mm256_madd_epi16(left, right));
    }
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0b01001110));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0b10110001));
    total += _mm_cvtsi128_si32(four);
  }
  return total + PortableProduct({a + i, size - i}, {b + i, size - i});
}

__attribute__((target("avx512f,avx512bw"))) std::int64_t Avx512Product(const std::int16_t* a,
                                                                       const std::int8_t* b,
                                                                       std::size_t size) {
  std::int64_t total = 0;
  std::size_t i = 0;
  while (i + 32 <= size) {
    const std::size_t end = std::min(size, i + kBlock);
    __m512i sums = _mm512_setzero_si512();
    for (; i + 32 <= end; i += 32) {
      const __m512i left = _mm512_loadu_si512(a + i);
      const __m512i right =
          _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + i)));
      sums = _mm512_add_epi32(sums, _mm512_madd_epi16(left, right));
    }
    total += _mm512_reduce_add_epi32(sums);
  }
  return total + PortableProduct({a + i, size - i}, {b + i, size - i});
}

using ProductFunction = std::int64_t (*)(const std::int16_t*, const std::int8_t*, std::size_t);

ProductFunction FastestProduct() {
  if (__builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0) {
    return Avx512Product;
  }
  return __builtin_cpu_supports("avx2") != 0 ? Avx2Product : nullptr;
}
#endif

}  // namespace

QuantizedVector Quantize(std::span<const float> vector) {
  QuantizedVector quantized;
  quantized.scale = Fill(vector, kByteMax, quantized.values);
  return quantized;
}

std::string PackVector(const QuantizedVector& vector) {
  std::string bytes;
  bytes.reserve(kScaleBytes + vector.values.size());
  const auto scale = std::bit_cast<std::uint32_t>(vector.scale);
  for (std::size_t i = 0; i < kScaleBytes; ++i) {
    bytes += static_cast<char>((scale >> (8 * i)) & 0xFFU);
  }
  for (const std::int8_t value : vector.values) {
    bytes += static_cast<char>(value);
  }
  return bytes;
}

std::optional<QuantizedVector> UnpackVector(std::string_view bytes) {
  if (bytes.size() <= kScaleBytes) {
    return std::nullopt;
  }
  std::uint32_t scale = 0;
  for (std::size_t i = 0; i < kScaleBytes; ++i) {
    scale |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  QuantizedVector vector;
  vector.scale = std::bit_cast<float>(scale);
  if (!std::isfinite(vector.scale)) {
    return std::nullopt;
  }
  vector.values.reserve(bytes.size() - kScaleBytes);
  for (const char value : bytes.substr(kScaleBytes)) {
    vector.values.push_back(static_cast<std::int8_t>(value));
  }
  return vector;
}

VectorProbe::VectorProbe(std::span<const float> vector) {
  scale_ = Fill(vector, kProbeMax, values_);
}

float VectorProbe::Product(std::span<const std::int8_t> values, float scale) const {
  return static_cast<float>(FastProduct(values_, values)) * scale_ * scale;
}

std::int64_t PortableProduct(std::span<const std::int16_t> a, std::span<const std::int8_t> b) {
  std::int64_t total = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    total += std::int64_t{a[i]} * b[i];
  }
  return total;
}

std::int64_t FastProduct(std::span<const std::int16_t> a, std::span<const std::int8_t> b) {
#if defined(__x86_64__)
  static const ProductFunction fastest = FastestProduct();
  if (fastest != nullptr) {
    return fastest(a.data(), b.data(), std::min(a.size(), b.size()));
  }
#endif
  return PortableProduct(a, b);
}

}  // namespace umbranet
