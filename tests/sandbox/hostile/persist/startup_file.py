"""Leave start-up files in the home."""
for name in (".bashrc", ".profile", ".pythonrc.py", ".pydistutils.cfg", ".gitconfig"):
    open(f"/tmp/{name}", "w").write("exit 0")
