"""Read who the host's users are."""
import pwd

names = [entry.pw_name for entry in pwd.getpwall()]
print("contained" if names == ["user"] else names)
