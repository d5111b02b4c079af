#include "umbranet/reflection/preceding_turns.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace umbranet {

Result<std::vector<Interaction>> ReadPrecedingTurns(Journal& journal, const UserKey& user,
                                                    std::span<const Interaction> turns,
                                                    std::size_t turns_max, Deadline deadline) {
  std::vector<const Interaction*> firsts;
  for (const Interaction& turn : turns) {
    const bool listed = std::any_of(firsts.begin(), firsts.end(), [&turn](const auto* first) {
      return first->session_id == turn.session_id;
    });
    if (!listed) {
      firsts.push_back(&turn);
    }
  }
  const std::size_t each = std::max<std::size_t>(1, turns_max / firsts.size());
  std::vector<Interaction> preceding;
  for (const Interaction* first : firsts) {
    UMBRANET_ASSIGN_OR_RETURN(
        std::vector<Interaction> before,
        journal.Recent(user, first->session_id, first->sequence, each, deadline));
    std::move(before.begin(), before.end(), std::back_inserter(preceding));
  }
  return preceding;
}

}  // namespace umbranet
