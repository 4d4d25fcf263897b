// What `gemwright worker` is to the tests: a program that is a guard or, with --child, the child.
#include <unistd.h>

#include <cstring>

#include "tuner/worker/guard.h"

int main(int argc, char** argv) {
  using namespace gemwright::tuner;
  if (argc == 3 && std::strcmp(argv[2], "--child") == 0) return run_worker_child(STDIN_FILENO, STDOUT_FILENO);
  return run_worker(STDIN_FILENO, STDOUT_FILENO, {"test", {}});
}
