"""A daemon that is another program by now."""
import subprocess

subprocess.Popen(["/bin/sleep", "60"], start_new_session=True)
