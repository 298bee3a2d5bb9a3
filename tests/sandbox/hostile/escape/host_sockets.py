"""Talk to the daemons of the host by their sockets."""
import socket

seen = []
for path in ("/run/docker.sock", "/var/run/docker.sock", "/run/dbus/system_bus_socket", "/run/systemd/private",
             "/tmp/.X11-unix/X0", "\0/tmp/.X11-unix/X0", "\0/tmp/dbus", "/run/snapd.socket"):
    try:
        socket.socket(socket.AF_UNIX).connect(path)
        seen.append(path)
    except OSError:
        pass
print(seen or "contained")
