"""Take the limits away."""
import resource

seen = []
for which in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):
    try:
        resource.setrlimit(which, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        seen.append(which)
    except (ValueError, OSError):
        pass
print(seen or "contained")
