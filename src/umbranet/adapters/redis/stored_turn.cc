#include "umbranet/adapters/redis/stored_turn.h"

#include <boost/json.hpp>

#include "umbranet/domain/newest_turns.h"

namespace umbranet {
namespace {

namespace json = boost::json;

// Every field must be there and of its kind: what is not is no turn.
class Fields {
 public:
  explicit Fields(const json::object& object) : object_(object) {}

  std::string Text(std::string_view name) {
    const json::value* const value = object_.if_contains(name);
    if (value == nullptr || !value->is_string()) {
      whole_ = false;
      return {};
    }
    return std::string(value->get_string());
  }

  std::int64_t Number(std::string_view name, std::int64_t min, std::int64_t max) {
    const json::value* const value = object_.if_contains(name);
    if (value == nullptr || !value->is_int64() || value->get_int64() < min ||
        value->get_int64() > max) {
      whole_ = false;
      return min;
    }
    return value->get_int64();
  }

  [[nodiscard]] bool whole() const { return whole_; }

 private:
  const json::object& object_;
  bool whole_ = true;
};

constexpr std::int64_t kTimeMax = std::int64_t{1} << 53U;  // Milliseconds; far beyond any date.

}  // namespace

std::string EncodeTurn(const Interaction& turn) {
  const json::object object{
      {"id", turn.interaction_id},
      {"sequence", turn.sequence},
      {"speaker", turn.speaker},
      {"occurred_at", ToUnixMillis(turn.occurred_at)},
      {"accepted_at", ToUnixMillis(turn.accepted_at)},
      {"user", turn.user_message},
      {"assistant", turn.assistant_response},
      {"priority", static_cast<std::int64_t>(turn.priority)},
      {"origin", static_cast<std::int64_t>(turn.origin)},
      {"metadata", turn.metadata},
  };
  return std::to_string(TokensOf(turn)) + " " + json::serialize(object);
}

std::optional<Interaction> DecodeTurn(std::string_view text, const UserKey& user,
                                      std::string_view session_id) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) {
    return std::nullopt;
  }
  json::parse_options options;
  options.allow_invalid_utf8 = true;  // As it came it goes.
  boost::system::error_code error;
  const json::value value = json::parse(
      json::string_view(text.data() + space + 1, text.size() - space - 1), error, {}, options);
  if (error || !value.is_object()) {
    return std::nullopt;
  }
  Fields fields(value.get_object());
  Interaction turn;
  turn.user = user;
  turn.session_id = std::string(session_id);
  turn.interaction_id = fields.Text("id");
  turn.sequence = fields.Number("sequence", 1, kTimeMax);
  turn.speaker = fields.Text("speaker");
  turn.occurred_at = FromUnixMillis(fields.Number("occurred_at", -kTimeMax, kTimeMax));
  turn.accepted_at = FromUnixMillis(fields.Number("accepted_at", -kTimeMax, kTimeMax));
  turn.user_message = fields.Text("user");
  turn.assistant_response = fields.Text("assistant");
  turn.priority = static_cast<Priority>(fields.Number("priority", 0, 2));
  turn.origin = static_cast<Origin>(fields.Number("origin", 0, 2));
  turn.metadata = fields.Text("metadata");
  if (!fields.whole()) {
    return std::nullopt;
  }
  return turn;
}

}  // namespace umbranet
