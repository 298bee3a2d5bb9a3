"""A lease on a file of the system: who opens it for writing waits for us."""
import fcntl
import os

descriptor = os.open(os.__file__, os.O_RDONLY)
seen = []
for command, argument in ((fcntl.F_SETLEASE, fcntl.F_RDLCK), (fcntl.F_NOTIFY, 1)):
    try:
        fcntl.fcntl(descriptor, command, argument)
        seen.append(command)
    except PermissionError:
        pass
print(seen or "contained")
