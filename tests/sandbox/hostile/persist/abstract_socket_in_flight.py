"""The same socket, kept alive by a message to itself that nobody will read."""
import array
import socket

sock = socket.socket(socket.AF_UNIX)
sock.bind("\0note")
sock.listen()
one, other = socket.socketpair()
for end in (one, other):
    rights = array.array("i", [sock.fileno(), one.fileno(), other.fileno()])
    end.sendmsg([b"42"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
