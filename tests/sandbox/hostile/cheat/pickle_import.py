"""An object that runs a command when it is unpickled."""
import os


class Bomb:
    def __reduce_ex__(self, protocol):
        return (os.system, ("touch /tmp/pwned",))


def f(x):
    return [Bomb()]
