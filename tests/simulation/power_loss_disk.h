// A disk beneath SQLite that loses, when the power fails, what nobody has synced: a VFS in front of
// the operating system's that keeps apart, for each file, what is on the disk and what was only
// written. A power cut is taken at an operation, while the program goes on unawares: the files as
// they would be found afterwards are put into another folder. Of what was not synced each write is
// there, is missing, or is there up to some sector, in whatever combination.
//
// There is one for the whole process, and while it is there every connection goes through it; it
// keeps account of the files of one folder. All methods may be called from any thread; making and
// destroying it, while no connection is open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

struct sqlite3_vfs;

namespace umbranet {

class PowerLossDisk {
 public:
  explicit PowerLossDisk(std::string folder);
  ~PowerLossDisk();
  PowerLossDisk(const PowerLossDisk&) = delete;
  PowerLossDisk& operator=(const PowerLossDisk&) = delete;

  // "PRAGMA synchronous=FULL" is taken and not carried out: what was set before stays.
  void IgnoreFull();

  // Writes, syncs and truncations so far.
  [[nodiscard]] std::uint64_t operations() const;

  // `hook` hears of each operation before it takes place, on the thread that makes it; empty:
  // nobody does.
  void BeforeEach(std::function<void(std::uint64_t operation)> hook);

  // What would be found after a power cut now, in `folder`, which is made. `seed` decides what of
  // the unsynced is there.
  void CutTo(const std::string& folder, std::uint64_t seed) const;

  class State;

 private:
  const std::shared_ptr<State> state_;
  std::unique_ptr<sqlite3_vfs> vfs_;
};

}  // namespace umbranet
