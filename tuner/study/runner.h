// Which process runs a study, so that another one can tell a study at work from one whose process was killed.
//
// A process is named by its number and the boot of the system, because numbers start again with every boot. A number
// may be given to another process later: `alive` may then say yes for a process that is gone, never no for one that
// runs here. Processes of containers with numbers of their own do not see each other.
#pragma once

#include "tuner/study/records.h"

namespace gemwright::tuner {

Runner this_process();
// Whether that process still exists, as this boot sees it.
bool alive(const Runner& runner);

}  // namespace gemwright::tuner
