// The measuring itself, inside the worker's child process: operands, packed copies, verification, baseline, timed
// blocks, counters, ceilings. No protocol and no process handling here: the child wraps a session, tests call it
// directly.
//
// A session serves one setup at a time; a new setup of the same problem and data keeps operands and packed weights that
// it can reuse. Candidates are shared libraries (tile_library.h) that somebody else compiled.
//
// A session belongs to the thread that makes it: with one thread offered that thread is pinned to one CPU.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tuner/result.h"
#include "tuner/study/measurer.h"

namespace gemwright::tuner {

class Session {
 public:
  // Libraries of tiles compiled from other kernel sources are refused; without a digest none is.
  explicit Session(std::string expected_source_digest = "");
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Makes the operands, the baseline and a trusted result to compare candidates with.
  Result<SetupReply> setup(const MeasureSetup& setup);
  // Loads (once), packs (once per format), checks the tile on small problems (once) and the config at full size.
  // `verify` false: admitted before, and loaded again after a restart. `timed`: see Measurer::admit_timed.
  Result<Admission> admit(const Config& config, const std::string& library, bool verify, bool timed = false);
  // The product of a config without its chain, for comparing times: see Measurer.
  Result<Admission> admit_bare(const Config& config, const std::string& library);
  Result<Admission> admit_header(const std::string& library, bool verify);
  Result<Block> block(int handle, std::int64_t calls);
  // See Measurer.
  Result<std::vector<profilers::Counter>> count(int handle, std::int64_t calls);
  Result<std::vector<profilers::Ceiling>> ceilings();
  Result<void> drop(int handle);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gemwright::tuner
