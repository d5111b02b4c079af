#include "umbranet/app/command_line.h"

int main(int argc, char** argv) {
  return umbranet::RunCommandLine(argc, argv);
}
