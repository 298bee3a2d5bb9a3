"""Read the kernel's memory and symbols."""
seen = []
for name in ("kcore", "kallsyms", "kmsg", "modules", "keys", "timer_list", "sched_debug"):
    try:
        seen.append(open(f"/proc/{name}", "rb").read(1))
    except OSError:
        pass
print(seen or "contained")
