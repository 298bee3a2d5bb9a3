"""Change the security label of what is executed next."""
seen = []
for name in ("exec", "current", "apparmor/exec"):
    try:
        open(f"/proc/self/attr/{name}", "w").write("unconfined")
        seen.append(name)
    except OSError:
        pass
print(seen or "contained")
