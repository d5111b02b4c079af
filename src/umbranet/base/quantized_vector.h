// Vectors of unit length in a byte a dimension, and the inner product with one of them.
//
// Symmetric scalar quantisation: x is stored as round(127 x / m) with m the largest |x| of the
// vector, so the error of a cosine of two vectors of 384 dimensions is about 0.002 (one standard
// deviation), below what separates neighbours, for a quarter of the memory and of the bandwidth.
// The question stays finer than that: 12 bits a dimension.
//
// Pure; may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace umbranet {

struct QuantizedVector {
  float scale = 0;  // What 1 stands for.
  std::vector<std::int8_t> values;
};

[[nodiscard]] QuantizedVector Quantize(std::span<const float> vector);

// As stored: the scale as a little-endian IEEE 754 number of 4 bytes, then the values.
[[nodiscard]] std::string PackVector(const QuantizedVector& vector);
// Nothing when `bytes` are no packed vector.
[[nodiscard]] std::optional<QuantizedVector> UnpackVector(std::string_view bytes);

// A vector that many are compared with.
class VectorProbe {
 public:
  explicit VectorProbe(std::span<const float> vector);

  [[nodiscard]] std::size_t dimension() const { return values_.size(); }

  // The inner product: of two vectors of length 1 their cosine. `values` must have dimension()
  // elements.
  [[nodiscard]] float Product(std::span<const std::int8_t> values, float scale) const;

 private:
  float scale_ = 0;
  std::vector<std::int16_t> values_;
};

// The inner product by portable code; what the fast path is held against.
[[nodiscard]] std::int64_t PortableProduct(std::span<const std::int16_t> a,
                                           std::span<const std::int8_t> b);
// The same by the best instructions that this processor has.
[[nodiscard]] std::int64_t FastProduct(std::span<const std::int16_t> a,
                                       std::span<const std::int8_t> b);

}  // namespace umbranet
