"""A program that lowers its own limits, as many harnesses do."""
import faulthandler
import resource

faulthandler.disable()
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_STACK, (4 << 20, 4 << 20))
resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28))
print("ok")
