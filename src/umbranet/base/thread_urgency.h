// How urgently the threads of one process are run: those that somebody waits for before those that
// work behind the answers.
#pragma once

#include <cstdint>

namespace umbranet {

// Makes the calling thread, and those that it starts, yield to threads that somebody waits for:
// `nice` (0 to 19) sets its share of a busy processor, and from Linux 6.12 on it may be interrupted
// at once by a thread that wakes. With the nice value alone it would finish its slice of about
// 3 ms first, which is more than a whole answer takes. Where the system knows or allows no such
// thing the thread stays as urgent as it was. 0 changes nothing.
void WorkBehindAnswers(int nice);

// Nice values of threads that somebody waits for: of those that work on an answer, and of one that
// works for a moment at a time and that all of these wait for.
inline constexpr int kNiceOfAnswers = -5;
inline constexpr int kNiceOfWriter = -10;

// Short ones are for a thread that works for a moment at a time: from Linux 6.12 on it interrupts
// one with longer slices when it wakes, and would be interrupted at work that takes longer.
enum class Slices : std::uint8_t { kOrdinary, kShort };

// Makes the calling thread, and those that it starts, go first on a busy processor. Only the
// superuser and whoever has LimitNICE (systemd), RLIMIT_NICE or CAP_SYS_NICE may take the nice
// value; anybody may have short slices.
void WorkAhead(int nice, Slices slices = Slices::kOrdinary);

}  // namespace umbranet
