#include "umbranet/base/unique_id.h"

#include <array>
#include <cstdint>
#include <cstdlib>

#include <openssl/evp.h>
#include <openssl/rand.h>

namespace umbranet {
namespace {

using Uuid = std::array<unsigned char, 16>;

constexpr std::string_view kHex = "0123456789abcdef";

// 6f1c8f0e-7c3b-5b0a-9d53-2f6a1be1c0de, chosen once for this project.
constexpr Uuid kNamespace = {0x6f, 0x1c, 0x8f, 0x0e, 0x7c, 0x3b, 0x5b, 0x0a,
                             0x9d, 0x53, 0x2f, 0x6a, 0x1b, 0xe1, 0xc0, 0xde};

void AppendHex(std::string& out, unsigned char byte) {
  out += kHex[byte >> 4U];
  out += kHex[byte & 0x0fU];
}

std::string Format(const Uuid& id) {
  std::string out;
  out.reserve(36);
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      out += '-';
    }
    AppendHex(out, id.at(i));
  }
  return out;
}

void FillRandom(unsigned char* bytes, std::size_t size) {
  if (RAND_bytes(bytes, static_cast<int>(size)) != 1) {
    // Without randomness ids would collide and memories would mix: there is nothing safe left to
    // do.
    std::abort();
  }
}

// A draw costs a microsecond or so; each thread draws a page at a time.
void DrawFromPool(unsigned char* bytes, std::size_t size) {
  thread_local std::array<unsigned char, 1024> pool{};
  thread_local std::size_t used = pool.size();
  if (used + size > pool.size()) {
    FillRandom(pool.data(), pool.size());
    used = 0;
  }
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = pool.at(used + i);
  }
  used += size;
}

std::size_t Digest(const EVP_MD* kind, std::string_view bytes, unsigned char* out) {
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), out, &size, kind, nullptr) != 1) {
    std::abort();
  }
  return size;
}

}  // namespace

std::string NewUuidV7(Timestamp now) {
  Uuid id{};
  DrawFromPool(id.data(), id.size());
  auto millis = static_cast<std::uint64_t>(ToUnixMillis(now));
  for (std::size_t i = 6; i-- > 0;) {
    id.at(i) = static_cast<unsigned char>(millis & 0xffU);
    millis >>= 8U;
  }
  id[6] = static_cast<unsigned char>((id[6] & 0x0fU) | 0x70U);
  id[8] = static_cast<unsigned char>((id[8] & 0x3fU) | 0x80U);
  return Format(id);
}

std::string NameUuidV5(std::initializer_list<std::string_view> parts) {
  std::string bytes(reinterpret_cast<const char*>(kNamespace.data()), kNamespace.size());
  bool first = true;
  for (const std::string_view part : parts) {
    if (!first) {
      bytes += '\x1f';
    }
    first = false;
    bytes += part;
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  Digest(EVP_sha1(), bytes, digest.data());
  Uuid id{};
  for (std::size_t i = 0; i < id.size(); ++i) {
    id.at(i) = digest.at(i);
  }
  id[6] = static_cast<unsigned char>((id[6] & 0x0fU) | 0x50U);
  id[8] = static_cast<unsigned char>((id[8] & 0x3fU) | 0x80U);
  return Format(id);
}

std::string Sha256Hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  const std::size_t size = Digest(EVP_sha256(), bytes, digest.data());
  std::string out;
  out.reserve(size * 2);
  for (std::size_t i = 0; i < size; ++i) {
    AppendHex(out, digest.at(i));
  }
  return out;
}

std::string RandomHex(std::size_t size) {
  std::string out;
  out.reserve(size * 2);
  for (std::size_t i = 0; i < size; ++i) {
    unsigned char byte = 0;
    DrawFromPool(&byte, 1);
    AppendHex(out, byte);
  }
  return out;
}

}  // namespace umbranet
