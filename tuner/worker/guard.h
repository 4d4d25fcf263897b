// `gemwright worker`: the guard and the child that it starts.
//
// The guard speaks the protocol with its client, compiles what candidates need, holds the lock of the machine and
// watches over the child that runs candidates: a crash, a hang or garbage ends the child and becomes the state of the
// request in flight. While a block is timed, or counted, compilers are stopped and the guard sleeps. It has one thread.
// When its input closes it ends, and with it the child and the compilers.
//
// The lock is taken at the first setup, before anything that could disturb another measurer, and kept until the end.
#pragma once

#include "tuner/worker/protocol.h"

namespace gemwright::tuner {

// Serves one client until in_fd closes; answers the exit code. `/proc/self/exe worker --child` must run
// run_worker_child.
int run_worker(int in_fd, int out_fd, const Hello& hello = {});

// The part that runs candidates. Its descriptors are moved away, and standard input and output become /dev/null, so
// that a candidate cannot reach the protocol by accident.
int run_worker_child(int in_fd, int out_fd);

}  // namespace gemwright::tuner
