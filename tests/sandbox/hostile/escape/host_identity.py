"""Learn the name, the control groups and the boot arguments of the host."""
import os
import socket

groups = {line.split(":")[2] for line in open("/proc/self/cgroup").read().split()}
boots = os.path.exists("/proc/cmdline") or os.path.exists("/proc/version")
print("contained" if socket.gethostname() == "sandbox" and groups == {"/"} and not boots else (groups, boots))
