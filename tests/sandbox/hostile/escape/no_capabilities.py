"""What the process may do beyond an ordinary user."""
lines = open("/proc/self/status").read().replace("\t", " ").splitlines()
fields = dict(line.split(": ") for line in lines if ": " in line)
held = [name for name in ("CapInh", "CapPrm", "CapEff", "CapAmb") if int(fields[name], 16)]
print("contained" if not held and fields["NoNewPrivs"] == "1" and fields["Seccomp"].strip() == "2" else held)
