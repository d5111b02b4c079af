#include "umbranet/adapters/redis/redis_script.h"

#include <array>

#include <openssl/evp.h>

namespace umbranet {

RedisScript::RedisScript(std::string_view source) : text(source) {
  // Redis names scripts by SHA-1; nothing of security hangs on it.
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  EVP_Digest(source.data(), source.size(), bytes.data(), &size, EVP_sha1(), nullptr);
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (unsigned int i = 0; i < size; ++i) {
    digest += kDigits[bytes[i] >> 4U];
    digest += kDigits[bytes[i] & 0xFU];
  }
}

}  // namespace umbranet
