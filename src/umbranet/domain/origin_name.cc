#include "umbranet/domain/origin_name.h"

namespace umbranet {

std::string_view OriginName(Origin origin) {
  switch (origin) {
    case Origin::kRecorded:
      return "recorded";
    case Origin::kChat:
      return "chat";
    case Origin::kOfflineChat:
      return "offline_chat";
  }
  return "recorded";
}

}  // namespace umbranet
